/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/usage_impl.h"

#define SWEEP_US 60000000 /* at most so often all counters are looked at */

/* The limit of a certificate: the first section's that matches. NULL: none. */
static const struct stk_rate *limit_of(const struct stk_policy *policy, const char *name)
{
    const struct stk_lookup *lookup = stk_policy_lookup(policy);
    uint64_t bits[STK_CERTIFICATE_LIMITS_MAX / 64] = {0};
    size_t words = (policy->limit_count + 63) / 64;
    size_t first = 0;

    stk_pattern_set_match(lookup->limits, name, bits);
    first = stk_bits_next(bits, words, 0);
    return first != SIZE_MAX && stk_rate_limits(&policy->limits[first].rate)
               ? &policy->limits[first].rate
               : NULL;
}

/* Make room among the certificates: those that nothing is held against any more go. */
static void sweep(struct stk_usage *usage, uint64_t mono_us, int64_t today)
{
    struct stk_counters *counters = &usage->counters;

    if (usage->was_swept && mono_us - usage->swept_us < SWEEP_US)
        return;
    usage->was_swept = true;
    usage->swept_us = mono_us;
    for (uint32_t i = 0; i < counters->count; i++) {
        struct stk_counter *counter = &counters->all[i];

        if (!counter->in_use || counter->kind != STK_USAGE_CERTIFICATE || counter->is_changed ||
            counter->day >= today)
            continue;
        stk_counter_refill(counter, mono_us);
        if (counter->rate.rate == 0 || counter->tokens == stk_counter_capacity(&counter->rate))
            stk_counters_remove(counters, i);
    }
}

enum stirkeep_status stk_usage_certificate(struct stk_usage *usage, const struct stk_bill *bill,
                                           uint32_t *ret_number, struct stk_error *error)
{
    struct stk_counters *counters = &usage->counters;
    const char *name = bill->question->name;
    const struct stk_rate *rate = NULL;
    uint32_t number = stk_counters_find(counters, STK_USAGE_CERTIFICATE, name);

    *ret_number = number;
    if (number != STK_COUNTER_NONE && counters->all[number].epoch == usage->epoch) {
        if (!stk_rate_limits(&counters->all[number].rate))
            *ret_number = STK_COUNTER_NONE;
        return STIRKEEP_OK;
    }
    rate = limit_of(usage->policy, name);
    if (number == STK_COUNTER_NONE) {
        if (rate == NULL)
            return STIRKEEP_OK;
        if (counters->used[STK_USAGE_CERTIFICATE] >= STK_NAMES_MAX)
            sweep(usage, bill->mono_us, bill->today);
        if (counters->used[STK_USAGE_CERTIFICATE] >= STK_NAMES_MAX)
            return stk_error_set(error, STIRKEEP_RATE_LIMITED,
                                 "certificate %s: rate: %d other certificates are counted today",
                                 name, STK_NAMES_MAX);
        number = stk_counters_make(counters, STK_USAGE_CERTIFICATE, name);
        if (number == STK_COUNTER_NONE)
            return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    }
    counters->all[number].epoch = usage->epoch;
    counters->all[number].rate = rate != NULL ? *rate : (struct stk_rate){0};
    counters->all[number].has_quota = counters->all[number].rate.quota > 0;
    *ret_number = rate != NULL ? number : STK_COUNTER_NONE;
    return STIRKEEP_OK;
}
