/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_KEY_H
#define STK_CERT_KEY_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "model/key_id.h"

/*
 * Reading an uploaded private key, as people have them: PEM or DER; SEC1 ("EC PRIVATE KEY", with
 * or without an "EC PARAMETERS" block before it), PKCS#8, encrypted PKCS#8 and encrypted SEC1
 * (passphrase needed); PKCS#12; CRLF, BOM and text before the PEM; a key among certificates in one
 * bundle. Exactly one key.
 */
struct stk_private_key {
    struct stk_secret pkcs8; /* DER PrivateKeyInfo (RFC 5208) of the P-256 key, with public key */
    uint8_t spki[91];        /* DER SubjectPublicKeyInfo */
    struct stk_key_id id;    /* its SHA-256 */
    const char *form;        /* what was found: "PKCS#8 PEM", ... */
};

/*
 * `data` is the file's content, `name` its name for messages. `passphrase` may be NULL. KEY_TYPE
 * says what was found ("RSA 2048 key; STIR/SHAKEN needs P-256"); KEY_UNREADABLE why it cannot be
 * read (no private key in it, passphrase needed or wrong, truncated, public key does not belong).
 * All intermediate copies are wiped.
 */
enum stirkeep_status stk_private_key_read(const struct stk_secret *data, const char *name,
                                          const struct stk_secret *passphrase,
                                          struct stk_private_key *ret_key, struct stk_error *error);
void stk_private_key_free(struct stk_private_key *key);

#endif
