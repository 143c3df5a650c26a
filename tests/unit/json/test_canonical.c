/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/canonical.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_holds(const struct stk_buffer *buffer, const char *text)
{
    assert_int_equal(buffer->length, strlen(text));
    assert_memory_equal(buffer->data, text, buffer->length);
}

static void each_text_has_one_spelling(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain / text", 12, "\"plain / text\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\""},
        {"\0\x01\x0b\x1f", 4, "\"\\u0000\\u0001\\u000b\\u001f\""},
        {"\x7f", 1, "\"\x7f\""},
        {"\xc3\xa9\xf0\x9f\x93\x9e", 6, "\"\xc3\xa9\xf0\x9f\x93\x9e\""},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stk_buffer out = {0};
        struct stk_canonical json = stk_canonical_begin(&out);

        stk_canonical_string(&json, cases[i].text, cases[i].length);
        assert_int_equal(stk_canonical_end(&json), STIRKEEP_OK);
        assert_holds(&out, cases[i].json);
        stk_buffer_free(&out);
    }
}

static void integers_have_no_quotes(void **state)
{
    static const struct {
        int64_t value;
        const char *json;
    } cases[] = {{0, "0"},
                 {-1, "-1"},
                 {9007199254740991, "9007199254740991"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stk_buffer out = {0};
        struct stk_canonical json = stk_canonical_begin(&out);

        stk_canonical_integer(&json, cases[i].value);
        assert_int_equal(stk_canonical_end(&json), STIRKEEP_OK);
        assert_holds(&out, cases[i].json);
        stk_buffer_free(&out);
    }
}

static void a_writer_remembers_its_first_failure_and_takes_everything_back(void **state)
{
    struct stk_buffer out = {.ceiling = 8};
    struct stk_canonical json = {0};
    (void)state;

    assert_int_equal(stk_buffer_add_text(&out, "keep"), STIRKEEP_OK);
    json = stk_canonical_begin(&out);
    stk_canonical_raw(&json, "12");
    stk_canonical_raw(&json, "345");
    stk_canonical_raw(&json, "6"); /* would fit */
    assert_int_equal(stk_canonical_end(&json), STIRKEEP_TOO_LARGE);
    assert_holds(&out, "keep");
    stk_buffer_free(&out);
}

static void a_writer_without_a_buffer_counts_what_would_be_written(void **state)
{
    struct stk_buffer out = {0};
    struct stk_canonical written = stk_canonical_begin(&out);
    struct stk_canonical counted = stk_canonical_begin(NULL);
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct stk_canonical *json = i == 0 ? &written : &counted;

        stk_canonical_raw(json, "{");
        stk_canonical_string(json, "a\"\n\x01", 4);
        stk_canonical_raw(json, ":");
        stk_canonical_integer(json, -12345);
        stk_canonical_text(json, "\xc3\xa9");
        assert_int_equal(stk_canonical_end(json), STIRKEEP_OK);
    }
    assert_int_equal(written.length, out.length);
    assert_int_equal(counted.length, out.length);
    stk_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_has_one_spelling),
        cmocka_unit_test(integers_have_no_quotes),
        cmocka_unit_test(a_writer_remembers_its_first_failure_and_takes_everything_back),
        cmocka_unit_test(a_writer_without_a_buffer_counts_what_would_be_written),
    };

    return cmocka_run_group_tests_name("canonical", tests, NULL, NULL);
}
