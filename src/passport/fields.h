/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_FIELDS_H
#define STK_PASSPORT_FIELDS_H

#include "model/claims.h"

/* A payload that somebody else wrote, back to the form of an input; only for src/passport. */

/* What a payload has beyond that. */
struct stk_fields_unknown {
    const struct stk_json *claims; /* an OBJECT of claims without a field; NULL: none */
    bool within;                   /* rcd, div or rph has keys that are passed over */
};

/*
 * The claims of `payload`, an OBJECT, whose header has this ppt (NULL or "": base). Types are
 * checked here ("iat: has to be a number"); values are for stk_claims_make. Texts are the payload's
 * own. Claims that have no field are `other` for a type that is not typed. For the typed ones they
 * are refused when `ret_unknown` is NULL, as are keys within claims; else they are told by it.
 * INVALID; TOO_LARGE.
 */
enum stirkeep_status stk_fields_of(const struct stk_json *payload, const char *ppt,
                                   struct stk_arena *arena, struct stk_claims_input *ret_input,
                                   struct stk_fields_unknown *ret_unknown, struct stk_error *error);

#endif
