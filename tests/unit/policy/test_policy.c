/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "policy/pattern.h"
#include "policy/policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const alpha_beta[] = {"Alpha", "Beta-*"};
static const uid_t uid_1000[] = {1000};
static const gid_t gid_50[] = {50};

static struct stk_grant grant_of(const char *name)
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

static struct stk_policy *policy_of(const struct stk_grant *grants, size_t count)
{
    struct stk_policy *policy = NULL;
    struct stk_error error = {0};

    assert_int_equal(stk_policy_new(&policy), STIRKEEP_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(stk_policy_add(policy, &grants[i], &error), STIRKEEP_OK);
    return policy;
}

static enum stirkeep_status decide(const struct stk_policy *policy, uid_t uid, const char *name,
                                   enum stk_ppt ppt, char attest, const char **ret_grant,
                                   struct stk_error *error)
{
    gid_t group = 7;
    struct stk_grants *grants = stk_policy_grants_for(policy, uid, &group, 1);
    struct stk_claims claims = {.ppt = ppt, .attest = attest};
    const struct stk_grant *grant = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    assert_non_null(grants);
    status = stk_policy_decide(grants, name, &claims, &grant, error);
    if (status == STIRKEEP_OK)
        *ret_grant = grant->name;
    else
        assert_null(grant);
    free(grants);
    return status;
}

static void a_star_stands_for_any_run_of_characters(void **state)
{
    static const struct {
        const char *pattern;
        const char *name;
        bool matches;
    } cases[] = {
        {"Alpha", "Alpha", true},    {"Alpha", "alpha", false},  {"Alpha", "Alpha1", false},
        {"Alpha", "Alph", false},    {"*", "x", true},           {"A*", "A", true},
        {"A*", "BA", false},         {"*a", "Alpha", true},      {"*a", "Alphab", false},
        {"a*b*c", "abc", true},      {"a*b*c", "axxbyyc", true}, {"a*b*c", "acb", false},
        {"**", "anything", true},    {"a**b", "ab", true},       {"*ab*", "aab", true},
        {"*aab", "aaaab", true},     {"A.c", "Abc", false},      {"a*bc*bd", "abcbcbd", true},
        {"a*bc*bd", "abcbce", false}};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool matches = stk_pattern_matches(cases[i].pattern, cases[i].name);
        if (matches != cases[i].matches)
            fail_msg("%s against %s: %d", cases[i].pattern, cases[i].name, matches);
    }
}

static void a_hostile_pattern_costs_no_more_than_the_product_of_lengths(void **state)
{
    char pattern[STK_PATTERN_MAX + 1] = "";
    char name[STK_NAME_MAX + 1] = "";
    uint64_t start = stk_clock_mono_us();
    (void)state;

    for (size_t i = 0; i + 2 < STK_PATTERN_MAX; i += 2)
        memcpy(pattern + i, "a*", 2);
    pattern[strlen(pattern)] = 'b';
    memset(name, 'a', STK_NAME_MAX);
    /* With backtracking this takes longer than the universe has. */
    for (int i = 0; i < 1000; i++)
        assert_false(stk_pattern_matches(pattern, name));
    assert_true(stk_clock_mono_us() - start < 1000000);
}

static void a_pattern_has_the_characters_of_names(void **state)
{
    char longest[STK_PATTERN_MAX + 2] = "";
    (void)state;

    memset(longest, 'a', STK_PATTERN_MAX);
    assert_null(stk_pattern_fault("Alpha"));
    assert_null(stk_pattern_fault("*"));
    assert_null(stk_pattern_fault("A*.b-c_d"));
    assert_null(stk_pattern_fault(longest));
    longest[STK_PATTERN_MAX] = 'a';
    assert_non_null(stk_pattern_fault(longest));
    assert_non_null(stk_pattern_fault(""));
    assert_non_null(stk_pattern_fault("a b"));
    assert_non_null(stk_pattern_fault("a?"));
    assert_non_null(stk_pattern_fault("a/b"));
    assert_non_null(stk_pattern_fault(".a"));
    assert_non_null(stk_pattern_fault("\xc3\xa4"));
}

