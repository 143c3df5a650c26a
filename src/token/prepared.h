/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_PREPARED_H
#define STK_TOKEN_PREPARED_H

/*
 * What the module asks of OpenSSL at each signature, made once.
 *
 * SoftHSM has OpenSSL's key made anew in each C_SignInit. It reads the curve (d2i_ECPKParameters), for
 * which OpenSSL computes all constants of P-256 again, a quarter of the whole signature; and it
 * decrypts the key with a cipher (EVP_aes_256_cbc) for which OpenSSL goes through its providers each
 * time, under locks that all threads share. A program's symbols come before its libraries': these
 * two are defined by the program that links this, and give what OpenSSL itself made of the same
 * octets before, a copy of the curve, the same cipher. All else that they are asked for OpenSSL
 * answers as ever. Keys and signatures stay in the hands of the module and of OpenSSL.
 *
 * They bear the version of OpenSSL 3's symbols (prepared.map): a module that comes with another
 * OpenSSL never meets them.
 */

/*
 * Make both, once the module is initialised: from then on they are what OpenSSL would give. What
 * cannot be made is left to OpenSSL. Calls after the first do nothing. Any thread, one at a time;
 * other threads may be in the module meanwhile.
 */
void stk_prepared_make(void);

#endif
