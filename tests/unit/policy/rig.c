/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const alpha_beta[] = {"Alpha", "Beta-*"};
static const uid_t uid_1000[] = {1000};
static const gid_t gid_50[] = {50};
static const gid_t gid_7 = 7;

struct stk_grant grant_of(const char *name)
{
    struct stk_grant grant = {.uids = uid_1000,
                              .uid_count = 1,
                              .gids = gid_50,
                              .gid_count = 1,
                              .certificates = alpha_beta,
                              .certificate_count = 2,
                              .attests = 1u << 1 | 1u << 2};

    (void)snprintf(grant.name, sizeof(grant.name), "%s", name);
    return grant;
}

struct stk_policy *policy_of(const struct stk_grant *grants, size_t count)
{
    struct stk_policy *policy = NULL;
    struct stk_error error = {0};

    assert_int_equal(stk_policy_new(&policy), STIRKEEP_OK);
    for (size_t i = 0; i < count; i++)
        if (stk_policy_add(policy, &grants[i], &error) != STIRKEEP_OK)
            fail_msg("%s: %s", grants[i].name, error.message);
    return policy;
}

struct stk_who who_of(uid_t uid)
{
    return (struct stk_who){.uid = uid, .groups = &gid_7, .group_count = 1};
}

struct stk_claims claims_of_call(void)
{
    return (struct stk_claims){
        .ppt = STK_PPT_SHAKEN, .ppt_text = "shaken", .orig_tn = "14155550100", .attest = 'B'};
}

const char *verdict(const struct stk_policy *policy, const struct stk_who *who, const char *name,
                    const struct stk_claims *claims, bool is_input, struct stk_error *error)
{
    struct stk_grants *grants = stk_policy_grants_for(policy, who);
    struct stk_question question = {.name = name, .claims = claims, .is_input = is_input};
    struct stk_decision decision = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    assert_non_null(grants);
    status = stk_policy_decide(policy, grants, &question, &decision, error);
    free(grants);
    if (status == STIRKEEP_OK)
        return decision.grant->name;
    assert_int_equal(status, STIRKEEP_NOT_PERMITTED);
    assert_null(decision.grant);
    return "";
}

void assert_allowed(const struct stk_policy *policy, const struct stk_claims *claims,
                    const char *grant)
{
    struct stk_who who = who_of(1000);
    struct stk_error error = {0};

    assert_string_equal(verdict(policy, &who, "Alpha", claims, false, &error), grant);
    assert_string_equal(error.message, "");
}

void assert_refused(const struct stk_policy *policy, const struct stk_claims *claims,
                    const char *message)
{
    struct stk_who who = who_of(1000);
    struct stk_error error = {0};

    assert_string_equal(verdict(policy, &who, "Alpha", claims, false, &error), "");
    assert_string_equal(error.message, message);
}

struct stk_number_pattern pattern_of(const char *text)
{
    struct stk_number_pattern pattern = {0};
    struct stk_error error = {0};

    if (stk_number_pattern_read(text, "pattern", &pattern, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return pattern;
}

struct rules rules_of(const char *csv, enum stk_level otherwise)
{
    struct rules rules = {0};
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_buffer out = {0};
    struct stk_error error = {0};

    assert_non_null(draft);
    stk_rules_draft_default(draft, otherwise);
    if (stk_rules_draft_csv(draft, csv, strlen(csv), "attest.csv", &error) != STIRKEEP_OK ||
        stk_rules_build(draft, &out, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    rules.length = out.length;
    rules.image = malloc(out.length);
    assert_non_null(rules.image);
    memcpy(rules.image, out.data, out.length);
    assert_int_equal(
        stk_rules_open((struct stk_bytes){rules.image, rules.length}, &rules.opened, &error),
        STIRKEEP_OK);
    stk_buffer_free(&out);
    stk_rules_draft_free(draft);
    return rules;
}

void rules_free(struct rules *rules)
{
    stk_rules_close(rules->opened);
    free(rules->image);
    *rules = (struct rules){0};
}

uint64_t any(uint64_t below)
{
    static uint64_t seed = 4711;

    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 20) % below;
}
