/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const programs[] = {"/usr/sbin/kamailio"};
static const char *const units[] = {"kamailio.service"};

/* What is said; freed by the caller. */
static char *explained(const struct stk_policy *policy, const struct stk_who *who, const char *name,
                       const struct stk_claims *claims, bool is_input,
                       enum stirkeep_status expected)
{
    struct stk_question question = {.name = name, .claims = claims, .is_input = is_input};
    struct stk_buffer out = {0};

    assert_int_equal(stk_policy_explain(policy, who, &question, &out), expected);
    assert_int_equal(stk_buffer_add(&out, "", 1), STIRKEEP_OK);
    return (char *)out.data;
}

static void assert_explained(const struct stk_policy *policy, const struct stk_who *who,
                             const char *name, const struct stk_claims *claims,
                             enum stirkeep_status expected, const char *text)
{
    char *said = explained(policy, who, name, claims, false, expected);

    assert_string_equal(said, text);
    free(said);
}

static void why_something_is_allowed(void **state)
{
    struct rules rules = rules_of("1415555*,B\n", STK_LEVEL_NONE);
    struct stk_number_pattern numbers = pattern_of("1415555*");
    struct stk_grant grants[5] = {grant_of("others"), grant_of("by-unit"), grant_of("div-only"),
                                  grant_of("kamailio"), grant_of("second")};
    static const uid_t other[] = {2000};
    struct stk_certificate_limit limit = {.pattern = "Al*", .rate = {.rate = 100, .burst = 300}};
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    struct stk_error error = {0};
    (void)state;

    grants[0].uids = other;
    grants[1].units = units;
    grants[1].unit_count = 1;
    grants[2].ppts = STK_PPT_DIV;
    grants[3].attests = 7;
    grants[3].numbers = &numbers;
    grants[3].number_count = 1;
    grants[3].rate = (struct stk_rate){.rate = 500, .quota = 100000};
    policy = policy_of(grants, 5);
    assert_int_equal(stk_policy_limit(policy, &limit, &error), STIRKEEP_OK);
    stk_policy_attest_rules(policy, rules.opened, true, "/etc/stirkeep/attest.csv");
    claims.attest = 'A';
    assert_explained(
        policy, &who, "Alpha", &claims, STIRKEEP_OK,
        "grant others: does not apply: user 1000 is not in it, nor is one of its groups\n"
        "grant by-unit: does not apply: it asks for a unit, which is not known\n"
        "grant div-only: applies, refuses: ppt shaken is not allowed (div)\n"
        "grant kamailio: applies, allows (at most 500 a second (500 at once), 100000 a day)\n"
        "grant second: applies, refuses: attest A is not allowed (B, C)\n"
        "attestation of 14155550100: /etc/stirkeep/attest.csv:1 allows B: A is lowered to B\n"
        "certificate Alpha: at most 100 a second (300 at once), by [certificate Al*]\n"
        "allowed by grant kamailio, with attest B (A was asked for)\n");
    claims.attest = 'B';
    who.unit = "ssh.service";
    assert_explained(
        policy, &who, "Beta-1", &claims, STIRKEEP_OK,
        "grant others: does not apply: user 1000 is not in it, nor is one of its groups\n"
        "grant by-unit: does not apply: unit ssh.service is not in it\n"
        "grant div-only: applies, refuses: ppt shaken is not allowed (div)\n"
        "grant kamailio: applies, allows (at most 500 a second (500 at once), 100000 a day)\n"
        "grant second: applies, allows (no limit)\n"
        "attestation of 14155550100: /etc/stirkeep/attest.csv:1 allows B: B may be given\n"
        "certificate Beta-1: no limit of its own\n"
        "allowed by grant kamailio, with attest B\n");
    stk_policy_free(policy);
    rules_free(&rules);
}

static void why_something_is_refused(void **state)
{
    struct stk_number_pattern numbers = pattern_of("1202*");
    struct stk_grant grants[3] = {grant_of("program"), grant_of("numbers"), grant_of("gamma")};
    static const char *const gamma[] = {"Gamma", "Delta-*"};
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    char *said = NULL;
    (void)state;

    grants[0].executables = programs;
    grants[0].executable_count = 1;
    grants[1].numbers = &numbers;
    grants[1].number_count = 1;
    grants[1].gid_count = 0;
    grants[2].certificates = gamma;
    policy = policy_of(grants, 3);
    who.executable = "/usr/bin/python3.11";
    assert_explained(policy, &who, "Alpha", &claims, STIRKEEP_NOT_PERMITTED,
                     "grant program: does not apply: executable /usr/bin/python3.11 is not in it\n"
                     "grant numbers: applies, refuses: orig 14155550100 is not allowed\n"
                     "grant gamma: applies, refuses: certificate Alpha is not in it (Gamma, "
                     "Delta-*)\n"
                     "attestation: there are no rules for numbers, what a grant lists decides\n"
                     "certificate Alpha: no limit of its own\n"
                     "refused: grant numbers: orig 14155550100 is not allowed\n");
    who = who_of(1001);
    assert_explained(policy, &who, "Alpha", &claims, STIRKEEP_NOT_PERMITTED,
                     "grant program: does not apply: user 1001 is not in it, nor is one of its "
                     "groups\n"
                     "grant numbers: does not apply: user 1001 is not in it\n"
                     "grant gamma: does not apply: user 1001 is not in it, nor is one of its "
                     "groups\n"
                     "attestation: there are no rules for numbers, what a grant lists decides\n"
                     "certificate Alpha: no limit of its own\n"
                     "refused: no grant names this peer\n");
    who = who_of(1000);
    said = explained(policy, &who, "Gamma", &claims, true, STIRKEEP_NOT_PERMITTED);
    assert_non_null(strstr(said, "grant program: does not apply: it asks for an executable, which "
                                 "is not known\n"));
    assert_non_null(strstr(said, "grant gamma: applies, refuses: sign-input is not allowed\n"));
    assert_non_null(strstr(said, "\nrefused: grant gamma: sign-input is not allowed\n"));
    free(said);
    stk_policy_free(policy);
}

