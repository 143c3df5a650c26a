/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/number.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct stk_number_range range_of(const char *first, const char *last)
{
    return (struct stk_number_range){stk_number_key(first), stk_number_key(last)};
}

static void assert_range(struct stk_number_range range, const char *first, const char *last)
{
    char text[STK_TN_MAX + 1] = "";

    stk_number_text(range.first, text);
    assert_string_equal(text, first);
    stk_number_text(range.last, text);
    assert_string_equal(text, last);
}

static bool covers(const struct stk_number_range *ranges, size_t count, const char *tn)
{
    return stk_number_ranges_cover(ranges, count, stk_number_key(tn));
}

/* ---- keys */

static void a_number_comes_back_from_its_key(void **state)
{
    static const char *const numbers[] = {"0",
                                          "9",
                                          "00",
                                          "*",
                                          "#",
                                          "*67",
                                          "#*",
                                          "999999999999999",
                                          "000000000000000",
                                          "***************",
                                          "###############",
                                          "12155551212",
                                          "1*2#3"};
    char text[STK_TN_MAX + 1] = "";
    (void)state;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        stk_number_text(stk_number_key(numbers[i]), text);
        assert_string_equal(text, numbers[i]);
    }
    assert_true(stk_number_key("12") == 0x2000000000000012);
    assert_true(stk_number_key("999999999999999") == 0xf999999999999999);
    assert_true(stk_number_key("###############") == 0xfbbbbbbbbbbbbbbb);
}

static void keys_of_one_length_are_in_the_order_of_their_numbers(void **state)
{
    static const char *const ordered[] = {"9",
                                          "00",
                                          "01",
                                          "09",
                                          "0*",
                                          "0#",
                                          "10",
                                          "99",
                                          "9*",
                                          "#0",
                                          "##",
                                          "000",
                                          "100",
                                          "999",
                                          "*00",
                                          "999999999999999",
                                          "*99999999999999"};
    (void)state;

    for (size_t i = 1; i < COUNT(ordered); i++)
        assert_true(stk_number_key(ordered[i - 1]) < stk_number_key(ordered[i]));
}

/* ---- runs */

static void a_run_ends_with_the_last_of_its_numbers(void **state)
{
    static const struct {
        const char *first;
        uint32_t count;
        const char *last;
    } runs[] = {{"12025550100", 100, "12025550199"},
                {"12025550100", 1, "12025550100"},
                {"0", 10, "9"},
                {"9", 1, "9"},
                {"00", 100, "99"},
                {"10", 90, "99"},
                {"099", 2, "100"},
                {"9999999999", 1, "9999999999"},
                {"999999999999998", 2, "999999999999999"},
                {"000000000000000", UINT32_MAX, "000004294967294"},
                {"19999999999", 2, "20000000000"}};
    struct stk_number_range range = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(runs); i++) {
        assert_int_equal(stk_number_run(runs[i].first, runs[i].count, "tn", &range, NULL),
                         STIRKEEP_OK);
        assert_range(range, runs[i].first, runs[i].last);
    }
}

static void a_run_past_the_last_number_of_its_length_is_refused(void **state)
{
    static const struct {
        const char *first;
        uint32_t count;
    } runs[] = {{"9999999999", 2}, {"9", 2},
                {"10", 91}, /* RFC 8226 section 9's own example */
                {"00", 101},       {"999999999999999", 2},
                {"1", UINT32_MAX}, {"999999999999999", UINT32_MAX},
                {"12025550100", 0}};
    struct stk_number_range range = {7, 8};
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(runs); i++) {
        assert_int_equal(
            stk_number_run(runs[i].first, runs[i].count, "TNAuthList[3]", &range, &error),
            STIRKEEP_INVALID);
        assert_memory_equal(error.message, "TNAuthList[3]: ", 15);
    }
    assert_int_equal(range.first, 7);
}

