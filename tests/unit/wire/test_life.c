/* SPDX-License-Identifier: BSD-2-Clause */
/* A key's life: what the messages that make, stage, destroy and look for keys are held to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expect.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BAD                                                                                        \
    "a\xff"                                                                                        \
    "b"
#define SCRUBBED "a?b"

/* ---- single values */

static void a_time_to_activate_is_one_of_the_years_1970_to_9999(void **state)
{
    static const char *const names[] = {"admin import", "admin install"};
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++) {
        expect_number(names[i], "activate_at", 0, STIRKEEP_OK);
        expect_number(names[i], "activate_at", 1, STIRKEEP_OK);
        expect_number(names[i], "activate_at", 253402300799, STIRKEEP_OK);
        expect_number(names[i], "activate_at", 253402300800, STIRKEEP_INVALID);
        expect_number(names[i], "activate_at", INT64_MAX, STIRKEEP_INVALID);
        expect_number(names[i], "activate_at", (uint64_t)INT64_MIN, STIRKEEP_INVALID);
        expect_number(names[i], "activate_at", UINT64_MAX, STIRKEEP_INVALID); /* -1 */
    }
}

static void a_service_provider_code_is_1_to_15_capitals_and_digits(void **state)
{
    static const char *const names[] = {"admin generate", "custody request"};
    static const char *const good[] = {"A", "Z", "0", "9", "709J", "ABCDEFGHIJKLMNO"};
    static const char *const bad[] = {
        "",     "a",    "709j", "7 09",  " 709",  "709 ",  "709-",      "70@9",
        "70[9", "70/9", "70:9", "709\n", "7\x01", "7\x7f", "7\xc3\x84", "ABCDEFGHIJKLMNOP"};
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++) {
        for (size_t j = 0; j < COUNT(good); j++)
            expect_field(names[i], "spc", good[j], strlen(good[j]), STIRKEEP_OK);
        for (size_t j = 0; j < COUNT(bad); j++)
            expect_field(names[i], "spc", bad[j], strlen(bad[j]), STIRKEEP_INVALID);
        for (unsigned c = 1; c < 0x80; c++) {
            char text[1] = {(char)c};
            bool fits = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

            expect_field(names[i], "spc", text, 1, fits ? STIRKEEP_OK : STIRKEEP_INVALID);
        }
    }
}

static void a_subject_has_no_control_characters(void **state)
{
    static const char *const names[] = {"admin generate", "custody request"};
    static const char *const good[] = {"", "CN=SHAKEN 709J", "CN=\xc3\xa9\xc2\xa0,O=Z\xc3\xbcrich",
                                       "CN=\xe2\x82\xac\xf0\x9f\x91\x8d",
                                       "~ !\"#%&'()*+,-./:;<=>?@"};
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++) {
        for (size_t j = 0; j < COUNT(good); j++)
            expect_field(names[i], "subject", good[j], strlen(good[j]), STIRKEEP_OK);
        for (unsigned c = 0; c < 0x20; c++) {
            char text[] = {'C', 'N', '=', (char)c, 'x'};

            expect_field(names[i], "subject", text, sizeof(text), STIRKEEP_INVALID);
            expect_field(names[i], "subject", text, 4, STIRKEEP_INVALID);
        }
        expect_field(names[i], "subject", "CN=\x7f", 4, STIRKEEP_INVALID);
        for (unsigned c = 0x80; c < 0xa0; c++) { /* U+0080 to U+009F */
            char text[] = {'\xc2', (char)c};

            expect_field(names[i], "subject", text, sizeof(text), STIRKEEP_INVALID);
        }
        expect_field(names[i], "subject", "CN=Z\xfcrich", 9, STIRKEEP_INVALID);
    }
}

/* It is refused, not mended: a certificate must not be asked for under another name. */
static void a_subject_that_is_not_utf8_is_not_scrubbed(void **state)
{
    union decoded value;
    (void)state;

    sample_fill(sample_named("admin generate"), &value);
    value.admin_request.subject = BAD;
    expect(&codec_admin_request, &value, STIRKEEP_INVALID, "subject");
    sample_fill(sample_named("custody request"), &value);
    value.custody_order.subject = BAD;
    expect(&codec_custody_order, &value, STIRKEEP_INVALID, "subject");
    sample_fill(sample_named("admin install"), &value);
    value.admin_request.x5u = "https://a.example/" BAD;
    expect(&codec_admin_request, &value, STIRKEEP_INVALID, "x5u");
}

