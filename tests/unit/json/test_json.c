/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/json.h"
#include "json/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ARENA ((size_t)4 * 1024 * 1024)

static int new_arena(void **state)
{
    static struct stk_arena arena;

    *state = &arena;
    return stk_arena_new(&arena, ARENA) == STIRKEEP_OK ? 0 : -1;
}

static int free_arena(void **state)
{
    stk_arena_free(*state);
    return 0;
}

static const struct stk_json *read_text(struct stk_arena *arena, const char *text)
{
    const struct stk_json *json = NULL;
    struct stk_error error = {0};

    if (stk_json_read(text, strlen(text), "claims", arena, &json, &error) != STIRKEEP_OK)
        fail_msg("%s: %s", text, error.message);
    return json;
}

static void assert_becomes(struct stk_arena *arena, const char *text, const char *canonical)
{
    stk_arena_reset(arena);
    assert_string_equal(stk_json_text_of(read_text(arena, text), arena), canonical);
}

/* Exactly as many bytes as there are: a reader that goes past them is caught by the sanitizer. */
static void assert_refused(struct stk_arena *arena, const char *text, size_t length,
                           const char *message)
{
    const struct stk_json *json = NULL;
    struct stk_error error = {0};
    char *exact = malloc(length > 0 ? length : 1);

    assert_non_null(exact);
    memcpy(exact, text, length);
    stk_arena_reset(arena);
    if (stk_json_read(exact, length, "claims", arena, &json, &error) != STIRKEEP_INVALID)
        fail_msg("taken: %.*s", (int)length, text);
    if (message != NULL && strcmp(error.message, message) != 0)
        fail_msg("%.*s: \"%s\" is not \"%s\"", (int)length, text, error.message, message);
    assert_memory_equal(error.message, "claims: byte ", 13);
    assert_null(json);
    free(exact);
}

static void values_of_every_kind_are_read(void **state)
{
    const struct stk_json *json =
        read_text(*state, " [null, false,true,\t-12,\"a\\u00e9\",[],{}]\r\n");
    static const enum stk_json_kind kinds[] = {STK_JSON_NULL,    STK_JSON_FALSE,  STK_JSON_TRUE,
                                               STK_JSON_INTEGER, STK_JSON_STRING, STK_JSON_ARRAY,
                                               STK_JSON_OBJECT};
    const struct stk_json *item = json->first;

    assert_int_equal(json->kind, STK_JSON_ARRAY);
    assert_int_equal(json->count, 7);
    for (size_t i = 0; i < COUNT(kinds); i++, item = item->next) {
        assert_int_equal(item->kind, kinds[i]);
        if (item->kind == STK_JSON_INTEGER)
            assert_int_equal(item->integer, -12);
        if (item->kind == STK_JSON_STRING) {
            assert_string_equal(item->text, "a\xc3\xa9");
            assert_int_equal(item->length, 3);
        }
    }
    assert_null(item);
}

static void members_are_in_code_point_order_at_every_level(void **state)
{
    assert_becomes(*state, "{\"b\":1,\"a\":{\"z\":[{\"d\":1,\"c\":2}],\"y\":0},\"\":3}",
                   "{\"\":3,\"a\":{\"y\":0,\"z\":[{\"c\":2,\"d\":1}]},\"b\":1}");
    /* By code point, where UTF-16 units would have the last two the other way round. */
    assert_becomes(*state, "{\"\\ud83d\\ude00\":1,\"\\ufb33\":2,\"z\":3,\"zz\":4,\"Z\":5}",
                   "{\"Z\":5,\"z\":3,\"zz\":4,\"\xef\xac\xb3\":2,\"\xf0\x9f\x98\x80\":1}");
}

