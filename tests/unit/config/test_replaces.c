/* SPDX-License-Identifier: BSD-2-Clause */
#include "parse.h"

#include "config/loader.h"
#include <stdio.h>
#include <string.h>

static void replaces(const char *now_text, const char *next_text, const char *message)
{
    struct stk_config *now = good(now_text);
    struct stk_config *next = good(next_text);
    struct stk_error error = {0};
    enum stirkeep_status status = stk_config_replaces(now, next, &error);

    if (message == NULL && status != STIRKEEP_OK)
        fail_msg("%s", error.message);
    if (message != NULL) {
        assert_string_equal(error.message, message);
        assert_int_equal(status, STIRKEEP_CONFIG);
        assert_int_equal(error.status, STIRKEEP_CONFIG);
        assert_int_equal(stk_config_replaces(now, next, NULL), STIRKEEP_CONFIG);
    }
    stk_config_free(now);
    stk_config_free(next);
}

/* Each key that needs a restart, with a value that is not its default. */
static const struct {
    const char *section;
    const char *key;
    const char *value;
} restarts[] = {
    {"token", "module", "/m.so"},
    {"token", "label", "u"},
    {"token", "pin-file", ""},
    {"token", "directory", "/t"},
    {"token", "sessions", "1"},
    {"token", "call-timeout-ms", "2001"},
    {"token", "open-timeout-ms", "60001"},
    {"token", "verify-signatures", "sampled"},
    {"token", "require-hardware", "yes"},
    {"sockets", "sign", "/s"},
    {"sockets", "admin", "/a"},
    {"sockets", "client-timeout-ms", "10001"},
    {"storage", "catalog", "/c"},
    {"storage", "spool", "/d"},
    {"audit", "file", "/f"},
    {"audit", "sync", "none"},
    {"audit", "seal-records", "99"},
    {"audit", "seal-seconds", "11"},
    {"audit", "witness", "/w"},
    {"audit", "witness-command", "/bin/true a"},
    {"audit", "rotate-size", "1M"},
    {"audit", "rotate-age", "1d"},
    {"audit", "compress", "no"},
    {"audit", "number-key", "/k\nnumbers = hashed"},
    {"audit", "numbers", "hashed"},
    {"signing", "x5u-template", "https://a.example/{name}"},
    {"signing", "deadline-ms", "501"},
    {"signing", "iat-window-s", "61"},
    {"signing", "tn-digits", "14"},
    {"import", "profile", "test"},
    {"rooms", "front-user", "60001"},
    {"rooms", "intake-user", "60002"},
    {"rooms", "keeper-user", "60003"},
    {"lock-down", "require", "landlock"},
    {"lock-down", "keeper", "module"},
    {"lock-down", "module-paths", "/a, /b"},
};

static void every_key_of_the_service_itself_needs_a_restart(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof(restarts) / sizeof(restarts[0]); i++) {
        char other[256] = "";
        char message[128] = "";
        bool is_label = strcmp(restarts[i].key, "label") == 0;

        (void)snprintf(other, sizeof(other), "[token]\n%s%s[%s]\n%s = %s\n",
                       is_label ? "" : "label = t\n",
                       strcmp(restarts[i].section, "token") == 0 ? ";" : "", restarts[i].section,
                       restarts[i].key, restarts[i].value);
        (void)snprintf(message, sizeof(message), "[%s] %s: only a restart takes a change of it",
                       restarts[i].section, restarts[i].key);
        replaces(SMALLEST, other, message);
        replaces(other, SMALLEST, message);
        replaces(other, other, NULL);
    }
}

/* A new key is in the test above, or may change without a restart. */
static void no_key_of_the_table_is_forgotten(void **state)
{
    (void)state;

    for (size_t i = 0; i < stk_section_count(); i++) {
        const struct stk_section *section = stk_section_at(i);

        for (size_t j = 0; !section->reload && j < section->key_count; j++) {
            size_t k = 0;

            assert_int_not_equal(section->keys[j].field, STK_FIELD_NONE);
            while (k < sizeof(restarts) / sizeof(restarts[0]) &&
                   (strcmp(restarts[k].section, section->name) != 0 ||
                    strcmp(restarts[k].key, section->keys[j].name) != 0))
                k++;
            if (k == sizeof(restarts) / sizeof(restarts[0]))
                fail_msg("[%s] %s", section->name, section->keys[j].name);
        }
    }
}

static void grants_limits_rules_and_administrators_take_over(void **state)
{
    static const char *const others[] = {
        "[grant k]\nuser = 1\ncertificates = a\nattest = A\n",
        ("[grant k]\nuser = 2\ncertificates = a\nattest = A\nrate = 5\nquota = 6\nburst = 7\n"
         "orig = 1*\nsign-input = yes\nppt = shaken, div\n"),
        "[certificate *]\nrate = 5\n",
        "[attest 1*]\nlevel = A\n",
        "[attest 1*]\nlevel = B\n[attestation]\ndefault = C\nexceed = lower\n",
        "[attestation]\nfile = /a.csv\n",
        "[admin]\nuser = 1, 2\n",
        "",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++) {
            char now[512] = "";
            char next[512] = "";

            (void)snprintf(now, sizeof(now), SMALLEST "%s", others[i]);
            (void)snprintf(next, sizeof(next), SMALLEST "%s", others[j]);
            replaces(now, next, NULL);
        }
}

static void the_modules_environment_needs_a_restart(void **state)
{
    (void)state;

    replaces(SMALLEST "[token-environment]\nA = 1\nB = 2\n",
             SMALLEST "[token-environment]\nB = 2\nA = 1\n", NULL);
    replaces(SMALLEST "[token-environment]\nA = 1\nB = 2\n",
             SMALLEST "[token-environment]\nA = 1\nB = 3\n",
             "[token-environment] B: only a restart takes a change of it");
    replaces(SMALLEST "[token-environment]\nA = 1\n",
             SMALLEST "[token-environment]\nA = 1\nAB = 3\n",
             "[token-environment] AB: only a restart takes a change of it");
    replaces(SMALLEST "[token-environment]\nA = 1\n", SMALLEST,
             "[token-environment] A: only a restart takes a change of it");
    replaces(SMALLEST "[token-environment]\nA = 1=\n", SMALLEST "[token-environment]\nA = 1=2\n",
             "[token-environment] A: only a restart takes a change of it");
}

static void the_first_of_several_is_named_and_where_it_stands_does_not_count(void **state)
{
    (void)state;

    replaces("[audit]\nsync = none\n" SMALLEST,
             "[audit]\nsync = always\n" SMALLEST "[rooms]\nfront-user = 60001\n",
             "[audit] sync: only a restart takes a change of it");
    replaces("[audit]\nsync = none\n" SMALLEST, SMALLEST "[audit]\n# as ever\nsync = none\n", NULL);
    /* Written out, a default is what it was. */
    replaces(SMALLEST, SMALLEST "[signing]\ndeadline-ms = 500\n[audit]\nsync = interval\n", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_the_service_itself_needs_a_restart),
        cmocka_unit_test(no_key_of_the_table_is_forgotten),
        cmocka_unit_test(grants_limits_rules_and_administrators_take_over),
        cmocka_unit_test(the_modules_environment_needs_a_restart),
        cmocka_unit_test(the_first_of_several_is_named_and_where_it_stands_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
