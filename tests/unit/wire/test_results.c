/* SPDX-License-Identifier: BSD-2-Clause */
/* What a batch is answered with: its results, and how much of them goes into one message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"
#include "surgery.h"
#include "trial.h"
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEED 0x1d872b41f5a9c3e7ULL

static char identity[STK_IDENTITY_MAX + 1];
static char message[STK_ERROR_MAX + 100];

static int fill_texts(void **state)
{
    (void)state;
    memset(identity, 'i', STK_IDENTITY_MAX);
    memset(message, 'm', sizeof(message) - 1);
    return 0;
}

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

/* All that is known of a signature, at its longest but for the identity. */
static struct stk_response_result signed_of(size_t length)
{
    return (struct stk_response_result){.signed_ = {.identity = {(uint8_t *)identity, length},
                                                    .passport_length = (uint32_t)length,
                                                    .generation = UINT32_MAX,
                                                    .iat = INT64_MIN,
                                                    .origid = SAMPLE_ORIGID,
                                                    .attest = "A"}};
}

static const struct stk_response_result refused = {.status = STIRKEEP_NOT_PERMITTED,
                                                   .message = message};

static enum stirkeep_status encode(const struct stk_response_result *results, size_t count,
                                   size_t *ret_length, struct trial *trial)
{
    struct stk_buffer out = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    assert_int_equal(stk_buffer_add_text(&out, "before"), STIRKEEP_OK);
    status = stk_response_encode_batch(UINT64_MAX, results, count, &out);
    assert_memory_equal(out.data, "before", 6);
    if (status != STIRKEEP_OK) {
        assert_int_equal(status, STIRKEEP_TOO_LARGE);
        assert_int_equal(out.length, 6);
        *ret_length = 0;
    } else {
        stk_buffer_drop(&out, 6 + STK_FRAME_HEADER);
        *ret_length = out.length;
        trial_run(trial, &codec_response, view(&out), STK_DECODE_ARENA_MAX);
        if (trial->status != STIRKEEP_OK)
            fail_msg("%s", trial->error.message);
        assert_int_equal(trial->value.response.result_count, count);
    }
    stk_buffer_free(&out);
    return status;
}

static void results_arrive_in_their_places(void **state)
{
    const struct stk_response_result results[] = {
        signed_of(100),
        {.status = STIRKEEP_RATE_LIMITED, .message = "grant k: \xff"},
        signed_of(5),
        {.status = STIRKEEP_INTERNAL, .message = NULL}};
    const struct stk_response *response = NULL;
    size_t length = 0;
    struct trial trial;
    (void)state;

    assert_int_equal(encode(results, COUNT(results), &length, &trial), STIRKEEP_OK);
    response = &trial.value.response;
    assert_int_equal(response->kind, STK_RESPONSE_BATCH);
    assert_true(response->id == UINT64_MAX);
    assert_int_equal(response->results[0].status, STIRKEEP_OK);
    assert_int_equal(response->results[0].signed_.identity.length, 100);
    assert_int_equal(response->results[0].signed_.passport_length, 100);
    assert_true(response->results[0].signed_.generation == UINT32_MAX);
    assert_true(response->results[0].signed_.iat == INT64_MIN);
    assert_string_equal(response->results[0].signed_.origid, SAMPLE_ORIGID);
    assert_string_equal(response->results[0].signed_.attest, "A");
    assert_int_equal(response->results[1].status, STIRKEEP_RATE_LIMITED);
    assert_string_equal(response->results[1].message, "grant k: ?");
    assert_int_equal(response->results[1].signed_.identity.length, 0);
    assert_int_equal(response->results[2].signed_.identity.length, 5);
    assert_int_equal(response->results[3].status, STIRKEEP_INTERNAL);
    assert_string_equal(response->results[3].message, "");
    trial_end(&trial);
}

