/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_SAFE_H
#define STK_CERT_SAFE_H

#include "cert/decrypt.h"

/* The inside of a PKCS#12 file, for this folder only. */

#define STK_SAFE_CERTIFICATES_MAX 32
#define STK_SAFE_LAYERS_MAX 16 /* decrypted or rewritten pieces */

/* What a PKCS#12 file holds, as views into `layers`. */
struct stk_safe {
    struct stk_secret layers[STK_SAFE_LAYERS_MAX];
    size_t layer_count;
    struct stk_bytes certificates[STK_SAFE_CERTIFICATES_MAX]; /* DER */
    size_t certificate_count;
    struct stk_bytes key; /* plain DER */
    size_t key_count;     /* different ones */
};

/*
 * Check the integrity code, if any, and open all of it. With a passphrase whose text is NULL none
 * and the empty one are tried. Whatever is returned, stk_safe_free it. Messages have no file name.
 */
enum stirkeep_status stk_safe_open(struct stk_bytes file, struct stk_passphrase *passphrase,
                                   struct stk_safe *safe, struct stk_error *error);
void stk_safe_free(struct stk_safe *safe);

/*
 * Does the MacData (RFC 7292 section 4, its contents) belong to `content` under this passphrase?
 * OK; KEY_UNREADABLE when not, or when it is not supported (the message says which).
 */
enum stirkeep_status stk_safe_check_mac(struct stk_bytes mac_data, struct stk_bytes content,
                                        struct stk_passphrase *passphrase, struct stk_error *error);

#endif
