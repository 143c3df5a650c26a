/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches between front and the keeper, and the catalog's way to front. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"
#include "surgery.h"
#include "trial.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

static void append_orders(size_t count, struct stk_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        struct stk_order order;

        fill_order(&order);
        order.id = 1 + i;
        assert_int_equal(stk_order_append(&order, out), STIRKEEP_OK);
    }
}

static void append_refusals(size_t count, struct stk_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        struct stk_refusal refusal;

        fill_refusal(&refusal);
        refusal.request_id = 1 + i;
        assert_int_equal(stk_refusal_append(&refusal, out), STIRKEEP_OK);
    }
}

static void append_answers(size_t count, struct stk_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        struct stk_answer answer;

        fill_answer(&answer);
        answer.id = 1 + i;
        assert_int_equal(stk_answer_append(&answer, out), STIRKEEP_OK);
    }
}

/* Front keeps each order's bytes and puts them together when it sends. */
static void a_batch_is_its_orders_one_behind_the_other(void **state)
{
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    append_orders(STK_BATCH_MAX, &out);
    append_refusals(STK_BATCH_MAX, &out);
    trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.orders.orders.order_count, STK_BATCH_MAX);
    assert_int_equal(trial.value.orders.orders.refusal_count, STK_BATCH_MAX);
    assert_int_equal(trial.value.orders.bad_count, 0);
    for (size_t i = 0; i < STK_BATCH_MAX; i++) {
        assert_int_equal(trial.value.orders.orders.orders[i].id, 1 + i);
        assert_int_equal(trial.value.orders.orders.refusals[i].request_id, 1 + i);
    }
    trial_end(&trial);
    stk_buffer_free(&out);
}

static void orders_and_refusals_may_alternate(void **state)
{
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    append_refusals(1, &out);
    append_orders(1, &out);
    append_refusals(1, &out);
    append_orders(1, &out);
    trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.orders.orders.order_count, 2);
    assert_int_equal(trial.value.orders.orders.refusal_count, 2);
    trial_end(&trial);
    stk_buffer_free(&out);
}

static void a_batch_of_more_than_16_is_too_large(void **state)
{
    struct stk_buffer out = {0};
    (void)state;

    append_orders(STK_BATCH_MAX + 1, &out);
    trial_expect(&codec_front_orders, view(&out), STIRKEEP_TOO_LARGE, "17", "orders");
    stk_buffer_free(&out);
    append_refusals(STK_BATCH_MAX + 1, &out);
    trial_expect(&codec_front_orders, view(&out), STIRKEEP_TOO_LARGE, "17", "refusals");
    stk_buffer_free(&out);
    append_answers(STK_BATCH_MAX, &out);
    trial_expect(&codec_answers, view(&out), STIRKEEP_OK, "16", "answers");
    append_answers(1, &out);
    trial_expect(&codec_answers, view(&out), STIRKEEP_TOO_LARGE, "17", "answers");
    stk_buffer_free(&out);
}

/* As many elements as a message holds, each as small as can be: no matter what they cost. */
static void a_message_full_of_nothing_is_too_large(void **state)
{
    static const struct codec *const codecs[] = {&codec_front_orders, &codec_answers, &codec_push};
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        struct stk_buffer out = {0};

        while (out.length + 2 <= STK_LINK_MESSAGE_MAX)
            put_bytes(codecs[i] == &codec_push ? 4 : 1, "", 0, &out);
        trial_expect(codecs[i], view(&out), STIRKEEP_TOO_LARGE, "empty elements", "");
        stk_buffer_free(&out);
    }
}

static void an_empty_batch_is_in_order(void **state)
{
    struct stk_bytes nothing = {(const uint8_t *)"", 0};
    struct trial trial;
    (void)state;

    trial_run(&trial, &codec_front_orders, nothing, STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.orders.orders.order_count, 0);
    assert_int_equal(trial.value.orders.bad_count, 0);
    trial_end(&trial);
    trial_run(&trial, &codec_answers, nothing, STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.answers.count, 0);
    trial_end(&trial);
}