/* xorshift64: the same numbers in each run. */
static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* Front asks it before it has anything signed. */
static void an_answer_within_its_bound_is_sent_whatever_is_refused(void **state)
{
    uint64_t random = SEED;
    size_t tight = 0;
    (void)state;

    for (unsigned round = 0; round < 1000; round++) {
        struct stk_response_result results[STK_SIGNINGS_MAX];
        size_t count = 1 + next_random(&random) % STK_SIGNINGS_MAX;
        size_t most = 1 + 2 * (size_t)STK_SIGN_MESSAGE_MAX / count;
        size_t identities = 0;
        size_t length = 0;
        bool fits = false;
        struct trial trial;

        for (size_t i = 0; i < count; i++) {
            size_t size =
                1 + next_random(&random) % (most < STK_IDENTITY_MAX ? most : STK_IDENTITY_MAX);

            /* What is refused counts as what it would have been. */
            results[i] = next_random(&random) % 3 == 0 ? refused : signed_of(size);
            identities += size;
        }
        fits = stk_response_batch_bound(count, identities) <= STK_SIGN_MESSAGE_MAX;
        if (encode(results, count, &length, &trial) == STIRKEEP_OK) {
            assert_true(length <= STK_SIGN_MESSAGE_MAX);
            trial_end(&trial);
        } else {
            assert_false(fits);
        }
        tight += fits && length > STK_SIGN_MESSAGE_MAX * 3 / 4;
    }
    assert_true(tight > 50);
}

static void the_bound_is_no_less_than_the_answer_and_little_more(void **state)
{
    struct stk_response_result results[STK_SIGNINGS_MAX];
    (void)state;

    for (size_t count = 1; count <= STK_SIGNINGS_MAX; count++)
        for (size_t size = 1; size <= STK_SIGN_MESSAGE_MAX / count; size = size * 3 + 1) {
            size_t bound = stk_response_batch_bound(count, count * size);
            size_t length = 0;
            struct trial trial;

            if (size > STK_IDENTITY_MAX || bound > STK_SIGN_MESSAGE_MAX)
                break;
            for (size_t i = 0; i < count; i++)
                results[i] = signed_of(size);
            assert_int_equal(encode(results, count, &length, &trial), STIRKEEP_OK);
            assert_true(length <= bound);
            assert_true(bound - length <= 32 + count * 16);
            trial_end(&trial);
        }
}

/* What is to be had for a client with nothing but shaken ones: all 64 at once. */
static void a_batch_of_64_plain_identities_fits(void **state)
{
    struct stk_response_result results[STK_SIGNINGS_MAX];
    size_t length = 0;
    struct trial trial;
    (void)state;

    for (size_t i = 0; i < STK_SIGNINGS_MAX; i++)
        results[i] = signed_of(900);
    assert_true(stk_response_batch_bound(STK_SIGNINGS_MAX, 64 * 900) <= STK_SIGN_MESSAGE_MAX);
    assert_int_equal(encode(results, STK_SIGNINGS_MAX, &length, &trial), STIRKEEP_OK);
    trial_end(&trial);
    for (size_t i = 0; i < STK_SIGNINGS_MAX; i++)
        results[i] = signed_of(1100);
    assert_true(stk_response_batch_bound(STK_SIGNINGS_MAX, 64 * 1100) > STK_SIGN_MESSAGE_MAX);
    assert_int_equal(encode(results, STK_SIGNINGS_MAX, &length, &trial), STIRKEEP_TOO_LARGE);
}

/* Where there is room, messages are told as far as anywhere else; where there is little, they share
 * it. */
static void messages_of_refused_ones_are_cut_to_the_room_there_is(void **state)
{
    struct stk_response_result results[STK_SIGNINGS_MAX];
    size_t length = 0;
    struct trial trial;
    (void)state;

    for (size_t i = 0; i < STK_SIGNINGS_MAX; i++)
        results[i] = refused;
    assert_int_equal(encode(results, STK_SIGNINGS_MAX, &length, &trial), STIRKEEP_OK);
    for (size_t i = 0; i < STK_SIGNINGS_MAX; i++)
        assert_int_equal(strlen(trial.value.response.results[i].message), STK_ERROR_MAX - 1);
    trial_end(&trial);
    for (size_t i = 0; i < STK_SIGNINGS_MAX / 2; i++)
        results[i] = signed_of(1900);
    assert_int_equal(encode(results, STK_SIGNINGS_MAX, &length, &trial), STIRKEEP_OK);
    for (size_t i = STK_SIGNINGS_MAX / 2; i < STK_SIGNINGS_MAX; i++) {
        size_t told = strlen(trial.value.response.results[i].message);

        assert_true(told >= 60 && told < STK_ERROR_MAX - 1);
        assert_int_equal(told, strlen(trial.value.response.results[STK_SIGNINGS_MAX - 1].message));
    }
    trial_end(&trial);
}

