/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include "policy/policy_impl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void nobody_may_without_a_grant(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_policy *none = policy_of(NULL, 0);
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1001);
    struct stk_error error = {0};
    (void)state;

    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    assert_string_equal(error.message, "no grant names this peer");
    who.uid = 0; /* not even root */
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    who.uid = 1000;
    assert_string_equal(verdict(none, &who, "Alpha", &claims, false, &error), "");
    assert_string_equal(error.message, "no grant names this peer");
    assert_int_equal(stk_policy_grant_count(none), 0);
    assert_int_equal(stk_policy_grant_count(policy), 1);
    assert_string_equal(stk_policy_grant(policy, 0)->name, "kamailio");
    assert_null(stk_policy_grant(policy, 1));
    stk_policy_free(policy);
    stk_policy_free(none);
    stk_policy_free(NULL);
}

/* ---- who */

static void a_user_or_a_group_belongs(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_claims claims = claims_of_call();
    gid_t groups[] = {7, 8, 50};
    struct stk_who who = {.uid = 4711, .groups = groups, .group_count = 3};
    struct stk_error error = {0};
    (void)state;

    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "kamailio");
    who.group_count = 2;
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    assert_string_equal(error.message, "no grant names this peer");
    who = (struct stk_who){.uid = 1000};
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "kamailio");
    who = (struct stk_who){.uid = 50}; /* which is not gid 50 */
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    stk_policy_free(policy);
}

static void one_of_many_users_belongs_in_any_order(void **state)
{
    static const uid_t uids[] = {4000000000U, 3, 1000, 77, 3, 0};
    struct stk_grant grant = grant_of("many");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_error error = {0};
    (void)state;

    grant.uids = uids;
    grant.uid_count = sizeof(uids) / sizeof(uids[0]);
    grant.gid_count = 0;
    policy = policy_of(&grant, 1);
    for (size_t i = 0; i < sizeof(uids) / sizeof(uids[0]); i++) {
        struct stk_who who = who_of(uids[i]);
        assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "many");
        who.uid += 1;
        assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    }
    stk_policy_free(policy);
}

static void an_executable_is_asked_for_besides_the_user(void **state)
{
    static const char *const executables[] = {"/usr/sbin/kamailio", "/usr/sbin/opensips"};
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    struct stk_error error = {0};
    (void)state;

    grant.executables = executables;
    grant.executable_count = 2;
    policy = policy_of(&grant, 1);
    assert_true(stk_policy_needs_program(policy));
    who.executable = "/usr/sbin/opensips";
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "kamailio");
    who.executable = "/usr/sbin/opensips (deleted)";
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    assert_string_equal(error.message, "no grant names this peer");
    who.executable = NULL; /* nobody could find it out */
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    who.executable = "/usr/sbin/kamailio";
    who.uid = 1001;
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    stk_policy_free(policy);
}

static void a_unit_is_asked_for_besides_the_executable(void **state)
{
    static const char *const executables[] = {"/usr/sbin/kamailio"};
    static const char *const units[] = {"kamailio.service"};
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_who who = {
        .uid = 77, .executable = "/usr/sbin/kamailio", .unit = "kamailio.service"};
    struct stk_error error = {0};
    (void)state;

    grant.uid_count = 0; /* whoever it runs as */
    grant.gid_count = 0;
    grant.executables = executables;
    grant.executable_count = 1;
    grant.units = units;
    grant.unit_count = 1;
    policy = policy_of(&grant, 1);
    assert_true(stk_policy_needs_program(policy));
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "kamailio");
    who.unit = "ssh.service";
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    who.unit = NULL;
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    who.unit = "kamailio.service";
    who.executable = "/bin/sh";
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
    stk_policy_free(policy);
}

static void a_policy_without_programs_needs_none(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    (void)state;

    assert_false(stk_policy_needs_program(policy));
    stk_policy_free(policy);
}

/* ---- for what: a pair of allowed and refused for each condition */

static void a_certificate_is_allowed_by_name_or_pattern(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    struct stk_error error = {0};
    (void)state;

    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "kamailio");
    assert_string_equal(verdict(policy, &who, "Beta-7", &claims, false, &error), "kamailio");
    assert_string_equal(verdict(policy, &who, "Beta", &claims, false, &error), "");
    assert_string_equal(error.message, "certificate Beta: no grant of this peer names it");
    assert_string_equal(verdict(policy, &who, "alpha", &claims, false, &error), "");
    assert_string_equal(error.message, "certificate alpha: no grant of this peer names it");
    stk_policy_free(policy);
}

