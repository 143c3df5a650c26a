/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "bench.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may be signed, of claims and of inputs, and in which order that is asked. */

#define NUMBER "14155550121"

static struct stk_claims_input timed(const char *attest)
{
    struct stk_claims_input claims = claims_of(NUMBER, attest);

    claims.iat = stk_clock_seconds();
    return claims;
}

static void an_input_is_signed_where_the_grant_has_it(void **state)
{
    struct bench *bench = *state;
    struct stk_claims_input claims = timed("A");
    struct bench_input input = bench_input(&claims, BENCH_X5U);
    struct stk_response response = {0};
    struct client client = {0};

    bench->grant = "sign-input = yes\n";
    bench_start(bench);
    client = client_new(&bench->born);
    input_to(&client, 7, "Alpha", input.header, input.payload);
    bench_take(bench, 1);
    assert_string_equal(bench->taken[0].ppt, "shaken");
    assert_string_equal(bench->taken[0].orig, NUMBER);
    assert_int_equal(bench->taken[0].attest, 'A');
    assert_true(bench->taken[0].has_origid);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    response = hear(bench, &client);
    assert_int_equal(response.id, 7);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_string_equal(response.signed_.attest, "A");
    client_free(&client);
}

static void an_input_is_refused_where_the_grant_has_it_not(void **state)
{
    struct bench *bench = *state;
    struct stk_claims_input claims = timed("A");
    struct bench_input input = bench_input(&claims, BENCH_X5U);
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    input_to(&client, 1, "Alpha", input.header, input.payload);
    hear_refusal(bench, &client, 1, STIRKEEP_NOT_PERMITTED, "sign-input");
    /* What was in it stands in the trail. */
    bench_take_refusals(bench, 1);
    assert_string_equal(bench->refusal_orig, NUMBER);
    assert_string_equal(bench->refusal_attest, "A");
    assert_int_equal(bench->taken_count, 0);
    client_free(&client);
}

static void an_input_is_held_to_what_claims_are(void **state)
{
    struct bench *bench = *state;
    struct stk_claims_input claims = timed("A");
    struct bench_input good = bench_input(&claims, BENCH_X5U);
    struct bench_input other = bench_input(&claims, "https://certs.example.com/b.pem");
    struct bench_input bad = good;
    struct client client = {0};

    bench->grant = "sign-input = yes\n";
    bench_start(bench);
    client = client_new(&bench->born);
    input_to(&client, 1, "Alpha", other.header, other.payload);
    hear_refusal(bench, &client, 1, STIRKEEP_INVALID,
                 "header.x5u: is not the certificate's (" BENCH_X5U ")");
    (void)snprintf(bad.payload, sizeof(bad.payload), " %.500s", good.payload);
    input_to(&client, 2, "Alpha", bad.header, bad.payload);
    hear_refusal(bench, &client, 2, STIRKEEP_INVALID, "");
    input_to(&client, 3, "Alpha", "{}", good.payload);
    hear_refusal(bench, &client, 3, STIRKEEP_INVALID, "header");
    claims.iat -= 1000;
    bad = bench_input(&claims, BENCH_X5U);
    input_to(&client, 4, "Alpha", bad.header, bad.payload);
    hear_refusal(bench, &client, 4, STIRKEEP_INVALID, "iat: ");
    claims = timed("C");
    bad = bench_input(&claims, BENCH_X5U);
    input_to(&client, 5, "Alpha", bad.header, bad.payload);
    hear_refusal(bench, &client, 5, STIRKEEP_NOT_PERMITTED, "attest");
    /* Of a name that it may not use it learns nothing, not even the x5u. */
    input_to(&client, 6, "Zulu", other.header, other.payload);
    hear_refusal(bench, &client, 6, STIRKEEP_NOT_PERMITTED, "");
    assert_true(bench_keeper_is_idle(bench) || bench->taken_count == 0);
    client_free(&client);
}

static void a_number_longer_than_configured_is_refused(void **state)
{
    struct bench *bench = *state;
    struct stk_claims_input claims = claims_of("123456789012", "A");
    struct client client = {0};

    bench->signing = "tn-digits = 11\n";
    bench_start(bench);
    client = client_new(&bench->born);
    claims_to(&client, 1, "Alpha", &claims);
    hear_refusal(bench, &client, 1, STIRKEEP_INVALID, "orig");
    claims.orig_tn = NUMBER;
    claims_to(&client, 2, "Alpha", &claims);
    bench_take(bench, 1);
    client_free(&client);
}

