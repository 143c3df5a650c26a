/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims of every type, on both of their ways: from a client, and from front to the keeper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fills.h"
#include "surgery.h"
#include "trial.h"
#include "wire/codec_claims.h"
#include "wire/frame.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

static fill_claims *const types[] = {
    fill_claims_shaken, fill_claims_base, fill_claims_div,        fill_claims_div_o,
    fill_claims_rph,    fill_claims_rcd,  fill_claims_shaken_rcd, fill_claims_other,
};

static void assert_same_text(const char *sent, const char *taken)
{
    assert_true((sent == NULL) == (taken == NULL));
    if (sent != NULL)
        assert_string_equal(sent, taken);
}

static void assert_same_texts(const char **sent, size_t sent_count, const char **taken,
                              size_t taken_count)
{
    assert_int_equal(sent_count, taken_count);
    for (size_t i = 0; i < sent_count; i++)
        assert_string_equal(sent[i], taken[i]);
}

static void assert_same_pairs(const struct stk_pair *sent, size_t sent_count,
                              const struct stk_pair *taken, size_t taken_count)
{
    assert_int_equal(sent_count, taken_count);
    for (size_t i = 0; i < sent_count; i++) {
        assert_string_equal(sent[i].name, taken[i].name);
        assert_string_equal(sent[i].value, taken[i].value);
    }
}

static void assert_same_json(const struct stk_json *sent, const struct stk_json *taken)
{
    struct stk_buffer one = {0};
    struct stk_buffer other = {0};
    struct stk_canonical writer = stk_canonical_begin(&one);

    assert_true((sent == NULL) == (taken == NULL));
    if (sent == NULL)
        return;
    stk_json_write(sent, &writer);
    assert_int_equal(stk_canonical_end(&writer), STIRKEEP_OK);
    writer = stk_canonical_begin(&other);
    stk_json_write(taken, &writer);
    assert_int_equal(stk_canonical_end(&writer), STIRKEEP_OK);
    assert_int_equal(one.length, other.length);
    assert_memory_equal(one.data, other.data, one.length);
    stk_buffer_free(&one);
    stk_buffer_free(&other);
}

static void assert_same(const struct stk_claims *sent, const struct stk_claims *taken)
{
    assert_int_equal(sent->ppt, taken->ppt);
    assert_string_equal(sent->ppt_text, taken->ppt_text);
    assert_same_text(sent->orig_tn, taken->orig_tn);
    assert_same_text(sent->orig_uri, taken->orig_uri);
    assert_same_texts(sent->dest_tn, sent->dest_tn_count, taken->dest_tn, taken->dest_tn_count);
    assert_same_texts(sent->dest_uri, sent->dest_uri_count, taken->dest_uri, taken->dest_uri_count);
    assert_int_equal(sent->iat, taken->iat);
    assert_int_equal(sent->attest, taken->attest);
    assert_string_equal(sent->origid, taken->origid);
    assert_same_text(sent->div_tn, taken->div_tn);
    assert_same_text(sent->div_uri, taken->div_uri);
    assert_same_text(sent->div_hi, taken->div_hi);
    assert_same_text(sent->opt, taken->opt);
    assert_same_texts(sent->rph_auth, sent->rph_auth_count, taken->rph_auth, taken->rph_auth_count);
    assert_same_text(sent->sph, taken->sph);
    assert_same_text(sent->rcd_nam, taken->rcd_nam);
    assert_same_text(sent->rcd_apn, taken->rcd_apn);
    assert_same_text(sent->rcd_icn, taken->rcd_icn);
    assert_same_json(sent->rcd_jcd, taken->rcd_jcd);
    assert_same_text(sent->rcd_jcl, taken->rcd_jcl);
    assert_same_text(sent->crn, taken->crn);
    assert_same_pairs(sent->rcdi, sent->rcdi_count, taken->rcdi, taken->rcdi_count);
    assert_same_pairs(sent->mky, sent->mky_count, taken->mky, taken->mky_count);
    assert_same_json(sent->other, taken->other);
    assert_int_equal(sent->compact, taken->compact);
}