/* An operator reads it, and has to see what is meant. */
static void a_refusal_begins_with_the_fields_name(void **state)
{
    union decoded values[4];
    static const char *const names[] = {"admin generate", "admin generate", "admin install",
                                        "admin import"};
    static const char *const begin[] = {"spc: ", "subject: ", "activate_at: ", "activate_at: "};
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++)
        sample_fill(sample_named(names[i]), &values[i]);
    values[0].admin_request.spc = "709j";
    values[1].admin_request.subject = "CN=\n";
    values[2].admin_request.activate_at = -1;
    values[3].admin_request.activate_at = 253402300800;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct stk_buffer out = {0};
        struct trial trial;

        assert_int_equal(codec_admin_request.encode(&values[i], &out), STIRKEEP_OK);
        trial_run(&trial, &codec_admin_request,
                  (struct stk_bytes){out.data + STK_FRAME_HEADER, out.length - STK_FRAME_HEADER},
                  STK_DECODE_ARENA_MAX);
        assert_int_equal(trial.status, STIRKEEP_INVALID);
        assert_memory_equal(trial.error.message, begin[i], strlen(begin[i]));
        trial_end(&trial);
        stk_buffer_free(&out);
    }
}

/* ---- ids that may be left out */

/* All zero is what "none" is to the program: of an order to destroy one key it would make one to
 * destroy all. */
static void an_id_that_is_all_zero_is_refused_where_none_means_something_else(void **state)
{
    static const uint8_t zero[STK_KEY_ID_LENGTH];
    static const struct {
        const char *sample;
        const char *field;
    } fields[] = {{"admin destroy", "key_id"},
                  {"custody generate", "ticket"},
                  {"custody request", "ticket"},
                  {"custody inventory", "after"},
                  {"inventory answer", "key_id"}};
    uint8_t last[STK_KEY_ID_LENGTH] = {[STK_KEY_ID_LENGTH - 1] = 1};
    (void)state;

    for (size_t i = 0; i < COUNT(fields); i++) {
        expect_field(fields[i].sample, fields[i].field, zero, sizeof(zero), STIRKEEP_INVALID);
        expect_field(fields[i].sample, fields[i].field, zero, 1, STIRKEEP_INVALID);
        expect_field(fields[i].sample, fields[i].field, last, sizeof(last), STIRKEEP_OK);
    }
}

static void an_id_that_is_zero_is_sent_as_none_and_taken_as_zero(void **state)
{
    static const struct stk_key_id zero;
    union decoded value;
    struct trial trial;
    (void)state;

    sample_fill(sample_named("admin destroy"), &value);
    value.admin_request.key_id = zero;
    pass_on(&codec_admin_request, &value, &trial);
    assert_memory_equal(&trial.value.admin_request.key_id, &zero, sizeof(zero));
    trial_end(&trial);
    sample_fill(sample_named("custody request"), &value);
    value.custody_order.ticket = zero;
    pass_on(&codec_custody_order, &value, &trial);
    assert_memory_equal(&trial.value.custody_order.ticket, &zero, sizeof(zero));
    trial_end(&trial);
    sample_fill(sample_named("custody inventory"), &value);
    value.custody_order.key_id = zero;
    pass_on(&codec_custody_order, &value, &trial);
    assert_memory_equal(&trial.value.custody_order.key_id, &zero, sizeof(zero));
    trial_end(&trial);
    sample_fill(sample_named("inventory answer"), &value);
    value.custody_answer = (struct stk_custody_answer){.has_inventory = true};
    pass_on(&codec_custody_answer, &value, &trial);
    assert_true(trial.value.custody_answer.has_inventory);
    assert_memory_equal(&trial.value.custody_answer.key_id, &zero, sizeof(zero));
    assert_int_equal(trial.value.custody_answer.certificate_count, 0);
    assert_string_equal(trial.value.custody_answer.name, "");
    trial_end(&trial);
}

