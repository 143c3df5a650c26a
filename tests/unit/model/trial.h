/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TESTS_MODEL_TRIAL_H
#define STK_TESTS_MODEL_TRIAL_H

#include "model/claims.h"

/* Inputs that are good, for tests that change one thing in them. */

#define TRIAL_ARENA ((size_t)512 * 1024)

/* A PASSporT in full form, as opt carries it (RFC 8946 section 5). */
extern const char trial_opt[];

/* What every type has: orig 12155551212, dest 12155551214, iat 1443208345. */
struct stk_claims_input trial_base(void);
struct stk_claims_input trial_shaken(void);
struct stk_claims_input trial_div(void);
struct stk_claims_input trial_div_o(void);
struct stk_claims_input trial_rph(void);
struct stk_claims_input trial_rcd(void);
struct stk_claims_input trial_other(void);

/* cmocka's set-up and tear-down: *state is an arena. */
int trial_begin(void **state);
int trial_end(void **state);

/* Make them, or fail. */
struct stk_claims trial_made(struct stk_arena *arena, const struct stk_claims_input *input);

/* Refused with this status and a message that begins so; the result is untouched. */
void trial_refused(struct stk_arena *arena, const struct stk_claims_input *input,
                   enum stirkeep_status status, const char *begin);

#endif
