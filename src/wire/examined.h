/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_EXAMINED_H
#define STK_WIRE_EXAMINED_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "model/diagnosis.h"
#include <stddef.h>

/*
 * Facts and troubles, which two messages carry: Diagnosis of admin.proto and ExamineAnswer of
 * order.proto, both as fields 1 and 2, with the same fields inside. Any thread.
 */

/* Append them to the body under way, texts scrubbed. On failure the buffer may have some of them. */
enum stirkeep_status stk_examined_append(const struct stk_fact *facts, size_t fact_count,
                                         const struct stk_trouble *troubles, size_t trouble_count,
                                         struct stk_buffer *out);

struct stk_examined {
    struct stk_fact *facts;
    size_t fact_count;
    struct stk_trouble *troubles;
    size_t trouble_count;
};

/* Room for so many, to be filled in. TOO_LARGE past STK_FACTS_MAX, STK_TROUBLES_MAX, or when the
 * arena is used up. */
enum stirkeep_status stk_examined_room(size_t fact_count, size_t trouble_count,
                                       struct stk_arena *arena, struct stk_examined *ret_examined,
                                       struct stk_error *error);

/* TOO_LARGE when a text is longer than STK_DIAGNOSIS_TEXT_MAX. */
enum stirkeep_status stk_examined_check(const struct stk_examined *examined,
                                        struct stk_error *error);

#endif
