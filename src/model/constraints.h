/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_CONSTRAINTS_H
#define STK_MODEL_CONSTRAINTS_H

#include "base/arena.h"
#include "model/number.h"

#define STK_CONSTRAINT_RANGES_MAX 4096
#define STK_CONSTRAINT_CLAIMS_MAX 64  /* in each of the three lists */
#define STK_CONSTRAINT_VALUES_MAX 256 /* permitted values of one claim */
#define STK_CONSTRAINT_TEXT_MAX 256   /* bytes of a claim's name or value */

/* The values that a claim may have, when it is there. */
struct stk_permitted {
    const char *claim;
    const char *const *values;
    size_t count;
};

/*
 * What a certificate says itself that it may sign: its TNAuthList (RFC 8226 section 9) and its
 * JWTClaimConstraints (RFC 8226 section 8) or EnhancedJWTClaimConstraints (RFC 9118). passport/
 * permitted.h enforces it.
 */
struct stk_constraints {
    bool numbers_only; /* the TNAuthList has telephone numbers: no others, whatever SPC is there */
    const struct stk_number_range *ranges; /* normalised */
    size_t range_count;
    const char *const *must_include; /* names of claims */
    size_t must_include_count;
    const struct stk_permitted *permitted;
    size_t permitted_count;
    const char *const *must_exclude;
    size_t must_exclude_count;
};

/* Does it constrain anything at all? NULL does not. */
bool stk_constraints_any(const struct stk_constraints *constraints);

/* A copy in an arena, or on the heap in one piece (free() it); NULL when there is no room. */
const struct stk_constraints *stk_constraints_copy(const struct stk_constraints *constraints,
                                                   struct stk_arena *arena);
struct stk_constraints *stk_constraints_clone(const struct stk_constraints *constraints);

#endif