static void many_members_in_any_order_are_sorted(void **state)
{
    static const int steps[] = {1, 999, 7, 389};

    for (size_t s = 0; s < COUNT(steps); s++) {
        char text[20000] = "{";
        const struct stk_json *json = NULL;
        int expected = 0;

        for (int i = 0, key = 0; i < 1000; i++, key = (key + steps[s]) % 1000)
            (void)sprintf(text + strlen(text), "%s\"k%03d\":%d", i > 0 ? "," : "", key, key);
        (void)strcat(text, "}");
        stk_arena_reset(*state);
        json = read_text(*state, text);
        assert_int_equal(json->count, 1000);
        for (const struct stk_json *member = json->first; member != NULL; member = member->next)
            assert_int_equal(member->integer, expected++);
        assert_int_equal(expected, 1000);
    }
}

static void members_are_found_by_their_names(void **state)
{
    const struct stk_json *json = read_text(*state, "{\"a\":\"x\",\"ab\":1,\"b\":[\"a\"]}");

    assert_string_equal(stk_json_member_text(json, "a"), "x");
    assert_int_equal(stk_json_member(json, "ab")->integer, 1);
    assert_null(stk_json_member_text(json, "ab"));
    assert_null(stk_json_member(json, "abc"));
    assert_null(stk_json_member(json, ""));
    assert_null(stk_json_member(stk_json_member(json, "b"), "a"));
    assert_null(stk_json_member(NULL, "a"));
    assert_null(stk_json_member_text(NULL, "a"));
}

static void escapes_are_resolved_and_written_in_their_one_spelling(void **state)
{
    assert_becomes(*state, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u002f\\u0001\\u007F\"",
                   "\"\\\"\\\\/\\b\\f\\n\\r\\t/\\u0001\x7f\"");
    assert_becomes(*state, "\"\\u00E9\\uD834\\uDD1E\\uffff\"",
                   "\"\xc3\xa9\xf0\x9d\x84\x9e\xef\xbf\xbf\"");
    assert_becomes(*state, "\"\xc3\xa9\xe2\x82\xac\xf4\x8f\xbf\xbf\"",
                   "\"\xc3\xa9\xe2\x82\xac\xf4\x8f\xbf\xbf\"");
}

static void a_key_given_twice_is_refused_with_its_place_also_behind_an_escape(void **state)
{
    static const char *const twice[] = {"{\"a\":1,\"b\":2,\"a\":1}", "{\"a\":1,\"\\u0061\":1}",
                                        "{\"\":1,\"\":2}", "{\"\\u00e9\":1,\"\xc3\xa9\":1}",
                                        "[{\"x\":{\"k\":1,\"j\":1,\"k\":1}}]"};

    for (size_t i = 0; i < COUNT(twice); i++)
        assert_refused(*state, twice[i], strlen(twice[i]), NULL);
    assert_refused(*state, "{\"a\":1,\"b\":2,\"a\":1}", 19,
                   "claims: byte 14: a key is given twice");
    assert_becomes(*state, "{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
                   "{\"a\":{\"a\":1},\"b\":{\"a\":1}}");
}

static void integers_end_at_two_to_the_53rd(void **state)
{
    static const char *const bad[] = {"9007199254740992",
                                      "-9007199254740992",
                                      "18446744073709551616",
                                      "99999999999999999999999999999999999999",
                                      "1.0",
                                      "1e2",
                                      "1E0",
                                      "0.5",
                                      "01",
                                      "-01",
                                      "00",
                                      "-",
                                      "+1",
                                      ".5",
                                      "1.",
                                      "0x10",
                                      "NaN",
                                      "Infinity",
                                      "-Infinity",
                                      "- 1",
                                      "1 2"};

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(*state, bad[i], strlen(bad[i]), NULL);
    assert_int_equal(read_text(*state, "9007199254740991")->integer, 9007199254740991);
    assert_int_equal(read_text(*state, "-9007199254740991")->integer, -9007199254740991);
    assert_becomes(*state, "-0", "0");
    assert_refused(*state, "[1.5]", 5,
                   "claims: byte 2: a number that is not written as an integer");
}

