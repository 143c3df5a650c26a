/* SPDX-License-Identifier: BSD-2-Clause */
/* admin.sock, and what follows from it between intake and the keeper: limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expect.h"
#include "surgery.h"
#include "wire/frame.h"
#include <stdlib.h>
#include <string.h>

#define HOW_MAX 256
#define WORD_MAX 64
#define DETAIL_MAX 2048
#define TOKEN_TEXT_MAX 256
#define SPKI_MAX 2048

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

static void key_ids_challenges_and_signatures_have_one_length(void **state)
{
    static const struct {
        const char *sample;
        const char *field;
        size_t length;
        enum stirkeep_status none;
    } fields[] = {{"admin source removed", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"answered import", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"answered list", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"answered show", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"custody import", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"custody import", "challenge", STK_CHALLENGE_LENGTH, STIRKEEP_INVALID},
                  {"custody prove", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"custody prove", "challenge", STK_CHALLENGE_LENGTH, STIRKEEP_INVALID},
                  {"custody destroy", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"custody record", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_OK},
                  {"proof answer", "signature", STK_SIGNATURE_LENGTH, STIRKEEP_INVALID},
                  {"push", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"admin destroy", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_OK},
                  {"answered generate", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"answered install", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"answered requested", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"custody install", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"custody install", "challenge", STK_CHALLENGE_LENGTH, STIRKEEP_INVALID},
                  {"custody generate", "ticket", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"custody request", "ticket", STK_KEY_ID_LENGTH, STIRKEEP_OK},
                  {"custody request", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_INVALID},
                  {"custody request", "challenge", STK_CHALLENGE_LENGTH, STIRKEEP_INVALID},
                  {"custody inventory", "after", STK_KEY_ID_LENGTH, STIRKEEP_OK},
                  {"request answer", "signature", STK_SIGNATURE_LENGTH, STIRKEEP_INVALID},
                  {"inventory answer", "key_id", STK_KEY_ID_LENGTH, STIRKEEP_OK}};
    (void)state;

    (void)text_of(sizeof(filler) - 1);

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *sample = fields[i].sample;
        const char *field = fields[i].field;
        size_t length = fields[i].length;

        expect_field(sample, field, filler, length, STIRKEEP_OK);
        expect_field(sample, field, filler, length - 1, STIRKEEP_INVALID);
        expect_field(sample, field, filler, length + 1, STIRKEEP_INVALID);
        expect_field(sample, field, filler, 0, fields[i].none);
    }
}

static void texts_and_bytes_may_be_as_long_as_their_limit_and_no_longer(void **state)
{
    static const struct {
        const char *sample;
        const char *field;
        size_t max;
        enum stirkeep_status longer;
    } fields[] = {{"admin import", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"admin import", "chain", STK_CERT_DER_MAX, STIRKEEP_TOO_LARGE},
                  {"admin import", "sealed", STK_SEALED_MAX, STIRKEEP_TOO_LARGE},
                  {"admin import", "source", STK_SOURCE_MAX - 1, STIRKEEP_TOO_LARGE},
                  {"admin source removed", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"admin source removed", "source", STK_SOURCE_MAX - 1, STIRKEEP_TOO_LARGE},
                  {"admin source removed", "how", HOW_MAX, STIRKEEP_TOO_LARGE},
                  {"admin list", "after", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"admin show", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"admin retire", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"admin rollback", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"answered wrapping key", "spki", SPKI_MAX, STIRKEEP_TOO_LARGE},
                  {"answered show", "chain", STK_CERT_DER_MAX, STIRKEEP_TOO_LARGE},
                  {"custody import", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"custody import", "chain", STK_CERT_DER_MAX, STIRKEEP_TOO_LARGE},
                  {"custody import", "sealed", STK_SEALED_MAX, STIRKEEP_TOO_LARGE},
                  {"custody record", "act", WORD_MAX, STIRKEEP_TOO_LARGE},
                  {"custody record", "outcome", WORD_MAX, STIRKEEP_TOO_LARGE},
                  {"custody record", "detail", DETAIL_MAX, STIRKEEP_TOO_LARGE},
                  {"custody record", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"token answer", "label", TOKEN_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"token answer", "serial", TOKEN_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"token answer", "model", TOKEN_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"token answer", "seal_way", TOKEN_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"token answer", "sign_way", TOKEN_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"token answer", "wrapping_spki", SPKI_MAX, STIRKEEP_TOO_LARGE},
                  {"proof answer", "attributes", STK_ATTRIBUTES_MAX, STIRKEEP_TOO_LARGE},
                  {"custody error", "message", STK_ERROR_MAX - 1, STIRKEEP_TOO_LARGE},
                  {"answers", "message", STK_ERROR_MAX - 1, STIRKEEP_TOO_LARGE},
                  {"answers", "origid", STK_ORIGID_LENGTH, STIRKEEP_TOO_LARGE},
                  {"front orders", "reason", STK_ERROR_MAX - 1, STIRKEEP_TOO_LARGE},
                  {"push", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"admin generate", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"admin generate", "subject", STK_SUBJECT_MAX, STIRKEEP_TOO_LARGE},
                  {"admin install", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"admin install", "chain", STK_CERT_DER_MAX, STIRKEEP_TOO_LARGE},
                  {"admin destroy", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"answered requested", "attributes", STK_ATTRIBUTES_MAX, STIRKEEP_TOO_LARGE},
                  {"answered generate", "csr", STK_CSR_MAX, STIRKEEP_TOO_LARGE},
                  {"answered generate", "attributes", STK_ATTRIBUTES_MAX, STIRKEEP_TOO_LARGE},
                  {"answered destroy", "proof", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"answered rebuild", "problems", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"answered status", "warnings", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"answered status", "lock_down", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"answered doctor", "name", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"answered doctor", "value", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"answered doctor", "severity", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"answered doctor", "what", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"answered doctor", "cure", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"custody generate", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"custody request", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"custody request", "subject", STK_SUBJECT_MAX, STIRKEEP_TOO_LARGE},
                  {"generate answer", "spki", STK_SPKI_MAX, STIRKEEP_TOO_LARGE},
                  {"request answer", "csr", STK_CSR_MAX, STIRKEEP_TOO_LARGE},
                  {"request answer", "attributes", STK_ATTRIBUTES_MAX, STIRKEEP_TOO_LARGE},
                  {"destroy answer", "proof", STK_ERROR_MAX - 1, STIRKEEP_TOO_LARGE},
                  {"examine answer", "name", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"examine answer", "value", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"examine answer", "severity", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"examine answer", "what", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"examine answer", "cure", STK_DIAGNOSIS_TEXT_MAX, STIRKEEP_TOO_LARGE},
                  {"inventory answer", "name", STK_NAME_MAX, STIRKEEP_INVALID},
                  {"inventory answer", "attributes", STK_ATTRIBUTES_MAX, STIRKEEP_TOO_LARGE},
                  {"inventory answer", "certificates", STK_CERT_DER_MAX, STIRKEEP_TOO_LARGE}};
    (void)state;

    (void)text_of(sizeof(filler) - 1);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        expect_field(fields[i].sample, fields[i].field, filler, fields[i].max, STIRKEEP_OK);
        expect_field(fields[i].sample, fields[i].field, filler, fields[i].max + 1,
                     fields[i].longer);
    }
}

static void what_must_be_there_is_missed(void **state)
{
    static const struct {
        const char *sample;
        const char *field;
    } fields[] = {{"admin import", "name"},
                  {"admin import", "chain"},
                  {"admin import", "sealed"},
                  {"admin source removed", "name"},
                  {"admin show", "name"},
                  {"admin retire", "name"},
                  {"admin rollback", "name"},
                  {"answered wrapping key", "spki"},
                  {"answered show", "chain"},
                  {"custody import", "name"},
                  {"custody import", "chain"},
                  {"custody record", "act"},
                  {"push", "name"},
                  {"push", "x5u"},
                  {"admin generate", "name"},
                  {"admin generate", "spc"},
                  {"admin install", "name"},
                  {"admin install", "chain"},
                  {"admin destroy", "name"},
                  {"answered generate", "csr"},
                  {"custody generate", "name"},
                  {"custody generate", "ticket"},
                  {"custody request", "name"},
                  {"custody request", "spc"},
                  {"generate answer", "spki"},
                  {"request answer", "csr"},
                  {"inventory answer", "certificates"}};
    (void)state;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        expect_field(fields[i].sample, fields[i].field, "", 0, STIRKEEP_INVALID);
}

static void an_x5u_is_checked_wherever_it_enters(void **state)
{
    static const char *const samples_with[] = {"push", "admin import", "admin install",
                                               "custody import", "inventory answer"};
    static const char *const bad[] = {"http://a.example/", "https://u@a.example/",
                                      "https://a.example/;b", "https://a.example:80/"};
    char longest[STK_X5U_MAX + 2];
    (void)state;

    memset(longest, 'x', sizeof(longest));
    memcpy(longest, "https://a/", strlen("https://a/"));
    for (size_t i = 0; i < sizeof(samples_with) / sizeof(samples_with[0]); i++) {
        for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++)
            expect_field(samples_with[i], "x5u", bad[j], strlen(bad[j]), STIRKEEP_INVALID);
        expect_field(samples_with[i], "x5u", longest, STK_X5U_MAX, STIRKEEP_OK);
        expect_field(samples_with[i], "x5u", longest, STK_X5U_MAX + 1, STIRKEEP_INVALID);
        /* The template's, or not known; what signs has one. */
        expect_field(samples_with[i], "x5u", "", 0, i == 0 ? STIRKEEP_INVALID : STIRKEEP_OK);
    }
}