/* What is wrong with each, in the place of the middle one of three. */
static void spoil(unsigned which, struct stk_order *order)
{
    switch (which) {
    case 0:
        order->name.text[0] = '\0';
        break;
    case 1:
        order->attest_asked = 'C'; /* less than what is signed */
        break;
    case 2:
        order->claims.attest = 'D';
        break;
    case 3:
        order->claims.orig_uri = "sip:a@b.example"; /* beside the number */
        break;
    case 4:
        order->claims.dest_tn_count = 0;
        order->claims.dest_uri_count = 0;
        break;
    case 5:
        order->claims.iat = -1;
        break;
    case 6:
        order->claims.origid[0] = 'x';
        break;
    default:
        order->claims.orig_tn = "1234567890123456";
        break;
    }
}

static void an_order_that_is_wrong_is_left_out_and_told_of_by_its_id(void **state)
{
    (void)state;

    for (unsigned which = 0; which < 8; which++) {
        struct stk_buffer out = {0};
        struct stk_order order;
        struct trial trial;

        append_orders(1, &out);
        fill_order(&order);
        order.id = 77;
        spoil(which, &order);
        assert_int_equal(stk_order_append(&order, &out), STIRKEEP_OK);
        fill_order(&order);
        order.id = 3;
        assert_int_equal(stk_order_append(&order, &out), STIRKEEP_OK);
        trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
        assert_int_equal(trial.status, STIRKEEP_OK);
        assert_int_equal(trial.value.orders.orders.order_count, 2);
        assert_int_equal(trial.value.orders.orders.orders[0].id, 1);
        assert_int_equal(trial.value.orders.orders.orders[1].id, 3);
        assert_int_equal(trial.value.orders.bad_count, 1);
        assert_int_equal(trial.value.orders.bad[0].id, 77);
        assert_int_equal(trial.value.orders.bad[0].status, STIRKEEP_INVALID);
        assert_int_not_equal(trial.value.orders.bad[0].message[0], '\0');
        trial_end(&trial);
        stk_buffer_free(&out);
    }
}

static void a_batch_may_be_wrong_in_all_its_orders(void **state)
{
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    for (size_t i = 0; i < STK_BATCH_MAX; i++) {
        struct stk_order order;

        fill_order(&order);
        spoil(1, &order);
        assert_int_equal(stk_order_append(&order, &out), STIRKEEP_OK);
    }
    trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.orders.orders.order_count, 0);
    assert_int_equal(trial.value.orders.bad_count, STK_BATCH_MAX);
    trial_end(&trial);
    stk_buffer_free(&out);
}

static void the_largest_orders_that_fit_a_message_fit_the_keepers_memory(void **state)
{
    static char uris[STK_DEST_MAX][STK_URI_MAX + 1];
    static const char *dest[STK_DEST_MAX];
    struct stk_buffer out = {.ceiling = STK_LINK_MESSAGE_MAX};
    struct trial trial;
    size_t count = 0;
    (void)state;

    for (size_t i = 0; i < STK_DEST_MAX; i++) {
        memset(uris[i], 'u', STK_URI_MAX);
        (void)snprintf(uris[i], sizeof(uris[i]), "sip:%02zu", i);
        uris[i][strlen(uris[i])] = 'u';
        dest[i] = uris[i];
    }
    for (count = 0; count < STK_BATCH_MAX; count++) {
        struct stk_order order;

        fill_order(&order);
        order.claims.dest_tn_count = 0;
        order.claims.dest_uri = dest;
        order.claims.dest_uri_count = STK_DEST_MAX;
        if (stk_order_append(&order, &out) != STIRKEEP_OK)
            break;
    }
    assert_true(count >= 14);
    trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.orders.orders.order_count, count);
    assert_int_equal(trial.value.orders.bad_count, 0);
    trial_end(&trial);
    stk_buffer_free(&out);
}