static void no_key_is_made_without_a_ticket(void **state)
{
    union decoded value;
    (void)state;

    sample_fill(sample_named("custody generate"), &value);
    memset(&value.custody_order.ticket, 0, sizeof(value.custody_order.ticket));
    expect(&codec_custody_order, &value, STIRKEEP_INVALID, "ticket");
}

/* ---- which answer, and words of others */

static void an_order_whose_key_is_there_has_nothing_sealed(void **state)
{
    union decoded value;
    struct trial trial;
    (void)state;

    sample_fill(sample_named("custody install"), &value);
    pass_on(&codec_custody_order, &value, &trial);
    assert_int_equal(trial.value.custody_order.kind, STK_CUSTODY_IMPORT);
    assert_int_equal(trial.value.custody_order.sealed.length, 0);
    assert_string_equal(trial.value.custody_order.x5u, value.custody_order.x5u);
    trial_end(&trial);
    expect_field("custody import", "sealed", "", 0, STIRKEEP_OK);
    expect_field("admin import", "sealed", "", 0, STIRKEEP_INVALID);
}

static void an_installation_is_not_taken_for_an_import(void **state)
{
    static const char *const names[] = {"answered import", "answered install"};
    static const enum stk_admin_kind kinds[] = {STK_ADMIN_IMPORT, STK_ADMIN_INSTALL};
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++) {
        union decoded value;
        struct trial trial;

        sample_fill(sample_named(names[i]), &value);
        pass_on(&codec_admin_response, &value, &trial);
        assert_int_equal(trial.value.admin_response.kind, kinds[i]);
        assert_int_equal(trial.value.admin_response.activate_at, 1007);
        trial_end(&trial);
    }
}

static void an_answer_to_a_request_is_a_proof_too(void **state)
{
    union decoded value;
    struct trial trial;
    (void)state;

    sample_fill(sample_named("request answer"), &value);
    value.custody_answer.has_proof = false; /* makes no difference */
    pass_on(&codec_custody_answer, &value, &trial);
    assert_true(trial.value.custody_answer.has_request);
    assert_true(trial.value.custody_answer.has_proof);
    assert_false(trial.value.custody_answer.has_spki);
    trial_end(&trial);
    sample_fill(sample_named("proof answer"), &value);
    pass_on(&codec_custody_answer, &value, &trial);
    assert_true(trial.value.custody_answer.has_proof);
    assert_false(trial.value.custody_answer.has_request);
    trial_end(&trial);
}

static void an_answer_without_a_body_has_nothing(void **state)
{
    union decoded value = {.custody_answer = {.id = 4}};
    struct trial trial;
    (void)state;

    pass_on(&codec_custody_answer, &value, &trial);
    assert_false(trial.value.custody_answer.has_destroyed);
    assert_false(trial.value.custody_answer.has_examined);
    assert_false(trial.value.custody_answer.has_inventory);
    assert_string_equal(trial.value.custody_answer.name, "");
    assert_string_equal(trial.value.custody_answer.proof, "");
    assert_string_equal(trial.value.custody_answer.attributes, "");
    trial_end(&trial);
}

static void orders_and_answers_with_null_for_texts_have_empty_ones(void **state)
{
    union decoded value;
    struct trial trial;
    (void)state;

    sample_fill(sample_named("custody request"), &value);
    value.custody_order.subject = NULL;
    pass_on(&codec_custody_order, &value, &trial);
    assert_string_equal(trial.value.custody_order.subject, "");
    trial_end(&trial);
    sample_fill(sample_named("custody import"), &value);
    value.custody_order.x5u = NULL;
    pass_on(&codec_custody_order, &value, &trial);
    assert_string_equal(trial.value.custody_order.x5u, "");
    trial_end(&trial);
    value.custody_answer = (struct stk_custody_answer){.has_destroyed = true};
    pass_on(&codec_custody_answer, &value, &trial);
    assert_string_equal(trial.value.custody_answer.proof, "");
    trial_end(&trial);
    sample_fill(sample_named("examine answer"), &value);
    value.custody_answer.facts = (struct stk_fact[]){{NULL, NULL}};
    value.custody_answer.fact_count = 1;
    pass_on(&codec_custody_answer, &value, &trial);
    assert_string_equal(trial.value.custody_answer.facts[0].value, "");
    trial_end(&trial);
}