static void chains_have_1_to_6_certificates(void **state)
{
    const struct sample *const with_chain[] = {
        sample_named("admin import"), sample_named("admin install"), sample_named("answered show"),
        sample_named("custody import")};
    static const uint32_t chain_numbers[] = {2, 2, 2, 3};
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        static struct spot spots[SPOTS_MAX];
        struct stk_buffer sent = {0};
        struct stk_buffer more = {0};
        size_t at = 0;

        sample_encode(with_chain[i], &sent); /* has two */
        (void)spots_find(with_chain[i]->codec->type, view(&sent), spots);
        while (spots[at].field == NULL || spots[at].field->id != chain_numbers[i] ||
               spots[at].depth != 1)
            at++;
        for (size_t count = 3; count <= STK_CHAIN_MAX + 1; count++) {
            struct stk_buffer changed = {0};

            if (count == 3)
                put_bytes(chain_numbers[i], "c", 1, &more);
            put_bytes(chain_numbers[i], "c", 1, &more);
            spot_replace(with_chain[i]->codec->type, view(&sent), &spots[at], view(&more),
                         &changed);
            trial_expect(with_chain[i]->codec, view(&changed),
                         count <= STK_CHAIN_MAX ? STIRKEEP_OK : STIRKEEP_TOO_LARGE, "chain",
                         with_chain[i]->name);
            stk_buffer_free(&changed);
        }
        stk_buffer_free(&more);
        stk_buffer_free(&sent);
    }
}