static void a_type_is_allowed_by_its_bit(void **state)
{
    static const enum stk_ppt types[] = {STK_PPT_BASE,  STK_PPT_SHAKEN, STK_PPT_DIV,
                                         STK_PPT_DIV_O, STK_PPT_RPH,    STK_PPT_RCD};
    (void)state;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct stk_grant grant = grant_of("one");
        struct stk_policy *policy = NULL;

        grant.ppts = (unsigned)types[i];
        policy = policy_of(&grant, 1);
        for (size_t j = 0; j < sizeof(types) / sizeof(types[0]); j++) {
            struct stk_claims claims = claims_of_call();
            char message[96] = "";

            claims.ppt = types[j];
            claims.attest = types[j] == STK_PPT_SHAKEN ? 'B' : 0;
            claims.div_tn = "14155550199";
            (void)snprintf(message, sizeof(message), "grant one: ppt %s is not allowed (%s)",
                           stk_ppt_name(types[j]), stk_ppt_name(types[i]));
            if (i == j)
                assert_allowed(policy, &claims, "one");
            else
                assert_refused(policy, &claims, message);
        }
        stk_policy_free(policy);
    }
}

static void without_types_a_grant_is_for_shaken_alone(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_claims claims = claims_of_call();
    (void)state;

    assert_allowed(policy, &claims, "kamailio");
    claims.ppt = STK_PPT_DIV;
    assert_refused(policy, &claims, "grant kamailio: ppt div is not allowed (shaken)");
    claims.ppt = (enum stk_ppt)(STK_PPT_SHAKEN | STK_PPT_DIV); /* which no decoder lets through */
    assert_refused(policy, &claims, "grant kamailio: ppt unknown is not allowed (shaken)");
    stk_policy_free(policy);
}

static void a_type_that_is_not_typed_is_allowed_by_its_name(void **state)
{
    static const char *const names[] = {"msgi", "vesper"};
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    (void)state;

    grant.other_ppts = names;
    grant.other_ppt_count = 2;
    policy = policy_of(&grant, 1);
    claims.ppt = STK_PPT_OTHER;
    claims.attest = 0;
    claims.ppt_text = "vesper";
    assert_allowed(policy, &claims, "kamailio");
    claims.ppt_text = "vesp";
    assert_refused(policy, &claims, "grant kamailio: ppt vesp is not allowed (msgi, vesper)");
    claims.ppt_text = "vesper2";
    assert_refused(policy, &claims, "grant kamailio: ppt vesper2 is not allowed (msgi, vesper)");
    claims = claims_of_call(); /* and nothing else is */
    assert_refused(policy, &claims, "grant kamailio: ppt shaken is not allowed (msgi, vesper)");
    stk_policy_free(policy);
}

static void rcd_claims_with_shaken_need_both_types(void **state)
{
    struct stk_grant grants[2] = {grant_of("plain"), grant_of("rich")};
    struct stk_policy *policy = NULL;
    struct stk_pair integrity = {"/icn", "sha256-x"};
    struct stk_claims claims = claims_of_call();
    (void)state;

    grants[1].ppts = STK_PPT_SHAKEN | STK_PPT_RCD;
    policy = policy_of(grants, 2);
    assert_allowed(policy, &claims, "plain");
    claims.rcd_nam = "Example Inc.";
    assert_allowed(policy, &claims, "rich");
    claims = claims_of_call();
    claims.crn = "Invoice";
    assert_allowed(policy, &claims, "rich");
    claims = claims_of_call();
    claims.rcdi = &integrity;
    claims.rcdi_count = 1;
    assert_allowed(policy, &claims, "rich");
    stk_policy_free(policy);

    policy = policy_of(grants, 1);
    assert_refused(policy, &claims,
                   "grant plain: ppt rcd, for rcd claims with shaken, is not allowed (shaken)");
    stk_policy_free(policy);
}

static void sign_input_is_allowed_where_the_grant_says_so(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    struct stk_error error = {0};
    (void)state;

    assert_string_equal(verdict(policy, &who, "Alpha", &claims, true, &error), "");
    assert_string_equal(error.message, "grant kamailio: sign-input is not allowed");
    stk_policy_free(policy);
    grant.sign_input = true;
    policy = policy_of(&grant, 1);
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, true, &error), "kamailio");
    assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "kamailio");
    stk_policy_free(policy);
}

