/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_impl.h"

#include "policy/pattern.h"
#include <stdlib.h>
#include <string.h>

static bool belongs(const struct stk_grant *grant, uid_t uid, const gid_t *groups,
                    size_t group_count)
{
    for (size_t i = 0; i < grant->uid_count; i++)
        if (grant->uids[i] == uid)
            return true;
    for (size_t i = 0; i < grant->gid_count; i++)
        for (size_t j = 0; j < group_count; j++)
            if (grant->gids[i] == groups[j])
                return true;
    return false;
}

struct stk_grants *stk_policy_grants_for(const struct stk_policy *policy, uid_t uid,
                                         const gid_t *groups, size_t group_count)
{
    struct stk_grants *grants =
        malloc(sizeof(*grants) + policy->count * sizeof(const struct stk_grant *));

    if (grants == NULL)
        return NULL;
    grants->count = 0;
    for (size_t i = 0; i < policy->count; i++)
        if (belongs(policy->grants[i], uid, groups, group_count))
            grants->grants[grants->count++] = policy->grants[i];
    return grants;
}

static bool covers(const struct stk_grant *grant, const char *name)
{
    for (size_t i = 0; i < grant->certificate_count; i++)
        if (stk_pattern_matches(grant->certificates[i], name))
            return true;
    return false;
}

bool stk_policy_may_see(const struct stk_grants *grants, const char *name)
{
    for (size_t i = 0; i < grants->count; i++)
        if (covers(grants->grants[i], name))
            return true;
    return false;
}

/* How far a request comes through the conditions of a grant, in the order they are asked. */
enum step { STEP_NAME, STEP_PPT, STEP_ATTEST, STEP_ALLOWED };

static enum step reach(const struct stk_grant *grant, const char *name,
                       const struct stk_claims *claims)
{
    if (!covers(grant, name))
        return STEP_NAME;
    if ((grant->ppts & (unsigned)claims->ppt) == 0)
        return STEP_PPT;
    if (claims->ppt == STK_PPT_SHAKEN && (claims->attest < 'A' || claims->attest > 'C' ||
                                          (grant->attests & (1u << (claims->attest - 'A'))) == 0))
        return STEP_ATTEST;
    return STEP_ALLOWED;
}

static void list_attests(unsigned attests, char ret_text[16])
{
    size_t length = 0;

    if (attests == 0) {
        memcpy(ret_text, "none", sizeof("none"));
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        if ((attests & (1u << i)) == 0)
            continue;
        if (length > 0) {
            ret_text[length++] = ',';
            ret_text[length++] = ' ';
        }
        ret_text[length++] = (char)('A' + (char)i);
    }
    ret_text[length] = '\0';
}

static enum stirkeep_status refuse(const struct stk_grant *grant, enum step step, const char *name,
                                   const struct stk_claims *claims, struct stk_error *error)
{
    char attests[16] = "";

    switch (step) {
    case STEP_PPT:
        return stk_error_set(
            error, STIRKEEP_NOT_PERMITTED, "grant %s: ppt %s is not allowed (%s%s%s)", grant->name,
            stk_ppt_name(claims->ppt), (grant->ppts & STK_PPT_BASE) != 0 ? "base" : "",
            (grant->ppts & STK_PPTS_KNOWN) == STK_PPTS_KNOWN ? ", " : "",
            (grant->ppts & STK_PPT_SHAKEN) != 0 ? "shaken" : "");
    case STEP_ATTEST:
        list_attests(grant->attests, attests);
        return stk_error_set(
            error, STIRKEEP_NOT_PERMITTED, "grant %s: attest %c is not allowed (%s)", grant->name,
            claims->attest >= 'A' && claims->attest <= 'Z' ? claims->attest : '?', attests);
    case STEP_NAME:
    case STEP_ALLOWED:
        break;
    }
    return stk_error_set(error, STIRKEEP_NOT_PERMITTED,
                         "certificate %s: no grant of this peer names it", name);
}

enum stirkeep_status stk_policy_decide(const struct stk_grants *grants, const char *name,
                                       const struct stk_claims *claims,
                                       const struct stk_grant **ret_grant, struct stk_error *error)
{
    const struct stk_grant *nearest = NULL;
    enum step nearest_step = STEP_NAME;

    if (grants->count == 0)
        return stk_error_set(error, STIRKEEP_NOT_PERMITTED, "no grant names this peer");
    for (size_t i = 0; i < grants->count; i++) {
        enum step step = reach(grants->grants[i], name, claims);
        if (step == STEP_ALLOWED) {
            *ret_grant = grants->grants[i];
            return STIRKEEP_OK;
        }
        if (nearest == NULL || step > nearest_step) {
            nearest = grants->grants[i];
            nearest_step = step;
        }
    }
    return refuse(nearest, nearest_step, name, claims, error);
}
