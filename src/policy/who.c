/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_id(const uint32_t *sorted, size_t count, uint32_t id)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;

        if (sorted[middle] == id)
            return true;
        if (sorted[middle] < id)
            low = middle + 1;
        else
            count = middle;
    }
    return false;
}

static bool has_text(const char *const *texts, size_t count, const char *text)
{
    for (size_t i = 0; text != NULL && i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

static bool is_person(const struct stk_grant *grant, const struct stk_who *who)
{
    if (grant->uid_count == 0 && grant->gid_count == 0)
        return true;
    if (has_id(grant->uids, grant->uid_count, who->uid))
        return true;
    for (size_t i = 0; grant->gid_count > 0 && i < who->group_count; i++)
        if (has_id(grant->gids, grant->gid_count, who->groups[i]))
            return true;
    return false;
}

bool stk_grant_belongs(const struct stk_grant *grant, const struct stk_who *who)
{
    return is_person(grant, who) &&
           (grant->executable_count == 0 ||
            has_text(grant->executables, grant->executable_count, who->executable)) &&
           (grant->unit_count == 0 || has_text(grant->units, grant->unit_count, who->unit));
}

void stk_grant_excludes(const struct stk_grant *grant, const struct stk_who *who,
                        char ret_why[STK_WHY_MAX])
{
    bool executable = grant->executable_count == 0 ||
                      has_text(grant->executables, grant->executable_count, who->executable);

    if (!is_person(grant, who))
        (void)snprintf(ret_why, STK_WHY_MAX, "user %u is not in it%s", (unsigned)who->uid,
                       grant->gid_count > 0 ? ", nor is one of its groups" : "");
    else if (!executable && who->executable == NULL)
        (void)snprintf(ret_why, STK_WHY_MAX, "it asks for an executable, which is not known");
    else if (!executable)
        (void)snprintf(ret_why, STK_WHY_MAX, "executable %s is not in it", who->executable);
    else if (who->unit == NULL)
        (void)snprintf(ret_why, STK_WHY_MAX, "it asks for a unit, which is not known");
    else
        (void)snprintf(ret_why, STK_WHY_MAX, "unit %s is not in it", who->unit);
}

struct stk_grants *stk_policy_grants_for(const struct stk_policy *policy, const struct stk_who *who)
{
    const struct stk_lookup *lookup = stk_policy_lookup(policy);
    struct stk_grants *grants = NULL;
    uint64_t *bits = NULL;

    if (lookup == NULL)
        return NULL;
    grants = calloc(1, sizeof(*grants) + policy->count * sizeof(const struct stk_grant *) +
                           lookup->words * sizeof(*bits));
    if (grants == NULL)
        return NULL;
    bits = (uint64_t *)(void *)(grants->grants + policy->count);
    for (size_t i = 0; i < policy->count; i++) {
        if (!stk_grant_belongs(&policy->grants[i]->grant, who))
            continue;
        grants->grants[grants->count++] = &policy->grants[i]->grant;
        bits[i / 64] |= UINT64_C(1) << i % 64;
    }
    grants->policy = policy;
    grants->bits = bits;
    return grants;
}
