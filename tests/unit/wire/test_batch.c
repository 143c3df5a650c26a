/* SPDX-License-Identifier: BSD-2-Clause */
/* Several PASSporTs in one request, and inputs: how many, what of a refused one, how much memory. */
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

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const dest[] = {"12155551213"};
static const struct stk_claims_input good = {
    .ppt = "shaken", .orig_tn = "12155551212", .dest_tn = dest, .dest_tn_count = 1, .attest = "A"};
static const struct stk_claims_input bad = {
    .ppt = "shaken", .orig_tn = "12155559999", .dest_tn = dest, .dest_tn_count = 1, .attest = "D"};

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

/* What the service makes of a batch; the trial is the caller's to end. */
static const struct stk_request *
batch_trial(struct trial *trial, const struct stk_signing_input *signings, size_t count, bool whole)
{
    struct stk_buffer out = {0};

    assert_int_equal(stk_request_encode_batch(7, 250, signings, count, whole, &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(trial, &codec_request, view(&out), STK_DECODE_ARENA_MAX);
    stk_buffer_free(&out);
    return &trial->value.sign.request;
}

static void signings_arrive_in_their_places(void **state)
{
    const struct stk_signing_input signings[] = {
        {.name = "Alpha", .claims = &good},
        {.name = "Beta", .header = "{\"alg\":\"ES256\"}", .payload = "{}"},
        {.name = "Gamma", .claims = &good}};
    const struct stk_request *request = NULL;
    struct trial trial;
    (void)state;

    request = batch_trial(&trial, signings, COUNT(signings), true);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(request->id, 7);
    assert_int_equal(request->deadline_ms, 250);
    assert_int_equal(request->kind, STK_REQUEST_BATCH);
    assert_true(request->whole);
    assert_int_equal(request->signing_count, 3);
    for (size_t i = 0; i < COUNT(signings); i++) {
        assert_string_equal(request->signings[i].name.text, signings[i].name);
        assert_string_equal(request->signings[i].sketch.name, signings[i].name);
        assert_int_equal(request->signings[i].status, STIRKEEP_OK);
        assert_string_equal(request->signings[i].reason, "");
        assert_int_equal(request->signings[i].is_input, i == 1);
    }
    assert_int_equal(request->signings[1].header.length, 15);
    assert_memory_equal(request->signings[1].header.data, signings[1].header, 15);
    assert_int_equal(request->signings[1].payload.length, 2);
    assert_memory_equal(request->signings[1].payload.data, "{}", 2);
    assert_string_equal(request->signings[1].sketch.orig, "");
    assert_string_equal(request->signings[2].claims.orig_tn, "12155551212");
    assert_string_equal(request->signings[2].sketch.attest, "A");
    assert_string_equal(trial.value.sign.sketch.name, "Alpha");
    trial_end(&trial);
}

static void a_batch_has_1_to_64_to_sign(void **state)
{
    static struct stk_signing_input signings[STK_SIGNINGS_MAX + 1];
    static const struct {
        size_t count;
        enum stirkeep_status status;
    } cases[] = {{0, STIRKEEP_INVALID},
                 {1, STIRKEEP_OK},
                 {STK_SIGNINGS_MAX, STIRKEEP_OK},
                 {STK_SIGNINGS_MAX + 1, STIRKEEP_TOO_LARGE}};
    (void)state;

    for (size_t i = 0; i <= STK_SIGNINGS_MAX; i++)
        signings[i] = (struct stk_signing_input){.name = "Alpha", .claims = &good};
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        struct trial trial;
        const struct stk_request *request =
            batch_trial(&trial, signings, cases[i / 2].count, i % 2 == 0);

        if (trial.status != cases[i / 2].status)
            fail_msg("%zu: %s", cases[i / 2].count, trial.error.message);
        if (trial.status == STIRKEEP_OK)
            assert_int_equal(request->signing_count, cases[i / 2].count);
        else
            assert_int_equal(strncmp(trial.error.message, "batch: ", 7), 0);
        trial_end(&trial);
    }
}

/* ---- one that is refused */

static void of_a_whole_batch_the_first_that_is_refused_is_told_with_its_place(void **state)
{
    const struct stk_claims_input worse = {.ppt = "no type", .orig_tn = "1"};
    const struct stk_signing_input signings[] = {{.name = "Alpha", .claims = &good},
                                                 {.name = "Alpha", .claims = &good},
                                                 {.name = "Alpha", .claims = &bad},
                                                 {.name = "Alpha", .claims = &worse}};
    struct trial trial;
    (void)state;

    (void)batch_trial(&trial, signings, COUNT(signings), true);
    assert_int_equal(trial.status, STIRKEEP_INVALID);
    assert_string_equal(trial.error.message, "sign[2]: attest: must be A, B or C");
    assert_int_equal(trial.value.sign.request.id, 7);
    assert_string_equal(trial.value.sign.sketch.orig, "12155559999");
    assert_string_equal(trial.value.sign.sketch.attest, "D");
    trial_end(&trial);
    (void)batch_trial(&trial, signings + 3, 1, true);
    assert_int_equal(trial.status, STIRKEEP_UNSUPPORTED);
    assert_int_equal(strncmp(trial.error.message, "sign[0]: ppt: ", 14), 0);
    trial_end(&trial);
}

static void of_a_batch_that_is_not_whole_each_has_its_own_status(void **state)
{
    const struct stk_claims_input unknown = {.ppt = "no type", .orig_tn = "1"};
    const struct stk_signing_input signings[] = {
        {.name = "Alpha", .claims = &bad},     {.name = "Alpha", .claims = &good},
        {.name = "../Alpha", .claims = &good}, {.name = "Alpha", .header = "", .payload = "{}"},
        {.name = "Alpha", .claims = &unknown}, {.name = "Alpha", .header = "{}", .payload = ""},
        {.name = "Omega", .claims = &good}};
    static const struct {
        enum stirkeep_status status;
        const char *words;
    } expected[] = {{STIRKEEP_INVALID, "attest: must be A, B or C"},
                    {STIRKEEP_OK, ""},
                    {STIRKEEP_INVALID, "certificate name: "},
                    {STIRKEEP_INVALID, "input.header: is empty"},
                    {STIRKEEP_UNSUPPORTED, "ppt: "},
                    {STIRKEEP_INVALID, "input.payload: is empty"},
                    {STIRKEEP_OK, ""}};
    const struct stk_request *request = NULL;
    struct trial trial;
    (void)state;

    request = batch_trial(&trial, signings, COUNT(signings), false);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_false(request->whole);
    for (size_t i = 0; i < COUNT(signings); i++) {
        assert_int_equal(request->signings[i].status, expected[i].status);
        assert_int_equal(
            strncmp(request->signings[i].reason, expected[i].words, strlen(expected[i].words)), 0);
        assert_string_equal(request->signings[i].sketch.name, signings[i].name);
    }
    assert_string_equal(request->signings[0].sketch.orig, "12155559999");
    assert_string_equal(request->signings[1].claims.orig_tn, "12155551212");
    assert_string_equal(request->signings[6].name.text, "Omega");
    trial_end(&trial);
}

/* The form is the message's: it is judged before anything in it is looked at. */
static void a_batch_of_bad_form_is_refused_as_one(void **state)
{
    static const char *const spoilt[] = {"\xff", NULL};
    const struct stk_signing_input signings[] = {{.name = "Alpha", .claims = &good},
                                                 {.name = "Beta\xff", .claims = &good}};
    (void)state;

    for (size_t i = 0; i < COUNT(spoilt); i++) {
        static struct spot spots[SPOTS_MAX];
        struct stk_buffer sent = {0};
        struct stk_buffer changed = {0};
        struct stk_buffer unknown = {0};
        struct trial trial;
        size_t count = 0;

        assert_int_equal(stk_request_encode_batch(7, 0, signings, 2 - i, false, &sent),
                         STIRKEEP_OK);
        stk_buffer_drop(&sent, STK_FRAME_HEADER);
        if (i == 0) {
            trial_run(&trial, &codec_request, view(&sent), STK_DECODE_ARENA_MAX);
            assert_int_equal(trial.status, STIRKEEP_INVALID);
        } else { /* a field of the future in each message of it */
            put_field(900, 0, &unknown);
            count = spots_find(codec_request.type, view(&sent), spots);
            for (size_t j = 0; j < count; j++) {
                if (spots[j].field != NULL || spots[j].depth == 0)
                    continue;
                spot_replace(codec_request.type, view(&sent), &spots[j], view(&unknown), &changed);
                trial_expect(&codec_request, view(&changed), STIRKEEP_UNSUPPORTED, "unknown",
                             spots[j].type->short_name);
                changed.length = 0;
            }
            trial_run(&trial, &codec_request, view(&sent), STK_DECODE_ARENA_MAX);
            assert_int_equal(trial.status, STIRKEEP_OK);
        }
        assert_string_equal(trial.value.sign.sketch.name, "Alpha");
        trial_end(&trial);
        stk_buffer_free(&sent);
        stk_buffer_free(&changed);
        stk_buffer_free(&unknown);
    }
}

/* ---- claims or an input */

/* A SignRequest with these of its parts, in a request of its own or as one of a batch. */
static void expect_parts(bool claims, bool input, enum stirkeep_status expected, const char *words)
{
    for (int in_batch = 0; in_batch < 2; in_batch++) {
        struct stk_buffer body = {0};
        struct stk_buffer batch = {0};
        struct stk_buffer message = {0};
        struct stk_buffer sign = {0};
        struct stk_bytes rest = {0};
        struct stk_wire_field field = {0};
        const struct stk_signing_input whole = {.name = "Alpha", .claims = &good};
        struct trial trial;

        assert_int_equal(stk_request_encode_sign(7, 0, &whole, &sign), STIRKEEP_OK);
        rest = (struct stk_bytes){sign.data + STK_FRAME_HEADER, sign.length - STK_FRAME_HEADER};
        while (field.number != 10)
            assert_true(stk_scan_cut(&rest, &field));
        rest = field.inside;
        while (rest.length > 0) {
            assert_true(stk_scan_cut(&rest, &field));
            if (field.number == 1 || claims)
                put_bytes(field.number, field.inside.data, field.inside.length, &body);
        }
        if (input)
            put_bytes(3, "\x0a\x01h\x12\x01p", 6, &body);
        put_bytes(1, body.data, body.length, &batch);
        put_number(1, 7, &message);
        put_bytes(in_batch ? 13 : 10, in_batch ? batch.data : body.data,
                  in_batch ? batch.length : body.length, &message);
        trial_run(&trial, &codec_request, view(&message), STK_DECODE_ARENA_MAX);
        if (expected == STIRKEEP_OK || !in_batch) {
            assert_int_equal(trial.status, expected);
            if (expected != STIRKEEP_OK)
                assert_string_equal(trial.error.message, words);
        } else {
            assert_int_equal(trial.status, STIRKEEP_OK);
            assert_int_equal(trial.value.sign.request.signings[0].status, expected);
            assert_string_equal(trial.value.sign.request.signings[0].reason, words);
        }
        trial_end(&trial);
        stk_buffer_free(&body);
        stk_buffer_free(&batch);
        stk_buffer_free(&message);
        stk_buffer_free(&sign);
    }
}

static void a_request_has_claims_or_an_input(void **state)
{
    (void)state;

    expect_parts(true, false, STIRKEEP_OK, "");
    expect_parts(false, true, STIRKEEP_OK, "");
    expect_parts(true, true, STIRKEEP_INVALID, "input: beside claims, one is allowed");
    expect_parts(false, false, STIRKEEP_INVALID, "claims: missing");
}

/* Its bytes are taken as they are; what they are worth is judged where they are read. */
static void an_input_may_be_as_long_as_a_message(void **state)
{
    char *payload = malloc(STK_SIGN_MESSAGE_MAX);
    const struct stk_signing_input input = {.name = "Alpha", .header = "{}", .payload = payload};
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    assert_non_null(payload);
    memset(payload, '{', STK_SIGN_MESSAGE_MAX - 64);
    payload[STK_SIGN_MESSAGE_MAX - 64] = '\0';
    assert_int_equal(stk_request_encode_sign(7, 0, &input, &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_request, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.sign.request.signings[0].payload.length,
                     STK_SIGN_MESSAGE_MAX - 64);
    trial_end(&trial);
    out.length = 0;
    memset(payload, '{', STK_SIGN_MESSAGE_MAX - 1);
    payload[STK_SIGN_MESSAGE_MAX - 1] = '\0';
    assert_int_equal(stk_request_encode_sign(7, 0, &input, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 0);
    stk_buffer_free(&out);
    free(payload);
}

/* ---- memory */

/* A number's array of digits: the shortest JSON for the most values. */
static char *dense_json(size_t length)
{
    char *text = malloc(length + 1);
    size_t at = 0;

    assert_non_null(text);
    at = (size_t)sprintf(text, "{\"a\":[1");
    while (at + 4 < length) {
        text[at++] = ',';
        text[at++] = '1';
    }
    (void)strcpy(text + at, "]}");
    return text;
}

/* One that asks for more memory than there is leaves the others theirs. */
static void one_that_takes_too_much_costs_the_others_nothing(void **state)
{
    char *json = dense_json(15 * 1024);
    const struct stk_claims_input heavy = {
        .ppt = "heavy", .orig_tn = "1", .dest_tn = dest, .dest_tn_count = 1, .other = json};
    const struct stk_signing_input signings[] = {
        {.name = "Alpha", .claims = &heavy}, {.name = "Alpha", .claims = &heavy},
        {.name = "Alpha", .claims = &heavy}, {.name = "Beta", .claims = &good},
        {.name = "Alpha", .claims = &heavy}, {.name = "Gamma", .claims = &good}};
    const struct stk_request *request = NULL;
    struct trial trial;
    (void)state;

    request = batch_trial(&trial, signings, COUNT(signings), false);
    assert_int_equal(trial.status, STIRKEEP_OK);
    for (size_t i = 0; i < COUNT(signings); i++) {
        bool is_heavy = signings[i].claims == &heavy;

        assert_int_equal(request->signings[i].status, is_heavy ? STIRKEEP_TOO_LARGE : STIRKEEP_OK);
        if (!is_heavy)
            assert_string_equal(request->signings[i].claims.orig_tn, "12155551212");
    }
    trial_end(&trial);
    (void)batch_trial(&trial, signings, COUNT(signings), true);
    assert_int_equal(trial.status, STIRKEEP_TOO_LARGE);
    assert_int_equal(strncmp(trial.error.message, "sign[0]: ", 9), 0);
    trial_end(&trial);
    free(json);
}

/* As many as there may be, each with as many lists as its type has, filled with the shortest there
 * are: nothing takes more memory for its bytes but JSON of many values. */
static void the_largest_batch_of_typed_claims_fits_the_memory(void **state)
{
    static char numbers[STK_DEST_MAX][4];
    static char values[STK_RPH_MAX][8];
    static const char *many_dest[STK_DEST_MAX];
    static const char *auth[STK_RPH_MAX];
    static struct stk_pair mky[STK_MKY_MAX];
    static struct stk_signing_input signings[STK_SIGNINGS_MAX];
    struct stk_claims_input claims = {.ppt = "rph",
                                      .orig_tn = "1",
                                      .dest_tn = many_dest,
                                      .dest_tn_count = STK_DEST_MAX,
                                      .rph_auth = auth,
                                      .rph_auth_count = STK_RPH_MAX,
                                      .mky = mky,
                                      .mky_count = STK_MKY_MAX};
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    for (size_t i = 0; i < STK_DEST_MAX; i++) {
        (void)snprintf(numbers[i], sizeof(numbers[i]), "%zu", i);
        many_dest[i] = numbers[i];
    }
    for (size_t i = 0; i < STK_RPH_MAX; i++) {
        (void)snprintf(values[i], sizeof(values[i]), "a.%zu", i);
        auth[i] = values[i];
    }
    for (size_t i = 0; i < STK_MKY_MAX; i++)
        mky[i] = (struct stk_pair){"sha-1", "000102030405060708090A0B0C0D0E0F10111213"};
    for (size_t i = 0; i < STK_SIGNINGS_MAX; i++)
        signings[i] = (struct stk_signing_input){.name = "A", .claims = &claims};
    while (stk_request_encode_batch(7, 0, signings, STK_SIGNINGS_MAX, true, &out) != STIRKEEP_OK)
        claims.mky_count--; /* they are what takes the most bytes */
    assert_true(claims.mky_count > 5);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_request, view(&out), STK_DECODE_ARENA_MAX);
    if (trial.status != STIRKEEP_OK)
        fail_msg("%s", trial.error.message);
    trial_end(&trial);
    stk_buffer_free(&out);
}

/* The same of 64 calls with rich call data, as it is: a jCard of a few hundred bytes each. */
static void a_batch_of_64_jcards_fits_the_memory(void **state)
{
    static const char jcd[] =
        "[\"vcard\",[[\"version\",{},\"text\",\"4.0\"],[\"fn\",{},\"text\",\"Q Branch\"],"
        "[\"org\",{},\"text\",\"MI6;Q Branch Spy Gadgets\"],[\"photo\",{},\"uri\","
        "\"https://example.com/photos/q-256x256.png\"],[\"logo\",{},\"uri\","
        "\"https://example.com/logos/mi6-256x256.jpg\"],[\"email\",{},\"text\","
        "\"quartermaster@example.com\"],[\"tel\",{\"type\":[\"voice\",\"work\"]},\"uri\","
        "\"tel:+12155551212\"]]]";
    static const struct stk_pair rcdi[] = {
        {"/jcd", SAMPLE_DIGEST}, {"/jcd/1/3/3", SAMPLE_DIGEST}, {"/jcd/1/4/3", SAMPLE_DIGEST}};
    static struct stk_signing_input signings[STK_SIGNINGS_MAX];
    const struct stk_claims_input claims = {.ppt = "shaken",
                                            .orig_tn = "12155551212",
                                            .dest_tn = dest,
                                            .dest_tn_count = 1,
                                            .attest = "A",
                                            .rcd_nam = "Q Branch",
                                            .rcd_jcd = jcd,
                                            .crn = "For your ears only",
                                            .rcdi = rcdi,
                                            .rcdi_count = COUNT(rcdi)};
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    for (size_t i = 0; i < STK_SIGNINGS_MAX; i++)
        signings[i] = (struct stk_signing_input){.name = "Alpha", .claims = &claims};
    assert_int_equal(stk_request_encode_batch(7, 0, signings, STK_SIGNINGS_MAX, true, &out),
                     STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_request, view(&out), STK_DECODE_ARENA_MAX);
    if (trial.status != STIRKEEP_OK)
        fail_msg("%s", trial.error.message);
    trial_end(&trial);
    stk_buffer_free(&out);
}

static void a_batch_past_the_message_limit_is_not_sent(void **state)
{
    char *name = malloc(2000);
    struct stk_signing_input signings[STK_SIGNINGS_MAX];
    struct stk_buffer out = {0};
    (void)state;

    assert_non_null(name);
    memset(name, 'n', 1999);
    name[1999] = '\0';
    for (size_t i = 0; i < STK_SIGNINGS_MAX; i++)
        signings[i] = (struct stk_signing_input){.name = name, .claims = &good};
    assert_int_equal(stk_buffer_add_text(&out, "before"), STIRKEEP_OK);
    assert_int_equal(stk_request_encode_batch(7, 0, signings, STK_SIGNINGS_MAX, true, &out),
                     STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 6);
    assert_int_equal(stk_request_encode_batch(7, 0, signings, 10, true, &out), STIRKEEP_OK);
    stk_buffer_free(&out);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signings_arrive_in_their_places),
        cmocka_unit_test(a_batch_has_1_to_64_to_sign),
        cmocka_unit_test(of_a_whole_batch_the_first_that_is_refused_is_told_with_its_place),
        cmocka_unit_test(of_a_batch_that_is_not_whole_each_has_its_own_status),
        cmocka_unit_test(a_batch_of_bad_form_is_refused_as_one),
        cmocka_unit_test(a_request_has_claims_or_an_input),
        cmocka_unit_test(an_input_may_be_as_long_as_a_message),
        cmocka_unit_test(one_that_takes_too_much_costs_the_others_nothing),
        cmocka_unit_test(the_largest_batch_of_typed_claims_fits_the_memory),
        cmocka_unit_test(a_batch_of_64_jcards_fits_the_memory),
        cmocka_unit_test(a_batch_past_the_message_limit_is_not_sent),
    };

    return cmocka_run_group_tests_name("wire-batch", tests, NULL, NULL);
}
