/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/usage_impl.h"

#include <assert.h>
#include <string.h>

/* ---- using up */

static enum stk_shortage look_at(struct stk_usage *usage, uint32_t number,
                                 const struct stk_bill *bill)
{
    struct stk_counter *counter = NULL;

    if (number == STK_COUNTER_NONE)
        return STK_ENOUGH;
    counter = &usage->counters.all[number];
    stk_counter_bring_up(counter, bill->mono_us, bill->today);
    return stk_counter_look(counter, bill->count);
}

/* A grant that has nothing left is not asked again before it may have something. */
static void see_if_spent(struct stk_usage *usage, size_t index)
{
    const struct stk_counter *counter = &usage->counters.all[usage->by_grant[index]];
    enum stk_shortage shortage = stk_counter_look(counter, 1);

    if (shortage == STK_USED_UP)
        stk_spent_begin(&usage->spent, index, STK_SPENT_TODAY);
    else if (shortage != STK_ENOUGH)
        stk_spent_begin(&usage->spent, index, stk_counter_ready_us(counter));
}

/* One that has something, but too little for several at once, is asked each time. */
static enum stk_shortage look_at_grant(struct stk_usage *usage, size_t index,
                                       const struct stk_bill *bill)
{
    enum stk_shortage shortage = look_at(usage, usage->by_grant[index], bill);

    if (shortage != STK_ENOUGH)
        see_if_spent(usage, index);
    return shortage;
}

static void take(struct stk_usage *usage, uint32_t number, uint32_t count)
{
    struct stk_counter *counter = &usage->counters.all[number];

    if (counter->rate.rate > 0)
        counter->tokens -= (uint64_t)count * STK_TOKEN;
    counter->count += count;
    if (counter->has_quota)
        stk_counters_mark(&usage->counters, number);
    if (usage->day < counter->day)
        usage->day = counter->day;
}

/* ---- charging */

/* The first of the grants that allow it and have enough left; `index` is one that has not. */
static enum stirkeep_status try_others(struct stk_usage *usage, const struct stk_bill *bill,
                                       size_t *index, struct stk_error *error)
{
    const struct stk_lookup *lookup = stk_policy_lookup(usage->policy);
    struct stk_asked asked = stk_asked_of(bill->question);
    STK_UNINITIALIZED uint64_t bits[STK_GRANT_WORDS_MAX];
    size_t last = *index;
    uint32_t number = 0;

    if (stk_policy_narrow(lookup, bill->grants, &asked, bits) == STK_STEP_ALLOWED)
        last = stk_bits_last(bits, lookup->words);
    else
        memset(bits, 0, lookup->words * sizeof(*bits));
    for (size_t i = 0; i < lookup->words; i++)
        bits[i] &= ~usage->spent.bits[i];
    for (size_t next = stk_bits_next(bits, lookup->words, 0); next != SIZE_MAX;
         next = stk_bits_next(bits, lookup->words, next + 1)) {
        if (look_at_grant(usage, next, bill) == STK_ENOUGH) {
            *index = next;
            return STIRKEEP_OK;
        }
    }
    number = usage->by_grant[last];
    return stk_counter_refuse(&usage->counters.all[number], look_at(usage, number, bill),
                              bill->count, error);
}

enum stirkeep_status stk_usage_decide(struct stk_usage *usage, const struct stk_policy *policy,
                                      const struct stk_grants *grants,
                                      const struct stk_question *question, uint64_t mono_us,
                                      int64_t real_s, struct stk_decision *ret_decision,
                                      struct stk_error *error)
{
    assert(usage->policy == policy);
    stk_spent_pass(&usage->spent, mono_us, stk_day_of(real_s));
    return stk_policy_decide_unspent(policy, grants, question, usage->spent.bits, ret_decision,
                                     error);
}