static void nobody_may_without_a_grant(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_policy *none = policy_of(NULL, 0);
    struct stk_error error = {0};
    const char *allowed = NULL;
    (void)state;

    assert_int_equal(decide(policy, 1001, "Alpha", STK_PPT_SHAKEN, 'B', &allowed, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_string_equal(error.message, "no grant names this peer");
    assert_int_equal(decide(policy, 0, "Alpha", STK_PPT_SHAKEN, 'B', &allowed, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_int_equal(decide(none, 1000, "Alpha", STK_PPT_SHAKEN, 'B', &allowed, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_null(allowed);
    stk_policy_free(policy);
    stk_policy_free(none);
}

static void all_conditions_of_a_grant_hold_together(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_error error = {0};
    const char *allowed = NULL;
    (void)state;

    assert_int_equal(decide(policy, 1000, "Alpha", STK_PPT_SHAKEN, 'B', &allowed, &error),
                     STIRKEEP_OK);
    assert_string_equal(allowed, "kamailio");
    assert_int_equal(decide(policy, 1000, "Beta-7", STK_PPT_SHAKEN, 'C', &allowed, &error),
                     STIRKEEP_OK);
    assert_int_equal(decide(policy, 1000, "Gamma", STK_PPT_SHAKEN, 'B', &allowed, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_string_equal(error.message, "certificate Gamma: no grant of this peer names it");
    assert_int_equal(decide(policy, 1000, "Alpha", STK_PPT_SHAKEN, 'A', &allowed, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_string_equal(error.message, "grant kamailio: attest A is not allowed (B, C)");
    assert_int_equal(decide(policy, 1000, "Alpha", STK_PPT_BASE, 0, &allowed, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_string_equal(error.message, "grant kamailio: ppt base is not allowed (shaken)");
    /* Claims that no decoder lets through must not reach past the bits. */
    assert_int_equal(decide(policy, 1000, "Alpha", STK_PPT_SHAKEN, 0, &allowed, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_int_equal(decide(policy, 1000, "Alpha", STK_PPT_SHAKEN, 'a', &allowed, &error),
                     STIRKEEP_NOT_PERMITTED);
    stk_policy_free(policy);
}

static void a_grant_without_attests_signs_no_shaken_passport(void **state)
{
    struct stk_grant grant = grant_of("base-only");
    struct stk_policy *policy = NULL;
    struct stk_error error = {0};
    const char *allowed = NULL;
    (void)state;

    grant.ppts = STK_PPT_BASE | STK_PPT_SHAKEN;
    grant.attests = 0;
    policy = policy_of(&grant, 1);
    assert_int_equal(decide(policy, 1000, "Alpha", STK_PPT_BASE, 0, &allowed, &error), STIRKEEP_OK);
    for (char attest = 'A'; attest <= 'C'; attest++)
        assert_int_equal(decide(policy, 1000, "Alpha", STK_PPT_SHAKEN, attest, &allowed, &error),
                         STIRKEEP_NOT_PERMITTED);
    assert_string_equal(error.message, "grant base-only: attest C is not allowed (none)");
    stk_policy_free(policy);
}

static void grants_are_a_union_but_never_mixed(void **state)
{
    static const char *const one[] = {"One"};
    static const char *const two[] = {"Two"};
    struct stk_grant grants[2] = {grant_of("one"), grant_of("two")};
    struct stk_policy *policy = NULL;
    struct stk_error error = {0};
    const char *allowed = NULL;
    (void)state;

    grants[0].certificates = one;
    grants[0].certificate_count = 1;
    grants[0].attests = 1;
    grants[1].certificates = two;
    grants[1].certificate_count = 1;
    grants[1].attests = 4;
    policy = policy_of(grants, 2);
    assert_int_equal(decide(policy, 1000, "One", STK_PPT_SHAKEN, 'A', &allowed, &error),
                     STIRKEEP_OK);
    assert_string_equal(allowed, "one");
    assert_int_equal(decide(policy, 1000, "Two", STK_PPT_SHAKEN, 'C', &allowed, &error),
                     STIRKEEP_OK);
    assert_string_equal(allowed, "two");
    /* The name of one with the attest of the other; the reason is of the one that came nearer. */
    assert_int_equal(decide(policy, 1000, "Two", STK_PPT_SHAKEN, 'A', &allowed, &error),
                     STIRKEEP_NOT_PERMITTED);
    assert_string_equal(error.message, "grant two: attest A is not allowed (C)");
    stk_policy_free(policy);
}

static void a_peer_belongs_by_uid_or_by_any_group(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    gid_t groups[] = {7, 8, 50};
    struct stk_grants *grants = NULL;
    (void)state;

    grants = stk_policy_grants_for(policy, 4711, groups, 3);
    assert_int_equal(grants->count, 1);
    assert_true(stk_policy_may_see(grants, "Beta-x"));
    assert_false(stk_policy_may_see(grants, "Gamma"));
    free(grants);
    grants = stk_policy_grants_for(policy, 4711, groups, 2);
    assert_int_equal(grants->count, 0);
    assert_false(stk_policy_may_see(grants, "Alpha"));
    free(grants);
    grants = stk_policy_grants_for(policy, 1000, NULL, 0);
    assert_int_equal(grants->count, 1);
    free(grants);
    /* uid 50 is not gid 50 */
    grants = stk_policy_grants_for(policy, 50, groups, 2);
    assert_int_equal(grants->count, 0);
    free(grants);
    stk_policy_free(policy);
}

static void a_grant_is_copied(void **state)
{
    uid_t uids[] = {1000};
    char certificate[] = "Alpha";
    const char *certificates[] = {certificate};
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_error error = {0};
    const char *allowed = NULL;
    (void)state;

    grant.uids = uids;
    grant.certificates = certificates;
    grant.certificate_count = 1;
    policy = policy_of(&grant, 1);
    uids[0] = 1;
    certificate[0] = 'B';
    assert_int_equal(decide(policy, 1000, "Alpha", STK_PPT_SHAKEN, 'B', &allowed, &error),
                     STIRKEEP_OK);
    stk_policy_free(policy);
}

static void a_grant_that_makes_no_sense_is_refused(void **state)
{
    static const char *const bad_pattern[] = {"Al pha"};
    struct stk_grant good = grant_of("good");
    struct stk_policy *policy = policy_of(&good, 1);
    struct stk_error error = {0};
    struct stk_grant bad = good;
    (void)state;

    assert_int_equal(stk_policy_add(policy, &bad, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, "the name is used by another grant");
    bad = grant_of("x");
    bad.uid_count = 0;
    bad.gid_count = 0;
    assert_int_equal(stk_policy_add(policy, &bad, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, "names neither a user nor a group");
    bad = grant_of("x");
    bad.certificate_count = 0;
    assert_int_equal(stk_policy_add(policy, &bad, &error), STIRKEEP_CONFIG);
    bad = grant_of("x");
    bad.certificates = bad_pattern;
    bad.certificate_count = 1;
    assert_int_equal(stk_policy_add(policy, &bad, &error), STIRKEEP_CONFIG);
    bad = grant_of("x");
    bad.ppts = 1u << 20;
    assert_int_equal(stk_policy_add(policy, &bad, &error), STIRKEEP_CONFIG);
    bad = grant_of("x");
    bad.attests = 8;
    assert_int_equal(stk_policy_add(policy, &bad, &error), STIRKEEP_CONFIG);
    bad = grant_of("");
    assert_int_equal(stk_policy_add(policy, &bad, &error), STIRKEEP_CONFIG);
    bad = grant_of("a*");
    assert_int_equal(stk_policy_add(policy, &bad, &error), STIRKEEP_CONFIG);
    stk_policy_free(policy);
    stk_policy_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_star_stands_for_any_run_of_characters),
        cmocka_unit_test(a_hostile_pattern_costs_no_more_than_the_product_of_lengths),
        cmocka_unit_test(a_pattern_has_the_characters_of_names),
        cmocka_unit_test(nobody_may_without_a_grant),
        cmocka_unit_test(all_conditions_of_a_grant_hold_together),
        cmocka_unit_test(a_grant_without_attests_signs_no_shaken_passport),
        cmocka_unit_test(grants_are_a_union_but_never_mixed),
        cmocka_unit_test(a_peer_belongs_by_uid_or_by_any_group),
        cmocka_unit_test(a_grant_is_copied),
        cmocka_unit_test(a_grant_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
