/* SPDX-License-Identifier: BSD-2-Clause */
/* What a room that was taken over may send to another. */
#include "hand.h"

#include "wire/codec_order.h"
#include <stdlib.h>
#include <string.h>

/* proto/stirkeep/v1/order.proto */
enum { ORDERS_SIGN = 1, ORDERS_REFUSALS };
enum { ORDER_IMPORT = 11, ORDER_PROVE, ORDER_DESTROY, ORDER_RECORD };
enum { ANSWER_TOKEN = 10, ANSWER_PROOF };

static const uint8_t key_id[STK_KEY_ID_LENGTH + 1] = {1, 2, 3};
static const char *const dest_tn[] = {"12155551213"};

static struct stk_order order_of(uint64_t id)
{
    struct stk_order order = {.id = id,
                              .name = {"Alpha"},
                              .generation = 2,
                              .x5u = "https://a.example/c",
                              .claims = {.ppt = STK_PPT_SHAKEN,
                                         .ppt_text = "shaken",
                                         .orig_tn = "12155551212",
                                         .dest_tn = (const char **)dest_tn,
                                         .dest_tn_count = 1,
                                         .attest = 'A'},
                              .deadline_us = 99,
                              .peer = {.uid = 1, .gid = 2, .pid = 3},
                              .grant = "kamailio",
                              .request_id = 55};

    memset(order.key_id.bytes, 7, sizeof(order.key_id.bytes));
    return order;
}

static struct stk_refusal refusal_of(const char *name)
{
    return (struct stk_refusal){.status = STIRKEEP_NOT_PERMITTED,
                                .reason = "no grant",
                                .name = name,
                                .ppt = "shaken",
                                .orig = "1",
                                .dest = "2",
                                .attest = "A",
                                .origid = ""};
}

struct decoded {
    struct stk_arena arena;
    struct stk_front_orders orders;
    struct stk_answer bad[STK_BATCH_MAX];
    size_t bad_count;
    struct stk_error error;
};