static void claims_of_each_type_reach_the_service_as_they_are(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(types); i++) {
        struct stk_claims claims;
        struct stk_claims_input input = {0};
        const struct stk_signing_input signing = {.name = "name", .claims = &input};
        struct stk_arena arena = {0};
        struct stk_buffer out = {0};
        struct trial trial;

        types[i](&claims);
        assert_int_equal(stk_arena_new(&arena, 4096), STIRKEEP_OK);
        assert_int_equal(stk_claims_input_of(&claims, &arena, &input), STIRKEEP_OK);
        assert_int_equal(stk_request_encode_sign(1, 0, &signing, &out), STIRKEEP_OK);
        stk_buffer_drop(&out, STK_FRAME_HEADER);
        trial_run(&trial, &codec_request, view(&out), STK_DECODE_ARENA_MAX);
        if (trial.status != STIRKEEP_OK)
            fail_msg("%s: %s", claims.ppt_text, trial.error.message);
        assert_same(&claims, &trial.value.sign.request.signings[0].claims);
        trial_end(&trial);
        stk_arena_free(&arena);
        stk_buffer_free(&out);
    }
}

static void claims_of_each_type_reach_the_keeper_as_they_are(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(types); i++) {
        struct stk_buffer out = {0};
        struct stk_order order;
        struct trial trial;

        fill_order(&order);
        types[i](&order.claims);
        order.attest_asked = 0;
        assert_int_equal(stk_order_append(&order, &out), STIRKEEP_OK);
        trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
        assert_int_equal(trial.status, STIRKEEP_OK);
        if (trial.value.orders.bad_count > 0)
            fail_msg("%s: %s", order.claims.ppt_text, trial.value.orders.bad[0].message);
        assert_same(&order.claims, &trial.value.orders.orders.orders[0].claims);
        trial_end(&trial);
        stk_buffer_free(&out);
    }
}

/* There are two ways to write them; what is read must not depend on which it was. */
static void both_ways_to_write_claims_write_the_same_bytes(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(types); i++) {
        struct stk_claims claims;
        struct stk_claims_input input = {0};
        struct stk_arena arena = {0};
        struct stk_buffer one = {0};
        struct stk_buffer other = {0};

        types[i](&claims);
        assert_int_equal(stk_arena_new(&arena, 4096), STIRKEEP_OK);
        assert_int_equal(stk_claims_input_of(&claims, &arena, &input), STIRKEEP_OK);
        assert_int_equal(stk_claims_append_input(6, &input, &one), STIRKEEP_OK);
        assert_int_equal(stk_claims_append(6, &claims, &other), STIRKEEP_OK);
        assert_int_equal(one.length, other.length);
        assert_memory_equal(one.data, other.data, one.length);
        stk_arena_free(&arena);
        stk_buffer_free(&one);
        stk_buffer_free(&other);
    }
}

/* Both are packed by hand; protobuf-c would do it so. */
static void claims_are_written_as_protobuf_c_writes_them(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(types); i++) {
        struct stk_claims claims;
        struct stk_buffer ours = {0};
        struct stk_bytes rest = {0};
        struct stk_wire_field field = {0};
        ProtobufCMessage *message = NULL;
        uint8_t packed[4096];

        types[i](&claims);
        assert_int_equal(stk_claims_append(6, &claims, &ours), STIRKEEP_OK);
        rest = view(&ours);
        assert_true(stk_scan_cut(&rest, &field));
        assert_int_equal(field.number, 6);
        assert_int_equal(rest.length, 0);
        message = protobuf_c_message_unpack(&stirkeep__v1__claims__descriptor, NULL,
                                            field.inside.length, field.inside.data);
        assert_non_null(message);
        assert_true(protobuf_c_message_get_packed_size(message) <= sizeof(packed));
        assert_int_equal(protobuf_c_message_pack(message, packed), field.inside.length);
        assert_memory_equal(packed, field.inside.data, field.inside.length);
        protobuf_c_message_free_unpacked(message, NULL);
        stk_buffer_free(&ours);
    }
}

