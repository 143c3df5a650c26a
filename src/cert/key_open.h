/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_KEY_OPEN_H
#define STK_CERT_KEY_OPEN_H

#include "cert/cert.h"
#include "cert/decrypt.h"
#include "cert/key.h"

/* Finding and opening the private key in a file, for this folder only. Messages have no file name
 * before them; what OpenSSL leaves on the stack is key.c's to overwrite. */

/* A file of DER, or BER when it is PKCS#12. */
enum stirkeep_status stk_key_open_der(struct stk_bytes file, struct stk_passphrase *passphrase,
                                      struct stk_private_key *ret_key, struct stk_error *error);

/* A file of PEM blocks. */
enum stirkeep_status stk_key_open_pem(struct stk_bytes file, struct stk_passphrase *passphrase,
                                      struct stk_private_key *ret_key, struct stk_error *error);

/* PKCS#12; `ret_chain` may be NULL. */
enum stirkeep_status stk_key_open_pkcs12(struct stk_bytes file, struct stk_passphrase *passphrase,
                                         struct stk_private_key *ret_key,
                                         struct stk_chain **ret_chain, struct stk_error *error);

/* The DER of one key, plain or EncryptedPrivateKeyInfo, with EC parameters that came before it
 * (or empty). `pem`: what form to name. */
enum stirkeep_status stk_key_open_value(struct stk_bytes der, struct stk_bytes curve, bool pem,
                                        struct stk_passphrase *passphrase,
                                        struct stk_private_key *ret_key, struct stk_error *error);

#endif
