/* SPDX-License-Identifier: BSD-2-Clause */
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WHO "user = 1\ncertificates = a\n"
#define WHOSE WHO "attest = A\n"

static const struct stk_grant *only_grant(const struct stk_config *config)
{
    assert_int_equal(stk_policy_grant_count(config->policy), 1);
    return stk_policy_grant(config->policy, 0);
}

static void a_grant_has_what_its_keys_say(void **state)
{
    struct stk_config *config = good(
        SMALLEST "[grant one]\nuser = root, 4000\ngroup = 77\n"
                 "executable = /usr/sbin/kamailio,\n  /opt/a b/c\n"
                 "unit = kamailio.service, user@1000.service, run-r1.scope, a\\x2db@c.service\n"
                 "certificates = A, Bee-*,\n  Cee ; more\n"
                 "ppt = base, shaken, div, div-o, rph, rcd, x-one, msgi\nattest = A,C\n"
                 "orig = 12025550123, 12025550100-12025550199,\n 1415*, sip:*@example.com,\n"
                 " sips:*@example.com, +1 (303) 555.0100\n"
                 "rate = 500\nburst = 1000\nquota = 1000000000000\nsign-input = yes\n");
    const struct stk_grant *grant = only_grant(config);
    (void)state;

    assert_string_equal(grant->name, "one");
    assert_int_equal(grant->uid_count, 2);
    assert_int_equal(grant->uids[1], 4000);
    assert_int_equal(grant->gid_count, 1);
    assert_int_equal(grant->gids[0], 77);
    assert_int_equal(grant->executable_count, 2);
    assert_string_equal(grant->executables[0], "/usr/sbin/kamailio");
    assert_string_equal(grant->executables[1], "/opt/a b/c");
    assert_int_equal(grant->unit_count, 4);
    assert_string_equal(grant->units[1], "user@1000.service");
    assert_string_equal(grant->units[3], "a\\x2db@c.service");
    assert_int_equal(grant->certificate_count, 3);
    assert_string_equal(grant->certificates[2], "Cee");
    assert_int_equal(grant->ppts & STK_PPTS_TYPED, STK_PPTS_TYPED);
    assert_int_equal(grant->other_ppt_count, 2);
    assert_string_equal(grant->other_ppts[0], "x-one");
    assert_string_equal(grant->other_ppts[1], "msgi");
    assert_int_equal(grant->attests, 1 | 4);
    assert_int_equal(grant->number_count, 4);
    assert_int_equal(grant->numbers[1].kind, STK_NUMBER_RANGE);
    assert_int_equal(grant->numbers[2].kind, STK_NUMBER_PREFIX);
    assert_string_equal(grant->numbers[2].prefix, "1415");
    assert_true(stk_number_pattern_matches(&grant->numbers[3], "13035550100"));
    assert_int_equal(grant->uri_count, 2);
    assert_string_equal(grant->uris[0], "sip:*@example.com");
    assert_true(grant->sign_input);
    assert_int_equal(grant->rate.rate, 500);
    assert_int_equal(grant->rate.burst, 1000);
    assert_int_equal(grant->rate.quota, 1000000000000);
    stk_config_free(config);
}

static void what_a_grant_does_not_say_it_does_not_limit_nor_give(void **state)
{
    struct stk_config *config = good(SMALLEST "[grant one]\n" WHOSE);
    const struct stk_grant *grant = only_grant(config);
    (void)state;

    assert_int_equal(grant->gid_count, 0);
    assert_int_equal(grant->executable_count, 0);
    assert_int_equal(grant->unit_count, 0);
    assert_int_equal(grant->ppts, STK_PPT_SHAKEN);
    assert_int_equal(grant->other_ppt_count, 0);
    assert_int_equal(grant->number_count, 0);
    assert_int_equal(grant->uri_count, 0);
    assert_false(grant->sign_input);
    assert_int_equal(grant->rate.rate, 0);
    assert_int_equal(grant->rate.burst, 0);
    assert_int_equal(grant->rate.quota, 0);
    assert_false(stk_policy_needs_program(config->policy));
    stk_config_free(config);
}

