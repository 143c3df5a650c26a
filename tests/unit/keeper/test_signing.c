/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/encode.h"
#include "run.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One keeper and one key for all of these. */
struct bench {
    struct run *run;
    struct test_key key;
    struct stk_arena arena; /* of claims */
};

#define TRAIL "audit.jsonl"

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    void *run = NULL;

    assert_non_null(bench);
    if (run_set_up(&run) != 0)
        return -1;
    bench->run = run;
    run_start(bench->run, &(struct run_options){0});
    bench->key = run_new_key(bench->run, "Alpha");
    assert_int_equal(stk_arena_new(&bench->arena, (size_t)64 * 1024), STIRKEEP_OK);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    void *run = bench != NULL ? bench->run : NULL;

    if (run == NULL)
        return 0; /* it was not set up */
    test_key_free(&bench->key);
    stk_arena_free(&bench->arena);
    free(bench);
    return run_tear_down(&run);
}

static bool has(const struct stk_answer *answer, const char *text)
{
    return memmem(answer->identity, answer->identity_length, text, strlen(text)) != NULL;
}

static void a_signature_is_a_complete_identity_header(void **state)
{
    struct bench *bench = *state;
    struct stk_order order = run_order(bench->run, &bench->key);
    struct stk_answer answer = run_sign(bench->run, &order);
    int64_t now = stk_clock_seconds();

    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_true(test_key_verifies(&bench->key, &answer));
    assert_string_equal(answer.identity + answer.passport_length,
                        ";info=<https://certs.example.com/Alpha.pem>;alg=ES256;ppt=shaken");
    assert_true(answer.iat <= now && answer.iat >= now - 5);
    assert_int_equal(strlen(answer.origid), STK_ORIGID_LENGTH);
    assert_string_equal(answer.message, "");
}

static void what_the_caller_states_is_signed_as_stated(void **state)
{
    struct bench *bench = *state;
    struct stk_order order = run_order(bench->run, &bench->key);
    struct stk_answer answer = {0};
    int64_t iat = stk_clock_seconds() - 3;

    order.claims.iat = iat;
    (void)strcpy(order.claims.origid, "123e4567-e89b-12d3-a456-426655440000");
    answer = run_sign(bench->run, &order);
    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_int_equal(answer.iat, iat);
    assert_string_equal(answer.origid, "123e4567-e89b-12d3-a456-426655440000");
    assert_true(test_key_verifies(&bench->key, &answer));
}

static void a_base_passport_has_no_shaken_claims(void **state)
{
    struct bench *bench = *state;
    struct stk_order order = run_order(bench->run, &bench->key);
    struct stk_answer answer = {0};

    order.claims.ppt = STK_PPT_BASE;
    order.claims.ppt_text = "";
    order.claims.attest = '\0';
    answer = run_sign(bench->run, &order);
    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_false(has(&answer, "ppt="));
    assert_string_equal(answer.origid, "");
    assert_true(test_key_verifies(&bench->key, &answer));
}

/* ---- types */

/* A number called by a number, and what else `more` has. */
static struct stk_order order_of(struct bench *bench, struct stk_claims_input more)
{
    static const char *const dest[] = {"12155550131"};
    struct stk_order order = run_order(bench->run, &bench->key);
    struct stk_error error = {0};