static void a_chain_too_long_is_not_sent(void **state)
{
    struct stk_buffer out = {0};
    union decoded value;
    (void)state;

    sample_fill(sample_named("admin import"), &value);
    value.admin_request.chain_count = STK_CHAIN_MAX + 1;
    assert_int_equal(stk_admin_request_encode(&value.admin_request, &out), STIRKEEP_INVALID);
    sample_fill(sample_named("admin install"), &value);
    value.admin_request.chain_count = STK_CHAIN_MAX + 1;
    assert_int_equal(stk_admin_request_encode(&value.admin_request, &out), STIRKEEP_INVALID);
    sample_fill(sample_named("custody import"), &value);
    value.custody_order.chain_count = STK_CHAIN_MAX + 1;
    assert_int_equal(stk_custody_order_encode(&value.custody_order, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 0);
    stk_buffer_free(&out);
}

static void a_request_of_no_kind_is_not_sent(void **state)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_NONE};
    struct stk_buffer out = {0};
    (void)state;

    assert_int_equal(stk_admin_request_encode(&request, &out), STIRKEEP_INVALID);
    request.kind = STK_ADMIN_KIND_COUNT;
    assert_int_equal(stk_admin_request_encode(&request, &out), STIRKEEP_INVALID);
    assert_int_equal(out.length, 0);
    stk_buffer_free(&out);
}