static void nesting_ends_at_eight_levels(void **state)
{
    assert_becomes(*state, "[[[[[[[[]]]]]]]]", "[[[[[[[[]]]]]]]]");
    assert_becomes(*state, "[[[[[[[{\"a\":1}]]]]]]]", "[[[[[[[{\"a\":1}]]]]]]]");
    assert_refused(*state, "[[[[[[[[[]]]]]]]]]", 18, "claims: byte 9: nested too deeply");
    assert_refused(*state, "[[[[[[[[{}]]]]]]]]", 18, "claims: byte 9: nested too deeply");
}

static void a_thousand_brackets_do_not_use_up_the_stack(void **state)
{
    static char text[1000000];

    memset(text, '[', sizeof(text));
    assert_refused(*state, text, sizeof(text), "claims: byte 9: nested too deeply");
    for (size_t i = 0; i + 5 <= sizeof(text); i += 5)
        memcpy(text + i, "{\"a\":", 5);
    assert_refused(*state, text, sizeof(text), "claims: byte 41: nested too deeply");
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        const char *message;
    } bad[] = {
        {"", 0, "claims: byte 1: ends too early"},
        {"  ", 2, "claims: byte 3: ends too early"},
        {"\xef\xbb\xbf{}", 5, "claims: byte 1: is no JSON value"},
        {"{}x", 3, "claims: byte 3: something behind the value"},
        {"{} {}", 5, "claims: byte 4: something behind the value"},
        {"[1,]", 4, "claims: byte 4: is no JSON value"},
        {"[,1]", 4, "claims: byte 2: is no JSON value"},
        {"[1 2]", 5, "claims: byte 4: ',' or ']' is missing"},
        {"[1", 2, "claims: byte 3: ',' or ']' is missing"},
        {"{\"a\":1,}", 8, "claims: byte 8: a key is missing"},
        {"{a:1}", 5, "claims: byte 2: a key is missing"},
        {"{\"a\" 1}", 7, "claims: byte 6: ':' is missing"},
        {"{\"a\":}", 6, "claims: byte 6: is no JSON value"},
        {"{\"a\":1", 6, "claims: byte 7: ',' or '}' is missing"},
        {"{1:1}", 5, "claims: byte 2: a key is missing"},
        {"tru", 3, "claims: byte 1: is no JSON value"},
        {"True", 4, "claims: byte 1: is no JSON value"},
        {"'a'", 3, "claims: byte 1: is no JSON value"},
        {"/**/1", 5, "claims: byte 1: is no JSON value"},
        {"\0", 1, "claims: byte 1: is no JSON value"},
        {"1\0", 2, "claims: byte 2: something behind the value"},
        {"[1]\xc2\xa0", 5, "claims: byte 4: something behind the value"},
        {"\f1", 2, "claims: byte 1: is no JSON value"},
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(*state, bad[i].text, bad[i].length, bad[i].message);
}