static struct stk_policy *policy_for_numbers(const struct stk_number_pattern *numbers, size_t count)
{
    struct stk_grant grant = grant_of("kamailio");

    grant.ppts = STK_PPT_SHAKEN | STK_PPT_DIV | STK_PPT_DIV_O;
    grant.numbers = numbers;
    grant.number_count = count;
    return policy_of(&grant, 1);
}

static void an_orig_is_allowed_by_number_range_or_prefix(void **state)
{
    struct stk_number_pattern numbers[] = {
        pattern_of("14155550100"), pattern_of("12025550100-12025550199"), pattern_of("1212555*")};
    static const char *const allowed[] = {"14155550100", "12025550100", "12025550150",
                                          "12025550199", "1212555",     "121255500000000"};
    static const char *const refused[] = {
        "14155550101",  "1415555010",  "141555501000", "12025550099",  "12025550200",
        "120255501000", "12125560000", "121255",       "*12125550000", "1202555010#"};
    struct stk_policy *policy = policy_for_numbers(numbers, 3);
    struct stk_claims claims = claims_of_call();
    char message[96] = "";
    (void)state;

    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        claims.orig_tn = allowed[i];
        assert_allowed(policy, &claims, "kamailio");
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        claims.orig_tn = refused[i];
        (void)snprintf(message, sizeof(message), "grant kamailio: orig %s is not allowed",
                       refused[i]);
        assert_refused(policy, &claims, message);
    }
    claims.orig_tn = NULL;
    claims.orig_uri = "sip:14155550100@example.com"; /* numbers allow no URI */
    assert_refused(policy, &claims,
                   "grant kamailio: orig sip:14155550100@example.com is not allowed");
    stk_policy_free(policy);
}

static void of_a_diverted_call_the_diverting_party_is_asked_about(void **state)
{
    struct stk_number_pattern numbers[] = {pattern_of("1415555*")};
    struct stk_policy *policy = policy_for_numbers(numbers, 1);
    struct stk_claims claims = claims_of_call();
    (void)state;

    claims.attest = 0;
    for (int i = 0; i < 2; i++) {
        claims.ppt = i == 0 ? STK_PPT_DIV : STK_PPT_DIV_O;
        claims.orig_tn = "12025550100";
        claims.div_tn = "14155550100";
        assert_allowed(policy, &claims, "kamailio");
        claims.orig_tn = "14155550100";
        claims.div_tn = "12025550100";
        assert_refused(policy, &claims, "grant kamailio: div 12025550100 is not allowed");
        claims.div_tn = NULL;
        claims.div_uri = "sip:pbx@example.com";
        assert_refused(policy, &claims, "grant kamailio: div sip:pbx@example.com is not allowed");
    }
    stk_policy_free(policy);
}

static void an_orig_is_allowed_by_the_pattern_of_its_uri(void **state)
{
    static const char *const uris[] = {"sip:*@example.com", "tel:*", "sip:alice@example.org"};
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    (void)state;

    grant.uris = uris;
    grant.uri_count = 3;
    policy = policy_of(&grant, 1);
    claims.orig_tn = NULL;
    claims.orig_uri = "sip:bob@example.com";
    assert_allowed(policy, &claims, "kamailio");
    claims.orig_uri = "sip:alice@example.org";
    assert_allowed(policy, &claims, "kamailio");
    claims.orig_uri = "sip:bob@example.com.example.net";
    assert_refused(policy, &claims,
                   "grant kamailio: orig sip:bob@example.com.example.net is not allowed");
    claims.orig_uri = "sips:bob@example.com";
    assert_refused(policy, &claims, "grant kamailio: orig sips:bob@example.com is not allowed");
    claims.orig_uri = NULL;
    claims.orig_tn = "14155550100"; /* URIs allow no number */
    assert_refused(policy, &claims, "grant kamailio: orig 14155550100 is not allowed");
    stk_policy_free(policy);
}

static void without_numbers_and_uris_a_grant_is_for_all(void **state)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = policy_of(&grant, 1);
    struct stk_claims claims = claims_of_call();
    (void)state;

    claims.orig_tn = "*31#1";
    assert_allowed(policy, &claims, "kamailio");
    claims.orig_tn = NULL;
    claims.orig_uri = "sip:anybody@example.net";
    assert_allowed(policy, &claims, "kamailio");
    stk_policy_free(policy);
}