/* ---- what is not allowed */

static void expect_claims(const struct stk_claims_input *claims, enum stirkeep_status expected,
                          const char *words)
{
    const struct stk_signing_input signing = {.name = "name", .claims = claims};
    struct stk_buffer out = {0};
    struct trial trial;

    assert_int_equal(stk_request_encode_sign(7, 0, &signing, &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    assert_int_equal(stk_request_glimpse(view(&out)).length, strlen("name"));
    assert_memory_equal(stk_request_glimpse(view(&out)).data, "name", strlen("name"));
    trial_run(&trial, &codec_request, view(&out), STK_DECODE_ARENA_MAX);
    if (trial.status != expected || strstr(trial.error.message, words) == NULL)
        fail_msg("expected %s with \"%s\": %s, \"%s\"", stirkeep_status_name(expected), words,
                 stirkeep_status_name(trial.status), trial.error.message);
    trial_end(&trial);
    stk_buffer_free(&out);
}

static const char *const dest[] = {"12155551213"};

static struct stk_claims_input claims_of(const char *ppt)
{
    return (struct stk_claims_input){
        .ppt = ppt, .orig_tn = "12155551212", .dest_tn = dest, .dest_tn_count = 1};
}

/* Every part reaches the checks: none is passed over because its type has no use for it. */
static void a_part_that_its_type_does_not_have_is_refused(void **state)
{
    static const char *const auth[] = {"ets.0"};
    static const struct stk_pair pairs[] = {{"/nam", SAMPLE_DIGEST}};
    const struct {
        const char *field;
        struct stk_claims_input part;
    } parts[] = {{"attest", {.attest = "A"}},
                 {"origid", {.origid = SAMPLE_ORIGID}},
                 {"div", {.div_tn = SAMPLE_DIV_TN}},
                 {"div", {.div_uri = "sip:a@b.example"}},
                 {"div", {.div_hi = "1"}},
                 {"opt", {.opt = SAMPLE_OPT}},
                 {"rph", {.rph_auth = auth, .rph_auth_count = 1}},
                 {"sph", {.sph = "psap-callback"}},
                 {"rcd", {.rcd_nam = "n"}},
                 {"rcd", {.rcd_apn = "1"}},
                 {"rcd", {.rcd_icn = "https://a.example/i"}},
                 {"rcd", {.rcd_jcd = "[]"}},
                 {"rcd", {.rcd_jcl = "https://a.example/j"}},
                 {"crn", {.crn = "c"}},
                 {"rcdi", {.rcdi = pairs, .rcdi_count = 1}},
                 {"other", {.other = "{\"a\":1}"}}};
    (void)state;

    for (size_t i = 0; i < COUNT(parts); i++) {
        struct stk_claims_input claims = parts[i].part;

        claims.ppt = "";
        claims.orig_tn = "12155551212";
        claims.dest_tn = dest;
        claims.dest_tn_count = 1;
        expect_claims(&claims, STIRKEEP_INVALID, parts[i].field);
    }
    {
        struct stk_claims_input claims = claims_of("div");

        claims.div_tn = SAMPLE_DIV_TN;
        expect_claims(&claims, STIRKEEP_OK, "");
        claims.compact = true;
        expect_claims(&claims, STIRKEEP_INVALID, "compact");
    }
}

static void lists_have_their_most_and_not_one_more(void **state)
{
    enum { MOST = 64 };
    char texts[MOST][32];
    const char *auth[MOST];
    struct stk_pair mky[MOST];
    struct stk_claims_input claims = claims_of("rph");
    (void)state;

    for (size_t i = 0; i < MOST; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "ets.%zu", i);
        auth[i] = texts[i];
        mky[i] = (struct stk_pair){"sha-256", SAMPLE_DIG};
    }
    claims.rph_auth = auth;
    claims.rph_auth_count = STK_RPH_MAX;
    expect_claims(&claims, STIRKEEP_OK, "");
    claims.rph_auth_count = STK_RPH_MAX + 1;
    expect_claims(&claims, STIRKEEP_INVALID, "rph.auth");
    claims.rph_auth_count = MOST;
    expect_claims(&claims, STIRKEEP_INVALID, "rph.auth");
    claims = claims_of("");
    claims.mky = mky;
    claims.mky_count = STK_MKY_MAX;
    expect_claims(&claims, STIRKEEP_OK, "");
    claims.mky_count = STK_MKY_MAX + 1;
    expect_claims(&claims, STIRKEEP_INVALID, "mky");
    claims = claims_of("rcd");
    claims.rcd_nam = "n";
    claims.rcdi = mky;
    claims.rcdi_count = STK_RCDI_MAX + 1;
    expect_claims(&claims, STIRKEEP_INVALID, "rcdi: more than");
}

/* A place in a list that is "" is still a place, so that the number of it is the caller's. */
static void an_empty_text_in_a_list_is_a_text(void **state)
{
    static const char *const two[] = {"12155551213", ""};
    static const char *const auth[] = {"ets.0", ""};
    static const struct stk_pair pairs[] = {{"sha-256", SAMPLE_DIG}, {"", NULL}};
    struct stk_claims_input claims = claims_of("");
    (void)state;

    claims.dest_tn = two;
    claims.dest_tn_count = 2;
    expect_claims(&claims, STIRKEEP_INVALID, "dest.tn[1]");
    claims = claims_of("rph");
    claims.rph_auth = auth;
    claims.rph_auth_count = 2;
    expect_claims(&claims, STIRKEEP_INVALID, "rph.auth[1]");
    claims = claims_of("");
    claims.mky = pairs;
    claims.mky_count = 2;
    expect_claims(&claims, STIRKEEP_INVALID, "[1]");
}

/* Each of the messages in Claims, there but with nothing in it. */
static void a_part_with_nothing_in_it_is_not_there(void **state)
{
    static const uint32_t numbers[] = {7, 9, 10};
    (void)state;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct stk_buffer claims = {0};
        struct stk_buffer sign = {0};
        struct stk_buffer message = {0};
        struct trial trial;

        put_bytes(2,
                  "\x0a\x03"
                  "112",
                  5, &claims);
        put_bytes(3,
                  "\x0a\x03"
                  "113",
                  5, &claims);
        put_bytes(numbers[i], "", 0, &claims);
        put_bytes(1, "name", 4, &sign);
        put_bytes(2, claims.data, claims.length, &sign);
        put_bytes(10, sign.data, sign.length, &message);
        trial_run(&trial, &codec_request, view(&message), STK_DECODE_ARENA_MAX);
        assert_int_equal(trial.status, STIRKEEP_OK);
        assert_int_equal(trial.value.sign.request.signings[0].claims.ppt, STK_PPT_BASE);
        trial_end(&trial);
        stk_buffer_free(&claims);
        stk_buffer_free(&sign);
        stk_buffer_free(&message);
    }
}

