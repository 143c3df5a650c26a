/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_PKCS12_H
#define STK_CERT_PKCS12_H

#include "cert/cert.h"
#include "cert/key.h"

/* Does the file look like one? */
bool stk_pkcs12_is(struct stk_bytes file);

/*
 * Read a PKCS#12 file (RFC 7292): its one private key, and, when `ret_chain` is not NULL, the
 * chain that belongs to it: the certificate with its public key first, then the issuers that the
 * file has, in order; other certificates are left out. The integrity code is checked when there
 * is one. `passphrase` may be NULL: then no and the empty passphrase are tried. Nothing secret is
 * left in memory.
 *
 * KEY_TYPE and KEY_UNREADABLE as stk_private_key_read; KEY_MISMATCH when no certificate belongs to
 * the key; CERT_INVALID, TOO_LARGE as stk_chain_read. On failure neither result is touched.
 */
enum stirkeep_status stk_pkcs12_read(const struct stk_secret *data, const char *name,
                                     const struct stk_secret *passphrase,
                                     struct stk_private_key *ret_key, struct stk_chain **ret_chain,
                                     struct stk_error *error);

#endif