static void an_attestation_is_allowed_by_its_letter(void **state)
{
    (void)state;

    for (unsigned attests = 0; attests < 8; attests++) {
        static const char *const lists[] = {"none", "A", "B", "A, B", "C", "A, C", "B, C", ""};
        struct stk_grant grant = grant_of("kamailio");
        struct stk_policy *policy = NULL;

        grant.attests = attests;
        policy = policy_of(&grant, 1);
        for (char attest = 'A'; attest <= 'C'; attest++) {
            struct stk_claims claims = claims_of_call();
            char message[96] = "";

            claims.attest = attest;
            (void)snprintf(message, sizeof(message),
                           "grant kamailio: attest %c is not allowed (%s)", attest, lists[attests]);
            if ((attests >> (attest - 'A') & 1) != 0)
                assert_allowed(policy, &claims, "kamailio");
            else
                assert_refused(policy, &claims, message);
        }
        stk_policy_free(policy);
    }
}

static void an_attestation_that_no_decoder_lets_through_is_refused(void **state)
{
    static const char bad[] = {0, 'a', '@', 'D', 'Z', '\n', (char)0xff};
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    (void)state;

    grant.attests = 7;
    policy = policy_of(&grant, 1);
    for (size_t i = 0; i < sizeof(bad); i++) {
        struct stk_error error = {0};

        claims.attest = bad[i];
        assert_string_equal(verdict(policy, &who, "Alpha", &claims, false, &error), "");
        assert_non_null(strstr(error.message, "is not allowed (A, B, C)"));
    }
    stk_policy_free(policy);
}

/* ---- together */

static void grants_are_a_union_but_never_mixed(void **state)
{
    static const char *const one[] = {"One"};
    static const char *const two[] = {"Two"};
    struct stk_grant grants[2] = {grant_of("one"), grant_of("two")};
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    struct stk_error error = {0};
    (void)state;

    grants[0].certificates = one;
    grants[0].certificate_count = 1;
    grants[0].attests = 1;
    grants[1].certificates = two;
    grants[1].certificate_count = 1;
    grants[1].attests = 4;
    policy = policy_of(grants, 2);
    claims.attest = 'A';
    assert_string_equal(verdict(policy, &who, "One", &claims, false, &error), "one");
    claims.attest = 'C';
    assert_string_equal(verdict(policy, &who, "Two", &claims, false, &error), "two");
    /* The name of one with the attest of the other; the reason is of the one that came nearer. */
    claims.attest = 'A';
    assert_string_equal(verdict(policy, &who, "Two", &claims, false, &error), "");
    assert_string_equal(error.message, "grant two: attest A is not allowed (C)");
    stk_policy_free(policy);
}

static void the_reason_is_of_the_grant_that_comes_nearest(void **state)
{
    struct stk_number_pattern number = pattern_of("12025550100");
    struct stk_grant grants[4] = {grant_of("g-ppt"), grant_of("g-input"), grant_of("g-orig"),
                                  grant_of("g-attest")};
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_who who = who_of(1000);
    struct stk_error error = {0};
    static const char *const expected[] = {
        "grant g-ppt: ppt shaken is not allowed (base)",
        "grant g-input: sign-input is not allowed",
        "grant g-orig: orig 14155550100 is not allowed",
        "grant g-attest: attest A is not allowed (B, C)",
    };
    (void)state;

    grants[0].ppts = STK_PPT_BASE;
    grants[2].sign_input = true;
    grants[2].numbers = &number;
    grants[2].number_count = 1;
    grants[3].sign_input = true;
    claims.attest = 'A';
    for (size_t count = 1; count <= 4; count++) {
        policy = policy_of(grants, count);
        assert_string_equal(verdict(policy, &who, "Alpha", &claims, true, &error), "");
        assert_string_equal(error.message, expected[count - 1]);
        stk_policy_free(policy);
    }
}

/* The grant that decides, which is spent from then on. */
static const char *unspent(const struct stk_policy *policy, const struct stk_grants *held,
                           const struct stk_question *question, uint64_t *spent)
{
    struct stk_decision decision = {0};
    struct stk_error error = {0};
    size_t index = 0;

    assert_int_equal(stk_policy_decide_unspent(policy, held, question, spent, &decision, &error),
                     STIRKEEP_OK);
    assert_int_equal(decision.attest, 'B');
    index = stk_grant_index(decision.grant);
    spent[index / 64] |= UINT64_C(1) << index % 64;
    return decision.grant->name;
}