static void a_run_begins_with_digits_alone(void **state)
{
    static const char *const bad[] = {"", "*1", "1#", "+1", "1 2", "a", "1234567890123456"};
    struct stk_number_range range = {0};
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(stk_number_run(bad[i], 1, "tn", &range, &error), STIRKEEP_INVALID);
}

/* ---- sets */

static void ranges_that_touch_or_overlap_are_joined(void **state)
{
    struct stk_number_range ranges[] = {
        range_of("300", "399"), range_of("100", "199"), range_of("200", "250"),
        range_of("240", "299"), range_of("150", "160"), range_of("500", "500"),
        range_of("501", "501"), range_of("503", "503"), range_of("500", "500")};
    (void)state;

    assert_int_equal(stk_number_ranges_normalise(ranges, COUNT(ranges)), 3);
    assert_range(ranges[0], "100", "399");
    assert_range(ranges[1], "500", "501");
    assert_range(ranges[2], "503", "503");
}

static void ranges_of_different_lengths_are_never_joined(void **state)
{
    struct stk_number_range ranges[] = {range_of("0000", "0009"), range_of("990", "999"),
                                        range_of("90", "99")};
    (void)state;

    assert_int_equal(stk_number_ranges_normalise(ranges, 3), 3);
    assert_range(ranges[0], "90", "99");
    assert_range(ranges[1], "990", "999");
    assert_range(ranges[2], "0000", "0009");
    assert_false(covers(ranges, 3, "100"));
    assert_false(covers(ranges, 3, "0010"));
    assert_true(covers(ranges, 3, "999"));
}

static void numbers_with_marks_are_in_no_range_of_digits(void **state)
{
    struct stk_number_range ranges[] = {range_of("12", "39"), range_of("2*", "2*"),
                                        range_of("1#", "1#"), range_of("2*", "2*"),
                                        range_of("40", "40"), range_of("19", "19")};
    size_t count = 0;
    (void)state;

    /* Their keys lie between those of 19 and 20: nobody meant them. */
    assert_true(stk_number_key("1*") > stk_number_key("19") &&
                stk_number_key("1*") < stk_number_key("20"));
    count = stk_number_ranges_normalise(ranges, COUNT(ranges));
    assert_int_equal(count, 3);
    assert_true(covers(ranges, count, "12"));
    assert_true(covers(ranges, count, "19"));
    assert_true(covers(ranges, count, "20"));
    assert_true(covers(ranges, count, "40"));
    assert_true(covers(ranges, count, "2*"));
    assert_true(covers(ranges, count, "1#"));
    assert_false(covers(ranges, count, "1*"));
    assert_false(covers(ranges, count, "2#"));
    assert_false(covers(ranges, count, "3*"));
    assert_false(covers(ranges, count, "**"));
    assert_false(covers(ranges, count, "41"));
    assert_false(covers(ranges, count, "11"));
}

static void no_ranges_cover_nothing(void **state)
{
    (void)state;
    assert_int_equal(stk_number_ranges_normalise(NULL, 0), 0);
    assert_false(covers(NULL, 0, "0"));
}

/* Against a table of all numbers of four digits. */
static void random_ranges_cover_what_a_table_says(void **state)
{
    unsigned seed = 20261126;
    (void)state;

    for (int round = 0; round < 200; round++) {
        bool table[10000] = {0};
        struct stk_number_range ranges[40];
        size_t given = 1 + (size_t)rand_r(&seed) % COUNT(ranges);
        size_t count = 0;

        for (size_t i = 0; i < given; i++) {
            unsigned first = (unsigned)rand_r(&seed) % 10000;
            unsigned length = 1 + (unsigned)rand_r(&seed) % (i % 3 == 0 ? 500 : 3);
            char text[8] = "";

            if (first + length > 10000)
                length = 10000 - first;
            (void)snprintf(text, sizeof(text), "%04u", first);
            assert_int_equal(stk_number_run(text, length, "tn", &ranges[i], NULL), STIRKEEP_OK);
            for (unsigned n = first; n < first + length; n++)
                table[n] = true;
        }
        count = stk_number_ranges_normalise(ranges, given);
        for (size_t i = 1; i < count; i++)
            assert_true(ranges[i].first > ranges[i - 1].last);
        for (unsigned n = 0; n < 10000; n++) {
            char text[8] = "";

            (void)snprintf(text, sizeof(text), "%04u", n);
            if (covers(ranges, count, text) != table[n])
                fail_msg("%s in round %d", text, round);
        }
    }
}

