/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_CLI_LAB_H
#define STK_TEST_CLI_LAB_H

#include "model/claims.h"
#include <openssl/evp.h>
#include <stddef.h>

/* Keys and certificates made at run time, as files in the test's place. Fails by cmocka. */

/* "P-256", "P-384" or "RSA"; the caller frees it. */
EVP_PKEY *lab_key(const char *kind);

/* NAME.key: PKCS#8 PEM, encrypted when there is a passphrase. */
void lab_write_key(const char *name, EVP_PKEY *key, const char *passphrase);

/* NAME.pem: a certificate of `key` called `name`, issued by `issuer` with its key; both NULL: by
 * itself, as a CA. Valid from yesterday for a month. */
void lab_write_certificate(const char *name, EVP_PKEY *key, const char *issuer,
                           EVP_PKEY *issuer_key);

/* The same with further extensions: pairs of dotted OID and value in OpenSSL's words, then NULL. */
void lab_write_certificate_with(const char *name, EVP_PKEY *key, const char *issuer,
                                EVP_PKEY *issuer_key, const char *const *extensions);

/* A PKCS#12 file without a passphrase, of the key and the certificate called `name`. */
void lab_write_pkcs12(const char *file_name, EVP_PKEY *key, const char *name);

#define LAB_X5U "https://certs.example.com/lab.pem"

/* An Identity header value with these claims, on the heap. */
char *lab_sign(EVP_PKEY *key, const struct stk_claims_input *given);

/* A shaken one that was issued `age` seconds ago. */
char *lab_identity(EVP_PKEY *key, long age);

#endif