static void the_first_grant_decides_and_others_when_it_is_spent(void **state)
{
    enum { COUNT = 130 }; /* more than two words of bits */
    struct stk_grant grants[COUNT];
    struct stk_policy *policy = NULL;
    struct stk_grants *held = NULL;
    struct stk_who who = who_of(1000);
    struct stk_claims claims = claims_of_call();
    struct stk_question question = {.name = "Alpha", .claims = &claims};
    struct stk_decision decision = {0};
    uint64_t spent[3] = {0};
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < COUNT; i++) {
        char name[16] = "";

        (void)snprintf(name, sizeof(name), "g%zu", i);
        grants[i] = grant_of(name);
        grants[i].attests = i == 3 || i == 64 || i == 127 || i == 129 ? 2 : 4;
    }
    policy = policy_of(grants, COUNT);
    held = stk_policy_grants_for(policy, &who);
    assert_int_equal(held->count, COUNT);
    assert_string_equal(held->grants[129]->name, "g129");
    assert_int_equal(stk_policy_decide(policy, held, &question, &decision, &error), STIRKEEP_OK);
    assert_string_equal(decision.grant->name, "g3");
    assert_int_equal(decision.attest, 'B');
    assert_string_equal(unspent(policy, held, &question, spent), "g3");
    assert_string_equal(unspent(policy, held, &question, spent), "g64");
    assert_string_equal(unspent(policy, held, &question, spent), "g127");
    assert_string_equal(unspent(policy, held, &question, spent), "g129");
    assert_string_equal(unspent(policy, held, &question, spent), "g3"); /* as if none were */
    free(held);
    stk_policy_free(policy);
}

static void a_peer_sees_the_certificates_that_its_grants_name(void **state)
{
    struct stk_grant grants[2] = {grant_of("mine"), grant_of("yours")};
    static const char *const gamma[] = {"Gamma"};
    static const uid_t other[] = {2000};
    struct stk_policy *policy = NULL;
    struct stk_grants *held = NULL;
    struct stk_who who = who_of(1000);
    (void)state;

    grants[1].certificates = gamma;
    grants[1].certificate_count = 1;
    grants[1].uids = other;
    policy = policy_of(grants, 2);
    held = stk_policy_grants_for(policy, &who);
    assert_int_equal(held->count, 1);
    assert_true(stk_policy_may_see(held, "Beta-x"));
    assert_false(stk_policy_may_see(held, "Gamma"));
    free(held);
    who.uid = 2000;
    held = stk_policy_grants_for(policy, &who);
    assert_true(stk_policy_may_see(held, "Gamma"));
    assert_false(stk_policy_may_see(held, "Alpha"));
    free(held);
    who.uid = 3000;
    held = stk_policy_grants_for(policy, &who);
    assert_int_equal(held->count, 0);
    assert_false(stk_policy_may_see(held, "Alpha"));
    free(held);
    stk_policy_free(policy);
}

/* ---- attestation rules */

static struct stk_decision decide(const struct stk_policy *policy, const struct stk_claims *claims,
                                  struct stk_error *error)
{
    struct stk_who who = who_of(1000);
    struct stk_grants *held = stk_policy_grants_for(policy, &who);
    struct stk_question question = {.name = "Alpha", .claims = claims};
    struct stk_decision decision = {0};

    *error = (struct stk_error){0};
    (void)stk_policy_decide(policy, held, &question, &decision, error);
    free(held);
    return decision;
}

static const char rules_text[] = "14155550100,A\n14155550101,B\n14155550102,C\n14155550103,none\n";

static struct stk_policy *policy_with(const struct rules *rules, bool lower, const char *file)
{
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;

    grant.attests = 7;
    grant.ppts = STK_PPT_SHAKEN | STK_PPT_DIV;
    policy = policy_of(&grant, 1);
    stk_policy_attest_rules(policy, rules->opened, lower, file);
    return policy;
}

static void what_exceeds_its_rule_is_refused_naming_the_rule(void **state)
{
    struct rules rules = rules_of(rules_text, STK_LEVEL_NONE);
    struct stk_policy *policy = policy_with(&rules, false, "attest.csv");
    struct stk_claims claims = claims_of_call();
    static const char *const numbers[] = {"14155550100", "14155550101", "14155550102",
                                          "14155550103"};
    (void)state;

    for (size_t i = 0; i < 4; i++)
        for (char attest = 'A'; attest <= 'C'; attest++) {
            struct stk_error error = {0};
            struct stk_decision decision = {0};
            char message[96] = "";

            claims.orig_tn = numbers[i];
            claims.attest = attest;
            decision = decide(policy, &claims, &error);
            (void)snprintf(message, sizeof(message), "attest %c for %s: attest.csv:%zu allows %s",
                           attest, numbers[i], i + 1,
                           i == 3 ? "none" : (const char[]){(char)('A' + (int)i), 0});
            if (attest - 'A' >= (int)i) {
                assert_non_null(decision.grant);
                assert_int_equal(decision.attest, attest);
                assert_false(decision.lowered);
            } else {
                assert_null(decision.grant);
                assert_string_equal(error.message, message);
            }
        }
    claims.orig_tn = "14155550104";
    assert_refused(policy, &claims, "attest C for 14155550104: no rule, the default allows none");
    stk_policy_free(policy);
    rules_free(&rules);
}