static enum stirkeep_status decode_orders(const struct stk_buffer *message,
                                          struct decoded *ret_decoded)
{
    *ret_decoded = (struct decoded){.bad_count = 77};
    assert_int_equal(stk_arena_new(&ret_decoded->arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    return stk_front_orders_decode(bytes_of(message), &ret_decoded->arena, &ret_decoded->orders,
                                   ret_decoded->bad, &ret_decoded->bad_count, &ret_decoded->error);
}

/* ---- front -> keeper */

static void one_refusal_with_any_bytes_costs_no_order_beside_it(void **state)
{
    struct stk_buffer message = {0};
    struct stk_order order = order_of(1);
    struct stk_refusal refusal = refusal_of("Al\xffpha");
    struct decoded decoded;
    (void)state;

    refusal.reason = "bad \xc3";
    refusal.dest = "\xed\xa0\x80";
    assert_int_equal(stk_order_append(&order, &message), STIRKEEP_OK);
    assert_int_equal(stk_refusal_append(&refusal, &message), STIRKEEP_OK);
    assert_int_equal(decode_orders(&message, &decoded), STIRKEEP_OK);
    assert_int_equal(decoded.orders.order_count, 1);
    assert_int_equal(decoded.orders.refusal_count, 1);
    assert_string_equal(decoded.orders.refusals[0].name, "Al?pha");
    assert_string_equal(decoded.orders.refusals[0].reason, "bad ?");
    assert_string_equal(decoded.orders.refusals[0].dest, "???");
    stk_arena_free(&decoded.arena);
    stk_buffer_free(&message);
}

static void a_refusal_that_finds_no_room_leaves_the_batch_as_it_was(void **state)
{
    struct stk_refusal refusal = refusal_of("Alpha");
    struct stk_buffer whole = {0};
    (void)state;

    assert_int_equal(stk_refusal_append(&refusal, &whole), STIRKEEP_OK);
    for (size_t ceiling = 3; ceiling < 3 + whole.length; ceiling++) {
        struct stk_buffer out = {.ceiling = ceiling};

        assert_int_equal(stk_buffer_add_text(&out, "abc"), STIRKEEP_OK);
        assert_int_equal(stk_refusal_append(&refusal, &out), STIRKEEP_TOO_LARGE);
        assert_int_equal(out.length, 3);
        stk_buffer_free(&out);
    }
    stk_buffer_free(&whole);
}

static void a_batch_holds_so_many_and_not_one_more(void **state)
{
    struct stk_buffer message = {0};
    struct stk_order order = order_of(1);
    struct stk_refusal refusal = refusal_of("Alpha");
    struct decoded decoded;
    (void)state;

    for (size_t i = 0; i < STK_BATCH_MAX; i++) {
        assert_int_equal(stk_order_append(&order, &message), STIRKEEP_OK);
        assert_int_equal(stk_refusal_append(&refusal, &message), STIRKEEP_OK);
    }
    assert_int_equal(decode_orders(&message, &decoded), STIRKEEP_OK);
    assert_int_equal(decoded.orders.order_count, STK_BATCH_MAX);
    assert_int_equal(decoded.orders.refusal_count, STK_BATCH_MAX);
    assert_int_equal(decoded.bad_count, 0);
    stk_arena_free(&decoded.arena);
    assert_int_equal(stk_refusal_append(&refusal, &message), STIRKEEP_OK);
    assert_int_equal(decode_orders(&message, &decoded), STIRKEEP_TOO_LARGE);
    assert_int_equal(decoded.bad_count, 77);
    stk_arena_free(&decoded.arena);
    message.length = 0;
    for (size_t i = 0; i <= STK_BATCH_MAX; i++)
        assert_int_equal(stk_order_append(&order, &message), STIRKEEP_OK);
    assert_int_equal(decode_orders(&message, &decoded), STIRKEEP_TOO_LARGE);
    stk_arena_free(&decoded.arena);
    stk_buffer_free(&message);
}

static void nothing_at_all_is_an_empty_batch(void **state)
{
    struct stk_buffer message = {0};
    struct decoded decoded;
    (void)state;

    assert_int_equal(decode_orders(&message, &decoded), STIRKEEP_OK);
    assert_int_equal(decoded.orders.order_count, 0);
    assert_int_equal(decoded.orders.refusal_count, 0);
    assert_int_equal(decoded.bad_count, 0);
    stk_arena_free(&decoded.arena);
}

/* One order with something wrong in it, between two that are in order. */
static void expect_left_out(struct stk_order wrong, enum stirkeep_status status)
{
    struct stk_buffer message = {0};
    struct stk_order first = order_of(1);
    struct stk_order last = order_of(3);
    struct decoded decoded;

    wrong.id = 2;
    assert_int_equal(stk_order_append(&first, &message), STIRKEEP_OK);
    assert_int_equal(stk_order_append(&wrong, &message), STIRKEEP_OK);
    assert_int_equal(stk_order_append(&last, &message), STIRKEEP_OK);
    assert_int_equal(decode_orders(&message, &decoded), STIRKEEP_OK);
    assert_int_equal(decoded.orders.order_count, 2);
    assert_int_equal(decoded.orders.orders[0].id, 1);
    assert_int_equal(decoded.orders.orders[1].id, 3);
    assert_int_equal(decoded.bad_count, 1);
    assert_int_equal(decoded.bad[0].id, 2);
    assert_int_equal(decoded.bad[0].status, status);
    assert_true(decoded.bad[0].message[0] != '\0');
    stk_arena_free(&decoded.arena);
    stk_buffer_free(&message);
}

static void an_order_that_fails_a_check_is_left_out_and_told_of(void **state)
{
    static const char *const bad_dest[] = {"not a number"};
    char too_long[STK_X5U_MAX + 2] = "";
    struct stk_order order = order_of(0);
    (void)state;

    memcpy(order.name.text, "-lpha", 6);
    expect_left_out(order, STIRKEEP_INVALID);
    order = order_of(0);
    memset(too_long, 'x', sizeof(too_long) - 1);
    order.x5u = too_long; /* what it is made of is checked where a header is made of it */
    expect_left_out(order, STIRKEEP_TOO_LARGE);
    order = order_of(0);
    order.claims.attest = 'D';
    expect_left_out(order, STIRKEEP_INVALID);
    order = order_of(0);
    order.claims.attest = 0;
    expect_left_out(order, STIRKEEP_INVALID);
    order = order_of(0);
    order.claims.orig_uri = "sip:a@example.com"; /* and a tn */
    expect_left_out(order, STIRKEEP_INVALID);
    order = order_of(0);
    order.claims.dest_tn = (const char **)bad_dest;
    expect_left_out(order, STIRKEEP_INVALID);
    order = order_of(0);
    order.claims.dest_tn_count = 0;
    expect_left_out(order, STIRKEEP_INVALID);
    order = order_of(0);
    order.claims.iat = -1;
    expect_left_out(order, STIRKEEP_INVALID);
    order = order_of(0);
    memcpy(order.claims.origid, "123", 4);
    expect_left_out(order, STIRKEEP_INVALID);
}

static void a_grants_name_past_its_limit_is_left_out_not_cut(void **state)
{
    (void)state;

    for (size_t over = 0; over < 2; over++) {
        struct stk_buffer message = {0};
        struct stk_buffer sign = {0};
        struct stk_buffer claims = {0};
        struct stk_buffer orig = {0};
        struct stk_buffer dest = {0};
        char *grant = long_text(STK_GRANT_NAME_MAX + over);
        struct decoded decoded;

        hand_number(&sign, 1, 9);
        hand_bytes(&sign, 2, key_id, STK_KEY_ID_LENGTH);
        hand_text(&sign, 3, "Alpha");
        hand_text(&sign, 5, "https://a.example/c");
        hand_text(&orig, 1, "12155551212");
        hand_text(&dest, 1, "12155551213");
        hand_inside(&claims, 2, &orig);
        hand_inside(&claims, 3, &dest);
        hand_inside(&sign, 6, &claims);
        hand_text(&sign, 12, grant);
        hand_inside(&message, ORDERS_SIGN, &sign);
        assert_int_equal(decode_orders(&message, &decoded), STIRKEEP_OK);
        assert_int_equal(decoded.orders.order_count, over ? 0 : 1);
        assert_int_equal(decoded.bad_count, over);
        if (over)
            assert_int_equal(decoded.bad[0].status, STIRKEEP_TOO_LARGE);
        stk_arena_free(&decoded.arena);
        stk_buffer_free(&message);
        free(grant);
    }
}

static void a_key_id_of_another_length_is_no_key_id(void **state)
{
    static const size_t lengths[] = {0, STK_KEY_ID_LENGTH - 1, STK_KEY_ID_LENGTH + 1};
    (void)state;

    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct stk_buffer message = {0};
        struct stk_buffer sign = {0};
        struct decoded decoded;

        hand_number(&sign, 1, 9);
        hand_bytes(&sign, 2, key_id, lengths[i]);
        hand_inside(&message, ORDERS_SIGN, &sign);
        assert_int_equal(decode_orders(&message, &decoded), STIRKEEP_OK);
        assert_int_equal(decoded.orders.order_count, 0);
        assert_int_equal(decoded.bad_count, 1);
        assert_int_equal(decoded.bad[0].status, STIRKEEP_INVALID);
        assert_non_null(strstr(decoded.bad[0].message, "key_id"));
        stk_arena_free(&decoded.arena);
        stk_buffer_free(&message);
    }
}

static void refusals_are_held_to_what_the_trail_takes(void **state)
{
    static const struct {
        uint32_t field;
        size_t max;
    } texts[] = {{2, STK_ERROR_MAX - 1}, {3, STK_NAME_MAX}, {4, STK_PPT_MAX},      {5, STK_URI_MAX},
                 {6, STK_URI_MAX},       {7, STK_PPT_MAX},  {8, STK_ORIGID_LENGTH}};
    (void)state;

    for (size_t i = 0; i < COUNT(texts); i++) {
        for (size_t over = 0; over < 2; over++) {
            struct stk_buffer message = {0};
            struct stk_buffer inside = {0};
            char *text = long_text(texts[i].max + over);
            struct decoded decoded;

            hand_text(&inside, texts[i].field, text);
            hand_inside(&message, ORDERS_REFUSALS, &inside);
            assert_int_equal(decode_orders(&message, &decoded),
                             over ? STIRKEEP_TOO_LARGE : STIRKEEP_OK);
            stk_arena_free(&decoded.arena);
            stk_buffer_free(&message);
            free(text);
        }
    }
}

/* ---- keeper -> front */

static enum stirkeep_status try_answers(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_answer *answers = NULL;
    size_t count = 77;
    enum stirkeep_status status = stk_answers_decode(message, arena, &answers, &count, NULL);

    if (status != STIRKEEP_OK)
        assert_int_equal(count, 77);
    return status;
}

static enum stirkeep_status answer_with(uint64_t status_number, const char *identity,
                                        uint64_t passport_length, const char *origid)
{
    struct stk_buffer message = {0};
    struct stk_buffer answer = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    hand_number(&answer, 1, 4);
    hand_number(&answer, 2, status_number);
    hand_text(&answer, 4, identity);
    hand_number(&answer, 5, passport_length);
    hand_text(&answer, 7, origid);
    hand_inside(&message, 1, &answer);
    status = decode_once(try_answers, bytes_of(&message));
    stk_buffer_free(&message);
    return status;
}

static void an_answers_lengths_must_fit_together(void **state)
{
    char *text = long_text(STK_IDENTITY_MAX + 1);
    (void)state;

    assert_int_equal(answer_with(0, "abc", 3, ""), STIRKEEP_OK);
    assert_int_equal(answer_with(0, "abc", 4, ""), STIRKEEP_INVALID);
    assert_int_equal(answer_with(0, "abc", 0, ""), STIRKEEP_INVALID);
    assert_int_equal(answer_with(0, "", 0, ""), STIRKEEP_INVALID);
    assert_int_equal(answer_with(STIRKEEP_DEADLINE, "", 0, ""), STIRKEEP_OK);
    assert_int_equal(answer_with(0, text, 3, ""), STIRKEEP_TOO_LARGE);
    text[STK_ORIGID_LENGTH + 1] = '\0';
    assert_int_equal(answer_with(0, "abc", 3, text), STIRKEEP_TOO_LARGE);
    text[STK_ORIGID_LENGTH] = '\0';
    assert_int_equal(answer_with(0, "abc", 3, text), STIRKEEP_OK);
    free(text);
}

static void an_identity_need_not_end_with_a_nul(void **state)
{
    static const char identity[3] = {'a', 'b', 'c'};
    const struct stk_answer answer = {.id = 8,
                                      .message = "",
                                      .identity = identity,
                                      .identity_length = sizeof(identity),
                                      .passport_length = 2};
    struct stk_buffer message = {0};
    struct stk_arena arena = {0};
    struct stk_answer *answers = NULL;
    size_t count = 0;
    (void)state;

    for (size_t i = 0; i < STK_BATCH_MAX; i++)
        assert_int_equal(stk_answer_append(&answer, &message), STIRKEEP_OK);
    assert_int_equal(stk_arena_new(&arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    assert_int_equal(stk_answers_decode(bytes_of(&message), &arena, &answers, &count, NULL),
                     STIRKEEP_OK);
    assert_int_equal(count, STK_BATCH_MAX);
    assert_string_equal(answers[STK_BATCH_MAX - 1].identity, "abc");
    assert_int_equal(stk_answer_append(&answer, &message), STIRKEEP_OK);
    assert_int_equal(decode_once(try_answers, bytes_of(&message)), STIRKEEP_TOO_LARGE);
    stk_arena_free(&arena);
    stk_buffer_free(&message);
}

/* ---- intake -> keeper */

static enum stirkeep_status try_custody(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_custody_order order = {.act = "untouched"};
    enum stirkeep_status status = stk_custody_order_decode(message, arena, &order, NULL);

    if (status != STIRKEEP_OK)
        assert_string_equal(order.act, "untouched");
    return status;
}

struct import {
    const char *name;
    size_t key_id_length;
    size_t certificates;
    size_t certificate_length;
    size_t sealed_length;
    size_t challenge_length;
};

static const struct import good = {"Alpha", STK_KEY_ID_LENGTH, 2, 100, 300, STK_CHALLENGE_LENGTH};

static enum stirkeep_status decode_import(const struct import *import)
{
    struct stk_buffer message = {0};
    struct stk_buffer body = {0};
    char *filler = long_text(STK_CERT_DER_MAX + 1);
    enum stirkeep_status status = STIRKEEP_OK;

    hand_text(&body, 1, import->name);
    hand_bytes(&body, 2, key_id, import->key_id_length);
    for (size_t i = 0; i < import->certificates; i++)
        hand_bytes(&body, 3, filler, import->certificate_length);
    hand_bytes(&body, 4, filler, import->sealed_length);
    hand_bytes(&body, 5, filler, import->challenge_length);
    hand_inside(&message, ORDER_IMPORT, &body);
    status = decode_once(try_custody, bytes_of(&message));
    stk_buffer_free(&message);
    free(filler);
    return status;
}

static void an_import_order_is_held_to_its_limits(void **state)
{
    struct import import = good;
    (void)state;

    assert_int_equal(decode_import(&import), STIRKEEP_OK);
    import.certificates = STK_CHAIN_MAX;
    import.certificate_length = STK_CERT_DER_MAX;
    import.sealed_length = STK_SEALED_MAX;
    assert_int_equal(decode_import(&import), STIRKEEP_OK);
    import.sealed_length = STK_SEALED_MAX + 1;
    assert_int_equal(decode_import(&import), STIRKEEP_TOO_LARGE);
    import.sealed_length = 0; /* the key has to be there */
    assert_int_equal(decode_import(&import), STIRKEEP_OK);
    import = good;
    import.certificates = STK_CHAIN_MAX + 1;
    assert_int_equal(decode_import(&import), STIRKEEP_TOO_LARGE);
    import.certificates = 0;
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import = good;
    import.certificate_length = STK_CERT_DER_MAX + 1;
    assert_int_equal(decode_import(&import), STIRKEEP_TOO_LARGE);
    import.certificate_length = 0;
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import = good;
    import.key_id_length = STK_KEY_ID_LENGTH - 1;
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import = good;
    import.challenge_length = STK_CHALLENGE_LENGTH + 1;
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import.challenge_length = 0;
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
    import = good;
    import.name = "Alpha/..";
    assert_int_equal(decode_import(&import), STIRKEEP_INVALID);
}

/* Without a key's id nothing is destroyed, and no challenge is signed. */
static void destroying_and_proving_need_a_whole_key_id(void **state)
{
    (void)state;

    for (size_t length = 0; length <= STK_KEY_ID_LENGTH + 1; length++) {
        struct stk_buffer message = {0};
        struct stk_buffer body = {0};
        enum stirkeep_status wanted = length == STK_KEY_ID_LENGTH ? STIRKEEP_OK : STIRKEEP_INVALID;

        hand_bytes(&body, 1, key_id, length);
        hand_inside(&message, ORDER_DESTROY, &body);
        assert_int_equal(decode_once(try_custody, bytes_of(&message)), wanted);
        stk_buffer_free(&message);
        hand_bytes(&body, 1, key_id, length);
        hand_bytes(&body, 2, key_id, STK_CHALLENGE_LENGTH);
        hand_inside(&message, ORDER_PROVE, &body);
        assert_int_equal(decode_once(try_custody, bytes_of(&message)), wanted);
        stk_buffer_free(&message);
    }
}

static void records_are_held_to_what_the_trail_takes(void **state)
{
    static const struct {
        uint32_t field;
        size_t length;
        enum stirkeep_status status;
    } cases[] = {
        {1, 64, STIRKEEP_OK},     {1, 65, STIRKEEP_TOO_LARGE}, {1, 0, STIRKEEP_INVALID},
        {2, 64, STIRKEEP_OK},     {2, 65, STIRKEEP_TOO_LARGE}, {6, 2048, STIRKEEP_OK},
        {3, 64, STIRKEEP_OK},     {3, 65, STIRKEEP_INVALID},   {6, 2049, STIRKEEP_TOO_LARGE},
        {5, 0, STIRKEEP_OK},      {5, 31, STIRKEEP_INVALID},   {5, 32, STIRKEEP_OK},
        {5, 33, STIRKEEP_INVALID}};
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stk_buffer message = {0};
        struct stk_buffer body = {0};
        char *text = long_text(cases[i].length);

        if (cases[i].field != 1)
            hand_text(&body, 1, "import");
        hand_text(&body, cases[i].field, text);
        hand_inside(&message, ORDER_RECORD, &body);
        assert_int_equal(decode_once(try_custody, bytes_of(&message)), cases[i].status);
        stk_buffer_free(&message);
        free(text);
    }
}

static void an_order_without_a_known_body_does_nothing(void **state)
{
    struct stk_buffer message = {0};
    (void)state;

    hand_number(&message, 1, 5);
    assert_int_equal(decode_once(try_custody, bytes_of(&message)), STIRKEEP_UNSUPPORTED);
    hand_bytes(&message, 99, "", 0);
    assert_int_equal(decode_once(try_custody, bytes_of(&message)), STIRKEEP_UNSUPPORTED);
    hand_bytes(&message, ORDER_DESTROY, "", 0);
    hand_bytes(&message, ORDER_PROVE, "", 0);
    assert_int_equal(decode_once(try_custody, bytes_of(&message)), STIRKEEP_MALFORMED);
    stk_buffer_free(&message);
}

/* ---- keeper -> intake */

static enum stirkeep_status try_custody_answer(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_custody_answer answer = {.attributes = "untouched"};
    enum stirkeep_status status = stk_custody_answer_decode(message, arena, &answer, NULL);

    if (status != STIRKEEP_OK)
        assert_string_equal(answer.attributes, "untouched");
    return status;
}

static void a_proof_is_a_signature_of_its_length(void **state)
{
    (void)state;

    for (size_t length = STK_SIGNATURE_LENGTH - 1; length <= STK_SIGNATURE_LENGTH + 1; length++) {
        struct stk_buffer message = {0};
        struct stk_buffer body = {0};
        char *text = long_text(length);

        hand_bytes(&body, 1, text, length);
        hand_inside(&message, ANSWER_PROOF, &body);
        assert_int_equal(decode_once(try_custody_answer, bytes_of(&message)),
                         length == STK_SIGNATURE_LENGTH ? STIRKEEP_OK : STIRKEEP_INVALID);
        stk_buffer_free(&message);
        free(text);
    }
}

static void what_a_token_says_of_itself_is_bounded(void **state)
{
    static const struct {
        uint32_t field;
        size_t max;
    } parts[] = {{1, 256}, {2, 256}, {3, 256}, {5, 256}, {6, 256}, {8, 2048}};
    (void)state;

    for (size_t i = 0; i < COUNT(parts); i++) {
        for (size_t over = 0; over < 2; over++) {
            struct stk_buffer message = {0};
            struct stk_buffer body = {0};
            char *text = long_text(parts[i].max + over);

            hand_text(&body, parts[i].field, text);
            hand_inside(&message, ANSWER_TOKEN, &body);
            assert_int_equal(decode_once(try_custody_answer, bytes_of(&message)),
                             over ? STIRKEEP_TOO_LARGE : STIRKEEP_OK);
            stk_buffer_free(&message);
            free(text);
        }
    }
}

/* ---- intake -> front */

static enum stirkeep_status try_push(struct stk_bytes message, struct stk_arena *arena)
{
    struct stk_catalog_push push = {.push = 99};
    enum stirkeep_status status = stk_catalog_push_decode(message, arena, &push, NULL);

    if (status != STIRKEEP_OK)
        assert_int_equal(push.push, 99);
    return status;
}

static void put_entry(struct stk_buffer *message, const char *name, size_t key_id_length,
                      const char *x5u)
{
    struct stk_buffer entry = {0};

    hand_text(&entry, 1, name);
    hand_bytes(&entry, 3, key_id, key_id_length);
    hand_text(&entry, 4, x5u);
    hand_inside(message, 4, &entry);
}

static void one_bad_entry_refuses_the_push_as_a_whole(void **state)
{
    static const struct {
        const char *name;
        size_t key_id_length;
        const char *x5u;
        enum stirkeep_status status;
    } cases[] = {{"Beta", STK_KEY_ID_LENGTH, "https://a.example/c", STIRKEEP_OK},
                 {"Be ta", STK_KEY_ID_LENGTH, "https://a.example/c", STIRKEEP_INVALID},
                 {"Beta", STK_KEY_ID_LENGTH - 1, "https://a.example/c", STIRKEEP_INVALID},
                 {"Beta", STK_KEY_ID_LENGTH, "https://a.example/c;d", STIRKEEP_INVALID},
                 {"Beta", STK_KEY_ID_LENGTH, "", STIRKEEP_INVALID}};
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stk_buffer message = {0};

        put_entry(&message, "Alpha", STK_KEY_ID_LENGTH, "https://a.example/c");
        put_entry(&message, cases[i].name, cases[i].key_id_length, cases[i].x5u);
        assert_int_equal(decode_once(try_push, bytes_of(&message)), cases[i].status);
        stk_buffer_free(&message);
    }
}

/* As many entries as a link's message can carry want more memory than a message may take. */
static void entries_without_end_are_too_large_not_too_much(void **state)
{
    struct stk_buffer message = {0};
    (void)state;

    while (message.length < STK_LINK_MESSAGE_MAX - 100)
        hand_bytes(&message, 4, "", 0);
    assert_int_equal(decode_once(try_push, bytes_of(&message)), STIRKEEP_TOO_LARGE);
    stk_buffer_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_refusal_with_any_bytes_costs_no_order_beside_it),
        cmocka_unit_test(a_refusal_that_finds_no_room_leaves_the_batch_as_it_was),
        cmocka_unit_test(a_batch_holds_so_many_and_not_one_more),
        cmocka_unit_test(nothing_at_all_is_an_empty_batch),
        cmocka_unit_test(an_order_that_fails_a_check_is_left_out_and_told_of),
        cmocka_unit_test(a_grants_name_past_its_limit_is_left_out_not_cut),
        cmocka_unit_test(a_key_id_of_another_length_is_no_key_id),
        cmocka_unit_test(refusals_are_held_to_what_the_trail_takes),
        cmocka_unit_test(an_answers_lengths_must_fit_together),
        cmocka_unit_test(an_identity_need_not_end_with_a_nul),
        cmocka_unit_test(an_import_order_is_held_to_its_limits),
        cmocka_unit_test(destroying_and_proving_need_a_whole_key_id),
        cmocka_unit_test(records_are_held_to_what_the_trail_takes),
        cmocka_unit_test(an_order_without_a_known_body_does_nothing),
        cmocka_unit_test(a_proof_is_a_signature_of_its_length),
        cmocka_unit_test(what_a_token_says_of_itself_is_bounded),
        cmocka_unit_test(one_bad_entry_refuses_the_push_as_a_whole),
        cmocka_unit_test(entries_without_end_are_too_large_not_too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
