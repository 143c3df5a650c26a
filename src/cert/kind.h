/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_KIND_H
#define STK_CERT_KIND_H

#include "base/bytes.h"
#include "base/limits.h"
#include <stdbool.h>

/* What kind of key or file is it, in words for a message. Pure, any thread. */

/* An AlgorithmIdentifier (RFC 5280 section 4.1.1.2), as views. */
struct stk_algorithm {
    struct stk_bytes oid;        /* contents */
    struct stk_bytes parameters; /* the whole value; empty when absent */
};

bool stk_algorithm_take(struct stk_bytes *in, struct stk_algorithm *ret_algorithm);
bool stk_algorithm_is_ec(const struct stk_algorithm *algorithm);

/* id-ecPublicKey with the named curve P-256 (RFC 5480 section 2.1.1). */
bool stk_algorithm_is_p256(const struct stk_algorithm *algorithm);

/* EC parameters (a whole value) that name the curve P-256. */
bool stk_curve_is_p256(struct stk_bytes parameters);

#define STK_KIND_TEXT 96

/* "EC P-384 key", "EC key with explicit curve parameters (256-bit field)", ... */
void stk_kind_of_curve(struct stk_bytes parameters, char ret_text[STK_KIND_TEXT]);

/* "RSA 2048 key", "Ed25519 key", ... from the algorithm and the key's own bytes: the contents of
 * a subjectPublicKey without the octet of unused bits, or of a privateKey. */
void stk_kind_of_key(const struct stk_algorithm *algorithm, struct stk_bytes key,
                     char ret_text[STK_KIND_TEXT]);

/* What a DER value or a file is that was taken for something else. */
enum stk_file_kind {
    STK_FILE_UNKNOWN,
    STK_FILE_SEC1,      /* ECPrivateKey, RFC 5915 */
    STK_FILE_PKCS8,     /* PrivateKeyInfo, RFC 5958 */
    STK_FILE_ENCRYPTED, /* EncryptedPrivateKeyInfo */
    STK_FILE_PKCS12,
    STK_FILE_RSA_KEY, /* RFC 8017 A.1.2 */
    STK_FILE_DSA_KEY,
    STK_FILE_PUBLIC_KEY, /* SubjectPublicKeyInfo */
    STK_FILE_CERTIFICATE,
    STK_FILE_REQUEST, /* PKCS#10 */
    STK_FILE_PKCS7,
    STK_FILE_CURVE /* EC parameters alone */
};
enum stk_file_kind stk_file_kind_of(struct stk_bytes der);

/* "RSA 2048 key", "DSA 1024 key" of the traditional forms RSA_KEY and DSA_KEY. */
void stk_kind_of_traditional(enum stk_file_kind kind, struct stk_bytes der,
                             char ret_text[STK_KIND_TEXT]);

/* "a certificate", "a PKCS#12 file", ...; never NULL. */
const char *stk_file_kind_text(enum stk_file_kind kind);

/* The same for a file that is neither DER nor PEM: "a JSON text", "a PuTTY key", ...; NULL when it
 * looks like nothing known. */
const char *stk_file_guess(struct stk_bytes file);

#endif
