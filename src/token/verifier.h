/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_VERIFIER_H
#define STK_TOKEN_VERIFIER_H

#include "base/limits.h"
#include <stdbool.h>
#include <stdint.h>
#include <stirkeep/status.h>

/*
 * Does a signature verify? For who asks after each signature, with any of 100,000 keys: to make an
 * EVP_PKEY takes twice as long as to verify, and to keep one for each key takes their memory. So
 * this is ECDSA on P-256 (FIPS 186-5 section 6.4.2) by OpenSSL's arithmetic, with nothing kept of a
 * key. Public values alone. One thread.
 */
struct stk_verifier;

#define STK_POINT_LENGTH 64 /* a P-256 point's coordinates */

enum stirkeep_status stk_verifier_new(struct stk_verifier **ret_verifier);
void stk_verifier_free(struct stk_verifier *verifier);

/* False also when it cannot be told: without memory, or of what is no point of the curve. */
bool stk_verifier_holds(struct stk_verifier *verifier, const uint8_t point[STK_POINT_LENGTH],
                        const uint8_t digest[STK_DIGEST_LENGTH],
                        const uint8_t signature[STK_SIGNATURE_LENGTH]);

#endif