/* The largest import that may be asked for reaches the keeper in one message. */
static void the_largest_import_fits_the_link_and_its_memory(void **state)
{
    struct stk_buffer out = {0};
    union decoded value;
    (void)state;

    sample_fill(sample_named("admin import"), &value);
    (void)text_of(sizeof(filler) - 1);
    for (size_t i = 0; i < STK_CHAIN_MAX; i++)
        value.admin_request.chain[i] = bytes_of(STK_CERT_DER_MAX);
    value.admin_request.chain_count = STK_CHAIN_MAX;
    value.admin_request.sealed = bytes_of(STK_SEALED_MAX);
    expect(&codec_admin_request, &value, STIRKEEP_OK, "largest import");
    sample_fill(sample_named("custody import"), &value);
    (void)text_of(sizeof(filler) - 1);
    for (size_t i = 0; i < STK_CHAIN_MAX; i++)
        value.custody_order.chain[i] = bytes_of(STK_CERT_DER_MAX);
    value.custody_order.chain_count = STK_CHAIN_MAX;
    value.custody_order.sealed = bytes_of(STK_SEALED_MAX);
    expect(&codec_custody_order, &value, STIRKEEP_OK, "largest order");
    assert_int_equal(stk_custody_order_encode(&value.custody_order, &out), STIRKEEP_OK);
    assert_true(out.length <= STK_LINK_MESSAGE_MAX);
    stk_buffer_free(&out);
}

static void warnings_are_64_at_most(void **state)
{
    const char *warnings[STK_WARNINGS_MAX + 1];
    union decoded value;
    (void)state;

    for (size_t i = 0; i <= STK_WARNINGS_MAX; i++)
        warnings[i] = "CODE message";
    sample_fill(sample_named("answered import"), &value);
    value.admin_response.warnings = warnings;
    value.admin_response.warning_count = STK_WARNINGS_MAX;
    expect(&codec_admin_response, &value, STIRKEEP_OK, "warnings");
    value.admin_response.warning_count = STK_WARNINGS_MAX + 1;
    expect(&codec_admin_response, &value, STIRKEEP_TOO_LARGE, "warnings");
}

static void an_answer_past_the_message_limit_is_not_sent(void **state)
{
    static const char before[] = "before";
    struct stk_generation *generations = calloc(4096, sizeof(*generations));
    struct stk_buffer out = {0};
    union decoded value;
    (void)state;

    assert_non_null(generations);
    sample_fill(sample_named("answered list"), &value);
    for (size_t i = 0; i < 4096; i++) {
        generations[i] = value.admin_response.generations[0];
        generations[i].subject = text_of(400);
    }
    value.admin_response.generations = generations;
    value.admin_response.generation_count = 4096;
    assert_int_equal(stk_buffer_add(&out, before, sizeof(before)), STIRKEEP_OK);
    assert_int_equal(stk_admin_response_encode(&value.admin_response, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, sizeof(before));
    assert_memory_equal(out.data, before, sizeof(before));
    stk_buffer_free(&out);
    free(generations);
}

static void a_text_that_is_null_counts_as_empty(void **state)
{
    static const enum stk_admin_kind kinds[] = {
        STK_ADMIN_WRAPPING_KEY, STK_ADMIN_IMPORT,  STK_ADMIN_INSTALL, STK_ADMIN_STATUS,
        STK_ADMIN_GENERATE,     STK_ADMIN_DESTROY, STK_ADMIN_DOCTOR,  STK_ADMIN_REBUILD};
    (void)state;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        union decoded value = {.admin_response = {.id = 7, .kind = kinds[i]}};

        value.admin_response.spki = bytes_of(1);
        value.admin_response.csr = bytes_of(1);
        expect(&codec_admin_response, &value, STIRKEEP_OK, "NULL texts");
    }
}

