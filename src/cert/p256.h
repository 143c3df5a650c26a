/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_P256_H
#define STK_CERT_P256_H

#include "base/bytes.h"
#include "base/limits.h"
#include <openssl/evp.h>
#include <stdbool.h>

/* The one curve of STIR (ES256, RFC 7518 section 3.4): keys in their one canonical encoding, and
 * signatures. Any thread. */

#define STK_P256_SCALAR_LENGTH 32
#define STK_P256_POINT_LENGTH 65 /* 04 || x || y */
#define STK_P256_SPKI_LENGTH 91
#define STK_P256_SPKI_POINT 26 /* where the point begins in the SubjectPublicKeyInfo */
#define STK_ECDSA_DER_MAX 72   /* ECDSA-Sig-Value of two 256-bit numbers */

/* Write SubjectPublicKeyInfo with the named curve and the uncompressed point. The point is given
 * uncompressed or compressed; false when it is neither or not on the curve. */
bool stk_p256_spki(struct stk_bytes point, uint8_t ret_spki[STK_P256_SPKI_LENGTH]);

/* Is the scalar in 1 .. n-1? In constant time. */
bool stk_p256_scalar_ok(const uint8_t scalar[STK_P256_SCALAR_LENGTH]);

/*
 * The public point of a scalar. False when OpenSSL fails. Its copies of the scalar in the heap are
 * wiped; those that it leaves on the stack below are the caller's to overwrite (base/wipe.h knows
 * nothing of them): see key.c.
 */
bool stk_p256_public_point(const uint8_t scalar[STK_P256_SCALAR_LENGTH],
                           uint8_t ret_point[STK_P256_POINT_LENGTH]);

/* A key to verify with; NULL when the 91 bytes are not the canonical form of a point on the curve,
 * or without memory. EVP_PKEY_free. */
EVP_PKEY *stk_p256_pkey(struct stk_bytes spki);

/* Does r||s over the digest verify? */
bool stk_p256_verifies(EVP_PKEY *pkey, const uint8_t digest[STK_DIGEST_LENGTH],
                       const uint8_t signature[STK_SIGNATURE_LENGTH]);

/* r||s as ECDSA-Sig-Value (RFC 3279 section 2.2.3): two INTEGERs in minimal form. Returns its
 * length. */
size_t stk_ecdsa_der(const uint8_t signature[STK_SIGNATURE_LENGTH],
                     uint8_t ret_der[STK_ECDSA_DER_MAX]);

#endif
