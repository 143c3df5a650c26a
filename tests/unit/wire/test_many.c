/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists in the messages of a key's life: how many, and what each of them is held to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expect.h"
#include "surgery.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct stk_bytes view(const struct stk_buffer *buffer)
{
    return (struct stk_bytes){buffer->data, buffer->length};
}

struct many {
    const char *sample;
    const char *field;
    const char *one; /* a further one, with its length */
    size_t length;
    size_t max;
};

/* Two are in the sample; put in others in the place of the first. */
static void expect_many(const struct many *many, size_t count, enum stirkeep_status expected)
{
    uint32_t number = number_of(many->sample, many->field);
    struct stk_buffer instead = {0};

    for (size_t i = 0; i < count - 1; i++)
        put_bytes(number, many->one, many->length, &instead);
    expect_instead(many->sample, many->field, view(&instead), expected);
    stk_buffer_free(&instead);
}

static void lists_have_their_most_and_not_one_more(void **state)
{
    /* A RequestedKey with its key id, field 1. */
    static const char key[2 + STK_KEY_ID_LENGTH] = {0x0a, STK_KEY_ID_LENGTH};
    static const struct many lists[] = {
        {"answered status", "warnings", "w", 1, STK_WARNINGS_MAX},
        {"answered status", "lock_down", "l", 1, STK_PROCESSES_MAX},
        {"answered import", "warnings", "w", 1, STK_WARNINGS_MAX},
        {"answered install", "warnings", "w", 1, STK_WARNINGS_MAX},
        {"answered rebuild", "problems", "p", 1, STK_PROBLEMS_MAX},
        {"answered doctor", "facts", "", 0, STK_FACTS_MAX},
        {"answered doctor", "troubles", "", 0, STK_TROUBLES_MAX},
        {"answered requested", "requested", key, sizeof(key), STK_REQUESTED_MAX},
        {"examine answer", "facts", "", 0, STK_FACTS_MAX},
        {"examine answer", "troubles", "", 0, STK_TROUBLES_MAX}};
    (void)state;

    for (size_t i = 0; i < COUNT(lists); i++) {
        expect_many(&lists[i], lists[i].max, STIRKEEP_OK);
        expect_many(&lists[i], lists[i].max + 1, STIRKEEP_TOO_LARGE);
        expect_many(&lists[i], 20000, STIRKEEP_TOO_LARGE);
    }
}

static void any_of_a_list_may_be_the_one_that_is_wrong(void **state)
{
    char long_text[STK_DIAGNOSIS_TEXT_MAX + 2];
    const char *texts[] = {"short", long_text, "short"};
    const struct stk_fact facts[] = {{"name", "value"}, {"name", long_text}};
    const struct stk_trouble troubles[] = {{"error", "what", "cure"}, {"error", "what", long_text}};
    union decoded value;
    (void)state;

    for (size_t over = 0; over < 2; over++) {
        enum stirkeep_status expected = over == 0 ? STIRKEEP_OK : STIRKEEP_TOO_LARGE;

        memset(long_text, 'x', sizeof(long_text));
        long_text[STK_DIAGNOSIS_TEXT_MAX + over] = '\0';
        sample_fill(sample_named("answered rebuild"), &value);
        value.admin_response.problems = texts;
        value.admin_response.problem_count = COUNT(texts);
        expect(&codec_admin_response, &value, expected, "problems");
        sample_fill(sample_named("answered status"), &value);
        value.admin_response.service.warnings = texts;
        value.admin_response.service.warning_count = COUNT(texts);
        expect(&codec_admin_response, &value, expected, "warnings");
        sample_fill(sample_named("examine answer"), &value);
        value.custody_answer.facts = facts;
        expect(&codec_custody_answer, &value, expected, "facts");
        sample_fill(sample_named("examine answer"), &value);
        value.custody_answer.troubles = troubles;
        expect(&codec_custody_answer, &value, expected, "troubles");
    }
}

static void an_examination_may_find_nothing(void **state)
{
    union decoded value;
    struct trial trial;
    (void)state;

    sample_fill(sample_named("examine answer"), &value);
    value.custody_answer = (struct stk_custody_answer){.id = 3, .has_examined = true};
    pass_on(&codec_custody_answer, &value, &trial);
    assert_true(trial.value.custody_answer.has_examined);
    assert_int_equal(trial.value.custody_answer.fact_count, 0);
    assert_int_equal(trial.value.custody_answer.trouble_count, 0);
    trial_end(&trial);
    sample_fill(sample_named("answered doctor"), &value);
    value.admin_response = (struct stk_admin_response){.id = 3, .kind = STK_ADMIN_DOCTOR};
    pass_on(&codec_admin_response, &value, &trial);
    assert_int_equal(trial.value.admin_response.kind, STK_ADMIN_DOCTOR);
    assert_int_equal(trial.value.admin_response.fact_count, 0);
    trial_end(&trial);
}

/* ---- the inventory */

