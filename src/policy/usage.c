/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/usage.h"

#include "policy/counters.h"
#include "policy/policy_impl.h"
#include "policy/spent.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SWEEP_US 60000000 /* at most so often all counters are looked at */

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

struct stk_usage *stk_usage_new(void)
{
    struct stk_usage *usage = calloc(1, sizeof(*usage));

    if (usage != NULL && !stk_counters_init(&usage->counters)) {
        free(usage);
        return NULL;
    }
    return usage;
}

void stk_usage_free(struct stk_usage *usage)
{
    if (usage == NULL)
        return;
    stk_counters_free(&usage->counters);
    stk_spent_free(&usage->spent);
    free(usage->by_grant);
    free(usage);
}

/* ---- a policy takes over */

static bool is_limited(const struct stk_rate *rate)
{
    return rate->rate > 0 || rate->quota > 0;
}

/* What grants that are gone used up today has to stay: they may come back. */
static void forget_old_grants(struct stk_usage *usage)
{
    struct stk_counters *counters = &usage->counters;

    for (uint32_t i = 0; i < counters->count; i++) {
        struct stk_counter *counter = &counters->all[i];

        if (counter->in_use && counter->kind == STK_USAGE_GRANT &&
            counter->grant == STK_COUNTER_NONE && !counter->is_changed && counter->day < usage->day)
            stk_counters_remove(counters, i);
    }
}

static void want(struct stk_usage *usage, const struct stk_policy *policy)
{
    struct stk_counters *counters = &usage->counters;

    for (uint32_t i = 0; i < counters->count; i++)
        counters->all[i].grant = STK_COUNTER_NONE;
    for (size_t i = 0; i < policy->count; i++) {
        struct stk_counter *counter = &counters->all[usage->by_grant[i]];

        if (usage->by_grant[i] == STK_COUNTER_NONE)
            continue;
        counter->grant = (uint32_t)i;
        counter->rate = policy->grants[i]->grant.rate;
        counter->has_quota = counter->rate.quota > 0;
    }
}

enum stirkeep_status stk_usage_adopt(struct stk_usage *usage, const struct stk_policy *policy)
{
    uint32_t *by_grant = reallocarray(NULL, policy->count + 1, sizeof(*by_grant));
    struct stk_spent spent = {0};

    if (by_grant == NULL || stk_policy_lookup(policy) == NULL ||
        !stk_spent_init(&spent, policy->count)) {
        free(by_grant);
        return STIRKEEP_NO_MEMORY;
    }
    for (size_t i = 0; i < policy->count; i++) {
        const struct stk_grant *grant = &policy->grants[i]->grant;

        by_grant[i] = STK_COUNTER_NONE;
        if (!is_limited(&grant->rate))
            continue;
        by_grant[i] = stk_counters_make(&usage->counters, STK_USAGE_GRANT, grant->name);
        if (by_grant[i] == STK_COUNTER_NONE) {
            stk_spent_free(&spent);
            free(by_grant);
            return STIRKEEP_NO_MEMORY;
        }
    }
    free(usage->by_grant);
    usage->by_grant = by_grant;
    stk_spent_free(&usage->spent);
    usage->spent = spent;
    usage->policy = policy;
    usage->epoch++;
    want(usage, policy);
    forget_old_grants(usage);
    return STIRKEEP_OK;
}

/* ---- using up */

/* What is to be charged, and when. */
struct bill {
    const struct stk_grants *grants;
    const struct stk_question *question;
    uint32_t count;
    uint64_t mono_us;
    int64_t today;
};

static enum stk_shortage look_at(struct stk_usage *usage, uint32_t number, const struct bill *bill)
{
    struct stk_counter *counter = &usage->counters.all[number];

    if (number == STK_COUNTER_NONE)
        return STK_ENOUGH;
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
                                       const struct bill *bill)
{
    enum stk_shortage shortage = look_at(usage, usage->by_grant[index], bill);

    if (shortage != STK_ENOUGH)
        see_if_spent(usage, index);
    return shortage;
}

