/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_PKCS11_H
#define STK_TOKEN_PKCS11_H

/* The one place that includes the PKCS#11 types: p11-kit's header, which distributions ship. */
#include <p11-kit/pkcs11.h>

#include "base/error.h"
#include <stdbool.h>

#define STK_CKR_TEXT 48

/* "CKR_DEVICE_ERROR", or "CKR 0x80000123" written into `buffer` for one without a name. */
const char *stk_ckr_name(CK_RV rv, char buffer[STK_CKR_TEXT]);

/*
 * Report a failed call as "C_Sign: CKR_DEVICE_ERROR". TOKEN_LOCKED for those that say that the PIN
 * was refused, is locked or has expired; NO_MEMORY; else TOKEN_ERROR.
 */
enum stirkeep_status stk_ckr_error(struct stk_error *error, const char *call, CK_RV rv);

/* The session, a handle in it, or the login is gone, or what was signed is no signature: another try
 * on a fresh session may succeed. */
bool stk_ckr_is_stale(CK_RV rv);

/* The device or the module has gone from under the process: only a new one brings it back. */
bool stk_ckr_is_gone(CK_RV rv);

/* A key that cannot sign for reasons of its own; else it is the token's or the session's trouble. */
bool stk_ckr_blames_key(CK_RV rv);

/* The PIN was refused or may not be tried: never send the same one again. */
bool stk_ckr_is_pin(CK_RV rv);

#endif
