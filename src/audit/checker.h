/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_CHECKER_H
#define STK_AUDIT_CHECKER_H

#include "audit/seal.h"
#include <openssl/evp.h>

/* An audit key made ready to check many seals with. One thread at a time. {0} holds nothing. */
struct stk_checker {
    struct stk_key_id key_id;
    EVP_PKEY *key;
};

/* False when the bytes are no P-256 key in the form of 91 bytes (RFC 5480, uncompressed), or
 * without memory. */
bool stk_checker_make(const uint8_t spki[STK_SPKI_LENGTH], struct stk_checker *ret_checker);

/* Does the seal name this key, and is it signed by it? */
bool stk_checker_signed(const struct stk_checker *checker, const struct stk_seal *seal);

void stk_checker_free(struct stk_checker *checker);

#endif
