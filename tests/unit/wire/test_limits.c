/* SPDX-License-Identifier: BSD-2-Clause */
/* How much goes into one message to or from a client, and behind what is in the buffer already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"
#include "trial.h"
#include "wire/frame.h"
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

/* ---- one text that takes all the room there is */

typedef enum stirkeep_status write_text(const char *text, struct stk_buffer *out);

static enum stirkeep_status write_sign(const char *text, struct stk_buffer *out)
{
    const struct stk_claims_input claims = {.orig_tn = text};
    const struct stk_signing_input signing = {.name = "name", .claims = &claims};

    return stk_request_encode_sign(1, 0, &signing, out);
}

static enum stirkeep_status write_list(const char *text, struct stk_buffer *out)
{
    return stk_request_encode_list(1, text, out);
}

static enum stirkeep_status write_pong(const char *text, struct stk_buffer *out)
{
    const struct stk_response_pong pong = {.detail = text};

    return stk_response_encode_pong(1, &pong, out);
}

static enum stirkeep_status write_error(const char *text, struct stk_buffer *out)
{
    return stk_response_encode_error(1, STIRKEEP_INTERNAL, text, out);
}

static enum stirkeep_status write_signed(const char *text, struct stk_buffer *out)
{
    const struct stk_response_signed body = {
        .identity = {(const uint8_t *)text, strlen(text)}, .passport_length = 1, .origid = ""};

    return stk_response_encode_signed(1, &body, out);
}

/* The message's length with a text so long; 0 when it is too large. */
static size_t length_with(write_text *write, char *text, size_t length)
{
    static const char before[] = "before";
    struct stk_buffer out = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    assert_int_equal(stk_buffer_add(&out, before, sizeof(before)), STIRKEEP_OK);
    text[length] = '\0';
    status = write(text, &out);
    text[length] = 'x';
    length = out.length - sizeof(before);
    if (status == STIRKEEP_OK) {
        struct stk_bytes message = {0};
        size_t taken = 0;

        assert_int_equal(stk_frame_next(out.data + sizeof(before), length, STK_SIGN_MESSAGE_MAX,
                                        &message, &taken),
                         STK_FRAME_WHOLE);
        assert_int_equal(taken, length);
        length = message.length;
    } else {
        assert_int_equal(status, STIRKEEP_TOO_LARGE);
        assert_int_equal(length, 0);
    }
    assert_memory_equal(out.data, before, sizeof(before));
    stk_buffer_free(&out);
    return length;
}

static void a_message_is_sent_up_to_the_limit_exactly(void **state)
{
    static write_text *const writers[] = {write_sign, write_list, write_pong, write_error,
                                          write_signed};
    const size_t start = STK_SIGN_MESSAGE_MAX - 4096;
    char *text = malloc(STK_SIGN_MESSAGE_MAX + 1);
    (void)state;

    assert_non_null(text);
    memset(text, 'x', STK_SIGN_MESSAGE_MAX + 1);
    for (size_t i = 0; i < COUNT(writers); i++) {
        size_t over = length_with(writers[i], text, start) - start;
        size_t most = STK_SIGN_MESSAGE_MAX - over;

        assert_int_equal(length_with(writers[i], text, most), STK_SIGN_MESSAGE_MAX);
        assert_int_equal(length_with(writers[i], text, most + 1), 0);
        assert_int_equal(length_with(writers[i], text, STK_SIGN_MESSAGE_MAX), 0);
    }
    free(text);
}

/* ---- lists */

#define CERTIFICATES (STK_LISTED_MAX + 2)

struct shelf {
    struct stk_certificate certificates[CERTIFICATES];
    const struct stk_certificate *pointers[CERTIFICATES];
};

/* All the same, of the shortest x5u or the longest. */
static struct shelf *shelf_new(size_t x5u_length)
{
    struct shelf *shelf = calloc(1, sizeof(*shelf));

    assert_non_null(shelf);
    for (size_t i = 0; i < CERTIFICATES; i++) {
        struct stk_certificate *certificate = &shelf->certificates[i];

        fill_certificate(certificate, 4);
        memset(certificate->x5u, 'x', x5u_length);
        memcpy(certificate->x5u, "https://a/", 10);
        certificate->x5u[x5u_length] = '\0';
        shelf->pointers[i] = certificate;
    }
    return shelf;
}

