/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_FIELDS_H
#define STK_PASSPORT_FIELDS_H

#include "model/claims.h"

/* A payload that somebody else wrote, back to the form of an input; only for src/passport. */

/*
 * The claims of `payload`, an OBJECT, whose header has this ppt (NULL or "": base). Types are
 * checked here, and that there are no other keys than there may be ("iat: has to be a number");
 * values are for stk_claims_make. Texts are the payload's own. Claims that have no field are put
 * into `other` for a type that is not typed, else they are refused. INVALID; TOO_LARGE.
 */
enum stirkeep_status stk_fields_read(const struct stk_json *payload, const char *ppt,
                                     struct stk_arena *arena, struct stk_claims_input *ret_input,
                                     struct stk_error *error);

#endif
