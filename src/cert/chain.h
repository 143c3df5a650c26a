/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_CHAIN_H
#define STK_CERT_CHAIN_H

#include "cert/cert.h"
#include "cert/kind.h"
#include "cert/p256.h"
#include <openssl/x509.h>

/* The inside of a chain, for this folder only. */

/* A SubjectPublicKeyInfo, read. */
struct stk_subject_key {
    uint8_t spki[STK_P256_SPKI_LENGTH]; /* canonical; P-256 only */
    struct stk_key_id id;               /* SHA-256 of it; of the SPKI as it is for other keys */
    bool p256;
    bool compressed;          /* the certificate has the point in compressed form */
    char kind[STK_KIND_TEXT]; /* "EC P-256 key", "RSA 2048 key", ... */
};

struct stk_chain_item {
    X509 *x509;
    struct stk_buffer der;
    int64_t not_before;
    int64_t not_after;
    struct stk_subject_key key;
};

struct stk_chain {
    size_t count;
    struct stk_chain_item items[STK_CHAIN_MAX];
};

/* Read one certificate; `ret_item` is untouched on failure. The message has no name before it. */
enum stirkeep_status stk_chain_item_read(struct stk_bytes der, struct stk_chain_item *ret_item,
                                         struct stk_error *error);
void stk_chain_item_free(struct stk_chain_item *item);

/* Read a SubjectPublicKeyInfo (DER); false when it is not one. */
bool stk_subject_key_read(struct stk_bytes spki, struct stk_subject_key *ret_key);

#define STK_OID_TNAUTHLIST "1.3.6.1.5.5.7.1.26"
#define STK_OID_CLAIM_CONSTRAINTS "1.3.6.1.5.5.7.1.27"
#define STK_OID_ENHANCED_CLAIM_CONSTRAINTS "1.3.6.1.5.5.7.1.33"

/* The contents of the first extension with this dotted OID; false when there is none. They live as
 * long as the certificate. */
bool stk_extension_find(const X509 *x509, const char *oid, struct stk_bytes *ret_value);

/* The dotted OID of an extension. */
void stk_extension_oid(const X509_EXTENSION *extension, char ret_text[STK_KIND_TEXT]);

/* Is it an extension of the STIR certificate profile that OpenSSL does not know (RFC 8226)? */
bool stk_extension_is_stir(const X509_EXTENSION *extension);

#endif
