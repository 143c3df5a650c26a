/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config.h"
#include "config/loader.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

/*
 * A configuration file. Resolved, it gives the same configuration without asking anybody; and the
 * one stands for the other. Both decide the same, and as `policy explain` says.
 */
#define NOBODY 65534

static void check_same(const struct stk_config *one, const struct stk_config *other)
{
    struct stk_error error = {0};

    FUZZ_OK(stk_config_replaces(one, other, &error), &error);
    FUZZ_OK(stk_config_replaces(other, one, &error), &error);
    FUZZ_CHECK(stk_policy_grant_count(one->policy) == stk_policy_grant_count(other->policy));
    FUZZ_CHECK(one->admin.user_count == other->admin.user_count);
    FUZZ_CHECK(memcmp(one->admin.users, other->admin.users,
                      one->admin.user_count * sizeof(one->admin.users[0])) == 0);
    FUZZ_CHECK(one->attestation.inline_count == other->attestation.inline_count);
}

static void check_attestation(const struct stk_config *config)
{
    struct stk_buffer image = {0};
    uint8_t digest[STK_DIGEST_LENGTH];
    size_t count = 0;
    struct stk_error error = {0};
    struct stk_rules *rules = NULL;

    if (config->attestation.file[0] != '\0')
        return;
    FUZZ_OK(stk_config_attest_image(config, &image, digest, &count, &error), &error);
    FUZZ_CHECK(count == config->attestation.inline_count);
    if (image.length > 0) {
        FUZZ_OK(stk_rules_open((struct stk_bytes){image.data, image.length}, &rules, &error),
                &error);
        stk_rules_close(rules);
    }
    stk_buffer_free(&image);
}

static const struct stk_claims_input asked[] = {
    {.ppt = "shaken",
     .orig_tn = "14155550100",
     .dest_tn = (const char *const[]){"12155550199"},
     .dest_tn_count = 1,
     .attest = "A"},
    {.ppt = "",
     .orig_uri = "sip:a@example.com",
     .dest_tn = (const char *const[]){"12155550199"},
     .dest_tn_count = 1},
    {.ppt = "foo",
     .orig_tn = "12025550150",
     .dest_tn = (const char *const[]){"12155550199"},
     .dest_tn_count = 1,
     .other = "{\"bar\":1}"},
};

static enum stirkeep_status decide(const struct stk_config *config, const struct stk_who *who,
                                   const struct stk_question *question, struct stk_error *error)
{
    struct stk_grants *grants = stk_policy_grants_for(config->policy, who);
    struct stk_decision decision = {0};
    struct stk_buffer lines = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    FUZZ_CHECK(grants != NULL);
    status = stk_policy_decide(config->policy, grants, question, &decision, error);
    FUZZ_CHECK(status == STIRKEEP_OK || status == STIRKEEP_NOT_PERMITTED);
    if (status == STIRKEEP_OK)
        FUZZ_CHECK(decision.grant != NULL && stk_policy_may_see(grants, question->name));
    else
        fuzz_refusal(status, error);
    FUZZ_CHECK(stk_policy_explain(config->policy, who, question, &lines) == status);
    FUZZ_CHECK(lines.length > 0);
    stk_buffer_free(&lines);
    free(grants);
    return status;
}

static void check_decisions(const struct stk_config *one, const struct stk_config *other)
{
    static const gid_t groups[] = {0, NOBODY};
    const struct stk_who who[] = {{.uid = 0, .groups = groups, .group_count = 1},
                                  {.uid = NOBODY,
                                   .groups = groups,
                                   .group_count = 2,
                                   .executable = "/usr/sbin/kamailio",
                                   .unit = "kamailio.service"}};
    static const char *const names[] = {"Alpha", "Beta-1"};

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
        for (size_t j = 0; j < 4; j++) {
            struct stk_claims claims = {0};
            struct stk_error error = {0};
            struct stk_error again = {0};
            struct stk_question question = {
                .name = names[j / 2], .claims = &claims, .is_input = i == 1};
            enum stirkeep_status status = STIRKEEP_OK;

            FUZZ_OK(stk_claims_make(&asked[i], fuzz_arena(0, 65536), &claims, &error), &error);
            status = decide(one, &who[j % 2], &question, &error);
            FUZZ_CHECK(decide(other, &who[j % 2], &question, &again) == status);
            FUZZ_CHECK(strcmp(error.message, again.message) == 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_config *config = NULL;
    struct stk_config *again = NULL;
    struct stk_buffer resolved = {0};
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_config_resolve((const char *)data, size, "stirkeep.conf", &config, &resolved, &error);

    if (status != STIRKEEP_OK) {
        FUZZ_CHECK(status == STIRKEEP_CONFIG);
        fuzz_refusal(status, &error);
        FUZZ_CHECK(strncmp(error.message, "stirkeep.conf", 13) == 0);
        stk_buffer_free(&resolved);
        return 0;
    }
    FUZZ_OK(stk_config_parse_resolved((const char *)resolved.data, resolved.length, "stirkeep.conf",
                                      &again, &error),
            &error);
    check_same(config, again);
    check_attestation(config);
    check_decisions(config, again);
    stk_config_free(config);
    stk_config_free(again);
    stk_buffer_free(&resolved);
    return 0;
}