static void what_is_no_string_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        const char *message;
    } bad[] = {
        {"\"a", 2, "claims: byte 1: a string without its end"},
        {"\"", 1, "claims: byte 1: a string without its end"},
        {"\"a\\\"", 4, "claims: byte 1: a string without its end"},
        {"\"\\", 2, "claims: byte 2: an escape that JSON does not have"},
        {"\"\\x41\"", 6, "claims: byte 2: an escape that JSON does not have"},
        {"\"\\'\"", 4, "claims: byte 2: an escape that JSON does not have"},
        {"\"\\0\"", 4, "claims: byte 2: an escape that JSON does not have"},
        {"\"\\\0\"", 4, "claims: byte 2: an escape that JSON does not have"},
        {"\"\\u12\"", 6, "claims: byte 2: \\u without four hex digits"},
        {"\"\\u12g4\"", 8, "claims: byte 2: \\u without four hex digits"},
        {"\"\\u", 3, "claims: byte 2: \\u without four hex digits"},
        {"\"\\u0000\"", 8, "claims: byte 2: the character U+0000 is not allowed"},
        {"\"a\0b\"", 5, "claims: byte 3: a control character has to be escaped"},
        {"\"\n\"", 3, "claims: byte 2: a control character has to be escaped"},
        {"\"\x1f\"", 3, "claims: byte 2: a control character has to be escaped"},
        {"\"\\ud800\"", 8, "claims: byte 2: half of a surrogate pair"},
        {"\"\\udc00\"", 8, "claims: byte 2: half of a surrogate pair"},
        {"\"\\ud800\\ud800\"", 14, "claims: byte 2: half of a surrogate pair"},
        {"\"\\ud800x\"", 9, "claims: byte 2: half of a surrogate pair"},
        {"\"\\ud800\\u0041\"", 14, "claims: byte 2: half of a surrogate pair"},
        {"\"\\ud800\\n\"", 10, "claims: byte 2: half of a surrogate pair"},
        {"\"\\ud800", 7, "claims: byte 2: half of a surrogate pair"},
        {"\"\\ud800\\u", 9, "claims: byte 2: half of a surrogate pair"},
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(*state, bad[i].text, bad[i].length, bad[i].message);
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xc3",
                                      "\xe0\x80\xaf",
                                      "\xe0\x9f\xbf",
                                      "\xe2\x82",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x80\x80\xaf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xff",
                                      "\xfe",
                                      "\xe2\x28\xa1",
                                      "\xc3\x28"};

    for (size_t i = 0; i < COUNT(bad); i++) {
        char text[16] = "";

        (void)snprintf(text, sizeof(text), "\"%s\"", bad[i]);
        assert_refused(*state, text, strlen(text), "claims: byte 2: is not UTF-8");
        (void)snprintf(text, sizeof(text), "{\"%s\":1}", bad[i]);
        assert_refused(*state, text, strlen(text), "claims: byte 3: is not UTF-8");
        (void)snprintf(text, sizeof(text), "\"%s", bad[i]); /* ends within it */
        assert_refused(*state, text, strlen(text), "claims: byte 2: is not UTF-8");
    }
}

static void every_code_point_goes_through_utf8_and_back(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x110000; point++) {
        char text[4] = "";
        uint32_t read = 0;
        size_t length = stk_utf8_write(point, text);

        if (point >= 0xd800 && point < 0xe000) {
            assert_int_equal(stk_utf8_read(text, length, &read), 0);
            continue;
        }
        if (stk_utf8_read(text, length, &read) != length || read != point)
            fail_msg("U+%04X", (unsigned)point);
        if (stk_utf8_read(text, length - 1, &read) != 0)
            fail_msg("U+%04X cut short", (unsigned)point);
    }
}

