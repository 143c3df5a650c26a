/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_PREPARED_H
#define STK_TOKEN_PREPARED_H

/*
 * What the module asks of OpenSSL at each signature, made before.
 *
 * SoftHSM has OpenSSL's key made anew in each C_SignInit. It reads the curve (d2i_ECPKParameters), for
 * which OpenSSL computes all constants of P-256 again, a quarter of the whole signature; and it
 * decrypts the key with a cipher (EVP_aes_256_cbc) for which OpenSSL goes through its providers each
 * time, under locks that all threads share. For each of its two decryptions it masks its own key
 * anew with 32 random octets (RAND_bytes), under a lock that all its sessions share, where making so
 * few takes OpenSSL ten times as long as anything else that is done there.
 *
 * A program's symbols come before its libraries': these are defined by the program that links this,
 * and give what OpenSSL itself made before: the same curve, the same cipher, octets of the same
 * generator that nobody was given before and nobody will be given again. All else that they are
 * asked for OpenSSL answers as ever. Keys and signatures stay in the hands of the module and of
 * OpenSSL, and so do a signature's own random octets (RAND_priv_bytes).
 *
 * They bear the version of OpenSSL 3's symbols (prepared.map): a module that comes with another
 * OpenSSL never meets them.
 */

/* How many octets one RAND_bytes may ask for to be given some that were made before. */
#define STK_PREPARED_RANDOM_MAX 64

/*
 * Make curve and cipher, once the module is initialised: from then on they are what OpenSSL would
 * give. What cannot be made is left to OpenSSL. Calls after the first do nothing. Any thread, one at
 * a time; other threads may be in the module meanwhile.
 */
void stk_prepared_make(void);

/*
 * From now until stk_prepared_end, the calling thread is in a module's C_SignInit (PKCS#11 v2.40,
 * 5.11): the curve that it reads is the one that there is instead of a copy, which the module may
 * free and must not change, and random octets come from the thread's own store (2 KiB, wiped as they
 * are given out). Outside of it, and on other threads, the curve is a copy, and RAND_bytes is
 * OpenSSL's. The process must not fork between these.
 */
void stk_prepared_begin(void);
void stk_prepared_end(void);

#endif