enum stirkeep_status stk_usage_charge(struct stk_usage *usage, const struct stk_policy *policy,
                                      const struct stk_grants *grants,
                                      const struct stk_question *question, uint32_t count,
                                      uint64_t mono_us, int64_t real_s,
                                      struct stk_decision *decision, struct stk_error *error)
{
    struct stk_bill bill = {.grants = grants,
                            .question = question,
                            .count = count,
                            .mono_us = mono_us,
                            .today = stk_day_of(real_s)};
    uint32_t certificate = STK_COUNTER_NONE;
    uint32_t grant = STK_COUNTER_NONE;
    size_t index = stk_grant_index(decision->grant);
    enum stk_shortage shortage = STK_ENOUGH;
    enum stirkeep_status status = STIRKEEP_OK;

    assert(usage->policy == policy);
    stk_spent_pass(&usage->spent, mono_us, bill.today);
    if (policy->limit_count > 0)
        status = stk_usage_certificate(usage, &bill, &certificate, error);
    if (status != STIRKEEP_OK)
        return status;
    shortage = look_at(usage, certificate, &bill);
    if (shortage != STK_ENOUGH)
        return stk_counter_refuse(&usage->counters.all[certificate], shortage, count, error);
    if (look_at_grant(usage, index, &bill) != STK_ENOUGH)
        status = try_others(usage, &bill, &index, error);
    if (status != STIRKEEP_OK)
        return status;
    grant = usage->by_grant[index];
    decision->grant = stk_policy_grant(policy, index);
    memset(&decision->charged, 0, sizeof(decision->charged));
    if (certificate != STK_COUNTER_NONE) {
        take(usage, certificate, count);
        decision->charged.certificate = true;
        decision->charged.certificate_day = usage->counters.all[certificate].day;
    }
    if (grant != STK_COUNTER_NONE) {
        take(usage, grant, count);
        see_if_spent(usage, index);
        decision->charged.grant = (uint64_t)usage->counters.all[grant].births << 32 | grant;
        decision->charged.grant_day = usage->counters.all[grant].day;
    }
    return STIRKEEP_OK;
}

/* What is given back, and when. */
struct refund {
    uint32_t count;
    bool rate; /* not the quota alone */
    uint64_t mono_us;
    int64_t today;
};

static void give_back(struct stk_usage *usage, uint32_t number, const struct refund *refund,
                      int64_t charged_day)
{
    struct stk_counter *counter = &usage->counters.all[number];
    uint64_t most = stk_counter_capacity(&counter->rate);

    stk_counter_bring_up(counter, refund->mono_us, refund->today);
    stk_usage_look_again(usage, number);
    if (refund->rate && counter->is_filled) {
        counter->tokens += (uint64_t)refund->count * STK_TOKEN;
        if (counter->tokens > most)
            counter->tokens = most;
    }
    if (counter->day != charged_day)
        return;
    counter->count -= counter->count < refund->count ? counter->count : refund->count;
    if (counter->has_quota)
        stk_counters_mark(&usage->counters, number);
}

static void give_all_back(struct stk_usage *usage, const struct stk_decision *decision,
                          const char *name, const struct refund *refund)
{
    uint64_t charged = decision->charged.grant;
    uint32_t number = (uint32_t)charged;

    if (charged != 0 && number < usage->counters.count && usage->counters.all[number].in_use &&
        usage->counters.all[number].births == (uint32_t)(charged >> 32))
        give_back(usage, number, refund, decision->charged.grant_day);
    if (!decision->charged.certificate)
        return;
    number = stk_counters_find(&usage->counters, STK_USAGE_CERTIFICATE, name);
    if (number != STK_COUNTER_NONE)
        give_back(usage, number, refund, decision->charged.certificate_day);
}

void stk_usage_refund(struct stk_usage *usage, const struct stk_decision *decision,
                      const char *name, uint32_t count, uint64_t mono_us, int64_t real_s)
{
    const struct refund refund = {
        .count = count, .rate = true, .mono_us = mono_us, .today = stk_day_of(real_s)};

    give_all_back(usage, decision, name, &refund);
}

void stk_usage_refund_quota(struct stk_usage *usage, const struct stk_decision *decision,
                            const char *name, uint32_t count, uint64_t mono_us, int64_t real_s)
{
    const struct refund refund = {.count = count, .mono_us = mono_us, .today = stk_day_of(real_s)};

    give_all_back(usage, decision, name, &refund);
}