static void hostile_ends_are_survived(void **state)
{
    /* As a compromised room could send them: nothing of these is a number. */
    struct stk_number_range ranges[] = {{UINT64_MAX, 0},
                                        {0, UINT64_MAX},
                                        {0xcc, 0xdd},
                                        {0x2000000000000012, 0xf0000000000000cc},
                                        {UINT64_MAX, UINT64_MAX},
                                        {0, 0}};
    size_t count = 0;
    (void)state;

    count = stk_number_ranges_normalise(ranges, COUNT(ranges));
    assert_true(count >= 1 && count <= COUNT(ranges));
    (void)covers(ranges, count, "12");
    (void)covers(ranges, count, "*");
}

/* ---- patterns */

static void assert_pattern(const char *text, enum stk_number_kind kind, const char *canonical)
{
    struct stk_number_pattern pattern = {0};
    struct stk_error error = {0};
    char written[STK_NUMBER_PATTERN_TEXT] = "";
    struct stk_number_pattern again = {0};

    if (stk_number_pattern_read(text, "orig", &pattern, &error) != STIRKEEP_OK)
        fail_msg("%s: %s", text, error.message);
    assert_int_equal(pattern.kind, kind);
    stk_number_pattern_text(&pattern, written);
    assert_string_equal(written, canonical);
    assert_int_equal(stk_number_pattern_read(written, "orig", &again, NULL), STIRKEEP_OK);
    assert_memory_equal(&again, &pattern, sizeof(again));
}

static void patterns_of_each_kind_are_read(void **state)
{
    (void)state;
    assert_pattern("14155550100", STK_NUMBER_ONE, "14155550100");
    assert_pattern(" +1 (415) 555.0100 ", STK_NUMBER_ONE, "14155550100");
    assert_pattern("+1-415-555-0100", STK_NUMBER_ONE, "14155550100");
    assert_pattern("*67#", STK_NUMBER_ONE, "*67#");
    assert_pattern("12025550100-12025550199", STK_NUMBER_RANGE, "12025550100-12025550199");
    assert_pattern("+1 202 555 0100 - +1 202 555 0199", STK_NUMBER_RANGE,
                   "12025550100-12025550199");
    assert_pattern("+1-202-555-0100 - +1-202-555-0199", STK_NUMBER_RANGE,
                   "12025550100-12025550199");
    assert_pattern("5-5", STK_NUMBER_RANGE, "5-5");
    assert_pattern("*67*-*67*", STK_NUMBER_RANGE, "*67*-*67*");
    assert_pattern("1415555*", STK_NUMBER_PREFIX, "1415555*");
    assert_pattern("+1 415 *", STK_NUMBER_PREFIX, "1415*");
    assert_pattern("*", STK_NUMBER_PREFIX, "*");
    assert_pattern("123456789012345*", STK_NUMBER_PREFIX, "123456789012345*");
    assert_pattern("#31#*", STK_NUMBER_PREFIX, "#31#*");
    assert_pattern("000000000000000-999999999999999", STK_NUMBER_RANGE,
                   "000000000000000-999999999999999");
}