/* What a token or the system says comes in any encoding, and must not keep it from being told. */
static void words_of_any_bytes_are_scrubbed(void **state)
{
    static const struct stk_fact facts[] = {{"label", BAD}};
    static const struct stk_trouble troubles[] = {{"error", BAD, BAD}};
    static const char *const texts[] = {BAD};
    union decoded value;
    struct trial trial;
    (void)state;

    sample_fill(sample_named("examine answer"), &value);
    value.custody_answer.facts = facts;
    value.custody_answer.fact_count = 1;
    value.custody_answer.troubles = troubles;
    value.custody_answer.trouble_count = 1;
    pass_on(&codec_custody_answer, &value, &trial);
    assert_string_equal(trial.value.custody_answer.facts[0].value, SCRUBBED);
    assert_string_equal(trial.value.custody_answer.troubles[0].what, SCRUBBED);
    assert_string_equal(trial.value.custody_answer.troubles[0].cure, SCRUBBED);
    trial_end(&trial);
    sample_fill(sample_named("destroy answer"), &value);
    value.custody_answer.proof = BAD;
    pass_on(&codec_custody_answer, &value, &trial);
    assert_string_equal(trial.value.custody_answer.proof, SCRUBBED);
    trial_end(&trial);
    sample_fill(sample_named("answered rebuild"), &value);
    value.admin_response.problems = texts;
    value.admin_response.problem_count = 1;
    pass_on(&codec_admin_response, &value, &trial);
    assert_string_equal(trial.value.admin_response.problems[0], SCRUBBED);
    trial_end(&trial);
    sample_fill(sample_named("answered doctor"), &value);
    value.admin_response.facts = facts;
    value.admin_response.fact_count = 1;
    pass_on(&codec_admin_response, &value, &trial);
    assert_string_equal(trial.value.admin_response.facts[0].value, SCRUBBED);
    trial_end(&trial);
}

/* Verifiers of the trail take it for what it says. */
static void an_audit_key_is_as_long_as_p_256_keys_are(void **state)
{
    static const uint8_t bytes[STK_SPKI_LENGTH + 1];
    (void)state;

    for (size_t length = 0; length <= STK_SPKI_LENGTH + 1; length++) {
        expect_field("answered audit key", "spki", bytes, length,
                     length == STK_SPKI_LENGTH  ? STIRKEEP_OK
                     : length > STK_SPKI_LENGTH ? STIRKEEP_TOO_LARGE
                                                : STIRKEEP_INVALID);
        expect_field("token answer", "audit_spki", bytes, length,
                     length == STK_SPKI_LENGTH || length == 0 ? STIRKEEP_OK : STIRKEEP_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_to_activate_is_one_of_the_years_1970_to_9999),
        cmocka_unit_test(a_service_provider_code_is_1_to_15_capitals_and_digits),
        cmocka_unit_test(a_subject_has_no_control_characters),
        cmocka_unit_test(a_subject_that_is_not_utf8_is_not_scrubbed),
        cmocka_unit_test(a_refusal_begins_with_the_fields_name),
        cmocka_unit_test(an_id_that_is_all_zero_is_refused_where_none_means_something_else),
        cmocka_unit_test(an_id_that_is_zero_is_sent_as_none_and_taken_as_zero),
        cmocka_unit_test(no_key_is_made_without_a_ticket),
        cmocka_unit_test(an_order_whose_key_is_there_has_nothing_sealed),
        cmocka_unit_test(an_installation_is_not_taken_for_an_import),
        cmocka_unit_test(an_answer_to_a_request_is_a_proof_too),
        cmocka_unit_test(an_answer_without_a_body_has_nothing),
        cmocka_unit_test(orders_and_answers_with_null_for_texts_have_empty_ones),
        cmocka_unit_test(words_of_any_bytes_are_scrubbed),
        cmocka_unit_test(an_audit_key_is_as_long_as_p_256_keys_are),
    };

    return cmocka_run_group_tests_name("wire-life", tests, NULL, NULL);
}