    more.orig_tn = "12155550121";
    more.dest_tn = dest;
    more.dest_tn_count = 1;
    if (stk_claims_make(&more, &bench->arena, &order.claims, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    return order;
}

static void assert_header(const struct stk_answer *answer, const char *json)
{
    char text[512] = "";
    size_t length = stk_base64url_encode(json, strlen(json), text);

    assert_true(answer->identity_length > length);
    assert_memory_equal(answer->identity, text, length);
    assert_int_equal(answer->identity[length], '.');
}

#define X5U "https://certs.example.com/Alpha.pem"
#define OTHER "https://certs.example.com/Omega.pem"
#define HEADER(ppt, x5u) "{\"alg\":\"ES256\"," ppt "\"typ\":\"passport\",\"x5u\":\"" x5u "\"}"

/* They are kept by key, type and x5u; two types that are not known here are two. What comes after
 * another x5u of the same key and type has its own, in header and info alike. */
static void types_and_x5us_of_one_key_have_headers_of_their_own(void **state)
{
    static const struct {
        struct stk_claims_input claims;
        const char *x5u;
        const char *header;
    } types[] = {
        {{.ppt = "shaken", .attest = "A"}, X5U, HEADER("\"ppt\":\"shaken\",", X5U)},
        {{.ppt = "acme", .other = "{\"acme\":1}"}, X5U, HEADER("\"ppt\":\"acme\",", X5U)},
        {{.ppt = "acmf", .other = "{\"acmf\":1}"}, X5U, HEADER("\"ppt\":\"acmf\",", X5U)},
        {{.ppt = "a-name-of-16-cha", .other = "{\"x\":1}"},
         X5U,
         HEADER("\"ppt\":\"a-name-of-16-cha\",", X5U)},
        {{.ppt = "div", .div_tn = "12155550199"}, X5U, HEADER("\"ppt\":\"div\",", X5U)},
        {{.ppt = ""}, X5U, HEADER("", X5U)},
        {{.ppt = ""}, OTHER, HEADER("", OTHER)},
    };
    struct bench *bench = *state;

    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            struct stk_order order = {0};
            struct stk_answer answer = {0};
            char info[128] = "";

            order = order_of(bench, types[i].claims);
            order.x5u = types[i].x5u;
            (void)snprintf(info, sizeof(info), ";info=<%s>;", types[i].x5u);
            answer = run_sign(bench->run, &order);
            assert_int_equal(answer.status, STIRKEEP_OK);
            assert_true(test_key_verifies(&bench->key, &answer));
            assert_header(&answer, types[i].header);
            assert_non_null(strstr(answer.identity, info));
        }
}

static void a_record_has_the_name_of_a_type_that_is_not_known(void **state)
{
    struct bench *bench = *state;
    struct stk_order order =
        order_of(bench, (struct stk_claims_input){.ppt = "acme", .other = "{\"acme\":1}"});

    order.request_id = 1001;
    assert_int_equal(run_sign(bench->run, &order).status, STIRKEEP_OK);
    assert_int_equal(trail_count(bench->run, TRAIL, "\"request_id\":\"1001\"", "\"ppt\":\"acme\""),
                     1);
}

static void a_diverted_call_is_recorded_with_who_diverted_it(void **state)
{
    struct bench *bench = *state;
    struct stk_order order =
        order_of(bench, (struct stk_claims_input){.ppt = "div", .div_tn = "12155550199"});

    order.request_id = 1002;
    assert_int_equal(run_sign(bench->run, &order).status, STIRKEEP_OK);
    order = order_of(bench,
                     (struct stk_claims_input){.ppt = "div", .div_uri = "sip:service@example.com"});
    order.request_id = 1003;
    assert_int_equal(run_sign(bench->run, &order).status, STIRKEEP_OK);
    assert_int_equal(
        trail_count(bench->run, TRAIL, "\"request_id\":\"1002\"", "\"detail\":\"div 12155550199\""),
        1);
    assert_int_equal(trail_count(bench->run, TRAIL, "\"request_id\":\"1003\"",
                                 "\"detail\":\"div sip:service@example.com\""),
                     1);
    assert_int_equal(trail_count(bench->run, TRAIL, "\"ppt\":\"shaken\"", "\"detail\":\"div"), 0);
}

static void a_lowered_attestation_is_recorded_with_the_one_asked_for(void **state)
{
    struct bench *bench = *state;
    struct stk_order order = run_order(bench->run, &bench->key);

    order.claims.attest = 'B';
    order.attest_asked = 'A';
    order.request_id = 1004;
    assert_int_equal(run_sign(bench->run, &order).status, STIRKEEP_OK);
    order = run_order(bench->run, &bench->key);
    order.request_id = 1005;
    assert_int_equal(run_sign(bench->run, &order).status, STIRKEEP_OK);
    assert_int_equal(trail_count(bench->run, TRAIL, "\"request_id\":\"1004\"",
                                 "\"attest\":\"B\",\"attest_asked\":\"A\""),
                     1);
    assert_int_equal(trail_count(bench->run, TRAIL, "\"request_id\":\"1005\"", "attest_asked"), 0);
}

static void the_compact_form_has_the_signature_alone(void **state)
{
    struct bench *bench = *state;
    struct stk_order order = order_of(bench, (struct stk_claims_input){.compact = true});
    struct stk_answer answer = run_sign(bench->run, &order);

    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_memory_equal(answer.identity, "..", 2);
    assert_int_equal(answer.passport_length, 2 + 86);
}

/* ---- batches */

static void a_batch_is_answered_in_one_message_each_order_once(void **state)
{
    struct bench *bench = *state;
    struct stk_order orders[STK_BATCH_MAX];
    struct stk_answer *answers = NULL;
    size_t count = 0;

    for (size_t i = 0; i < STK_BATCH_MAX; i++)
        orders[i] = run_order(bench->run, &bench->key);
    run_send(bench->run, orders, STK_BATCH_MAX, NULL, 0);
    answers = run_answers(bench->run, &count);
    assert_int_equal(count, STK_BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(answers[i].id, orders[i].id);
        assert_true(test_key_verifies(&bench->key, &answers[i]));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(answers[i].origid, answers[j].origid);
            assert_string_not_equal(answers[i].identity, answers[j].identity);
        }
    }
}