static void what_is_no_pattern_is_refused_with_the_field(void **state)
{
    static const char *const bad[] = {"",
                                      "   ",
                                      "a",
                                      "1234567890123456",
                                      "1234567890123456*",
                                      "-",
                                      "1-",
                                      "-1",
                                      "555-0100", /* one hyphen makes a range */
                                      "2-1",
                                      "12025550199-12025550100",
                                      "1-22",
                                      "1*-2*",
                                      "1*-12",
                                      "10-1#",
                                      "1 - 2 - 3",
                                      "1*2x",
                                      "12**",
                                      "**",
                                      "1415* *",
                                      "(1415*)", /* neither that prefix nor that number */
                                      "1415*.",
                                      "1415**(",
                                      "1;ext=2",
                                      "1;ext=2*",
                                      "1-2;",
                                      "+*",
                                      "sip:a@b",
                                      "1,2",
                                      "1\n2"};
    static char longest[300];
    struct stk_number_pattern pattern = {.kind = STK_NUMBER_RANGE, .prefix = "7"};
    struct stk_error error = {0};
    (void)state;

    for (size_t i = 0; i < COUNT(bad); i++) {
        if (stk_number_pattern_read(bad[i], "orig[2]", &pattern, &error) != STIRKEEP_INVALID)
            fail_msg("taken: \"%s\"", bad[i]);
        assert_memory_equal(error.message, "orig[2]: ", 9);
    }
    memset(longest, ' ', sizeof(longest) - 1);
    longest[200] = '1';
    longest[0] = '1';
    assert_int_equal(stk_number_pattern_read(longest, "orig", &pattern, &error), STIRKEEP_INVALID);
    assert_string_equal(pattern.prefix, "7");
}

static bool matches(const char *text, const char *tn)
{
    struct stk_number_pattern pattern = {0};

    assert_int_equal(stk_number_pattern_read(text, "orig", &pattern, NULL), STIRKEEP_OK);
    return stk_number_pattern_matches(&pattern, tn);
}

static void patterns_match_the_numbers_they_name(void **state)
{
    (void)state;
    assert_true(matches("14155550100", "14155550100"));
    assert_false(matches("14155550100", "14155550101"));
    assert_false(matches("14155550100", "1415555010"));
    assert_false(matches("14155550100", "141555501000"));
    assert_true(matches("12025550100-12025550199", "12025550100"));
    assert_true(matches("12025550100-12025550199", "12025550199"));
    assert_false(matches("12025550100-12025550199", "12025550099"));
    assert_false(matches("12025550100-12025550199", "12025550200"));
    assert_false(matches("12025550100-12025550199", "1202555010*"));
    assert_false(matches("12025550100-12025550199", "120255501000"));
    assert_true(matches("*67*-*67*", "*67*"));
    assert_false(matches("*67*-*67*", "*67#"));
    assert_true(matches("1415555*", "1415555"));
    assert_true(matches("1415555*", "14155550100"));
    assert_true(matches("1415555*", "1415555#"));
    assert_false(matches("1415555*", "141555"));
    assert_false(matches("1415555*", "14155650100"));
    assert_true(matches("*", "0"));
    assert_true(matches("*", "*67"));
    assert_true(matches("123456789012345*", "123456789012345"));
    assert_true(matches("0-9", "5"));
    assert_false(matches("0-9", "05"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_comes_back_from_its_key),
        cmocka_unit_test(keys_of_one_length_are_in_the_order_of_their_numbers),
        cmocka_unit_test(a_run_ends_with_the_last_of_its_numbers),
        cmocka_unit_test(a_run_past_the_last_number_of_its_length_is_refused),
        cmocka_unit_test(a_run_begins_with_digits_alone),
        cmocka_unit_test(ranges_that_touch_or_overlap_are_joined),
        cmocka_unit_test(ranges_of_different_lengths_are_never_joined),
        cmocka_unit_test(numbers_with_marks_are_in_no_range_of_digits),
        cmocka_unit_test(no_ranges_cover_nothing),
        cmocka_unit_test(random_ranges_cover_what_a_table_says),
        cmocka_unit_test(hostile_ends_are_survived),
        cmocka_unit_test(patterns_of_each_kind_are_read),
        cmocka_unit_test(what_is_no_pattern_is_refused_with_the_field),
        cmocka_unit_test(patterns_match_the_numbers_they_name),
    };

    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
