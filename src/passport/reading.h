/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_READING_H
#define STK_PASSPORT_READING_H

#include "base/bytes.h"
#include "base/error.h"
#include "model/claims.h"

/*
 * A header and a payload that somebody else composed, back to claims (sign-input, RFC 8225). Checked
 * as typed claims are (stk_claims_make), and for the header's keys: alg ES256, typ passport, an x5u,
 * and nothing else but ppt; the payload's keys: those of its ppt, each of its right type, and no
 * others. iat and, for shaken, origid have to be there. Then the claims are composed again, and
 * both texts have to be the same byte for byte. INVALID names the field, or the byte at which the
 * text is not as it would have been composed. `*ret_x5u` is the header's: whether it is the
 * certificate's is for the caller. All in `arena`. Pure; any thread.
 */
enum stirkeep_status stk_passport_read(struct stk_bytes header, struct stk_bytes payload,
                                       struct stk_arena *arena, struct stk_claims *ret_claims,
                                       const char **ret_x5u, struct stk_error *error);

#endif
