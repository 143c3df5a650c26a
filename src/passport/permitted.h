/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_PERMITTED_H
#define STK_PASSPORT_PERMITTED_H

#include "base/error.h"
#include "model/claims.h"
#include "model/constraints.h"

/*
 * Does the certificate itself allow this PASSporT? The number that the signer answers for
 * (stk_claims_authority_tn) has to be covered by the TNAuthList where that has numbers (RFC 8226
 * section 9; a URI never is); every mustInclude claim is there, no mustExclude claim is, and a claim
 * with permitted values has one of them (RFC 8226 section 8, RFC 9118): strings as they are, other
 * values as canonical JSON. iat, orig and dest always count as included; origid of a shaken one,
 * too, given or not yet made (then with permitted values it is not permitted). NOT_PERMITTED, the
 * message beginning with "certificate: " and naming the constraint. `arena` is for working memory.
 * Any thread.
 */
enum stirkeep_status stk_passport_permitted(const struct stk_constraints *constraints,
                                            const struct stk_claims *claims,
                                            struct stk_arena *arena, struct stk_error *error);

#endif