static void an_iat_out_of_the_window_is_refused_in_the_keepers_words(void **state)
{
    struct bench *bench = *state;
    struct stk_claims_input claims = claims_of(NUMBER, "A");
    char words[64] = "";
    struct client client = {0};

    bench->signing = "iat-window-s = 60\n";
    bench_start(bench);
    client = client_new(&bench->born);
    for (int i = -1; i <= 1; i += 2) {
        claims.iat = stk_clock_seconds() + i * 70;
        claims_to(&client, 1, "Alpha", &claims);
        (void)snprintf(words, sizeof(words), "iat: %" PRId64 " is more than 60 s from now",
                       claims.iat);
        hear_refusal(bench, &client, 1, STIRKEEP_INVALID, words);
    }
    claims.iat = stk_clock_seconds() - 50;
    claims_to(&client, 2, "Alpha", &claims);
    bench_take(bench, 1);
    client_free(&client);
}

static void a_certificate_signs_only_for_its_numbers(void **state)
{
    struct bench *bench = *state;
    struct stk_number_range range = {0};
    const struct stk_constraints constraints = {
        .numbers_only = true, .ranges = &range, .range_count = 1};
    struct stk_claims_input claims = claims_of("14155550199", "A");
    struct client client = {0};

    assert_int_equal(stk_number_run("14155550100", 100, "range", &range, NULL), STIRKEEP_OK);
    bench_start(bench);
    bench_push_constrained(bench, 2, "Alpha", &constraints);
    client = client_new(&bench->born);
    claims_to(&client, 1, "Alpha", &claims);
    bench_take(bench, 1);
    claims.orig_tn = "14155550200";
    claims_to(&client, 2, "Alpha", &claims);
    hear_refusal(bench, &client, 2, STIRKEEP_NOT_PERMITTED, "certificate: ");
    /* The next certificate under the name may be another. */
    bench_push_constrained(bench, 3, "Alpha", NULL);
    claims_to(&client, 3, "Alpha", &claims);
    bench_take(bench, 2);
    client_free(&client);
}

static void a_certificates_claim_constraints_hold_for_what_is_given(void **state)
{
    static const char *const values[] = {"B"};
    static const struct stk_permitted permitted[] = {{"attest", values, 1}};
    static const struct stk_constraints constraints = {.permitted = permitted,
                                                       .permitted_count = 1};
    struct bench *bench = *state;
    struct client client = {0};

    bench->sections = "[attestation]\nexceed = lower\n[attest 1415555*]\nlevel = B\n";
    bench->born.rules = bench_rules("1415555* B\n", STK_LEVEL_A);
    bench_start(bench);
    bench_push_constrained(bench, 2, "Alpha", &constraints);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0); /* 12155550121: the default */
    hear_refusal(bench, &client, 1, STIRKEEP_NOT_PERMITTED, "certificate: ");
    sign_to(&client, 2, "Alpha", "B", 0);
    bench_take(bench, 1);
    /* Lowered to what the certificate may. */
    {
        const struct stk_claims_input claims = claims_of(NUMBER, "A");

        claims_to(&client, 3, "Alpha", &claims);
    }
    bench_take(bench, 2);
    assert_int_equal(bench->taken[1].attest, 'B');
    client_free(&client);
}

static void what_exceeds_its_attestation_rule_is_refused(void **state)
{
    struct bench *bench = *state;
    const struct stk_claims_input claims = claims_of(NUMBER, "A");
    struct client client = {0};

    bench->sections = "[attest 1415555*]\nlevel = B\n";
    bench->born.rules = bench_rules("1415555* B\n", STK_LEVEL_NONE);
    bench_start(bench);
    client = client_new(&bench->born);
    claims_to(&client, 1, "Alpha", &claims);
    hear_refusal(bench, &client, 1, STIRKEEP_NOT_PERMITTED, NUMBER);
    sign_to(&client, 2, "Alpha", "B", 0); /* a number without a rule gets nothing */
    hear_refusal(bench, &client, 2, STIRKEEP_NOT_PERMITTED, "12155550121");
    bench_take_refusals(bench, 2);
    assert_int_equal(bench->taken_count, 0);
    client_free(&client);
}

static void what_exceeds_its_attestation_rule_is_lowered_when_so_configured(void **state)
{
    struct bench *bench = *state;
    const struct stk_claims_input claims = claims_of(NUMBER, "A");
    struct stk_response response = {0};
    struct client client = {0};

    bench->sections = "[attestation]\nexceed = lower\n[attest 1415555*]\nlevel = C\n";
    bench->born.rules = bench_rules("1415555* C\n", STK_LEVEL_NONE);
    bench_start(bench);
    client = client_new(&bench->born);
    claims_to(&client, 1, "Alpha", &claims);
    bench_take(bench, 1);
    assert_int_equal(bench->taken[0].attest, 'C');
    assert_int_equal(bench->taken[0].attest_asked, 'A');
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    response = hear(bench, &client);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_string_equal(response.signed_.attest, "C");
    client_free(&client);
}