static void a_failing_order_does_not_hold_up_its_batch(void **state)
{
    struct bench *bench = *state;
    struct run *run = bench->run;
    struct stk_order orders[5];
    struct stk_answer *answers = NULL;
    static const enum stirkeep_status wanted[5] = {
        STIRKEEP_OK, STIRKEEP_DEADLINE, STIRKEEP_KEY_UNAVAILABLE, STIRKEEP_INVALID, STIRKEEP_OK};
    size_t count = 0;
    size_t seen = 0;

    for (size_t i = 0; i < 5; i++)
        orders[i] = run_order(run, &bench->key);
    orders[1].deadline_us = stk_clock_mono_us() - 1;
    memset(orders[2].key_id.bytes, 0x5a, sizeof(orders[2].key_id.bytes));
    orders[3].claims.iat = stk_clock_seconds() - 100000;
    run_send(run, orders, 5, NULL, 0);
    answers = run_answers(run, &count);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < 5; j++)
            if (answers[i].id == orders[j].id) {
                assert_int_equal(answers[i].status, wanted[j]);
                assert_int_equal(answers[i].identity_length > 0, wanted[j] == STIRKEEP_OK);
                assert_int_equal(answers[i].message[0] != '\0', wanted[j] != STIRKEEP_OK);
                seen |= (size_t)1 << j;
            }
    assert_int_equal(seen, 0x1f);
}

static void an_order_that_fails_its_checks_is_answered_and_its_batch_signed(void **state)
{
    struct bench *bench = *state;
    static const char *const bad[] = {"gopher://certs.example.com/\r\nX: y",
                                      "",
                                      "https://certs.example.com/Alpha.pem>;x=y",
                                      "https://certs.example.com/Alpha.pem;x=y",
                                      "https://certs.example.com/Alpha.pem\r\nX: y",
                                      "https://certs.example.com/a\",\"alg\":\"none"};
    enum { BAD = sizeof(bad) / sizeof(bad[0]) };
    struct stk_order orders[2 * BAD + 2];
    struct stk_answer *answers = NULL;
    size_t count = 0;

    for (size_t i = 0; i < BAD; i++) {
        orders[2 * i] = run_order(bench->run, &bench->key);
        orders[2 * i].x5u = bad[i]; /* of which no header is made */
        orders[2 * i + 1] = order_of(bench, (struct stk_claims_input){.compact = true});
        orders[2 * i + 1].x5u = bad[i]; /* without a header, but with info */
    }
    orders[2 * BAD] = run_order(bench->run, &bench->key);
    orders[2 * BAD].claims.attest = 'D'; /* which is no order */
    orders[2 * BAD + 1] = run_order(bench->run, &bench->key);
    run_send(bench->run, orders, 2 * BAD + 2, NULL, 0);
    answers = run_answers(bench->run, &count);
    assert_int_equal(count, 2 * BAD + 2);
    for (size_t i = 0; i < count; i++) {
        bool good = answers[i].id == orders[2 * BAD + 1].id;

        assert_int_equal(answers[i].status, good ? STIRKEEP_OK : STIRKEEP_INVALID);
        assert_int_equal(test_key_verifies(&bench->key, &answers[i]), good);
    }
}

static void what_is_no_message_is_dropped_and_the_next_one_signed(void **state)
{
    struct bench *bench = *state;
    static const uint8_t hostile[] = {0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00};
    static uint8_t noise[STK_LINK_MESSAGE_MAX];
    struct stk_order order = run_order(bench->run, &bench->key);
    struct stk_answer answer = {0};

    memset(noise, 0xa5, sizeof(noise));
    assert_int_equal(send(bench->run->front, hostile, sizeof(hostile), 0), sizeof(hostile));
    assert_int_equal(send(bench->run->front, noise, sizeof(noise), 0), sizeof(noise));
    assert_int_equal(send(bench->run->front, noise, 1, 0), 1);
    assert_int_equal(send(bench->run->front, noise, 0, 0), 0);
    assert_true(run_is_silent(bench->run->front, 100));
    answer = run_sign(bench->run, &order);
    assert_true(test_key_verifies(&bench->key, &answer));
}