/* Nothing of the grant before, also not of a certificate's limits. */
static void one_grant_takes_nothing_from_another(void **state)
{
    struct stk_config *config =
        good(SMALLEST "[grant one]\nuser = 1\ngroup = 2\nexecutable = /x\nunit = x.scope\n"
                      "certificates = a\nppt = base, y\norig = 1*, sip:x\nrate = 5\nquota = 7\n"
                      "sign-input = yes\n[certificate a]\nrate = 9\nburst = 10\nquota = 11\n"
                      "[grant two]\ngroup = 3\ncertificates = b\nattest = B\n");
    const struct stk_grant *two = stk_policy_grant(config->policy, 1);
    (void)state;

    assert_int_equal(stk_policy_grant_count(config->policy), 2);
    assert_string_equal(two->name, "two");
    assert_int_equal(two->uid_count, 0);
    assert_int_equal(two->gid_count, 1);
    assert_int_equal(two->executable_count + two->unit_count, 0);
    assert_int_equal(two->certificate_count, 1);
    assert_int_equal(two->ppts, STK_PPT_SHAKEN);
    assert_int_equal(two->other_ppt_count + two->number_count + two->uri_count, 0);
    assert_int_equal(two->attests, 2);
    assert_false(two->sign_input);
    assert_int_equal(two->rate.rate + two->rate.burst + two->rate.quota, 0);
    assert_true(stk_policy_needs_program(config->policy));
    stk_config_free(config);
}

static void one_of_the_four_who_is_enough(void **state)
{
    static const char *const whos[] = {"user = 1", "group = 1", "executable = /x",
                                       "unit = x.service"};
    (void)state;

    for (size_t i = 0; i < sizeof(whos) / sizeof(whos[0]); i++) {
        char text[256] = "";

        (void)snprintf(text, sizeof(text), SMALLEST "[grant k]\n%s\ncertificates=a\nattest=A\n",
                       whos[i]);
        stk_config_free(good(text));
    }
    bad(SMALLEST "[grant k]\ncertificates = a\nattest = A\n",
        "conf:3: [grant k]: names nobody: no user, group, executable or unit");
}

static void attest_is_required_for_shaken_alone(void **state)
{
    (void)state;

    stk_config_free(good(SMALLEST "[grant k]\n" WHO "ppt = base, div, x\n"));
    stk_config_free(good(SMALLEST "[grant k]\n" WHO "ppt = x\n"));
    bad(SMALLEST "\n[grant k]\n" WHO "ppt = div, shaken\n[audit]\n",
        "conf:4: [grant k]: attest: missing (a grant for shaken says which of A, B, C)");
    bad(SMALLEST "[grant k]\n" WHO,
        "conf:3: [grant k]: attest: missing (a grant for shaken says which of A, B, C)");
}

static void a_policy_decides_by_the_grants(void **state)
{
    struct stk_config *config =
        good(SMALLEST "[grant one]\nuser = 4000\ncertificates = A, Cee\nattest = C\norig = 1415*\n"
                      "[grant two]\nuser = 4000\ncertificates = *\nattest = B\n");
    struct stk_claims claims = {
        .ppt = STK_PPT_SHAKEN, .ppt_text = "shaken", .orig_tn = "14155550100", .attest = 'C'};
    struct stk_question question = {.name = "Cee", .claims = &claims};
    gid_t group = 77;
    struct stk_who who = {.uid = 4000, .groups = &group, .group_count = 1};
    (void)state;

    assert_string_equal(decided(config, &who, &question), "one");
    claims.attest = 'B';
    assert_string_equal(decided(config, &who, &question), "two");
    claims.attest = 'C';
    claims.orig_tn = "12025550100";
    assert_non_null(strstr(decided(config, &who, &question), "grant "));
    who.uid = 1;
    assert_non_null(strstr(decided(config, &who, &question), "no grant"));
    stk_config_free(config);
}