/* Its texts stand for themselves: what is in them is not the message's any more. */
static void a_name_of_a_type_may_be_any_name(void **state)
{
    struct stk_claims_input claims = claims_of("Msg-2.x_");
    (void)state;

    expect_claims(&claims, STIRKEEP_OK, "");
    claims.ppt = "0abc";
    expect_claims(&claims, STIRKEEP_UNSUPPORTED, "ppt");
    claims.ppt = "base";
    expect_claims(&claims, STIRKEEP_UNSUPPORTED, "ppt");
    claims.ppt = "seventeen-letters";
    expect_claims(&claims, STIRKEEP_UNSUPPORTED, "ppt");
}

/* ---- at the keeper's */

static void expect_bad_order(const struct stk_order *order, enum stirkeep_status expected,
                             const char *words)
{
    struct stk_buffer out = {0};
    struct trial trial;

    assert_int_equal(stk_order_append(order, &out), STIRKEEP_OK);
    trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.orders.bad_count, expected == STIRKEEP_OK ? 0 : 1);
    if (expected != STIRKEEP_OK) {
        assert_int_equal(trial.value.orders.bad[0].status, expected);
        if (strstr(trial.value.orders.bad[0].message, words) == NULL)
            fail_msg("\"%s\" is not about %s", trial.value.orders.bad[0].message, words);
    }
    trial_end(&trial);
    stk_buffer_free(&out);
}