static void what_exceeds_its_rule_is_lowered_but_never_to_none(void **state)
{
    struct rules rules = rules_of(rules_text, STK_LEVEL_C);
    struct stk_policy *policy = policy_with(&rules, true, "attest.csv");
    struct stk_claims claims = claims_of_call();
    struct stk_decision decision = {0};
    struct stk_error error = {0};
    (void)state;

    claims.attest = 'A';
    claims.orig_tn = "14155550100";
    decision = decide(policy, &claims, &error);
    assert_true(decision.grant != NULL && decision.attest == 'A' && !decision.lowered);
    claims.orig_tn = "14155550101";
    decision = decide(policy, &claims, &error);
    assert_true(decision.grant != NULL && decision.attest == 'B' && decision.lowered);
    claims.orig_tn = "14155550999"; /* by the default */
    decision = decide(policy, &claims, &error);
    assert_true(decision.grant != NULL && decision.attest == 'C' && decision.lowered);
    claims.attest = 'C';
    decision = decide(policy, &claims, &error);
    assert_true(decision.grant != NULL && decision.attest == 'C' && !decision.lowered);
    claims.orig_tn = "14155550103";
    assert_refused(policy, &claims, "attest C for 14155550103: attest.csv:4 allows none");
    stk_policy_free(policy);
    rules_free(&rules);
}

static void the_grants_set_is_checked_against_what_is_asked(void **state)
{
    struct rules rules = rules_of(rules_text, STK_LEVEL_NONE);
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_decision decision = {0};
    struct stk_error error = {0};
    (void)state;

    grant.attests = 1; /* A alone */
    policy = policy_of(&grant, 1);
    stk_policy_attest_rules(policy, rules.opened, true, "attest.csv");
    claims.orig_tn = "14155550102";
    claims.attest = 'A';
    decision = decide(policy, &claims, &error);
    assert_true(decision.grant != NULL && decision.attest == 'C' && decision.lowered);
    claims.attest = 'C';
    assert_refused(policy, &claims, "grant kamailio: attest C is not allowed (A)");
    stk_policy_free(policy);
    rules_free(&rules);
}

static void other_types_and_policies_without_rules_have_none(void **state)
{
    struct rules rules = rules_of("", STK_LEVEL_NONE);
    struct stk_policy *policy = policy_with(&rules, false, "attest.csv");
    struct stk_claims claims = claims_of_call();
    struct stk_decision decision = {0};
    struct stk_error error = {0};
    (void)state;

    claims.ppt = STK_PPT_DIV;
    claims.attest = 0;
    claims.div_tn = "14155550103";
    decision = decide(policy, &claims, &error);
    assert_true(decision.grant != NULL && decision.attest == 0 && !decision.lowered);
    claims = claims_of_call();
    assert_refused(policy, &claims, "attest B for 14155550100: no rule, the default allows none");
    stk_policy_attest_rules(policy, NULL, false, "");
    decision = decide(policy, &claims, &error);
    assert_true(decision.grant != NULL && decision.attest == 'B');
    stk_policy_free(policy);
    rules_free(&rules);
}

static void who_calls_by_a_uri_has_the_default(void **state)
{
    struct rules rules = rules_of("*,A\n", STK_LEVEL_C);
    struct stk_policy *policy = policy_with(&rules, false, "attest.csv");
    struct stk_claims claims = claims_of_call();
    struct stk_error error = {0};
    (void)state;

    claims.orig_tn = NULL;
    claims.orig_uri = "sip:alice@example.com";
    claims.attest = 'C';
    assert_non_null(decide(policy, &claims, &error).grant);
    claims.attest = 'B';
    assert_refused(policy, &claims,
                   "attest B for sip:alice@example.com: no rule, the default allows C");
    stk_policy_free(policy);
    rules_free(&rules);
}