static void bad_keys_of_a_grant_are_refused_with_line_and_reason(void **state)
{
    static const char *const cases[][2] = {
        {"user = no-such-user-here", "user: no such user: no-such-user-here"},
        {"group = no-such-group-here", "group: no such group: no-such-group-here"},
        {"group = 4294967295", "group: not a group number: 4294967295"},
        {"group =", "group: empty"},
        {"executable = kamailio", "executable: a relative path: kamailio"},
        {"executable =", "executable: empty"},
        {"executable = /usr/sbin/../bin/x",
         "executable: not a program's path as /proc/PID/exe tells it: /usr/sbin/../bin/x"},
        {"executable = /usr//bin/x",
         "executable: not a program's path as /proc/PID/exe tells it: /usr//bin/x"},
        {"executable = /usr/./bin/x",
         "executable: not a program's path as /proc/PID/exe tells it: /usr/./bin/x"},
        {"executable = /usr/bin/",
         "executable: not a program's path as /proc/PID/exe tells it: /usr/bin/"},
        {"executable = /", "executable: not a program's path as /proc/PID/exe tells it: /"},
        {"executable = /usr/bin/..",
         "executable: not a program's path as /proc/PID/exe tells it: /usr/bin/.."},
        {"executable = /usr/bin/*", "executable: '*' stands for nothing here: /usr/bin/*"},
        {"executable = /usr/bin/x (deleted)",
         "executable: a program that is gone: /usr/bin/x (deleted)"},
        {"unit = kamailio", "unit: neither a .service nor a .scope: kamailio"},
        {"unit = kamailio.socket", "unit: neither a .service nor a .scope: kamailio.socket"},
        {"unit = user.slice", "unit: neither a .service nor a .scope: user.slice"},
        {"unit = .service", "unit: not the name of a unit: .service"},
        {"unit = a/b.service", "unit: not the name of a unit: a/b.service"},
        {"unit = a*.service", "unit: not the name of a unit: a*.service"},
        {"unit = @a.service", "unit: not the name of a unit: @a.service"},
        {"unit = a@.service",
         "unit: a template, which runs nothing itself; name its instances: a@.service"},
        {"unit =", "unit: empty"},
        {"certificates = A b", "certificates: \"A b\": a character that no certificate name has"},
        {"certificates =", "certificates: empty"},
        {"ppt = a b", "ppt: not a PASSporT type: a b"},
        {"ppt = 1a", "ppt: not a PASSporT type: 1a"},
        {"ppt = other", "ppt: not a PASSporT type: other"},
        {"ppt = abcdefghijklmnopq", "ppt: not a PASSporT type: abcdefghijklmnopq"},
        {"ppt = Shaken", "ppt: is written shaken: Shaken"},
        {"ppt = DIV-O", "ppt: is written div-o: DIV-O"},
        {"ppt = Base", "ppt: is written base: Base"},
        {"ppt = shaken,,div", "ppt: an empty item between commas"},
        {"ppt =", "ppt: empty"},
        {"orig = sip:*@x, tel:+1415*",
         "orig: \"tel:+1415*\": a telephone number, which no PASSporT has as a URI; write it as "
         "one, such as 1415555*"},
        {"attest = A, C, A", "attest: twice in the list: A"},
        {"ppt = shaken, div, shaken", "ppt: twice in the list: shaken"},
        {"ppt = msec, msec", "ppt: twice in the list: msec"},
        {"orig = 1415*, 1 (415)*", "orig: twice in the list: 1 (415)*"},
        {"orig = 1, 1-1, 1*, 1", "orig: twice in the list: 1"},
        {"orig = sip:*@a, sip:*@a", "orig: twice in the list: sip:*@a"},
        {"group = 7, 8, 7", "group: twice in the list: 7"},
        {"executable = /a, /b, /a", "executable: twice in the list: /a"},
        {"unit = a.service, a.service", "unit: twice in the list: a.service"},
        {"attest = D", "attest: none of A, B, C: D"},
        {"attest = AB", "attest: none of A, B, C: AB"},
        {"attest = none", "attest: none of A, B, C: none"},
        {"orig =", "orig: empty"},
        {"orig = sip:a b", "orig: \"sip:a b\": a character that no URI has"},
        {"orig = sip:%4x", "orig: \"sip:%4x\": a character that no URI has"},
        {"rate = 0", "rate: not a number from 1 to 1000000: 0"},
        {"rate = 1000001", "rate: not a number from 1 to 1000000: 1000001"},
        {"rate = 5/s", "rate: not a number from 1 to 1000000: 5/s"},
        {"rate = -1", "rate: not a number from 1 to 1000000: -1"},
        {"rate = 4294967297", "rate: not a number from 1 to 1000000: 4294967297"},
        {"burst = 0", "burst: not a number from 1 to 1000000: 0"},
        {"burst = 1.5", "burst: not a number from 1 to 1000000: 1.5"},
        {"quota = 0", "quota: not a number from 1 to 1000000000000: 0"},
        {"quota = 1000000000001", "quota: not a number from 1 to 1000000000000: 1000000000001"},
        {"quota = 18446744073709551617",
         "quota: not a number from 1 to 1000000000000: 18446744073709551617"},
        {"sign-input = true", "sign-input: neither yes nor no: true"},
        {"sign-input =", "sign-input: empty"},
        {"user = 1,\n  2,\n  nobody-is-this", "user: no such user: nobody-is-this"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512] = "";
        char message[512] = "";
        unsigned line = 4;

        for (const char *at = cases[i][0]; *at != '\0'; at++)
            line += *at == '\n';
        (void)snprintf(text, sizeof(text), SMALLEST "[grant k]\n%s\n", cases[i][0]);
        (void)snprintf(message, sizeof(message), "conf:%u: [grant k] %s", line, cases[i][1]);
        bad(text, message);
    }
}

