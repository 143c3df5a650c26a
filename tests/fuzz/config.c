/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config.h"
#include "config/loader.h"
#include "fuzz.h"
#include <string.h>

/*
 * A configuration file. Resolved, it gives the same configuration without asking anybody; and the
 * one stands for the other. Its x5u template gives an x5u.
 */

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
    stk_config_free(config);
    stk_config_free(again);
    stk_buffer_free(&resolved);
    return 0;
}
