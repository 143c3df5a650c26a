/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_impl.h"

#include "policy/pattern.h"
#include <stdlib.h>
#include <string.h>

static void grant_free(struct stk_grant *grant)
{
    if (grant == NULL)
        return;
    for (size_t i = 0; grant->certificates != NULL && i < grant->certificate_count; i++)
        free((char *)grant->certificates[i]);
    free((void *)grant->certificates);
    free((void *)grant->uids);
    free((void *)grant->gids);
    free(grant);
}

enum stirkeep_status stk_policy_new(struct stk_policy **ret_policy)
{
    struct stk_policy *policy = calloc(1, sizeof(*policy));

    if (policy == NULL)
        return STIRKEEP_NO_MEMORY;
    *ret_policy = policy;
    return STIRKEEP_OK;
}

void stk_policy_free(struct stk_policy *policy)
{
    if (policy == NULL)
        return;
    for (size_t i = 0; i < policy->count; i++)
        grant_free(policy->grants[i]);
    free(policy->grants);
    free(policy);
}

static bool copy_list(const void *list, size_t count, size_t size, const void **ret_copy)
{
    void *copy = NULL;

    if (count == 0)
        return true;
    copy = calloc(count, size);
    if (copy == NULL)
        return false;
    memcpy(copy, list, count * size);
    *ret_copy = copy;
    return true;
}

static bool copy_texts(const char *const *texts, size_t count, const char *const **ret_copy)
{
    char **copy = calloc(count, sizeof(*copy));

    if (copy == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        copy[i] = strdup(texts[i]);
        if (copy[i] == NULL) {
            while (i-- > 0)
                free(copy[i]);
            free(copy);
            return false;
        }
    }
    *ret_copy = (const char *const *)copy;
    return true;
}

static struct stk_grant *grant_copy(const struct stk_grant *from)
{
    struct stk_grant *grant = calloc(1, sizeof(*grant));
    const void *uids = NULL;
    const void *gids = NULL;

    if (grant == NULL)
        return NULL;
    memcpy(grant->name, from->name, sizeof(grant->name));
    grant->ppts = from->ppts != 0 ? from->ppts : STK_PPT_SHAKEN;
    grant->attests = from->attests;
    if (!copy_list(from->uids, from->uid_count, sizeof(*from->uids), &uids) ||
        !copy_list(from->gids, from->gid_count, sizeof(*from->gids), &gids) ||
        !copy_texts(from->certificates, from->certificate_count, &grant->certificates)) {
        free((void *)uids);
        free((void *)gids);
        grant_free(grant);
        return NULL;
    }
    grant->uids = uids;
    grant->uid_count = from->uid_count;
    grant->gids = gids;
    grant->gid_count = from->gid_count;
    grant->certificate_count = from->certificate_count;
    return grant;
}

static enum stirkeep_status check(const struct stk_policy *policy, const struct stk_grant *grant,
                                  struct stk_error *error)
{
    if (stk_pattern_fault(grant->name) != NULL || strchr(grant->name, '*') != NULL)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "the grant's name: 1-%d of A-Z a-z 0-9 . _ -, first a letter or digit",
                             STK_GRANT_NAME_MAX);
    for (size_t i = 0; i < policy->count; i++)
        if (strcmp(policy->grants[i]->name, grant->name) == 0)
            return stk_error_set(error, STIRKEEP_CONFIG, "the name is used by another grant");
    if (grant->uid_count == 0 && grant->gid_count == 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "names neither a user nor a group");
    if (grant->certificate_count == 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "names no certificate");
    for (size_t i = 0; i < grant->certificate_count; i++) {
        const char *fault = stk_pattern_fault(grant->certificates[i]);
        if (fault != NULL)
            return stk_error_set(error, STIRKEEP_CONFIG, "certificates: \"%s\": %s",
                                 grant->certificates[i], fault);
    }
    if ((grant->ppts & ~(unsigned)STK_PPTS_KNOWN) != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "ppt: not known");
    if ((grant->attests & ~STK_ATTESTS_KNOWN) != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "attest: not A, B or C");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_policy_add(struct stk_policy *policy, const struct stk_grant *grant,
                                    struct stk_error *error)
{
    enum stirkeep_status status = check(policy, grant, error);
    struct stk_grant **grants = NULL;

    if (status != STIRKEEP_OK)
        return status;
    grants = reallocarray(policy->grants, policy->count + 1, sizeof(*grants));
    if (grants == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    policy->grants = grants;
    grants[policy->count] = grant_copy(grant);
    if (grants[policy->count] == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    policy->count++;
    return STIRKEEP_OK;
}
