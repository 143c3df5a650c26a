/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_SEAL_SEAL_H
#define STK_SEAL_SEAL_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"

/*
 * Sealing a private key for the token: RSA-OAEP (SHA-1, MGF1-SHA-1: all that SoftHSM takes) of a
 * fresh AES-256 key, then that key's AES-KWP (RFC 5649, CKM_AES_KEY_WRAP_PAD) of the PKCS#8. The
 * same layout as CKM_RSA_AES_KEY_WRAP (PKCS#11 3.0 section 2.1.21).
 */

/*
 * Seal `pkcs8` (DER) to an RSA public key (DER SubjectPublicKeyInfo, 2048-4096 bits). The AES key
 * is wiped. INVALID when the public key is not usable, TOO_LARGE, INTERNAL.
 */
enum stirkeep_status stk_seal(struct stk_bytes wrapping_spki, const struct stk_secret *pkcs8,
                              struct stk_buffer *ret_sealed, struct stk_error *error);

/* Undo the AES-KWP part with the AES key that the token decrypted: the way for tokens that cannot
 * unwrap. NOT_VERIFIED when it was tampered with or sealed to another key. */
enum stirkeep_status stk_seal_open(const struct stk_secret *aes_key, struct stk_bytes wrapped,
                                   struct stk_secret *ret_pkcs8, struct stk_error *error);

#endif
