/* SPDX-License-Identifier: BSD-2-Clause */
#include "parse.h"

#include "base/file.h"
#include "config/loader.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The example as it is, and with every key and section in force that is commented out in it. */
struct example {
    struct stk_buffer file;
    char plain[32768];
    char full[32768];
};

/* Keys without a default need something to be in force. */
static const char *something_for(const char *key)
{
    static const char *const values[][2] = {
        {"front-user", "60001"}, {"intake-user", "60002"},    {"keeper-user", "60003"},
        {"group", "60004"},      {"executable", "/bin/true"}, {"unit", "a.service"},
        {"orig", "1*"},
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (strncmp(key, values[i][0], strlen(values[i][0])) == 0 &&
            key[strlen(values[i][0])] == ' ')
            return values[i][1];
    return "";
}

static int read_example(void **state)
{
    struct example *example = calloc(1, sizeof(*example));
    struct stk_error error = {0};
    size_t length = 0;

    assert_non_null(example);
    assert_int_equal(
        stk_file_read(CONFIG_EXAMPLE, sizeof(example->plain) / 2, &example->file, &error),
        STIRKEEP_OK);
    memcpy(example->plain, example->file.data, example->file.length);
    assert_int_equal(stk_buffer_add(&example->file, "", 1), STIRKEEP_OK);
    for (char *rest = (char *)example->file.data, *line = NULL;
         (line = strsep(&rest, "\n")) != NULL;) {
        const char *end = line + strlen(line) - 1;

        if (line[0] == '#' && (line[1] == '[' || (isalpha(line[1]) && strchr(line, '=') != NULL)))
            line++;
        length += (size_t)snprintf(example->full + length, sizeof(example->full) - length, "%s%s\n",
                                   line, end > line && *end == '=' ? something_for(line) : "");
        assert_true(length < sizeof(example->full));
    }
    *state = example;
    return 0;
}

static int drop_example(void **state)
{
    struct example *example = *state;

    stk_buffer_free(&example->file);
    free(example);
    return 0;
}

/* "[grant NAME]" or "[token]" among the example's lines. */
static const char *section_in(const char *text, const char *name)
{
    char begin[64] = "";
    const char *at = NULL;

    (void)snprintf(begin, sizeof(begin), "\n[%s", name);
    for (at = strstr(text, begin); at != NULL; at = strstr(at + 1, begin))
        if (at[strlen(begin)] == ']' || at[strlen(begin)] == ' ')
            return at + 1;
    return NULL;
}

static void the_example_has_every_section_and_every_key_of_the_table(void **state)
{
    const struct example *example = *state;

    for (size_t i = 0; i < stk_section_count(); i++) {
        const struct stk_section *section = stk_section_at(i);
        const char *begin = section_in(example->full, section->name);
        const char *end = begin != NULL ? strstr(begin, "\n[") : NULL;

        if (begin == NULL)
            fail_msg("the example has no [%s]", section->name);
        for (size_t j = 0; j < section->key_count; j++) {
            char line[64] = "";
            const char *found = NULL;

            (void)snprintf(line, sizeof(line), "\n%s =", section->keys[j].name);
            found = strstr(begin, line);
            if (found == NULL || (end != NULL && found > end))
                fail_msg("the example has no [%s] %s", section->name, section->keys[j].name);
        }
    }
}

/* Also: nothing in it is unknown. */
static void every_value_in_the_example_is_taken(void **state)
{
    const struct example *example = *state;
    struct stk_config *plain = good(example->plain);
    struct stk_config *full = good(example->full);
    const struct stk_grant *grant = stk_policy_grant(full->policy, 0);

    assert_int_equal(stk_policy_grant_count(plain->policy), 1);
    assert_int_equal(plain->attestation.inline_count, 0);
    assert_int_equal(full->attestation.inline_count, 1);
    assert_string_equal(grant->name, "example");
    assert_int_equal(grant->executable_count, 1);
    assert_int_equal(grant->unit_count, 1);
    assert_int_equal(grant->number_count, 1);
    assert_int_equal(grant->gids[0], 60004);
    assert_int_equal(full->rooms.uid[STK_ROOM_INTAKE], 60002);
    stk_config_free(plain);
    stk_config_free(full);
}

static void what_is_commented_out_is_the_default(void **state)
{
    const struct example *example = *state;
    struct stk_config *full = good(example->full);
    struct stk_config *smallest =
        good("[token]\nlabel = stirkeep\n[rooms]\nfront-user = 60001\nintake-user = 60002\n"
             "keeper-user = 60003\n[token-environment]\n"
             "SOFTHSM2_CONF = /etc/stirkeep/softhsm2.conf\n[grant example]\nuser = root\n"
             "group = 60004\nexecutable = /bin/true\nunit = a.service\norig = 1*\n"
             "certificates = a\nattest = A\n");
    const struct stk_grant *grant = stk_policy_grant(full->policy, 0);
    const struct stk_grant *other = stk_policy_grant(smallest->policy, 0);
    struct stk_error error = {0};

    if (stk_config_replaces(full, smallest, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(full->admin.user_count, smallest->admin.user_count);
    assert_int_equal(full->admin.users[0], smallest->admin.users[0]);
    assert_string_equal(full->attestation.file, smallest->attestation.file);
    assert_int_equal(full->attestation.otherwise, smallest->attestation.otherwise);
    assert_int_equal(full->attestation.lower, smallest->attestation.lower);
    assert_int_equal(grant->ppts, other->ppts);
    assert_int_equal(grant->sign_input, other->sign_input);
    assert_int_equal(grant->rate.rate, other->rate.rate);
    assert_int_equal(grant->rate.burst, other->rate.burst);
    assert_int_equal(grant->rate.quota, other->rate.quota);
    stk_config_free(full);
    stk_config_free(smallest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_has_every_section_and_every_key_of_the_table),
        cmocka_unit_test(every_value_in_the_example_is_taken),
        cmocka_unit_test(what_is_commented_out_is_the_default),
    };
    return cmocka_run_group_tests(tests, read_example, drop_example);
}
