/* SPDX-License-Identifier: BSD-2-Clause */
/* What is sent to administrators and by them: how much, and with which bytes. */
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
#define BAD                                                                                        \
    "a\xff"                                                                                        \
    "b"
#define SCRUBBED "a?b"

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

static char *long_text(size_t length)
{
    char *text = malloc(length + 1);

    assert_non_null(text);
    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

static size_t admin_length(const struct stk_admin_request *request)
{
    struct stk_buffer out = {0};
    size_t length = 0;

    if (stk_admin_request_encode(request, &out) == STIRKEEP_OK)
        length = out.length - STK_FRAME_HEADER;
    stk_buffer_free(&out);
    return length;
}

/* Its texts are not held to their limits by the sender, but the message is. */
static void an_administrators_request_is_sent_up_to_the_limit_exactly(void **state)
{
    static const char *const names[] = {"admin import", "admin source removed", "admin list"};
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++) {
        union decoded value;
        struct stk_admin_request *request = &value.admin_request;
        char *text = long_text(STK_ADMIN_MESSAGE_MAX);
        size_t over = 0;

        sample_fill(sample_named(names[i]), &value);
        request->source = text;
        request->after = text;
        assert_int_equal(admin_length(request), 0);
        text[STK_ADMIN_MESSAGE_MAX - 4096] = '\0';
        over = admin_length(request) - (STK_ADMIN_MESSAGE_MAX - 4096);
        text[STK_ADMIN_MESSAGE_MAX - 4096] = 'x';
        text[STK_ADMIN_MESSAGE_MAX - over] = '\0';
        assert_int_equal(admin_length(request), STK_ADMIN_MESSAGE_MAX);
        text[STK_ADMIN_MESSAGE_MAX - over] = 'x';
        text[STK_ADMIN_MESSAGE_MAX - over + 1] = '\0';
        assert_int_equal(admin_length(request), 0);
        free(text);
    }
}

/* A file's name is any bytes; one that is not UTF-8 must not keep its key from being imported. */
static void a_source_with_any_bytes_is_sent(void **state)
{
    static const char *const names[] = {"admin import", "admin source removed"};
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++) {
        union decoded value;
        struct stk_buffer out = {0};
        struct trial trial;

        sample_fill(sample_named(names[i]), &value);
        value.admin_request.source = "/tmp/schl\xfcssel\xc3\xa4\xff.pem";
        assert_int_equal(stk_admin_request_encode(&value.admin_request, &out), STIRKEEP_OK);
        stk_buffer_drop(&out, STK_FRAME_HEADER);
        trial_run(&trial, &codec_admin_request, view(&out), STK_DECODE_ARENA_MAX);
        assert_int_equal(trial.status, STIRKEEP_OK);
        assert_string_equal(trial.value.admin_request.source, "/tmp/schl?ssel\xc3\xa4?.pem");
        trial_end(&trial);
        stk_buffer_free(&out);
    }
}

/* The length of the answer with so long a subject, 0 when it is too large. */
static size_t answer_length(struct stk_admin_response *response, char *subject, size_t length)
{
    struct stk_generation generation = response->generations[0];
    struct stk_admin_response copy = *response;
    struct stk_buffer out = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    subject[length] = '\0';
    generation.subject = subject;
    copy.generations = &generation;
    copy.generation_count = 1;
    status = stk_admin_response_encode(&copy, &out);
    subject[length] = 'x';
    length = status == STIRKEEP_OK ? out.length - STK_FRAME_HEADER : 0;
    if (status != STIRKEEP_OK)
        assert_int_equal(out.length, 0);
    stk_buffer_free(&out);
    return length;
}

static void an_answer_is_sent_up_to_the_limit_exactly(void **state)
{
    static const char *const names[] = {"answered list", "answered show"};
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++) {
        const size_t start = STK_ADMIN_MESSAGE_MAX - 4096;
        char *subject = long_text(STK_ADMIN_MESSAGE_MAX);
        union decoded value;
        size_t over = 0;

        sample_fill(sample_named(names[i]), &value);
        over = answer_length(&value.admin_response, subject, start) - start;
        assert_int_equal(
            answer_length(&value.admin_response, subject, STK_ADMIN_MESSAGE_MAX - over),
            STK_ADMIN_MESSAGE_MAX);
        assert_int_equal(
            answer_length(&value.admin_response, subject, STK_ADMIN_MESSAGE_MAX - over + 1), 0);
        free(subject);
    }
}