static void expect_listed(const struct shelf *shelf, size_t count, bool more, size_t expected_count,
                          bool expected_more)
{
    struct stk_buffer out = {0};
    struct trial trial;

    assert_int_equal(stk_response_encode_list(1, shelf->pointers, count, more, &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_response, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.response.listed_count, expected_count);
    assert_int_equal(trial.value.response.more, expected_more);
    trial_end(&trial);
    stk_buffer_free(&out);
}

static void a_list_takes_its_most_and_tells_when_there_is_one_more(void **state)
{
    struct shelf *shelf = shelf_new(10);
    (void)state;

    expect_listed(shelf, STK_LISTED_MAX - 1, false, STK_LISTED_MAX - 1, false);
    expect_listed(shelf, STK_LISTED_MAX, false, STK_LISTED_MAX, false);
    expect_listed(shelf, STK_LISTED_MAX, true, STK_LISTED_MAX, true);
    expect_listed(shelf, STK_LISTED_MAX + 1, false, STK_LISTED_MAX, true);
    expect_listed(shelf, STK_LISTED_MAX + 2, false, STK_LISTED_MAX, true);
    free(shelf);
}

/* Whatever the length of the entries: the message holds what it can, and is never too large. */
static void a_list_wastes_less_than_an_entry(void **state)
{
    (void)state;

    for (size_t x5u_length = 300; x5u_length <= STK_X5U_MAX; x5u_length++) {
        struct shelf *shelf = shelf_new(x5u_length);
        struct stk_buffer out = {0};

        assert_int_equal(
            stk_response_encode_list(UINT64_MAX, shelf->pointers, CERTIFICATES, false, &out),
            STIRKEEP_OK);
        assert_true(out.length - STK_FRAME_HEADER <= STK_SIGN_MESSAGE_MAX);
        assert_true(out.length - STK_FRAME_HEADER > STK_SIGN_MESSAGE_MAX - x5u_length - 160);
        stk_buffer_free(&out);
        free(shelf);
    }
}

/* A connection's answers wait one behind the other in one buffer. */
static void a_list_is_as_long_behind_other_answers(void **state)
{
    struct shelf *shelf = shelf_new(STK_X5U_MAX);
    struct stk_buffer alone = {0};
    struct stk_buffer behind = {0};
    size_t before = 0;
    (void)state;

    assert_int_equal(stk_response_encode_list(1, shelf->pointers, CERTIFICATES, false, &alone),
                     STIRKEEP_OK);
    while (behind.length < STK_SIGN_MESSAGE_MAX)
        assert_int_equal(stk_response_encode_error(2, STIRKEEP_INTERNAL, "no", &behind),
                         STIRKEEP_OK);
    before = behind.length;
    assert_int_equal(stk_response_encode_list(1, shelf->pointers, CERTIFICATES, false, &behind),
                     STIRKEEP_OK);
    assert_int_equal(behind.length - before, alone.length);
    assert_memory_equal(behind.data + before, alone.data, alone.length);
    stk_buffer_free(&alone);
    stk_buffer_free(&behind);
    free(shelf);
}

/* ---- batches between rooms */

typedef enum stirkeep_status append_one(struct stk_buffer *out);

static enum stirkeep_status append_order(struct stk_buffer *out)
{
    struct stk_order order;

    fill_order(&order);
    return stk_order_append(&order, out);
}

static enum stirkeep_status append_refusal(struct stk_buffer *out)
{
    struct stk_refusal refusal;

    fill_refusal(&refusal);
    return stk_refusal_append(&refusal, out);
}

static enum stirkeep_status append_answer(struct stk_buffer *out)
{
    struct stk_answer answer;

    fill_answer(&answer);
    return stk_answer_append(&answer, out);
}

/* What finds no room goes into the next message; the one under way is sent as it is. */
static void a_batch_is_as_it_was_after_one_that_finds_no_room(void **state)
{
    static append_one *const appends[] = {append_order, append_refusal, append_answer};
    (void)state;

    for (size_t i = 0; i < COUNT(appends); i++) {
        struct stk_buffer whole = {0};

        assert_int_equal(appends[i](&whole), STIRKEEP_OK);
        for (size_t room = 0; room <= whole.length; room++) {
            struct stk_buffer batch = {.ceiling = whole.length + room};
            bool fits = room == whole.length;

            assert_int_equal(appends[i](&batch), STIRKEEP_OK);
            assert_int_equal(appends[i](&batch), fits ? STIRKEEP_OK : STIRKEEP_TOO_LARGE);
            assert_int_equal(batch.length, fits ? 2 * whole.length : whole.length);
            assert_memory_equal(batch.data, whole.data, whole.length);
            if (fits)
                assert_memory_equal(batch.data + whole.length, whole.data, whole.length);
            stk_buffer_free(&batch);
        }
        stk_buffer_free(&whole);
    }
}

/* The configuration gives it its name. */
static void a_grants_name_arrives_whole_up_to_its_limit(void **state)
{
    char grant[STK_GRANT_NAME_MAX + 2];
    (void)state;

    for (size_t length = STK_GRANT_NAME_MAX - 1; length <= STK_GRANT_NAME_MAX + 1; length++) {
        size_t kept = length < STK_GRANT_NAME_MAX ? length : STK_GRANT_NAME_MAX;
        struct stk_buffer out = {0};
        struct stk_order order;
        struct trial trial;

        memset(grant, 'g', sizeof(grant));
        grant[length] = '\0';
        fill_order(&order);
        order.grant = grant;
        assert_int_equal(stk_order_append(&order, &out), STIRKEEP_OK);
        trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
        assert_int_equal(trial.status, STIRKEEP_OK);
        assert_int_equal(trial.value.orders.orders.order_count, 1);
        assert_int_equal(strlen(trial.value.orders.orders.orders[0].grant), kept);
        assert_memory_equal(trial.value.orders.orders.orders[0].grant, grant, kept);
        trial_end(&trial);
        stk_buffer_free(&out);
    }
}

/* The file system gives it its name. */
static void an_executables_path_arrives_whole_up_to_its_limit_and_scrubbed(void **state)
{
    char path[STK_EXECUTABLE_MAX + 2];
    (void)state;

    for (size_t length = STK_EXECUTABLE_MAX - 1; length <= STK_EXECUTABLE_MAX + 1; length++) {
        size_t kept = length < STK_EXECUTABLE_MAX ? length : STK_EXECUTABLE_MAX;
        struct stk_buffer out = {0};
        struct stk_refusal refusal;
        struct stk_order order;
        struct trial trial;

        memset(path, 'p', sizeof(path));
        path[length] = '\0';
        path[1] = '\xff';
        fill_order(&order);
        fill_refusal(&refusal);
        order.executable = refusal.executable = path;
        assert_int_equal(stk_order_append(&order, &out), STIRKEEP_OK);
        assert_int_equal(stk_refusal_append(&refusal, &out), STIRKEEP_OK);
        trial_run(&trial, &codec_front_orders, view(&out), STK_DECODE_ARENA_MAX);
        assert_int_equal(trial.status, STIRKEEP_OK);
        assert_int_equal(trial.value.orders.orders.order_count, 1);
        assert_int_equal(strlen(trial.value.orders.orders.orders[0].executable), kept);
        assert_int_equal(trial.value.orders.orders.orders[0].executable[1], '?');
        assert_int_equal(strlen(trial.value.orders.orders.refusals[0].executable), kept);
        trial_end(&trial);
        stk_buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_sent_up_to_the_limit_exactly),
        cmocka_unit_test(a_list_takes_its_most_and_tells_when_there_is_one_more),
        cmocka_unit_test(a_list_wastes_less_than_an_entry),
        cmocka_unit_test(a_list_is_as_long_behind_other_answers),
        cmocka_unit_test(a_batch_is_as_it_was_after_one_that_finds_no_room),
        cmocka_unit_test(a_grants_name_arrives_whole_up_to_its_limit),
        cmocka_unit_test(an_executables_path_arrives_whole_up_to_its_limit_and_scrubbed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
