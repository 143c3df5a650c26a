/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_USAGE_IMPL_H
#define STK_POLICY_USAGE_IMPL_H

#include "policy/counters.h"
#include "policy/policy_impl.h"
#include "policy/spent.h"

struct stk_usage {
    struct stk_counters counters;
    const struct stk_policy *policy;
    uint32_t *by_grant; /* by the grant's index; STK_COUNTER_NONE: without a limit */
    struct stk_spent spent;
    uint32_t epoch;
    int64_t day; /* the latest one that anybody was charged on */
    uint64_t swept_us;
    bool was_swept;
};

/* What is to be charged, and when. */
struct stk_bill {
    const struct stk_grants *grants;
    const struct stk_question *question;
    uint32_t count;
    uint64_t mono_us;
    int64_t today;
};

static inline bool stk_rate_limits(const struct stk_rate *rate)
{
    return rate->rate > 0 || rate->quota > 0;
}

/* The counter of the question's certificate, with the rate that the policy gives it now;
 * STK_COUNTER_NONE: it has no limit. RATE_LIMITED: too many are counted. NO_MEMORY. */
enum stirkeep_status stk_usage_certificate(struct stk_usage *usage, const struct stk_bill *bill,
                                           uint32_t *ret_number, struct stk_error *error);

/* What a counter has left was changed otherwise than by taking from it. */
static inline void stk_usage_look_again(struct stk_usage *usage, uint32_t number)
{
    if (usage->counters.all[number].grant != STK_COUNTER_NONE)
        stk_spent_end(&usage->spent, usage->counters.all[number].grant);
}

#endif