static void an_inventory_has_one_x5u_for_each_certificate(void **state)
{
    static const struct stk_bytes nothing;
    struct stk_buffer more = {0};
    (void)state;

    expect_instead("inventory answer", "x5u", nothing, STIRKEEP_INVALID);
    expect_instead("inventory answer", "certificates", nothing, STIRKEEP_INVALID);
    put_bytes(5, "", 0, &more);
    put_bytes(5, "", 0, &more);
    expect_instead("inventory answer", "x5u", view(&more), STIRKEEP_INVALID);
    expect_instead("inventory answer", "certificates", view(&more), STIRKEEP_INVALID);
    stk_buffer_free(&more);
}

static void an_inventory_has_32_certificates_at_most(void **state)
{
    static struct stk_bytes certificates[STK_INVENTORY_MAX + 1];
    static const char *x5u[STK_INVENTORY_MAX + 1];
    struct stk_buffer out = {0};
    union decoded value;
    struct trial trial;
    (void)state;

    sample_fill(sample_named("inventory answer"), &value);
    for (size_t i = 0; i <= STK_INVENTORY_MAX; i++)
        certificates[i] = bytes_of(1 + i);
    value.custody_answer.certificates = certificates;
    value.custody_answer.x5u = x5u; /* none is known */
    value.custody_answer.certificate_count = STK_INVENTORY_MAX;
    pass_on(&codec_custody_answer, &value, &trial);
    assert_int_equal(trial.value.custody_answer.certificate_count, STK_INVENTORY_MAX);
    for (size_t i = 0; i < STK_INVENTORY_MAX; i++) {
        assert_int_equal(trial.value.custody_answer.certificates[i].length, 1 + i);
        assert_string_equal(trial.value.custody_answer.x5u[i], "");
    }
    trial_end(&trial);
    value.custody_answer.certificate_count = STK_INVENTORY_MAX + 1;
    assert_int_equal(stk_custody_answer_encode(&value.custody_answer, &out), STIRKEEP_TOO_LARGE);
    assert_int_equal(out.length, 0);
    stk_buffer_free(&out);
}

/* The decoder's own limit: the keeper's encoder is not there to keep to it. */
static void a_keeper_that_sends_33_certificates_is_refused(void **state)
{
    struct stk_buffer body = {0};
    struct stk_buffer message = {0};
    (void)state;

    for (size_t count = 0; count < STK_INVENTORY_MAX; count++) {
        put_bytes(4, "c", 1, &body);
        put_bytes(5, "", 0, &body);
    }
    put_bytes(16, body.data, body.length, &message);
    trial_expect(&codec_custody_answer, view(&message), STIRKEEP_OK, "32", "certificates");
    message.length = 0;
    put_bytes(4, "c", 1, &body);
    put_bytes(5, "", 0, &body);
    put_bytes(16, body.data, body.length, &message);
    trial_expect(&codec_custody_answer, view(&message), STIRKEEP_TOO_LARGE, "33", "certificates");
    stk_buffer_free(&body);
    stk_buffer_free(&message);
}

/* Labels and attributes on a token may be somebody else's: one that is not what it should be is
 * sent as none, and the rest of the inventory goes on. */
static void an_inventory_sends_no_name_and_no_x5u_that_is_not_one(void **state)
{
    static const char *const names[] = {NULL, "", "a b", "../x", ".x", "\xff", "a\n"};
    static const char *const urls[] = {NULL,   "",     "http://a.example/",
                                       "ftp:", "\xff", "https://a/ b"};
    union decoded value;
    struct trial trial;
    (void)state;

    for (size_t i = 0; i < COUNT(names); i++) {
        sample_fill(sample_named("inventory answer"), &value);
        value.custody_answer.name = names[i];
        pass_on(&codec_custody_answer, &value, &trial);
        assert_string_equal(trial.value.custody_answer.name, "");
        assert_int_equal(trial.value.custody_answer.certificate_count, 2);
        trial_end(&trial);
    }
    for (size_t i = 0; i < COUNT(urls); i++) {
        const char *const x5u[] = {urls[i], "https://a.example/c"};

        sample_fill(sample_named("inventory answer"), &value);
        value.custody_answer.x5u = x5u;
        pass_on(&codec_custody_answer, &value, &trial);
        assert_string_equal(trial.value.custody_answer.x5u[0], "");
        assert_string_equal(trial.value.custody_answer.x5u[1], x5u[1]);
        assert_string_equal(trial.value.custody_answer.name, "name");
        trial_end(&trial);
    }
    expect_field("inventory answer", "name", "a b", 3, STIRKEEP_INVALID);
    expect_field("inventory answer", "name", "", 0, STIRKEEP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_have_their_most_and_not_one_more),
        cmocka_unit_test(any_of_a_list_may_be_the_one_that_is_wrong),
        cmocka_unit_test(an_examination_may_find_nothing),
        cmocka_unit_test(an_inventory_has_one_x5u_for_each_certificate),
        cmocka_unit_test(an_inventory_has_32_certificates_at_most),
        cmocka_unit_test(a_keeper_that_sends_33_certificates_is_refused),
        cmocka_unit_test(an_inventory_sends_no_name_and_no_x5u_that_is_not_one),
    };

    return cmocka_run_group_tests_name("wire-many", tests, NULL, NULL);
}
