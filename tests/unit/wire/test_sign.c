/* SPDX-License-Identifier: BSD-2-Clause */
/* sign.sock: the limits of requests and answers, and what is told of a request that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"
#include "surgery.h"
#include "trial.h"
#include "wire/frame.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

/* `length` times `c`; the caller's to free. */
static char *text_of(size_t length, char c)
{
    char *text = malloc(length + 1);

    assert_non_null(text);
    memset(text, c, length);
    text[length] = '\0';
    return text;
}

static struct stk_claims_input good_claims(void)
{
    static const char *const dest[] = {"12155551213"};

    return (struct stk_claims_input){.ppt = "shaken",
                                     .orig_tn = "12155551212",
                                     .dest_tn = dest,
                                     .dest_tn_count = 1,
                                     .attest = "A"};
}

/* What the service makes of a request to sign; the trial is the caller's to end. */
static void sign_trial(struct trial *trial, const char *name, const struct stk_claims_input *claims)
{
    const struct stk_signing_input signing = {.name = name, .claims = claims};
    struct stk_buffer out = {0};

    assert_int_equal(stk_request_encode_sign(7, 0, &signing, &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(trial, &codec_request, view(&out), STK_DECODE_ARENA_MAX);
    stk_buffer_free(&out);
}

static void expect_sign(enum stirkeep_status expected, const char *words, const char *name,
                        const struct stk_claims_input *claims)
{
    struct trial trial;

    sign_trial(&trial, name, claims);
    if (trial.status != expected || strstr(trial.error.message, words) == NULL)
        fail_msg("expected %s with \"%s\": %s, \"%s\"", stirkeep_status_name(expected), words,
                 stirkeep_status_name(trial.status), trial.error.message);
    trial_end(&trial);
}

static void a_name_has_1_to_64_characters(void **state)
{
    struct stk_claims_input claims = good_claims();
    char *longest = text_of(STK_NAME_MAX, 'n');
    char *longer = text_of(STK_NAME_MAX + 1, 'n');
    (void)state;

    expect_sign(STIRKEEP_OK, "", longest, &claims);
    expect_sign(STIRKEEP_INVALID, "certificate name", longer, &claims);
    expect_sign(STIRKEEP_INVALID, "certificate name", "", &claims);
    expect_sign(STIRKEEP_INVALID, "certificate name", "a/b", &claims);
    free(longest);
    free(longer);
}

static void claims_are_checked_where_they_enter(void **state)
{
    struct stk_claims_input claims = good_claims();
    (void)state;

    claims.ppt = "no name";
    expect_sign(STIRKEEP_UNSUPPORTED, "ppt", "name", &claims);
    claims = good_claims();
    claims.attest = "";
    expect_sign(STIRKEEP_INVALID, "attest", "name", &claims);
    claims = good_claims();
    claims.iat = -1;
    expect_sign(STIRKEEP_INVALID, "iat", "name", &claims);
    claims = good_claims();
    claims.orig_uri = "sip:a@b.example";
    expect_sign(STIRKEEP_INVALID, "orig", "name", &claims);
    claims = good_claims();
    claims.origid = "no uuid";
    expect_sign(STIRKEEP_INVALID, "origid", "name", &claims);
    claims = good_claims();
    claims.dest_tn_count = 0;
    expect_sign(STIRKEEP_INVALID, "dest", "name", &claims);
}

static void destinations_are_1_to_32_in_all(void **state)
{
    struct stk_claims_input claims = good_claims();
    const char *dest[STK_DEST_MAX + 1];
    const char *uri[] = {"sip:a@b.example"};
    char numbers[STK_DEST_MAX + 1][16];
    (void)state;

    for (size_t i = 0; i <= STK_DEST_MAX; i++) {
        (void)snprintf(numbers[i], sizeof(numbers[i]), "1215555%04zu", i);
        dest[i] = numbers[i];
    }
    claims.dest_tn = dest;
    claims.dest_tn_count = STK_DEST_MAX;
    expect_sign(STIRKEEP_OK, "", "name", &claims);
    claims.dest_uri = uri;
    claims.dest_uri_count = 1;
    expect_sign(STIRKEEP_INVALID, "dest: more than 32", "name", &claims);
    claims.dest_uri_count = 0;
    claims.dest_tn_count = STK_DEST_MAX + 1;
    expect_sign(STIRKEEP_INVALID, "dest: more than 32", "name", &claims);
}

static void a_request_without_claims_is_invalid(void **state)
{
    struct stk_buffer sign = {0};
    struct stk_buffer message = {0};
    struct trial trial;
    (void)state;

    put_bytes(1, "name", 4, &sign);
    put_number(1, 7, &message);
    put_bytes(10, sign.data, sign.length, &message);
    trial_run(&trial, &codec_request, view(&message), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_INVALID);
    assert_string_equal(trial.error.message, "claims: missing");
    assert_string_equal(trial.value.sign.sketch.name, "name");
    assert_int_equal(trial.value.sign.request.id, 7);
    trial_end(&trial);
    stk_buffer_free(&sign);
    stk_buffer_free(&message);
}

static void a_list_goes_on_behind_a_name_only(void **state)
{
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    assert_int_equal(stk_request_encode_list(7, "not a name", &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_expect(&codec_request, view(&out), STIRKEEP_INVALID, "not a name", "after");
    stk_buffer_free(&out);
    assert_int_equal(stk_request_encode_list(7, "", &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_request, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_string_equal(trial.value.sign.request.after, "");
    trial_end(&trial);
    stk_buffer_free(&out);
}

static void what_is_refused_is_sketched_for_the_trail(void **state)
{
    struct stk_claims_input claims = good_claims();
    const struct stk_request_sketch *sketch = NULL;
    struct trial trial;
    (void)state;

    claims.attest = "X";
    claims.origid = "o";
    sign_trial(&trial, "name", &claims);
    sketch = &trial.value.sign.sketch;
    assert_int_equal(trial.status, STIRKEEP_INVALID);
    assert_string_equal(sketch->name, "name");
    assert_string_equal(sketch->ppt, "shaken");
    assert_string_equal(sketch->orig, "12155551212");
    assert_string_equal(sketch->dest, "12155551213");
    assert_string_equal(sketch->attest, "X");
    assert_string_equal(sketch->origid, "o");
    trial_end(&trial);
}

static void a_sketch_is_cut_to_its_limits_and_valid_even_there(void **state)
{
    struct stk_claims_input claims = good_claims();
    char *name = text_of(STK_NAME_MAX + 10, 'n');
    char *uri = text_of(STK_URI_MAX + 10, 'u');
    const char *const uris[] = {uri};
    const struct stk_request_sketch *sketch = NULL;
    struct trial trial;
    (void)state;

    memcpy(name + STK_NAME_MAX - 1, "\xc3\xa9", 2); /* a character that the limit cuts in two */
    claims.orig_tn = NULL;
    claims.orig_uri = uri;
    claims.dest_tn_count = 0;
    claims.dest_uri = uris;
    claims.dest_uri_count = 1;
    claims.ppt = "a name that is longer than sixteen";
    sign_trial(&trial, name, &claims);
    sketch = &trial.value.sign.sketch;
    assert_int_equal(trial.status, STIRKEEP_INVALID);
    assert_int_equal(strlen(sketch->name), STK_NAME_MAX);
    assert_int_equal(sketch->name[STK_NAME_MAX - 1], '?');
    assert_int_equal(strlen(sketch->orig), STK_URI_MAX);
    assert_int_equal(strlen(sketch->dest), STK_URI_MAX);
    assert_int_equal(strlen(sketch->ppt), STK_PPT_MAX);
    trial_end(&trial);
    free(name);
    free(uri);
}

/* Such a sketch would make the keeper drop the whole message with the refusals of others. */
static void a_sketch_is_valid_behind_two_faults_at_once(void **state)
{
    struct stk_buffer sign = {0};
    struct stk_buffer message = {0};
    struct trial trial;
    (void)state;

    put_field(99, 0, &sign); /* not known: found first */
    put_bytes(1, "\xff\xfe", 2, &sign);
    put_bytes(10, sign.data, sign.length, &message);
    trial_run(&trial, &codec_request, view(&message), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_UNSUPPORTED);
    assert_string_equal(trial.value.sign.sketch.name, "??");
    trial_end(&trial);
    stk_buffer_free(&sign);
    stk_buffer_free(&message);
}

/* No more is made of its bytes than the id. */
static void a_malformed_request_is_not_sketched(void **state)
{
    struct stk_buffer sign = {0};
    struct stk_buffer message = {0};
    struct trial trial;
    (void)state;

    put_number(1, 7, &message);
    put_bytes(1, "name", 4, &sign);
    put_bytes(1, "name", 4, &sign);
    put_bytes(10, sign.data, sign.length, &message);
    trial_run(&trial, &codec_request, view(&message), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_MALFORMED);
    assert_int_equal(trial.value.sign.request.id, 7);
    assert_string_equal(trial.value.sign.sketch.name, "");
    assert_int_equal(trial.arena.used, 0);
    trial_end(&trial);
    stk_buffer_free(&sign);
    stk_buffer_free(&message);
}

static void the_longest_request_fits_a_message_and_a_longer_one_is_not_sent(void **state)
{
    struct stk_claims_input claims = good_claims();
    const struct stk_signing_input signing = {.name = "name", .claims = &claims};
    struct stk_buffer out = {0};
    char *text = text_of(STK_SIGN_MESSAGE_MAX, 'x');
    (void)state;

    claims.origid = text;
    assert_int_equal(stk_request_encode_sign(7, 0, &signing, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 0);
    text[STK_SIGN_MESSAGE_MAX - 100] = '\0';
    assert_int_equal(stk_request_encode_sign(7, 0, &signing, &out), STIRKEEP_OK);
    stk_buffer_free(&out);
    free(text);
}

/* ---- answers */

static enum stirkeep_status signed_status(size_t length, uint32_t passport_length,
                                          const char *origid)
{
    char *identity = text_of(length, 'i');
    const struct stk_response_signed body = {.identity = {(uint8_t *)identity, length},
                                             .passport_length = passport_length,
                                             .origid = origid};
    struct stk_buffer out = {0};
    enum stirkeep_status status = stk_response_encode_signed(7, &body, &out);

    if (status == STIRKEEP_OK) {
        stk_buffer_drop(&out, STK_FRAME_HEADER);
        status = trial_status(&codec_response, view(&out));
    }
    stk_buffer_free(&out);
    free(identity);
    return status;
}

static void an_identity_has_limits_and_the_passport_is_inside_it(void **state)
{
    (void)state;

    assert_int_equal(signed_status(STK_IDENTITY_MAX, STK_IDENTITY_MAX, ""), STIRKEEP_OK);
    assert_int_equal(signed_status(STK_IDENTITY_MAX + 1, 10, ""), STIRKEEP_INVALID);
    assert_int_equal(signed_status(STK_SIGN_MESSAGE_MAX, 10, ""), STIRKEEP_TOO_LARGE);
    assert_int_equal(signed_status(10, 11, ""), STIRKEEP_INVALID);
    assert_int_equal(signed_status(10, 0, ""), STIRKEEP_INVALID);
    assert_int_equal(signed_status(0, 0, ""), STIRKEEP_INVALID);
    assert_int_equal(signed_status(10, 5, SAMPLE_ORIGID), STIRKEEP_OK);
    assert_int_equal(signed_status(10, 5, SAMPLE_ORIGID "0"), STIRKEEP_TOO_LARGE);
}

/* A client puts it into a SIP message as it comes. */
static void an_identity_is_printable_ascii_and_has_no_line_ends(void **state)
{
    static const char *const refused[] = {"eyJ\r\nVia: x", "eyJ\n",       "\teyJ",
                                          "eyJ\x7f",       "eyJ\xc3\xa9", "\x1b[2JeyJ"};
    static const char *const taken[] = {"eyJ.eyJ.x;info=<https://x/c.pem>;alg=ES256", " ~"};
    (void)state;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]) + 2; i++) {
        const size_t refusals = sizeof(refused) / sizeof(refused[0]);
        const char *text = i < refusals ? refused[i] : taken[i - refusals];
        const struct stk_response_signed body = {
            .identity = {(const uint8_t *)text, strlen(text)}, .passport_length = 1, .origid = ""};
        struct stk_buffer out = {0};

        assert_int_equal(stk_response_encode_signed(7, &body, &out), STIRKEEP_OK);
        stk_buffer_drop(&out, STK_FRAME_HEADER);
        assert_int_equal(trial_status(&codec_response, view(&out)),
                         i < refusals ? STIRKEEP_INVALID : STIRKEEP_OK);
        stk_buffer_free(&out);
    }
}

static void a_status_that_is_not_known_counts_as_internal(void **state)
{
    static const uint32_t numbers[] = {STIRKEEP_STATUS_COUNT, 1000, UINT32_MAX};
    (void)state;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct stk_buffer message = {0};
        struct trial trial;

        put_number(1, 7, &message);
        put_number(2, numbers[i], &message);
        trial_run(&trial, &codec_response, view(&message), STK_DECODE_ARENA_MAX);
        assert_int_equal(trial.status, STIRKEEP_OK);
        assert_int_equal(trial.value.response.status, STIRKEEP_INTERNAL);
        assert_int_equal(trial.value.response.kind, STK_RESPONSE_ERROR);
        trial_end(&trial);
        stk_buffer_free(&message);
    }
}

/* A client must not take the body beside an error for a success. */
static void a_body_beside_an_error_does_not_count(void **state)
{
    struct stk_buffer message = {0};
    struct trial trial;
    (void)state;

    sample_encode(sample_named("signed"), &message);
    put_number(2, STIRKEEP_DEADLINE, &message);
    trial_run(&trial, &codec_response, view(&message), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.response.status, STIRKEEP_DEADLINE);
    assert_int_equal(trial.value.response.kind, STK_RESPONSE_ERROR);
    assert_int_equal(trial.value.response.signed_.identity.length, 0);
    trial_end(&trial);
    stk_buffer_free(&message);
}

static void words_in_answers_are_scrubbed(void **state)
{
    const struct stk_response_pong pong = {.version = "1\xff", .detail = "\xc3(token)"};
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    assert_int_equal(stk_response_encode_error(7, STIRKEEP_INVALID, "bad \xff\xfe text", &out),
                     STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_response, view(&out), STK_DECODE_ARENA_MAX);
    assert_string_equal(trial.value.response.message, "bad ?? text");
    trial_end(&trial);
    out.length = 0;
    assert_int_equal(stk_response_encode_pong(7, &pong, &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_response, view(&out), STK_DECODE_ARENA_MAX);
    assert_string_equal(trial.value.response.pong.version, "1?");
    assert_string_equal(trial.value.response.pong.detail, "?(token)");
    trial_end(&trial);
    stk_buffer_free(&out);
}

enum { CERTIFICATES = STK_LISTED_MAX + 10 };

/* A list of many certificates, each with an x5u of so many characters, as a client reads it. */
static void list_of(size_t x5u_length, size_t *ret_count, bool *ret_more)
{
    struct stk_certificate *certificates = calloc(CERTIFICATES, sizeof(*certificates));
    const struct stk_certificate **pointers = calloc(CERTIFICATES, sizeof(const void *));
    struct stk_buffer out = {0};
    struct trial trial;

    assert_non_null(certificates);
    assert_non_null(pointers);
    for (size_t i = 0; i < CERTIFICATES; i++) {
        struct stk_certificate *certificate = &certificates[i];

        fill_certificate(certificate, 4);
        memset(certificate->x5u, 'x', x5u_length);
        memcpy(certificate->x5u, "https://a/", strlen("https://a/"));
        certificate->x5u[x5u_length] = '\0';
        (void)snprintf(certificate->name.text, sizeof(certificate->name.text), "%zu", i);
        pointers[i] = certificate;
    }
    assert_int_equal(stk_response_encode_list(7, pointers, CERTIFICATES, false, &out), STIRKEEP_OK);
    assert_true(out.length <= STK_FRAME_HEADER + STK_SIGN_MESSAGE_MAX);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_response, view(&out), STK_DECODE_ARENA_MAX);
    if (trial.status != STIRKEEP_OK)
        fail_msg("%s", trial.error.message);
    *ret_count = trial.value.response.listed_count;
    *ret_more = trial.value.response.more;
    for (size_t i = 0; i < *ret_count; i++)
        assert_int_equal(strtoul(trial.value.response.listed[i].name.text, NULL, 10), i);
    trial_end(&trial);
    stk_buffer_free(&out);
    free(certificates);
    free(pointers);
}

static void a_list_that_does_not_fit_tells_that_there_is_more(void **state)
{
    size_t count = 0;
    bool more = false;
    (void)state;

    list_of(STK_X5U_MAX, &count, &more);
    assert_true(more);
    assert_true(count >= 64 && count < 128);
}

static void no_list_is_too_much_for_a_clients_memory(void **state)
{
    (void)state;

    for (size_t length = strlen("https://a/"); length <= STK_X5U_MAX; length++) {
        size_t count = 0;
        bool more = false;

        list_of(length, &count, &more);
        assert_true(more);
        assert_true(count >= 64 && count <= STK_LISTED_MAX);
    }
}

static void a_list_may_be_empty(void **state)
{
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    assert_int_equal(stk_response_encode_list(7, NULL, 0, false, &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_response, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.response.kind, STK_RESPONSE_LISTED);
    assert_int_equal(trial.value.response.listed_count, 0);
    assert_false(trial.value.response.more);
    trial_end(&trial);
    stk_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_1_to_64_characters),
        cmocka_unit_test(claims_are_checked_where_they_enter),
        cmocka_unit_test(destinations_are_1_to_32_in_all),
        cmocka_unit_test(a_request_without_claims_is_invalid),
        cmocka_unit_test(a_list_goes_on_behind_a_name_only),
        cmocka_unit_test(what_is_refused_is_sketched_for_the_trail),
        cmocka_unit_test(a_sketch_is_cut_to_its_limits_and_valid_even_there),
        cmocka_unit_test(a_sketch_is_valid_behind_two_faults_at_once),
        cmocka_unit_test(a_malformed_request_is_not_sketched),
        cmocka_unit_test(the_longest_request_fits_a_message_and_a_longer_one_is_not_sent),
        cmocka_unit_test(an_identity_has_limits_and_the_passport_is_inside_it),
        cmocka_unit_test(an_identity_is_printable_ascii_and_has_no_line_ends),
        cmocka_unit_test(a_status_that_is_not_known_counts_as_internal),
        cmocka_unit_test(a_body_beside_an_error_does_not_count),
        cmocka_unit_test(words_in_answers_are_scrubbed),
        cmocka_unit_test(a_list_that_does_not_fit_tells_that_there_is_more),
        cmocka_unit_test(no_list_is_too_much_for_a_clients_memory),
        cmocka_unit_test(a_list_may_be_empty),
    };

    return cmocka_run_group_tests_name("wire-sign", tests, NULL, NULL);
}
