/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TESTS_CERT_PKI_H
#define STK_TESTS_CERT_PKI_H

#include "base/bytes.h"
#include "base/secret.h"
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

/* A laboratory PKI made at run time, and keys in the forms that people have. Fails by assert. */

#define PKI_NOW 1790000000 /* 2026-09-21: what the tests call now */
#define PKI_DAY 86400

/* 30 08 a0 06 16 04 36 31 36 48 as OpenSSL's extension text: SPC "616H". */
#define PKI_TNAUTHLIST "DER:30:08:a0:06:16:04:36:31:36:48"

#define PKI_EXTENSIONS_MAX 12

struct pki_extension {
    const char *name; /* OpenSSL's name, or a dotted OID */
    const char *value;
};

/* What a certificate shall be; change what a test is about. */
struct pki_spec {
    EVP_PKEY *key;
    EVP_PKEY *signer; /* NULL: self-signed */
    X509 *issuer;     /* NULL: self-signed */
    const char *country;
    const char *organization;
    const char *common_name;
    const char *serial; /* decimal, may be negative */
    long version;       /* 2: v3 */
    int64_t not_before;
    int64_t not_after;
    const EVP_MD *digest;
    struct pki_extension extensions[PKI_EXTENSIONS_MAX];
};

EVP_PKEY *pki_ec_key(const char *curve);
EVP_PKEY *pki_rsa_key(void);
/* The key of RFC 6979 A.2.5. */
EVP_PKEY *pki_rfc6979_key(void);

/* As a SHAKEN leaf, an intermediate, a root: all that the gate wants. */
struct pki_spec pki_leaf_spec(EVP_PKEY *key, EVP_PKEY *signer, X509 *issuer);
struct pki_spec pki_intermediate_spec(EVP_PKEY *key, EVP_PKEY *signer, X509 *issuer);
struct pki_spec pki_root_spec(EVP_PKEY *key);

/* Replace (or add) an extension; value NULL removes it. */
void pki_extend(struct pki_spec *spec, const char *name, const char *value);

X509 *pki_certificate(const struct pki_spec *spec);

/* Root, intermediate and leaf with their keys. */
struct pki_chain {
    EVP_PKEY *root_key;
    EVP_PKEY *intermediate_key;
    EVP_PKEY *leaf_key;
    X509 *root;
    X509 *intermediate;
    X509 *leaf;
};
struct pki_chain pki_chain_new(void);
void pki_chain_free(struct pki_chain *chain);

/* Growable text of a test. */
struct pki_text {
    uint8_t data[256 * 1024];
    size_t length;
};
void pki_add(struct pki_text *text, const void *data, size_t length);
void pki_add_string(struct pki_text *text, const char *string);
void pki_add_pem(struct pki_text *text, X509 *x509);
void pki_add_der(struct pki_text *text, X509 *x509);
struct stk_bytes pki_bytes(const struct pki_text *text);

/* PEM of any bytes. */
void pki_add_block(struct pki_text *text, const char *label, struct stk_bytes der);

/* Into a secret, as the reader takes it. */
struct stk_secret pki_secret(const void *data, size_t length);

#endif