/* What a counter has left was changed otherwise. */
static void look_again(struct stk_usage *usage, uint32_t number)
{
    if (usage->counters.all[number].grant != STK_COUNTER_NONE)
        stk_spent_end(&usage->spent, usage->counters.all[number].grant);
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

/* ---- certificates */

/* The limit of a certificate: the first section's that matches. NULL: none. */
static const struct stk_rate *limit_of(const struct stk_policy *policy, const char *name)
{
    const struct stk_lookup *lookup = stk_policy_lookup(policy);
    uint64_t bits[STK_CERTIFICATE_LIMITS_MAX / 64] = {0};
    size_t words = (policy->limit_count + 63) / 64;
    size_t first = 0;

    stk_pattern_set_match(lookup->limits, name, bits);
    first = stk_bits_next(bits, words, 0);
    return first != SIZE_MAX && is_limited(&policy->limits[first].rate)
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

/* The certificate's counter with today's rate; STK_COUNTER_NONE: it has no limit. */
static enum stirkeep_status certificate_counter(struct stk_usage *usage, const struct bill *bill,
                                                uint32_t *ret_number, struct stk_error *error)
{
    struct stk_counters *counters = &usage->counters;
    const char *name = bill->question->name;
    const struct stk_rate *rate = NULL;
    uint32_t number = stk_counters_find(counters, STK_USAGE_CERTIFICATE, name);

    *ret_number = number;
    if (number != STK_COUNTER_NONE && counters->all[number].epoch == usage->epoch) {
        if (!is_limited(&counters->all[number].rate))
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

/* ---- charging */

/* The first of the grants that allow it and have enough left; `index` is one that has not. */
static enum stirkeep_status try_others(struct stk_usage *usage, const struct bill *bill,
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
    struct bill bill = {.grants = grants,
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
        status = certificate_counter(usage, &bill, &certificate, error);
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

static void give_back(struct stk_usage *usage, uint32_t number, uint32_t count, uint64_t mono_us,
                      int64_t today, int64_t charged_day)
{
    struct stk_counter *counter = &usage->counters.all[number];
    uint64_t most = stk_counter_capacity(&counter->rate);

    stk_counter_bring_up(counter, mono_us, today);
    look_again(usage, number);
    if (counter->is_filled) {
        counter->tokens += (uint64_t)count * STK_TOKEN;
        if (counter->tokens > most)
            counter->tokens = most;
    }
    if (counter->day != charged_day)
        return;
    counter->count -= counter->count < count ? counter->count : count;
    if (counter->has_quota)
        stk_counters_mark(&usage->counters, number);
}

void stk_usage_refund(struct stk_usage *usage, const struct stk_decision *decision,
                      const char *name, uint32_t count, uint64_t mono_us, int64_t real_s)
{
    int64_t today = stk_day_of(real_s);
    uint64_t charged = decision->charged.grant;
    uint32_t number = (uint32_t)charged;

    if (charged != 0 && number < usage->counters.count && usage->counters.all[number].in_use &&
        usage->counters.all[number].births == (uint32_t)(charged >> 32))
        give_back(usage, number, count, mono_us, today, decision->charged.grant_day);
    if (!decision->charged.certificate)
        return;
    number = stk_counters_find(&usage->counters, STK_USAGE_CERTIFICATE, name);
    if (number != STK_COUNTER_NONE)
        give_back(usage, number, count, mono_us, today, decision->charged.certificate_day);
}

/* ---- what intake remembers */

enum stirkeep_status stk_usage_recall(struct stk_usage *usage, const struct stk_used *used)
{
    struct stk_counters *counters = &usage->counters;
    uint32_t number = STK_COUNTER_NONE;
    uint32_t most = used->kind == STK_USAGE_GRANT ? STK_GRANT_COUNTERS_MAX : STK_NAMES_MAX;
    struct stk_counter *counter = NULL;

    if ((used->kind != STK_USAGE_GRANT && used->kind != STK_USAGE_CERTIFICATE) ||
        strnlen(used->name, sizeof(used->name)) == sizeof(used->name))
        return STIRKEEP_OK; /* of nobody's */
    number = stk_counters_find(counters, used->kind, used->name);
    if (number == STK_COUNTER_NONE && counters->used[used->kind] < most)
        number = stk_counters_make(counters, used->kind, used->name);
    if (number == STK_COUNTER_NONE)
        return STIRKEEP_NO_MEMORY;
    counter = &counters->all[number];
    if (counter->day < used->day) {
        counter->day = used->day;
        counter->count = used->count;
    } else if (counter->day == used->day && counter->count < used->count) {
        counter->count = used->count;
    }
    look_again(usage, number);
    return STIRKEEP_OK;
}

size_t stk_usage_changes(struct stk_usage *usage, struct stk_used *ret_used, size_t max)
{
    size_t count = 0;

    while (count < max) {
        uint32_t number = stk_counters_unmark_first(&usage->counters);
        const struct stk_counter *counter = NULL;

        if (number == STK_COUNTER_NONE)
            break;
        counter = &usage->counters.all[number];
        ret_used[count] = (struct stk_used){.kind = (enum stk_usage_kind)counter->kind,
                                            .day = counter->day,
                                            .count = counter->count};
        memcpy(ret_used[count++].name, counter->name, sizeof(counter->name));
    }
    return count;
}