static void a_rule_of_the_configuration_is_named_so(void **state)
{
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_number_pattern pattern = pattern_of("1415555*");
    struct stk_buffer image = {0};
    struct rules rules = {0};
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_C, 0, 42), STIRKEEP_OK);
    assert_int_equal(stk_rules_build(draft, &image, &error), STIRKEEP_OK);
    assert_int_equal(
        stk_rules_open((struct stk_bytes){image.data, image.length}, &rules.opened, &error),
        STIRKEEP_OK);
    policy = policy_with(&rules, false, "");
    assert_refused(policy, &claims,
                   "attest B for 14155550100: line 42 of the configuration allows C");
    stk_policy_free(policy);
    stk_rules_close(rules.opened);
    stk_rules_draft_free(draft);
    stk_buffer_free(&image);
}

/* ---- what a policy takes */

static void a_grant_is_copied(void **state)
{
    uid_t uids[] = {1000};
    char certificate[] = "Alpha";
    const char *certificates[] = {certificate};
    struct stk_number_pattern number = pattern_of("1415555*");
    struct stk_grant grant = grant_of("kamailio");
    struct stk_policy *policy = NULL;
    struct stk_claims claims = claims_of_call();
    (void)state;

    grant.uids = uids;
    grant.certificates = certificates;
    grant.certificate_count = 1;
    grant.numbers = &number;
    grant.number_count = 1;
    policy = policy_of(&grant, 1);
    uids[0] = 1;
    certificate[0] = 'B';
    number = pattern_of("2");
    assert_allowed(policy, &claims, "kamailio");
    stk_policy_free(policy);
}

