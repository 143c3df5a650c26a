/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_COUNTERS_H
#define STK_POLICY_COUNTERS_H

#include "policy/counter.h"

/*
 * Counters by the names of grants and certificates. A counter keeps its number as long as it is
 * there. One thread.
 */
#define STK_GRANT_COUNTERS_MAX (4 * STK_GRANTS_MAX) /* of a policy, and of those that are gone */

struct stk_counters {
    struct stk_counter *all;
    uint32_t count; /* of `all` that have ever been in use */
    uint32_t room;
    uint32_t used[2]; /* by kind */
    uint32_t free;    /* the first free one */
    uint32_t *table;
    uint32_t mask;
    uint64_t seed;
    uint32_t first_changed;
    uint32_t last_changed;
};

bool stk_counters_init(struct stk_counters *counters);
void stk_counters_free(struct stk_counters *counters);

/* STK_COUNTER_NONE: there is none. */
uint32_t stk_counters_find(const struct stk_counters *counters, enum stk_usage_kind kind,
                           const char *name);
/* The same, made when there is none. STK_COUNTER_NONE: out of memory. Moves all counters. */
uint32_t stk_counters_make(struct stk_counters *counters, enum stk_usage_kind kind,
                           const char *name);
void stk_counters_remove(struct stk_counters *counters, uint32_t number);

/* Put it in the queue of those to report, or take the first one out. */
void stk_counters_mark(struct stk_counters *counters, uint32_t number);
uint32_t stk_counters_unmark_first(struct stk_counters *counters);

#endif