/* Send and take an answer; what it holds is in the trial. */
static const struct stk_admin_response *pass_on(const struct stk_admin_response *response,
                                                struct stk_buffer *out, struct trial *trial)
{
    out->length = 0;
    assert_int_equal(stk_admin_response_encode(response, out), STIRKEEP_OK);
    trial_run(trial, &codec_admin_response,
              (struct stk_bytes){out->data + STK_FRAME_HEADER, out->length - STK_FRAME_HEADER},
              STK_DECODE_ARENA_MAX);
    if (trial->status != STIRKEEP_OK)
        fail_msg("%s", trial->error.message);
    return &trial->value.admin_response;
}

/* A token's label, a certificate's subject, the system's words: none keeps an answer from being
 * read. */
static void words_of_any_bytes_are_sent_in_every_answer(void **state)
{
    static const char *const warnings[] = {BAD, "as it was"};
    const struct stk_admin_response *taken = NULL;
    struct stk_buffer out = {0};
    union decoded value;
    struct trial trial;
    (void)state;

    sample_fill(sample_named("answered wrapping key"), &value);
    value.admin_response.token_label = BAD;
    taken = pass_on(&value.admin_response, &out, &trial);
    assert_string_equal(taken->token_label, SCRUBBED);
    trial_end(&trial);

    sample_fill(sample_named("answered import"), &value);
    value.admin_response.warnings = warnings;
    value.admin_response.warning_count = COUNT(warnings);
    taken = pass_on(&value.admin_response, &out, &trial);
    assert_int_equal(taken->warning_count, COUNT(warnings));
    assert_string_equal(taken->warnings[0], SCRUBBED);
    assert_string_equal(taken->warnings[1], warnings[1]);
    trial_end(&trial);

    sample_fill(sample_named("answered status"), &value);
    value.admin_response.service.token_label = BAD;
    value.admin_response.service.detail = BAD;
    taken = pass_on(&value.admin_response, &out, &trial);
    assert_string_equal(taken->service.token_label, SCRUBBED);
    assert_string_equal(taken->service.detail, SCRUBBED);
    trial_end(&trial);

    sample_fill(sample_named("answered error"), &value);
    value.admin_response.message = BAD;
    taken = pass_on(&value.admin_response, &out, &trial);
    assert_string_equal(taken->message, SCRUBBED);
    trial_end(&trial);
    stk_buffer_free(&out);
}

/* Beside lists, too, where the message is written before the body. */
static void the_message_beside_a_list_is_scrubbed(void **state)
{
    static const char *const names[] = {"answered list", "answered show"};
    struct stk_buffer out = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++) {
        const struct stk_admin_response *taken = NULL;
        union decoded value;
        struct trial trial;

        sample_fill(sample_named(names[i]), &value);
        value.admin_response.message = BAD;
        taken = pass_on(&value.admin_response, &out, &trial);
        assert_string_equal(taken->message, SCRUBBED);
        assert_true(taken->generation_count > 0);
        trial_end(&trial);
    }
    stk_buffer_free(&out);
}

/* A name whose certificates were lost is shown all the same. */
static void a_name_can_be_shown_without_its_chain(void **state)
{
    const struct stk_admin_response *taken = NULL;
    struct stk_buffer out = {0};
    union decoded value;
    struct trial trial;
    (void)state;

    sample_fill(sample_named("answered show"), &value);
    value.admin_response.chain_count = 0;
    taken = pass_on(&value.admin_response, &out, &trial);
    assert_int_equal(taken->chain_count, 0);
    assert_int_equal(taken->generation_count, value.admin_response.generation_count);
    trial_end(&trial);
    stk_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_administrators_request_is_sent_up_to_the_limit_exactly),
        cmocka_unit_test(an_answer_is_sent_up_to_the_limit_exactly),
        cmocka_unit_test(a_source_with_any_bytes_is_sent),
        cmocka_unit_test(words_of_any_bytes_are_sent_in_every_answer),
        cmocka_unit_test(the_message_beside_a_list_is_scrubbed),
        cmocka_unit_test(a_name_can_be_shown_without_its_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