static void a_type_that_the_grant_has_not_is_refused_and_one_that_it_has_is_signed(void **state)
{
    struct bench *bench = *state;
    struct stk_claims_input claims = claims_of(NUMBER, NULL);
    struct stk_response response = {0};
    struct client client = {0};

    bench->grant = "ppt = base, div, acme\n";
    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    hear_refusal(bench, &client, 1, STIRKEEP_NOT_PERMITTED, "shaken");
    claims.ppt = "";
    claims.origid = NULL;
    claims_to(&client, 2, "Alpha", &claims);
    bench_take(bench, 1);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    response = hear(bench, &client);
    assert_string_equal(response.signed_.attest, "");
    claims.ppt = "div";
    claims.div_tn = "12125550100";
    claims_to(&client, 3, "Alpha", &claims);
    bench_take(bench, 2);
    assert_string_equal(bench->taken[1].ppt, "div");
    claims.ppt = "acme";
    claims.div_tn = NULL;
    claims.other = "{\"x\":[1,{\"y\":\"z\"}]}";
    claims_to(&client, 4, "Alpha", &claims);
    bench_take(bench, 3);
    assert_string_equal(bench->taken[2].ppt, "acme");
    claims.ppt = "acm";
    claims_to(&client, 5, "Alpha", &claims);
    hear_refusal(bench, &client, 5, STIRKEEP_NOT_PERMITTED, "acm");
    client_free(&client);
}

/* A header too long for the keeper to send back would be signed, and nobody would hear of it. */
static void what_could_not_be_sent_back_is_refused_before_it_is_signed(void **state)
{
    enum { DEST = 32 };
    static char uris[DEST][STK_URI_MAX + 1];
    static char other[STK_OTHER_MAX];
    const char *dest[DEST];
    struct bench *bench = *state;
    struct stk_claims_input claims = {
        .ppt = "acme", .orig_tn = NUMBER, .dest_uri = dest, .dest_uri_count = DEST, .other = other};
    struct client client = {0};

    for (int i = 0; i < DEST; i++) {
        (void)snprintf(uris[i], sizeof(uris[i]), "sip:%0252d", i);
        dest[i] = uris[i];
    }
    (void)snprintf(other, sizeof(other), "{\"x\":\"%016300d\"}", 0);
    bench->grant = "ppt = acme\n";
    bench_start(bench);
    client = client_new(&bench->born);
    claims_to(&client, 1, "Alpha", &claims);
    hear_refusal(bench, &client, 1, STIRKEEP_TOO_LARGE, "Identity");
    assert_true(bench->taken_count == 0);
    client_free(&client);
}

/* JSON of many values takes far more memory than room: those who are beside it in a message must
 * not lose their signature by that. */
static void orders_that_are_much_to_decode_leave_memory_for_others(void **state)
{
    enum { ORDERS = 32, VALUES = 1700 };
    static char other[2 * VALUES + 16] = "{\"x\":[";
    struct bench *bench = *state;
    struct stk_claims_input claims = {.ppt = "acme", .orig_tn = NUMBER, .other = other};
    struct client client = {0};
    size_t length = strlen(other);

    for (int i = 0; i < VALUES; i++, length += 2)
        memcpy(other + length, i == 0 ? " 0" : ",0", 2);
    memcpy(other + length, "]}", 3);
    claims.dest_tn = claims_of(NUMBER, "A").dest_tn;
    claims.dest_tn_count = 1;
    bench->grant = "ppt = acme, shaken\n";
    bench_start_alone(bench);
    client = client_new(&bench->born);
    for (uint64_t id = 1; id <= ORDERS; id += 2) {
        claims_to(&client, id, "Alpha", &claims);
        sign_to(&client, id + 1, "Alpha", "A", 0);
    }
    ping_to(&client, 99);
    assert_int_equal(hear(bench, &client).id, 99);
    born_tell(&bench->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    bench_take(bench, ORDERS); /* each of which can be decoded */
    client_free(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_input_is_signed_where_the_grant_has_it),
        TEST(an_input_is_refused_where_the_grant_has_it_not),
        TEST(an_input_is_held_to_what_claims_are),
        TEST(a_number_longer_than_configured_is_refused),
        TEST(an_iat_out_of_the_window_is_refused_in_the_keepers_words),
        TEST(a_certificate_signs_only_for_its_numbers),
        TEST(a_certificates_claim_constraints_hold_for_what_is_given),
        TEST(what_exceeds_its_attestation_rule_is_refused),
        TEST(what_exceeds_its_attestation_rule_is_lowered_when_so_configured),
        TEST(a_type_that_the_grant_has_not_is_refused_and_one_that_it_has_is_signed),
        TEST(what_could_not_be_sent_back_is_refused_before_it_is_signed),
        TEST(orders_that_are_much_to_decode_leave_memory_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