/* ---- what a service says that is none, or of another version */

/* The message of a batch of these results, each given as its inside. */
static void put_batch(const struct stk_buffer *result, size_t count, struct stk_buffer *out)
{
    struct stk_buffer body = {0};

    for (size_t i = 0; i < count; i++)
        put_bytes(1, result->data, result->length, &body);
    put_number(1, 7, out);
    put_bytes(13, body.data, body.length, out);
    stk_buffer_free(&body);
}

static void expect_result(const struct stk_buffer *result, size_t count,
                          enum stirkeep_status expected)
{
    struct stk_buffer out = {0};

    put_batch(result, count, &out);
    trial_expect(&codec_response, view(&out), expected, "result", "batch");
    stk_buffer_free(&out);
}

static void a_result_is_a_signature_or_a_refusal(void **state)
{
    static const char signature[] = "\x0a\x03"
                                    "abc\x10\x02";
    struct stk_buffer result = {0};
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    expect_result(&result, 1, STIRKEEP_INVALID); /* done, but nothing signed */
    put_bytes(3, signature, sizeof(signature) - 1, &result);
    expect_result(&result, 1, STIRKEEP_OK);
    expect_result(&result, STK_SIGNINGS_MAX, STIRKEEP_OK);
    expect_result(&result, STK_SIGNINGS_MAX + 1, STIRKEEP_TOO_LARGE);
    put_number(1, STIRKEEP_STATUS_COUNT, &result); /* a refusal of the future, and a signature */
    put_batch(&result, 1, &out);
    trial_run(&trial, &codec_response, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.response.results[0].status, STIRKEEP_INTERNAL);
    assert_int_equal(trial.value.response.results[0].signed_.identity.length, 0);
    trial_end(&trial);
    stk_buffer_free(&result);
    stk_buffer_free(&out);
}

static void a_signature_in_a_batch_is_checked_as_one_alone(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        enum stirkeep_status status;
    } signatures[] = {{"", 0, STIRKEEP_INVALID},
                      {"\x0a\x01i\x10\x01", 5, STIRKEEP_OK},
                      {"\x0a\x01i\x10\x02", 5, STIRKEEP_INVALID},
                      {"\x0a\x01i", 3, STIRKEEP_INVALID},
                      {"\x0a\x01i\x10\x01\x32\x01"
                       "B",
                       8, STIRKEEP_OK},
                      {"\x0a\x01i\x10\x01\x32\x01"
                       "D",
                       8, STIRKEEP_INVALID},
                      {"\x0a\x01i\x10\x01\x32\x02"
                       "AB",
                       9, STIRKEEP_INVALID}};
    (void)state;

    for (size_t i = 0; i < COUNT(signatures); i++) {
        struct stk_buffer result = {0};
        struct stk_buffer alone = {0};

        put_bytes(3, signatures[i].bytes, signatures[i].length, &result);
        expect_result(&result, 1, signatures[i].status);
        put_bytes(10, signatures[i].bytes, signatures[i].length, &alone);
        trial_expect(&codec_response, view(&alone), signatures[i].status, "alone", "signed");
        stk_buffer_free(&result);
        stk_buffer_free(&alone);
    }
}

static void a_message_full_of_results_is_too_large(void **state)
{
    struct stk_buffer body = {0};
    struct stk_buffer out = {0};
    (void)state;

    while (body.length < STK_SIGN_MESSAGE_MAX - 16)
        put_bytes(1, "", 0, &body);
    put_bytes(13, body.data, body.length, &out);
    trial_expect(&codec_response, view(&out), STIRKEEP_TOO_LARGE, "empty results", "batch");
    stk_buffer_free(&body);
    stk_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_arrive_in_their_places),
        cmocka_unit_test(an_answer_within_its_bound_is_sent_whatever_is_refused),
        cmocka_unit_test(the_bound_is_no_less_than_the_answer_and_little_more),
        cmocka_unit_test(a_batch_of_64_plain_identities_fits),
        cmocka_unit_test(messages_of_refused_ones_are_cut_to_the_room_there_is),
        cmocka_unit_test(a_result_is_a_signature_or_a_refusal),
        cmocka_unit_test(a_signature_in_a_batch_is_checked_as_one_alone),
        cmocka_unit_test(a_message_full_of_results_is_too_large),
    };

    return cmocka_run_group_tests_name("wire-results", tests, fill_texts, NULL);
}