/* Front cuts it; whoever took front over need not. */
static void a_grants_name_past_its_limit_is_refused(void **state)
{
    static struct spot spots[SPOTS_MAX];
    char grant[STK_GRANT_NAME_MAX + 1];
    struct stk_buffer sent = {0};
    size_t at = 0;
    (void)state;

    memset(grant, 'g', sizeof(grant));
    append_orders(1, &sent);
    (void)spots_find(codec_front_orders.type, view(&sent), spots);
    while (spots[at].field == NULL || strcmp(spots[at].field->name, "grant") != 0)
        at++;
    for (size_t over = 0; over < 2; over++) {
        struct stk_buffer replacement = {0};
        struct stk_buffer changed = {0};
        struct trial trial;

        put_bytes(spots[at].field->id, grant, STK_GRANT_NAME_MAX + over, &replacement);
        spot_replace(codec_front_orders.type, view(&sent), &spots[at], view(&replacement),
                     &changed);
        trial_run(&trial, &codec_front_orders, view(&changed), STK_DECODE_ARENA_MAX);
        assert_int_equal(trial.status, STIRKEEP_OK);
        assert_int_equal(trial.value.orders.bad_count, over);
        if (over > 0)
            assert_int_equal(trial.value.orders.bad[0].status, STIRKEEP_TOO_LARGE);
        trial_end(&trial);
        stk_buffer_free(&replacement);
        stk_buffer_free(&changed);
    }
    stk_buffer_free(&sent);
}

/* A configuration may be in any encoding. */
static void a_grant_whose_name_is_not_utf8_does_not_cost_the_batch(void **state)
{
    struct stk_buffer out = {0};
    struct stk_order order;
    struct trial trial;
    (void)state;

    fill_order(&order);
    order.grant = "z\xfcrich";
    assert_int_equal(stk_order_append(&order, &out), STIRKEEP_OK);
    append_orders(1, &out);
    trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.orders.orders.order_count, 2);
    assert_string_equal(trial.value.orders.orders.orders[0].grant, "z?rich");
    trial_end(&trial);
    stk_buffer_free(&out);
}

static void the_reason_of_a_refusal_is_cut_and_scrubbed(void **state)
{
    char reason[STK_ERROR_MAX + 100];
    struct stk_buffer out = {0};
    struct stk_refusal refusal;
    struct trial trial;
    const char *got = NULL;
    (void)state;

    memset(reason, 'r', sizeof(reason) - 1);
    reason[sizeof(reason) - 1] = '\0';
    memcpy(reason + STK_ERROR_MAX - 2, "\xc3\xa9", 2); /* the cut goes through it */
    fill_refusal(&refusal);
    refusal.reason = reason;
    assert_int_equal(stk_refusal_append(&refusal, &out), STIRKEEP_OK);
    trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    got = trial.value.orders.orders.refusals[0].reason;
    assert_int_equal(strlen(got), STK_ERROR_MAX - 1);
    assert_int_equal(got[STK_ERROR_MAX - 2], '?');
    trial_end(&trial);
    stk_buffer_free(&out);
}

static void the_texts_of_a_refusal_have_limits(void **state)
{
    static const size_t limits[] = {STK_NAME_MAX, STK_PPT_MAX, STK_URI_MAX,
                                    STK_URI_MAX,  STK_PPT_MAX, STK_ORIGID_LENGTH};
    char text[STK_URI_MAX + 2];
    (void)state;

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        for (size_t over = 0; over < 2; over++) {
            struct stk_buffer out = {0};
            struct stk_refusal refusal;
            const char **const texts[] = {&refusal.name, &refusal.ppt,    &refusal.orig,
                                          &refusal.dest, &refusal.attest, &refusal.origid};

            memset(text, 't', sizeof(text));
            text[limits[i] + over] = '\0';
            fill_refusal(&refusal);
            *texts[i] = text;
            assert_int_equal(stk_refusal_append(&refusal, &out), STIRKEEP_OK);
            trial_expect(&codec_front_orders, view(&out),
                         over == 0 ? STIRKEEP_OK : STIRKEEP_TOO_LARGE, "text", "refusal");
            stk_buffer_free(&out);
        }
}