static void bad_numbers_in_orig_name_the_item(void **state)
{
    static const char *const items[] = {
        "12x", "20-10", "1-22",   "12**",    "-", "1-", "1234567890123456",
        "a*",  "sip",   "1;x=y*", "1415%55", "+"};
    (void)state;

    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        char text[256] = "";
        char begin[128] = "";
        struct stk_config *config = NULL;
        struct stk_error error = {0};

        (void)snprintf(text, sizeof(text), SMALLEST "[grant k]\norig = 1*,\n  %s\n", items[i]);
        (void)snprintf(begin, sizeof(begin), "conf:5: [grant k] orig: %s: ", items[i]);
        if (stk_config_parse(text, strlen(text), "conf", &config, &error) != STIRKEEP_CONFIG)
            fail_msg("%s was taken", items[i]);
        assert_int_equal(error.status, STIRKEEP_CONFIG);
        assert_null(config);
        if (strncmp(error.message, begin, strlen(begin)) != 0)
            fail_msg("%s", error.message);
    }
}

static void too_long_names_of_programs_are_refused(void **state)
{
    char text[1024] = SMALLEST "[grant k]\nunit = ";
    size_t length = strlen(text);
    (void)state;

    /* A line is shorter than STK_EXECUTABLE_MAX and STK_UNIT_MAX: it is refused as a line. */
    memset(text + length, 'u', STK_UNIT_MAX);
    (void)snprintf(text + length + STK_UNIT_MAX, 16, ".service\n");
    bad(text,
        "conf:4: longer than 196 characters (a list may go on in an indented line after a comma)");
}

static void certificate_limits_are_read(void **state)
{
    struct stk_config *config = good(SMALLEST "[certificate VIP-*]\n"
                                              "[certificate *]\nrate = 5\nburst = 10\nquota = 7\n"
                                              "[certificate Al]\nquota =\nrate =\nburst =\n");
    (void)state;

    assert_int_equal(stk_policy_grant_count(config->policy), 0);
    stk_config_free(config);
    bad(SMALLEST "[certificate]\n", "conf:3: [certificate]: without its PATTERN");
    bad(SMALLEST "[certificate a/b]\n",
        "conf:3: [certificate a/b]: a character that no certificate name has");
    bad(SMALLEST "[certificate .a]\n",
        "conf:3: [certificate .a]: a certificate name begins with a letter or digit");
    bad(SMALLEST "[certificate a]\nrate = 1\n[certificate b]\nrate = 1\n[certificate a]\n",
        "conf:7: [certificate a]: a second one (the first is in line 3)");
    bad(SMALLEST "[certificate a]\nrate = 1\nrate = 2\n",
        "conf:5: [certificate a] rate: given twice (first in line 4)");
    bad(SMALLEST "[certificate a]\nrate = x\n",
        "conf:4: [certificate a] rate: not a number from 1 to 1000000: x");
    bad(SMALLEST "[certificate a]\nquota = 0\n",
        "conf:4: [certificate a] quota: not a number from 1 to 1000000000000: 0");
    bad(SMALLEST "[certificate a]\nburst = 5\n[audit]\n",
        "conf:3: [certificate a]: burst: without a rate");
    bad(SMALLEST "[grant k]\n" WHOSE "burst = 5\n", "conf:3: [grant k]: burst: without a rate");
}

