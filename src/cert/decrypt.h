/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_DECRYPT_H
#define STK_CERT_DECRYPT_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include <stdbool.h>

/*
 * Opening what a passphrase closed, by OpenSSL's ciphers, straight into secret memory. OpenSSL's
 * own copies (key schedule, derived key) are wiped by it.
 *
 * A file says itself how much work its passphrase costs, so each reading has a budget: a hostile
 * file must not keep the service busy.
 */
#define STK_PBE_WORK_MAX 4000000   /* iterations in one file, seconds; tools use 2048 to 1000000 */
#define STK_PBE_SCRYPT_WORK 200000 /* what one lane of scrypt counts; its memory: 32 MiB at most */
#define STK_PASSPHRASE_MAX 1024

struct stk_passphrase {
    const char *text; /* NULL: none, which PKCS#12 tells from an empty one */
    size_t length;
    uint64_t work_done; /* iterations so far */
};

/* May `iterations` more be done? Counts them, and says no when there are too many. */
bool stk_passphrase_work(struct stk_passphrase *passphrase, uint64_t iterations);

/*
 * Decrypt by a PBES2 or PBES1 AlgorithmIdentifier (RFC 8018, RFC 7292 appendix C), given whole.
 * KEY_UNREADABLE: the passphrase is wrong, or what is not supported.
 */
enum stirkeep_status stk_decrypt_pbe(struct stk_bytes algorithm, struct stk_bytes sealed,
                                     struct stk_passphrase *passphrase,
                                     struct stk_secret *ret_plain, struct stk_error *error);

/* Decrypt the way of OpenSSL's traditional PEM: `dek_info` is "AES-256-CBC,<IV in hex>". */
enum stirkeep_status stk_decrypt_pem(struct stk_bytes dek_info, struct stk_bytes sealed,
                                     const struct stk_passphrase *passphrase,
                                     struct stk_secret *ret_plain, struct stk_error *error);

/* KEY_UNREADABLE: "the passphrase is wrong, or the file is damaged". */
enum stirkeep_status stk_decrypt_refused(struct stk_error *error);

#endif