/* Words of an operating system, a certificate or a token come in any encoding. */
static void words_of_others_are_scrubbed(void **state)
{
    struct stk_generation generation;
    union decoded value;
    struct stk_buffer out = {0};
    struct trial trial;
    (void)state;

    sample_fill(sample_named("answered show"), &value);
    generation = value.admin_response.generations[0];
    generation.subject = "CN=Z\xfcrich";
    value.admin_response.generations = &generation;
    value.admin_response.generation_count = 1;
    assert_int_equal(stk_admin_response_encode(&value.admin_response, &out), STIRKEEP_OK);
    stk_buffer_drop(&out, STK_FRAME_HEADER);
    trial_run(&trial, &codec_admin_response, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_string_equal(trial.value.admin_response.generations[0].subject, "CN=Z?rich");
    trial_end(&trial);
    stk_buffer_free(&out);

    sample_fill(sample_named("admin source removed"), &value);
    value.admin_request.source = "/tmp/k\xe9y";
    expect(&codec_admin_request, &value, STIRKEEP_OK, "source");
    sample_fill(sample_named("token answer"), &value);
    value.custody_answer.token.label = "t\xf6ken";
    expect(&codec_custody_answer, &value, STIRKEEP_OK, "label");
    sample_fill(sample_named("custody record"), &value);
    value.custody_order.detail = "\xff";
    expect(&codec_custody_order, &value, STIRKEEP_OK, "detail");
}

static void a_record_is_about_no_key_when_its_key_id_is_zero(void **state)
{
    static const struct stk_key_id zero;
    struct stk_buffer out = {0};
    struct trial trial;
    union decoded value;
    (void)state;

    sample_fill(sample_named("custody record"), &value);
    value.custody_order.key_id = zero;
    value.custody_order.name.text[0] = '\0';
    assert_int_equal(stk_custody_order_encode(&value.custody_order, &out), STIRKEEP_OK);
    trial_run(&trial, &codec_custody_order, view(&out), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_memory_equal(&trial.value.custody_order.key_id, &zero, sizeof(zero));
    assert_string_equal(trial.value.custody_order.name.text, "");
    trial_end(&trial);
    stk_buffer_free(&out);
}

static void a_body_beside_an_error_does_not_count(void **state)
{
    struct stk_buffer message = {0};
    struct trial trial;
    (void)state;

    sample_encode(sample_named("answered import"), &message);
    put_number(2, STIRKEEP_STATUS_COUNT + 5, &message);
    trial_run(&trial, &codec_admin_response, view(&message), STK_DECODE_ARENA_MAX);
    assert_int_equal(trial.status, STIRKEEP_OK);
    assert_int_equal(trial.value.admin_response.status, STIRKEEP_INTERNAL);
    assert_int_equal(trial.value.admin_response.kind, STK_ADMIN_NONE);
    assert_int_equal(trial.value.admin_response.generation, 0);
    trial_end(&trial);
    stk_buffer_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_ids_challenges_and_signatures_have_one_length),
        cmocka_unit_test(texts_and_bytes_may_be_as_long_as_their_limit_and_no_longer),
        cmocka_unit_test(what_must_be_there_is_missed),
        cmocka_unit_test(an_x5u_is_checked_wherever_it_enters),
        cmocka_unit_test(chains_have_1_to_6_certificates),
        cmocka_unit_test(a_chain_too_long_is_not_sent),
        cmocka_unit_test(a_request_of_no_kind_is_not_sent),
        cmocka_unit_test(the_largest_import_fits_the_link_and_its_memory),
        cmocka_unit_test(warnings_are_64_at_most),
        cmocka_unit_test(an_answer_past_the_message_limit_is_not_sent),
        cmocka_unit_test(a_text_that_is_null_counts_as_empty),
        cmocka_unit_test(words_of_others_are_scrubbed),
        cmocka_unit_test(a_record_is_about_no_key_when_its_key_id_is_zero),
        cmocka_unit_test(a_body_beside_an_error_does_not_count),
    };

    return cmocka_run_group_tests_name("wire-admin", tests, NULL, NULL);
}