static void sections_come_in_any_order(void **state)
{
    struct stk_config *config =
        good("[attest 1*]\nlevel = A\n[grant k]\n" WHOSE "[certificate *]\nrate = 1\n"
             "[attestation]\nexceed = lower\n[token]\nlabel = t\n[grant j]\n" WHOSE
             "[attest 2*]\nlevel = B\n");
    (void)state;

    assert_int_equal(stk_policy_grant_count(config->policy), 2);
    assert_int_equal(config->attestation.inline_count, 2);
    assert_true(config->attestation.lower);
    stk_config_free(config);
}

static void a_list_has_an_end(void **state)
{
    size_t room = 128 * 1024;
    char *text = malloc(room);
    size_t length = 0;
    unsigned line = 3;
    char message[128] = "";
    (void)state;

    assert_non_null(text);
    length = (size_t)snprintf(text, room, SMALLEST "[grant k]\nuser = 5000,");
    for (unsigned i = 1; i <= 4096; i++)
        length +=
            (size_t)snprintf(text + length, room - length, "%s%u,", i % 16 == 0 ? "\n " : "", i);
    (void)snprintf(text + length, room - length, "\n");
    for (const char *at = text + strlen(SMALLEST); *at != '\0'; at++)
        line += *at == '\n';
    (void)snprintf(message, sizeof(message), "conf:%u: [grant k] user: more than 4096 in the list",
                   line - 1);
    bad(text, message);
    free(text);
}

static double seconds(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* 200 grants with 1,000 numbers each. */
static void many_grants_with_many_numbers_are_read_quickly(void **state)
{
    char *text = malloc(STK_CONFIG_MAX + 1);
    size_t length = 0;
    struct stk_config *config = NULL;
    double begun = 0;
    (void)state;

    assert_non_null(text);
    length = (size_t)snprintf(text, STK_CONFIG_MAX, SMALLEST);
    for (unsigned grant = 0; grant < 200; grant++) {
        length += (size_t)snprintf(text + length, STK_CONFIG_MAX - length,
                                   "[grant g%u]\n" WHOSE "orig=", grant);
        for (unsigned i = 0; i < 1000; i++)
            length += (size_t)snprintf(text + length, STK_CONFIG_MAX - length, "%s%u*%s",
                                       i > 0 && i % 39 == 0 ? "\n " : "", i, i < 999 ? "," : "\n");
    }
    assert_true(length < STK_CONFIG_MAX);
    begun = seconds();
    config = good(text);
    assert_true(seconds() - begun < 2 * PATIENCE); /* 0.1 is usual */
    assert_int_equal(stk_policy_grant_count(config->policy), 200);
    assert_int_equal(stk_policy_grant(config->policy, 199)->number_count, 1000);
    stk_config_free(config);
    free(text);
}

/* As many sections as a configuration holds: none is sought among all of the others. */
static void many_named_sections_are_read_quickly(void **state)
{
    char *text = malloc(STK_CONFIG_MAX + 1);
    size_t length = 0;
    struct stk_config *config = NULL;
    double begun = 0;
    unsigned count = 0;
    (void)state;

    assert_non_null(text);
    length = (size_t)snprintf(text, STK_CONFIG_MAX, SMALLEST);
    for (; length < STK_CONFIG_MAX - 100; count++)
        length +=
            (size_t)snprintf(text + length, STK_CONFIG_MAX - length, "[attest %u-%u]\nlevel=A\n",
                             30000000 - count * 2, 30000001 - count * 2);
    begun = seconds();
    config = good(text);
    assert_true(seconds() - begun < 2 * PATIENCE);
    assert_int_equal(config->attestation.inline_count, count);
    stk_config_free(config);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_has_what_its_keys_say),
        cmocka_unit_test(what_a_grant_does_not_say_it_does_not_limit_nor_give),
        cmocka_unit_test(one_grant_takes_nothing_from_another),
        cmocka_unit_test(one_of_the_four_who_is_enough),
        cmocka_unit_test(attest_is_required_for_shaken_alone),
        cmocka_unit_test(a_policy_decides_by_the_grants),
        cmocka_unit_test(bad_keys_of_a_grant_are_refused_with_line_and_reason),
        cmocka_unit_test(bad_numbers_in_orig_name_the_item),
        cmocka_unit_test(too_long_names_of_programs_are_refused),
        cmocka_unit_test(certificate_limits_are_read),
        cmocka_unit_test(sections_come_in_any_order),
        cmocka_unit_test(a_list_has_an_end),
        cmocka_unit_test(many_grants_with_many_numbers_are_read_quickly),
        cmocka_unit_test(many_named_sections_are_read_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