/* What the sketch of a refused request holds, the keeper takes. */
static void the_longest_sketch_passes_as_a_refusal(void **state)
{
    char text[STK_URI_MAX + 1];
    char name[STK_NAME_MAX + 1];
    struct stk_buffer out = {0};
    struct stk_refusal refusal;
    (void)state;

    memset(text, 't', sizeof(text));
    text[STK_URI_MAX] = '\0';
    memset(name, 'n', sizeof(name));
    name[STK_NAME_MAX] = '\0';
    for (size_t i = 0; i < STK_BATCH_MAX; i++) {
        fill_refusal(&refusal);
        refusal.name = name;
        refusal.orig = text;
        refusal.dest = text;
        refusal.ppt = text + STK_URI_MAX - STK_PPT_MAX;
        refusal.attest = refusal.ppt;
        refusal.origid = text + STK_URI_MAX - STK_ORIGID_LENGTH;
        assert_int_equal(stk_refusal_append(&refusal, &out), STIRKEEP_OK);
    }
    assert_true(out.length <= STK_LINK_MESSAGE_MAX);
    trial_expect(&codec_front_orders, view(&out), STIRKEEP_OK, "longest", "sketch");
    stk_buffer_free(&out);
}

/* ---- answers */

static void expect_answer(const struct stk_answer *answer, enum stirkeep_status expected)
{
    struct stk_buffer out = {0};

    assert_int_equal(stk_answer_append(answer, &out), STIRKEEP_OK);
    trial_expect(&codec_answers, view(&out), expected, "answer", "limit");
    stk_buffer_free(&out);
}

static void an_answer_has_an_identity_with_the_passport_in_it(void **state)
{
    struct stk_answer answer;
    (void)state;

    fill_answer(&answer);
    answer.passport_length = (uint32_t)answer.identity_length;
    expect_answer(&answer, STIRKEEP_OK);
    answer.passport_length++;
    expect_answer(&answer, STIRKEEP_INVALID);
    answer.passport_length = 0;
    expect_answer(&answer, STIRKEEP_INVALID);
    answer.identity_length = 0;
    expect_answer(&answer, STIRKEEP_INVALID);
    answer.status = STIRKEEP_DEADLINE; /* needs none */
    expect_answer(&answer, STIRKEEP_OK);
}

static void an_identity_past_its_limit_is_too_large(void **state)
{
    char *identity = malloc(STK_IDENTITY_MAX + 1);
    struct stk_answer answer;
    (void)state;

    assert_non_null(identity);
    memset(identity, 'i', STK_IDENTITY_MAX + 1); /* no NUL behind it */
    fill_answer(&answer);
    answer.identity = identity;
    answer.identity_length = STK_IDENTITY_MAX;
    expect_answer(&answer, STIRKEEP_OK);
    answer.identity_length = STK_IDENTITY_MAX + 1;
    expect_answer(&answer, STIRKEEP_TOO_LARGE);
    free(identity);
}

static void one_bad_answer_costs_the_message(void **state)
{
    struct stk_buffer out = {0};
    struct stk_answer answer;
    (void)state;

    append_answers(2, &out);
    fill_answer(&answer);
    answer.passport_length = 0;
    assert_int_equal(stk_answer_append(&answer, &out), STIRKEEP_OK);
    trial_expect(&codec_answers, view(&out), STIRKEEP_INVALID, "bad answer", "batch");
    stk_buffer_free(&out);
}

