/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_KEY_PLAIN_H
#define STK_CERT_KEY_PLAIN_H

#include "cert/key.h"

/*
 * A P-256 private key from plain DER: PrivateKeyInfo (RFC 5958) or ECPrivateKey (RFC 5915).
 * `curve` are EC parameters that came before it (a whole DER value), or empty. Checks the scalar's
 * range, makes the public key from it and compares with what the file holds of it. Messages have
 * no file name before them. `form` is left for the caller.
 */
enum stirkeep_status stk_key_from_plain(struct stk_bytes der, struct stk_bytes curve,
                                        struct stk_private_key *ret_key, struct stk_error *error);

/* KEY_TYPE: "RSA 2048 key; STIR/SHAKEN needs P-256". */
enum stirkeep_status stk_key_refuse_type(const char *kind, struct stk_error *error);

#endif