static void refusals_are_recorded_and_not_answered(void **state)
{
    struct bench *bench = *state;
    struct stk_refusal refusal = {.status = STIRKEEP_NOT_PERMITTED,
                                  .reason = "no grant",
                                  .name = "a\"},{\n\"seq\":1",
                                  .ppt = "shaken",
                                  .orig = "12155550121",
                                  .dest = "12155550131",
                                  .attest = "A",
                                  .origid = "",
                                  .peer = {.uid = 4242, .gid = 4243, .pid = 4244},
                                  .request_id = UINT64_MAX,
                                  .suppressed = 17};
    struct stk_order order = run_order(bench->run, &bench->key);

    run_send(bench->run, NULL, 0, &refusal, 1);
    assert_true(run_is_silent(bench->run->front, 100));
    (void)run_sign(bench->run, &order);
    assert_int_equal(trail_count(bench->run, TRAIL,
                                 "\"act\":\"refuse\",\"outcome\":\"not-permitted\"",
                                 "\"uid\":4242"),
                     1);
    assert_int_equal(trail_count(bench->run, TRAIL, "\"request_id\":\"18446744073709551615\"",
                                 "\"suppressed\":17"),
                     1);
    assert_true(trail_records(bench->run, TRAIL) > 1);
}

/* More than the link and both signers hold at a time. */
static void a_deep_queue_is_answered_completely(void **state)
{
    enum { MESSAGES = 64, DEPTH = 8 };
    struct bench *bench = *state;
    struct stk_order orders[STK_BATCH_MAX];
    size_t sent = 0;
    size_t good = 0;
    size_t count = 0;
    uint64_t first = bench->run->next_id;

    while (good < (size_t)MESSAGES * STK_BATCH_MAX) {
        struct stk_answer *answers = NULL;

        while (sent < MESSAGES && sent * STK_BATCH_MAX - good < (size_t)DEPTH * STK_BATCH_MAX) {
            for (size_t i = 0; i < STK_BATCH_MAX; i++)
                orders[i] = run_order(bench->run, &bench->key);
            run_send(bench->run, orders, STK_BATCH_MAX, NULL, 0);
            sent++;
        }
        answers = run_answers(bench->run, &count);
        for (size_t i = 0; i < count; i++) {
            assert_true(answers[i].id >= first && answers[i].id < bench->run->next_id);
            good += answers[i].status == STIRKEEP_OK;
            assert_int_equal(answers[i].status, STIRKEEP_OK);
        }
    }
    assert_true(run_is_silent(bench->run->front, 50));
}

static void every_answer_was_recorded_with_its_signature(void **state)
{
    struct bench *bench = *state;
    struct stk_order order = run_order(bench->run, &bench->key);
    size_t before =
        trail_count(bench->run, TRAIL, "\"act\":\"sign\",\"outcome\":\"ok\"", "\"sig\":");

    order.request_id = 987654321;
    assert_int_equal(run_sign(bench->run, &order).status, STIRKEEP_OK);
    assert_int_equal(
        trail_count(bench->run, TRAIL, "\"act\":\"sign\",\"outcome\":\"ok\"", "\"sig\":"),
        before + 1);
    assert_int_equal(trail_count(bench->run, TRAIL, "\"request_id\":\"987654321\"",
                                 "\"grant\":\"kamailio\",\"name\":\"Alpha\",\"generation\":1"),
                     1);
    assert_int_equal(trail_count(bench->run, TRAIL, "\"outcome\":\"deadline\"", "\"sig\":"), 0);
    assert_int_equal(run_drain(bench->run), 0);
    assert_true(trail_records(bench->run, TRAIL) > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_a_complete_identity_header),
        cmocka_unit_test(what_the_caller_states_is_signed_as_stated),
        cmocka_unit_test(a_base_passport_has_no_shaken_claims),
        cmocka_unit_test(types_and_x5us_of_one_key_have_headers_of_their_own),
        cmocka_unit_test(a_record_has_the_name_of_a_type_that_is_not_known),
        cmocka_unit_test(a_diverted_call_is_recorded_with_who_diverted_it),
        cmocka_unit_test(a_lowered_attestation_is_recorded_with_the_one_asked_for),
        cmocka_unit_test(the_compact_form_has_the_signature_alone),
        cmocka_unit_test(a_batch_is_answered_in_one_message_each_order_once),
        cmocka_unit_test(a_failing_order_does_not_hold_up_its_batch),
        cmocka_unit_test(an_order_that_fails_its_checks_is_answered_and_its_batch_signed),
        cmocka_unit_test(what_is_no_message_is_dropped_and_the_next_one_signed),
        cmocka_unit_test(refusals_are_recorded_and_not_answered),
        cmocka_unit_test(a_deep_queue_is_answered_completely),
        cmocka_unit_test(every_answer_was_recorded_with_its_signature),
    };

    run_require_softhsm();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
