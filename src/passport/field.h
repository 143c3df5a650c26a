/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_FIELD_H
#define STK_PASSPORT_FIELD_H

#include "model/claims.h"

/* The fields of a payload, each with its form and its place in an input; only for src/passport. */
struct stk_field;

struct stk_field_reading {
    const struct stk_field *field; /* that is being read */
    struct stk_arena *arena;
    struct stk_claims_input *input;
    struct stk_error *error;
};

/* The claim that is an object of fields ("orig") and has the member's name; NULL when none has. */
const char *stk_field_claim(const struct stk_json *member);

/* The field of that claim ("" for claims that are fields themselves) that has the member's name;
 * NULL when none has. */
const struct stk_field *stk_field_find(const char *claim, const struct stk_json *member);

/* Put a member into the input at reading->field's place. INVALID: it is not of the field's form, the
 * message begins with its name. TOO_LARGE. */
enum stirkeep_status stk_field_read(struct stk_field_reading *reading,
                                    const struct stk_json *member);

enum stirkeep_status stk_field_no_room(const struct stk_field_reading *reading);

#endif