static void why_a_rule_refuses(void **state)
{
    struct rules rules = rules_of("14155550100,C\n", STK_LEVEL_NONE);
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    char *said = NULL;
    (void)state;

    stk_policy_attest_rules(policy, rules.opened, false, "attest.csv");
    said = explained(policy, &who, "Alpha", &claims, false, STIRKEEP_NOT_PERMITTED);
    assert_non_null(
        strstr(said, "attestation of 14155550100: attest.csv:1 allows C: B is refused\n"));
    assert_non_null(strstr(said, "\nrefused: attest B for 14155550100: attest.csv:1 allows C\n"));
    free(said);
    claims.orig_tn = "14155550101";
    said = explained(policy, &who, "Alpha", &claims, false, STIRKEEP_NOT_PERMITTED);
    assert_non_null(strstr(
        said, "attestation of 14155550101: no rule, the default allows none: B is refused\n"));
    free(said);
    claims.attest = 0; /* nobody said which one */
    said = explained(policy, &who, "Alpha", &claims, false, STIRKEEP_NOT_PERMITTED);
    assert_non_null(strstr(said, "attest ? is not allowed (B, C)\n"));
    assert_non_null(strstr(said, "the default allows none: ? is refused\n"));
    free(said);
    stk_policy_free(policy);
    rules_free(&rules);
}

static void types_without_an_attestation_say_so(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    (void)state;

    grant.ppts = STK_PPT_DIV;
    policy = policy_of(&grant, 1);
    claims.ppt = STK_PPT_DIV;
    claims.attest = 0;
    claims.div_tn = "14155550199";
    assert_explained(policy, &who, "Alpha", &claims, STIRKEEP_OK,
                     "grant kamailio: applies, allows (no limit)\n"
                     "attestation: div has none\n"
                     "certificate Alpha: no limit of its own\n"
                     "allowed by grant kamailio\n");
    stk_policy_free(policy);
}

static void each_line_stays_one(void **state)
{
    static const char *const many[] = {
        "certificate-with-a-long-name-00000000000000000000000000000000*",
        "certificate-with-a-long-name-00000000000000000000000000000001*",
        "certificate-with-a-long-name-00000000000000000000000000000002*",
        "certificate-with-a-long-name-00000000000000000000000000000003*"};
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    char *said = NULL;
    size_t lines = 0;
    (void)state;

    grant.executables = programs;
    grant.executable_count = 1;
    policy = policy_of(&grant, 1);
    who.executable = "/tmp/x\ngrant kamailio: allows\x1b[31m";
    said = explained(policy, &who, "Alpha", &claims, false, STIRKEEP_NOT_PERMITTED);
    for (const char *at = said; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 4);
    assert_null(strchr(said, '\x1b'));
    free(said);
    stk_policy_free(policy);

    grant = grant_of("kamailio");
    grant.certificates = many;
    grant.certificate_count = 4;
    policy = policy_of(&grant, 1);
    said = explained(policy, &who, "Alpha", &claims, false, STIRKEEP_NOT_PERMITTED);
    assert_non_null(strstr(said, "0000000001*, ...)\n")); /* not all of a long list */
    free(said);
    stk_policy_free(policy);
}

static void a_buffer_that_is_full_is_told(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_claims claims = claims_of_call();
    struct stk_question question = {.name = "Alpha", .claims = &claims};
    struct stk_who who = who_of(1000);
    struct stk_buffer out = {.ceiling = 50};
    (void)state;

    assert_int_equal(stk_policy_explain(policy, &who, &question, &out), STIRKEEP_TOO_LARGE);
    stk_buffer_free(&out);
    stk_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(why_something_is_allowed),
        cmocka_unit_test(why_something_is_refused),
        cmocka_unit_test(why_a_rule_refuses),
        cmocka_unit_test(types_without_an_attestation_say_so),
        cmocka_unit_test(each_line_stays_one),
        cmocka_unit_test(a_buffer_that_is_full_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