static double seconds_of(struct stk_arena *arena, const char *text, enum stirkeep_status expected)
{
    struct timespec begin = {0};
    struct timespec end = {0};
    const struct stk_json *json = NULL;

    stk_arena_reset(arena);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    assert_int_equal(stk_json_read(text, strlen(text), "claims", arena, &json, NULL), expected);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

/* A quadratic search for duplicates would take some 10^7 comparisons of long keys here. */
static void hostile_keys_take_no_more_time_than_others(void **state)
{
    static char text[400000];
    char *at = text;

    *at++ = '{';
    for (int i = 0; i < 5000; i++)
        at += sprintf(at, "%s\"%055d%05d\":0", i > 0 ? "," : "", 0, (i * 1237) % 5000);
    (void)strcpy(at, "}");
    assert_true(seconds_of(*state, text, STIRKEEP_OK) < 0.2);
    (void)strcpy(at, ",\"a\":0,\"a\":0}");
    assert_true(seconds_of(*state, text, STIRKEEP_INVALID) < 0.2);
}

static void a_small_arena_is_told_as_too_large(void **state)
{
    static const char text[] = "{\"a\":[1,2,{\"bb\":\"ccc\"}],\"d\":null}";
    const struct stk_json *json = NULL;
    size_t taken = 0;
    (void)state;

    for (size_t capacity = 1; taken == 0; capacity++) {
        struct stk_arena small = {0};
        struct stk_error error = {0};
        enum stirkeep_status status = STIRKEEP_OK;

        assert_true(capacity < 4096);
        assert_int_equal(stk_arena_new(&small, capacity), STIRKEEP_OK);
        status = stk_json_read(text, sizeof(text) - 1, "claims", &small, &json, &error);
        if (status == STIRKEEP_OK) {
            taken = capacity;
        } else {
            assert_int_equal(status, STIRKEEP_TOO_LARGE);
            assert_string_equal(error.message, "claims: takes too much memory");
            assert_null(json);
        }
        stk_arena_free(&small);
    }
    assert_true(taken > sizeof(text));
}

static void a_text_that_has_no_room_in_the_arena_is_none(void **state)
{
    const struct stk_json *json = read_text(*state, "[\"abcdefghijklmnop\",1]");
    (void)state;

    for (size_t capacity = 1; capacity < 64; capacity++) {
        struct stk_arena small = {0};
        const char *text = NULL;

        assert_int_equal(stk_arena_new(&small, capacity), STIRKEEP_OK);
        text = stk_json_text_of(json, &small);
        assert_int_equal(text != NULL, capacity >= sizeof("[\"abcdefghijklmnop\",1]"));
        if (text != NULL)
            assert_string_equal(text, "[\"abcdefghijklmnop\",1]");
        else
            assert_int_equal(small.used, 0);
        stk_arena_free(&small);
    }
}

/* What is taken once is taken again in its canonical form, and stays as it is. */
static void noise_is_refused_or_has_one_canonical_form(void **state)
{
    static const char seed_text[] = "{\"a\":[1,-2,\"\\u00e9\\n\",{\"b\":null,\"c\":[true,false]}],"
                                    "\"\xc3\xa9\":\"\\ud83d\\ude00\"}";
    static const char pieces[] = "{}[]\",:\\u0019ae-.ntf \xc3\xa9\x80";
    unsigned seed = 20261126;
    size_t taken = 0;

    for (int round = 0; round < 200000; round++) {
        char text[sizeof(seed_text)];
        const struct stk_json *json = NULL;
        const char *first = NULL;

        memcpy(text, seed_text, sizeof(text));
        for (int i = 0; i < 1 + round % 3; i++)
            text[(size_t)rand_r(&seed) % (sizeof(text) - 1)] =
                pieces[(size_t)rand_r(&seed) % (sizeof(pieces) - 1)];
        stk_arena_reset(*state);
        if (stk_json_read(text, sizeof(text) - 1, "claims", *state, &json, NULL) != STIRKEEP_OK)
            continue;
        taken++;
        first = stk_json_text_of(json, *state);
        assert_string_equal(stk_json_text_of(read_text(*state, first), *state), first);
    }
    assert_true(taken > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_kind_are_read),
        cmocka_unit_test(members_are_in_code_point_order_at_every_level),
        cmocka_unit_test(many_members_in_any_order_are_sorted),
        cmocka_unit_test(members_are_found_by_their_names),
        cmocka_unit_test(escapes_are_resolved_and_written_in_their_one_spelling),
        cmocka_unit_test(a_key_given_twice_is_refused_with_its_place_also_behind_an_escape),
        cmocka_unit_test(integers_end_at_two_to_the_53rd),
        cmocka_unit_test(nesting_ends_at_eight_levels),
        cmocka_unit_test(a_thousand_brackets_do_not_use_up_the_stack),
        cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
        cmocka_unit_test(what_is_no_string_is_refused_with_its_place),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
        cmocka_unit_test(every_code_point_goes_through_utf8_and_back),
        cmocka_unit_test(hostile_keys_take_no_more_time_than_others),
        cmocka_unit_test(a_small_arena_is_told_as_too_large),
        cmocka_unit_test(a_text_that_has_no_room_in_the_arena_is_none),
        cmocka_unit_test(noise_is_refused_or_has_one_canonical_form),
    };

    return cmocka_run_group_tests_name("json", tests, new_arena, free_arena);
}