static void the_message_of_an_answer_is_cut_and_scrubbed(void **state)
{
    char words[STK_ERROR_MAX + 50];
    struct stk_answer answer = {.id = 1, .status = STIRKEEP_TOKEN_ERROR, .identity = ""};
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    memset(words, '\xff', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    answer.message = words;
    assert_int_equal(stk_answer_append(&answer, &out), STIRKEEP_OK);
    answer.message = NULL;
    assert_int_equal(stk_answer_append(&answer, &out), STIRKEEP_OK);
    trial_run(&trial, &codec_answers, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(strlen(trial.value.answers.answers[0].message), STK_ERROR_MAX - 1);
    assert_int_equal(strspn(trial.value.answers.answers[0].message, "?"), STK_ERROR_MAX - 1);
    assert_string_equal(trial.value.answers.answers[1].message, "");
    trial_end(&trial);
    stk_buffer_free(&out);
}

/* ---- the catalog */

static void a_page_of_the_longest_entries_fits_the_link_and_fronts_memory(void **state)
{
    enum { PAGE = 64 };
    struct stk_certificate *entries = calloc(PAGE, sizeof(*entries));
    struct stk_catalog_push push = {.push = 1, .entries = entries, .entry_count = PAGE};
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    assert_non_null(entries);
    for (size_t i = 0; i < PAGE; i++) {
        fill_certificate(&entries[i], 5);
        memset(entries[i].name.text, 'n', STK_NAME_MAX);
        memset(entries[i].x5u, 'x', STK_X5U_MAX);
        memcpy(entries[i].x5u, "https://a/", strlen("https://a/"));
        entries[i].not_before = INT64_MIN;
        entries[i].not_after = INT64_MAX;
    }
    assert_int_equal(stk_catalog_push_encode(&push, &out), STIRKEEP_OK);
    assert_true(out.length <= STK_LINK_MESSAGE_MAX);
    trial_run(&trial, &codec_push, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.push.entry_count, PAGE);
    assert_int_equal(trial.value.push.entries[PAGE - 1].not_before, INT64_MIN);
    assert_int_equal(trial.value.push.entries[PAGE - 1].not_after, INT64_MAX);
    trial_end(&trial);
    stk_buffer_free(&out);
    free(entries);
}

static void one_bad_entry_costs_the_push(void **state)
{
    struct stk_certificate entries[2];
    struct stk_catalog_push push = {.push = 1, .entries = entries, .entry_count = 2};
    struct stk_buffer out = {0};
    (void)state;

    fill_certificate(&entries[0], 5);
    fill_certificate(&entries[1], 5);
    entries[1].name.text[0] = '-';
    assert_int_equal(stk_catalog_push_encode(&push, &out), STIRKEEP_OK);
    trial_expect(&codec_push, view(&out), STIRKEEP_INVALID, "bad entry", "push");
    stk_buffer_free(&out);
}

static void an_empty_snapshot_can_be_said(void **state)
{
    const struct stk_catalog_push push = {.push = 1, .first = true, .last = true};
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    assert_int_equal(stk_catalog_push_encode(&push, &out), STIRKEEP_OK);
    trial_run(&trial, &codec_push, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.push.entry_count, 0);
    assert_true(trial.value.push.first && trial.value.push.last);
    trial_end(&trial);
    stk_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_its_orders_one_behind_the_other),
        cmocka_unit_test(orders_and_refusals_may_alternate),
        cmocka_unit_test(a_batch_of_more_than_16_is_too_large),
        cmocka_unit_test(a_message_full_of_nothing_is_too_large),
        cmocka_unit_test(an_empty_batch_is_in_order),
        cmocka_unit_test(an_order_that_is_wrong_is_left_out_and_told_of_by_its_id),
        cmocka_unit_test(a_batch_may_be_wrong_in_all_its_orders),
        cmocka_unit_test(the_largest_orders_that_fit_a_message_fit_the_keepers_memory),
        cmocka_unit_test(a_grants_name_past_its_limit_is_refused),
        cmocka_unit_test(a_grant_whose_name_is_not_utf8_does_not_cost_the_batch),
        cmocka_unit_test(the_reason_of_a_refusal_is_cut_and_scrubbed),
        cmocka_unit_test(the_texts_of_a_refusal_have_limits),
        cmocka_unit_test(the_longest_sketch_passes_as_a_refusal),
        cmocka_unit_test(an_answer_has_an_identity_with_the_passport_in_it),
        cmocka_unit_test(an_identity_past_its_limit_is_too_large),
        cmocka_unit_test(one_bad_answer_costs_the_message),
        cmocka_unit_test(the_message_of_an_answer_is_cut_and_scrubbed),
        cmocka_unit_test(a_page_of_the_longest_entries_fits_the_link_and_fronts_memory),
        cmocka_unit_test(one_bad_entry_costs_the_push),
        cmocka_unit_test(an_empty_snapshot_can_be_said),
    };

    return cmocka_run_group_tests_name("wire-order", tests, NULL, NULL);
}
