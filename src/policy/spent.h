/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_SPENT_H
#define STK_POLICY_SPENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which grants of a policy have not even one signature left, and when that ends: so many grants may
 * be spent, a decision asks none of them again before its time. Whoever changes what a grant has
 * left says so with stk_spent_end; to say it too often costs but a look. One thread.
 */
#define STK_SPENT_TODAY UINT64_MAX /* until the day is another one */

struct stk_spent {
    uint64_t *bits;  /* a bit for each grant that is spent */
    uint64_t *until; /* a tree: the least of the two below each; its leaves are the grants' times */
    size_t words;
    size_t leaves;
    int64_t day;
};

/* Nobody is spent. False: out of memory, and `*ret_spent` as it was. */
bool stk_spent_init(struct stk_spent *ret_spent, size_t count);
void stk_spent_free(struct stk_spent *spent);

/* The time has come that it is: those whose time is over are spent no more; on another day, be it
 * later or earlier, nobody is. */
void stk_spent_pass(struct stk_spent *spent, uint64_t mono_us, int64_t today);

/* Nothing left until that time by the monotonic clock, or STK_SPENT_TODAY. */
void stk_spent_begin(struct stk_spent *spent, size_t index, uint64_t until_us);
void stk_spent_end(struct stk_spent *spent, size_t index);

#endif
