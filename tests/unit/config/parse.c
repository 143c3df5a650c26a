/* SPDX-License-Identifier: BSD-2-Clause */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

struct stk_config *good(const char *text)
{
    struct stk_config *config = NULL;
    struct stk_error error = {0};

    if (stk_config_parse(text, strlen(text), "conf", &config, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return config;
}

void bad_bytes(const char *text, size_t length, const char *message)
{
    struct stk_config *config = NULL;
    struct stk_error error = {0};

    assert_int_equal(stk_config_parse(text, length, "conf", &config, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, message);
    assert_int_equal(error.status, STIRKEEP_CONFIG);
    assert_null(config);
    /* Without an error to fill in, too. */
    assert_int_equal(stk_config_parse(text, length, "conf", &config, NULL), STIRKEEP_CONFIG);
}

void bad(const char *text, const char *message)
{
    bad_bytes(text, strlen(text), message);
}

const char *decided(const struct stk_config *config, const struct stk_who *who,
                    const struct stk_question *question)
{
    static struct stk_error error;
    struct stk_grants *grants = stk_policy_grants_for(config->policy, who);
    struct stk_decision decision = {0};
    const char *answer = error.message;

    assert_non_null(grants);
    if (stk_policy_decide(config->policy, grants, question, &decision, &error) == STIRKEEP_OK)
        answer = decision.grant->name;
    free(grants);
    return answer;
}
