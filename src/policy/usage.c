/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/usage_impl.h"

#include <stdlib.h>
#include <string.h>

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
        struct stk_counter *counter = NULL;

        if (usage->by_grant[i] == STK_COUNTER_NONE)
            continue;
        counter = &counters->all[usage->by_grant[i]];
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
        if (!stk_rate_limits(&grant->rate))
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
    stk_usage_look_again(usage, number);
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
