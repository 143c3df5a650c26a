/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_impl.h"

#include "policy/pattern.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct stk_lookup_box {
    pthread_mutex_t mutex;
    struct stk_lookup *lookup;
};

enum stirkeep_status stk_policy_new(struct stk_policy **ret_policy)
{
    struct stk_policy *policy = calloc(1, sizeof(*policy));
    struct stk_lookup_box *box = calloc(1, sizeof(*box));

    if (policy == NULL || box == NULL || pthread_mutex_init(&box->mutex, NULL) != 0) {
        free(box);
        free(policy);
        return STIRKEEP_NO_MEMORY;
    }
    policy->box = box;
    *ret_policy = policy;
    return STIRKEEP_OK;
}

void stk_policy_free(struct stk_policy *policy)
{
    if (policy == NULL)
        return;
    for (size_t i = 0; i < policy->count; i++)
        stk_held_grant_free(policy->grants[i]);
    free(policy->grants);
    for (size_t i = 0; i < policy->limit_count; i++)
        free((char *)policy->limits[i].pattern);
    free(policy->limits);
    stk_lookup_free(policy->box->lookup);
    (void)pthread_mutex_destroy(&policy->box->mutex);
    free(policy->box);
    free(policy);
}

const struct stk_lookup *stk_policy_lookup(const struct stk_policy *policy)
{
    struct stk_lookup_box *box = policy->box;
    struct stk_lookup *lookup = __atomic_load_n(&box->lookup, __ATOMIC_ACQUIRE);

    if (lookup != NULL)
        return lookup;
    (void)pthread_mutex_lock(&box->mutex);
    lookup = box->lookup;
    if (lookup == NULL) {
        lookup = stk_lookup_new(policy);
        __atomic_store_n(&box->lookup, lookup, __ATOMIC_RELEASE);
    }
    (void)pthread_mutex_unlock(&box->mutex);
    return lookup;
}

enum stirkeep_status stk_policy_add(struct stk_policy *policy, const struct stk_grant *grant,
                                    struct stk_error *error)
{
    enum stirkeep_status status = stk_grant_check(grant, error);
    struct stk_held_grant **grants = NULL;

    assert(policy->box->lookup == NULL);
    if (status != STIRKEEP_OK)
        return status;
    for (size_t i = 0; i < policy->count; i++)
        if (strcmp(policy->grants[i]->grant.name, grant->name) == 0)
            return stk_error_set(error, STIRKEEP_CONFIG, "the name is used by another grant");
    if (policy->count == STK_GRANTS_MAX)
        return stk_error_set(error, STIRKEEP_CONFIG, "more than %d grants", STK_GRANTS_MAX);
    grants = reallocarray(policy->grants, policy->count + 1, sizeof(*grants));
    if (grants == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    policy->grants = grants;
    grants[policy->count] = stk_held_grant_new(grant);
    if (grants[policy->count] == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    grants[policy->count]->index = policy->count;
    policy->count++;
    if (grant->executable_count > 0 || grant->unit_count > 0)
        policy->needs_program = true;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_policy_limit(struct stk_policy *policy,
                                      const struct stk_certificate_limit *limit,
                                      struct stk_error *error)
{
    const char *fault = stk_pattern_fault(limit->pattern);
    struct stk_certificate_limit *limits = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    assert(policy->box->lookup == NULL);
    if (fault != NULL)
        return stk_error_set(error, STIRKEEP_CONFIG, "the certificate's name: %s", fault);
    for (size_t i = 0; i < policy->limit_count; i++)
        if (strcmp(policy->limits[i].pattern, limit->pattern) == 0)
            return stk_error_set(error, STIRKEEP_CONFIG, "there is such a section already");
    if (policy->limit_count == STK_CERTIFICATE_LIMITS_MAX)
        return stk_error_set(error, STIRKEEP_CONFIG, "more than %d sections of certificates",
                             STK_CERTIFICATE_LIMITS_MAX);
    status = stk_rate_check(&limit->rate, error);
    if (status != STIRKEEP_OK)
        return status;
    limits = reallocarray(policy->limits, policy->limit_count + 1, sizeof(*limits));
    if (limits == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    policy->limits = limits;
    limits[policy->limit_count] = *limit;
    limits[policy->limit_count].pattern = strdup(limit->pattern);
    if (limits[policy->limit_count].pattern == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    policy->limit_count++;
    return STIRKEEP_OK;
}

void stk_policy_attest_rules(struct stk_policy *policy, const struct stk_rules *rules, bool lower,
                             const char *file)
{
    policy->rules = rules;
    policy->lower = lower;
    stk_rules_file(file, policy->file);
}

size_t stk_policy_grant_count(const struct stk_policy *policy)
{
    return policy->count;
}

const struct stk_grant *stk_policy_grant(const struct stk_policy *policy, size_t index)
{
    return index < policy->count ? &policy->grants[index]->grant : NULL;
}

bool stk_policy_needs_program(const struct stk_policy *policy)
{
    return policy->needs_program;
}