/* Front may have been taken over. */
static void what_front_says_of_claims_is_checked_again(void **state)
{
    struct stk_order order;
    (void)state;

    fill_order(&order);
    order.attest_asked = 0;
    fill_claims_div(&order.claims);
    order.claims.div_tn = NULL;
    expect_bad_order(&order, STIRKEEP_INVALID, "div");
    fill_claims_div_o(&order.claims);
    order.claims.opt = "a.b.c.d";
    expect_bad_order(&order, STIRKEEP_INVALID, "opt");
    fill_claims_rcd(&order.claims);
    order.claims.rcd_nam = NULL;
    expect_bad_order(&order, STIRKEEP_INVALID, "rcd");
    fill_claims_other(&order.claims);
    order.claims.ppt_text = "";
    expect_bad_order(&order, STIRKEEP_INVALID, "other");
    fill_claims_base(&order.claims);
    order.claims.ppt_text = "rph";
    expect_bad_order(&order, STIRKEEP_INVALID, "");
    fill_claims_other(&order.claims);
    order.claims.ppt_text = "a b";
    expect_bad_order(&order, STIRKEEP_UNSUPPORTED, "ppt");
}

/* Attestations are lowered, never raised, and only where there is one. */
static void the_attestation_that_was_asked_for_is_a_higher_one(void **state)
{
    static const struct {
        char given;
        char asked;
        enum stirkeep_status status;
    } cases[] = {{'A', 0, STIRKEEP_OK},        {'B', 'A', STIRKEEP_OK},
                 {'C', 'A', STIRKEEP_OK},      {'C', 'B', STIRKEEP_OK},
                 {'A', 'A', STIRKEEP_INVALID}, {'A', 'B', STIRKEEP_INVALID},
                 {'B', 'C', STIRKEEP_INVALID}, {'C', 'D', STIRKEEP_INVALID},
                 {'B', '@', STIRKEEP_INVALID}, {'B', 'a', STIRKEEP_INVALID}};
    struct stk_order order;
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        fill_order(&order);
        order.claims.attest = cases[i].given;
        order.attest_asked = cases[i].asked;
        expect_bad_order(&order, cases[i].status, "attest_asked");
    }
    fill_order(&order);
    fill_claims_div(&order.claims);
    order.attest_asked = 'A';
    expect_bad_order(&order, STIRKEEP_INVALID, "attest_asked");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_of_each_type_reach_the_service_as_they_are),
        cmocka_unit_test(claims_of_each_type_reach_the_keeper_as_they_are),
        cmocka_unit_test(both_ways_to_write_claims_write_the_same_bytes),
        cmocka_unit_test(claims_are_written_as_protobuf_c_writes_them),
        cmocka_unit_test(a_part_that_its_type_does_not_have_is_refused),
        cmocka_unit_test(lists_have_their_most_and_not_one_more),
        cmocka_unit_test(an_empty_text_in_a_list_is_a_text),
        cmocka_unit_test(a_part_with_nothing_in_it_is_not_there),
        cmocka_unit_test(a_name_of_a_type_may_be_any_name),
        cmocka_unit_test(what_front_says_of_claims_is_checked_again),
        cmocka_unit_test(the_attestation_that_was_asked_for_is_a_higher_one),
    };

    return cmocka_run_group_tests_name("wire-claims", tests, NULL, NULL);
}