static void assert_bad(struct stk_policy *policy, const struct stk_grant *grant,
                       const char *message)
{
    struct stk_error error = {0};

    assert_int_equal(stk_policy_add(policy, grant, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, message);
}

static void a_grant_that_makes_no_sense_is_refused(void **state)
{
    static const char *const bad[] = {"Al pha"};
    static const char *const relative[] = {"kamailio"};
    static const char *const path[] = {"a/b.service"};
    static const char *const shaken[] = {"shaken"};
    static const char *const no_uri[] = {"example.com"};
    struct stk_grant good = grant_of("good");
    struct stk_policy *policy = policy_of(&good, 1);
    struct stk_number_pattern range = pattern_of("2000-2999");
    struct stk_grant grant = good;
    (void)state;

    assert_bad(policy, &grant, "the name is used by another grant");
    grant = grant_of("x");
    grant.uid_count = 0;
    grant.gid_count = 0;
    assert_bad(policy, &grant, "names nobody: no user, group, executable or unit");
    grant = grant_of("x");
    grant.certificate_count = 0;
    assert_bad(policy, &grant, "names no certificate");
    grant = grant_of("x");
    grant.certificates = bad;
    grant.certificate_count = 1;
    assert_bad(policy, &grant,
               "certificates: \"Al pha\": a character that no certificate name has");
    grant = grant_of("x");
    grant.ppts = 1u << 20;
    assert_bad(policy, &grant, "ppt: not known");
    grant.ppts = STK_PPT_OTHER; /* and no name of one */
    assert_bad(policy, &grant, "ppt: not known");
    grant = grant_of("x");
    grant.other_ppts = shaken;
    grant.other_ppt_count = 1;
    assert_bad(policy, &grant, "ppt: \"shaken\": is a type of its own");
    grant.other_ppts = bad;
    assert_bad(policy, &grant, "ppt: \"Al pha\": is no name of a type");
    grant = grant_of("x");
    grant.attests = 8;
    assert_bad(policy, &grant, "attest: not A, B or C");
    grant = grant_of("x");
    grant.executables = relative;
    grant.executable_count = 1;
    assert_bad(policy, &grant, "executable: \"kamailio\": is no absolute path");
    grant = grant_of("x");
    grant.units = relative;
    grant.unit_count = 1;
    assert_bad(policy, &grant, "unit: \"kamailio\": is neither a .service nor a .scope");
    grant.units = path;
    assert_bad(policy, &grant, "unit: \"a/b.service\": is no name of a unit");
    grant = grant_of("x");
    grant.uris = no_uri;
    grant.uri_count = 1;
    assert_bad(policy, &grant, "orig: \"example.com\": no scheme in it, as sip: is one");
    grant = grant_of("x");
    range.range.first = stk_number_key("3000");
    grant.numbers = &range;
    grant.number_count = 1;
    assert_bad(policy, &grant, "orig: item 1 is no range");
    grant = grant_of("x");
    grant.rate.burst = 5;
    assert_bad(policy, &grant, "burst: without a rate");
    grant = grant_of("");
    assert_bad(policy, &grant,
               "the grant's name: 1-64 of A-Z a-z 0-9 . _ -, first a letter or digit");
    grant = grant_of("a*");
    assert_bad(policy, &grant,
               "the grant's name: 1-64 of A-Z a-z 0-9 . _ -, first a letter or digit");
    assert_int_equal(stk_policy_grant_count(policy), 1);
    stk_policy_free(policy);
}

static void a_limit_that_makes_no_sense_is_refused(void **state)
{
    struct stk_policy *policy = policy_of(NULL, 0);
    struct stk_certificate_limit limit = {.pattern = "A*", .rate = {.rate = 1}};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_policy_limit(policy, &limit, &error), STIRKEEP_OK);
    assert_int_equal(stk_policy_limit(policy, &limit, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, "there is such a section already");
    limit.pattern = "A b";
    assert_int_equal(stk_policy_limit(policy, &limit, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message,
                        "the certificate's name: a character that no certificate name has");
    limit = (struct stk_certificate_limit){.pattern = "B*", .rate = {.burst = 1}};
    assert_int_equal(stk_policy_limit(policy, &limit, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, "burst: without a rate");
    stk_policy_free(policy);
}

static void there_are_only_so_many_grants(void **state)
{
    struct stk_policy *policy = policy_of(NULL, 0);
    struct stk_grant grant = grant_of("x");
    struct stk_claims claims = claims_of_call();
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < STK_GRANTS_MAX; i++) {
        (void)snprintf(grant.name, sizeof(grant.name), "g%zu", i);
        grant.attests = i + 1 == STK_GRANTS_MAX ? 2 : 1;
        assert_int_equal(stk_policy_add(policy, &grant, &error), STIRKEEP_OK);
    }
    grant = grant_of("x");
    assert_bad(policy, &grant, "more than 4096 grants");
    assert_allowed(policy, &claims, "g4095");
    stk_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_may_without_a_grant),
        cmocka_unit_test(a_user_or_a_group_belongs),
        cmocka_unit_test(one_of_many_users_belongs_in_any_order),
        cmocka_unit_test(an_executable_is_asked_for_besides_the_user),
        cmocka_unit_test(a_unit_is_asked_for_besides_the_executable),
        cmocka_unit_test(a_policy_without_programs_needs_none),
        cmocka_unit_test(a_certificate_is_allowed_by_name_or_pattern),
        cmocka_unit_test(a_type_is_allowed_by_its_bit),
        cmocka_unit_test(without_types_a_grant_is_for_shaken_alone),
        cmocka_unit_test(a_type_that_is_not_typed_is_allowed_by_its_name),
        cmocka_unit_test(rcd_claims_with_shaken_need_both_types),
        cmocka_unit_test(sign_input_is_allowed_where_the_grant_says_so),
        cmocka_unit_test(an_orig_is_allowed_by_number_range_or_prefix),
        cmocka_unit_test(of_a_diverted_call_the_diverting_party_is_asked_about),
        cmocka_unit_test(an_orig_is_allowed_by_the_pattern_of_its_uri),
        cmocka_unit_test(without_numbers_and_uris_a_grant_is_for_all),
        cmocka_unit_test(an_attestation_is_allowed_by_its_letter),
        cmocka_unit_test(an_attestation_that_no_decoder_lets_through_is_refused),
        cmocka_unit_test(grants_are_a_union_but_never_mixed),
        cmocka_unit_test(the_reason_is_of_the_grant_that_comes_nearest),
        cmocka_unit_test(the_first_grant_decides_and_others_when_it_is_spent),
        cmocka_unit_test(a_peer_sees_the_certificates_that_its_grants_name),
        cmocka_unit_test(what_exceeds_its_rule_is_refused_naming_the_rule),
        cmocka_unit_test(what_exceeds_its_rule_is_lowered_but_never_to_none),
        cmocka_unit_test(the_grants_set_is_checked_against_what_is_asked),
        cmocka_unit_test(other_types_and_policies_without_rules_have_none),
        cmocka_unit_test(who_calls_by_a_uri_has_the_default),
        cmocka_unit_test(a_rule_of_the_configuration_is_named_so),
        cmocka_unit_test(a_grant_is_copied),
        cmocka_unit_test(a_grant_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_limit_that_makes_no_sense_is_refused),
        cmocka_unit_test(there_are_only_so_many_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
