/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include "base/clock.h"
#include "policy/pattern.h"
#include "policy/pattern_set.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void a_star_stands_for_any_run_of_characters(void **state)
{
    static const struct {
        const char *pattern;
        const char *name;
        bool matches;
    } cases[] = {
        {"Alpha", "Alpha", true},    {"Alpha", "alpha", false},  {"Alpha", "Alpha1", false},
        {"Alpha", "Alph", false},    {"*", "x", true},           {"A*", "A", true},
        {"A*", "BA", false},         {"*a", "Alpha", true},      {"*a", "Alphab", false},
        {"a*b*c", "abc", true},      {"a*b*c", "axxbyyc", true}, {"a*b*c", "acb", false},
        {"**", "anything", true},    {"a**b", "ab", true},       {"*ab*", "aab", true},
        {"*aab", "aaaab", true},     {"A.c", "Abc", false},      {"a*bc*bd", "abcbcbd", true},
        {"a*bc*bd", "abcbce", false}};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool matches = stk_pattern_matches(cases[i].pattern, cases[i].name);
        if (matches != cases[i].matches)
            fail_msg("%s against %s: %d", cases[i].pattern, cases[i].name, matches);
    }
}

static void a_hostile_pattern_costs_no_more_than_the_product_of_lengths(void **state)
{
    char pattern[STK_PATTERN_MAX + 1] = "";
    char name[STK_NAME_MAX + 1] = "";
    uint64_t start = stk_clock_mono_us();
    (void)state;

    for (size_t i = 0; i + 2 < STK_PATTERN_MAX; i += 2)
        memcpy(pattern + i, "a*", 2);
    pattern[strlen(pattern)] = 'b';
    memset(name, 'a', STK_NAME_MAX);
    /* With backtracking this takes longer than the universe has. */
    for (int i = 0; i < 1000; i++)
        assert_false(stk_pattern_matches(pattern, name));
    assert_true(stk_clock_mono_us() - start < 1000000);
}

static void a_pattern_has_the_characters_of_names(void **state)
{
    char longest[STK_PATTERN_MAX + 2] = "";
    (void)state;

    memset(longest, 'a', STK_PATTERN_MAX);
    assert_null(stk_pattern_fault("Alpha"));
    assert_null(stk_pattern_fault("*"));
    assert_null(stk_pattern_fault("A*.b-c_d"));
    assert_null(stk_pattern_fault(longest));
    longest[STK_PATTERN_MAX] = 'a';
    assert_non_null(stk_pattern_fault(longest));
    assert_non_null(stk_pattern_fault(""));
    assert_non_null(stk_pattern_fault("a b"));
    assert_non_null(stk_pattern_fault("a?"));
    assert_non_null(stk_pattern_fault("a/b"));
    assert_non_null(stk_pattern_fault(".a"));
    assert_non_null(stk_pattern_fault("\xc3\xa4"));
}

static void a_pattern_of_uris_has_the_characters_of_uris(void **state)
{
    char longest[STK_URI_MAX + 2] = "";
    (void)state;

    memset(longest, 'a', STK_URI_MAX);
    longest[3] = ':';
    assert_null(stk_uri_pattern_fault("sip:*@example.com"));
    assert_null(stk_uri_pattern_fault("sips:+1-415*;user=phone"));
    assert_null(stk_uri_pattern_fault("sip:%41*@[2001:db8::1]"));
    assert_null(stk_uri_pattern_fault("*:*"));
    assert_null(stk_uri_pattern_fault(longest));
    longest[STK_URI_MAX] = 'a';
    assert_non_null(stk_uri_pattern_fault(longest));
    assert_non_null(stk_uri_pattern_fault(""));
    assert_non_null(stk_uri_pattern_fault("example.com"));
    assert_non_null(stk_uri_pattern_fault("sip:a b"));
    assert_non_null(stk_uri_pattern_fault("sip:a%4"));
    assert_non_null(stk_uri_pattern_fault("sip:a%zz"));
    assert_non_null(stk_uri_pattern_fault("sip:\"a\""));
    assert_non_null(stk_uri_pattern_fault("sip:\n"));
}

/* ---- many at once */

static uint64_t bits_of(const struct stk_pattern_set *set, const char *text)
{
    uint64_t bits = 0;

    stk_pattern_set_match(set, text, &bits);
    return bits;
}

static void a_set_says_which_patterns_match(void **state)
{
    struct stk_pattern_bit list[] = {{"Alpha", 0},  {"Al*", 1},    {"*ha", 2}, {"A*a", 3},
                                     {"A*p*a", 4},  {"*", 5},      {"", 6},    {"Alpha", 7},
                                     {"Alpha*", 8}, {"*Alpha", 9}, {"**", 10}};
    struct stk_pattern_set *set = stk_pattern_set_new(list, sizeof(list) / sizeof(list[0]));
    (void)state;

    assert_non_null(set);
    assert_int_equal(bits_of(set, "Alpha"), 0x7bf);
    assert_int_equal(bits_of(set, "Alph"), 0x422);
    assert_int_equal(bits_of(set, "A"), 0x420);
    assert_int_equal(bits_of(set, ""), 0x420); /* nobody has the empty name */
    assert_int_equal(bits_of(set, "aloha"), 0x424);
    stk_pattern_set_free(set);
    stk_pattern_set_free(NULL);
}

static void an_empty_set_matches_nothing(void **state)
{
    struct stk_pattern_set *set = stk_pattern_set_new(NULL, 0);
    (void)state;

    assert_non_null(set);
    assert_true(stk_pattern_set_is_empty(set));
    assert_int_equal(bits_of(set, ""), 0);
    assert_int_equal(bits_of(set, "Alpha"), 0);
    stk_pattern_set_free(set);
}

static void bits_far_apart_share_a_pattern(void **state)
{
    struct stk_pattern_bit list[] = {{"A*", 4000}, {"A*", 3}, {"A*", 64}};
    uint64_t bits[64] = {0};
    struct stk_pattern_set *set = stk_pattern_set_new(list, 3);
    (void)state;

    assert_non_null(set);
    bits[5] = 0x10;
    stk_pattern_set_match(set, "Alpha", bits);
    assert_int_equal(bits[0], 8);
    assert_int_equal(bits[1], 1);
    assert_int_equal(bits[5], 0x10); /* as it was */
    assert_int_equal(bits[62], UINT64_C(1) << 32);
    stk_pattern_set_free(set);
}

#define PATTERNS 64
#define TEXT 24

/* Of few letters, so that much matches. */
static void random_text(char text[TEXT + 1], const char *letters, size_t max)
{
    size_t length = any(max) + 1;

    for (size_t i = 0; i < length; i++)
        text[i] = letters[any(strlen(letters))];
    text[length] = '\0';
}

static void a_set_agrees_with_each_pattern_by_itself(void **state)
{
    static char texts[PATTERNS][TEXT + 1];
    struct stk_pattern_bit list[PATTERNS];
    char text[TEXT + 1] = "";
    size_t matches = 0;
    (void)state;

    for (size_t round = 0; round < 200; round++) {
        struct stk_pattern_set *set = NULL;

        for (size_t i = 0; i < PATTERNS; i++) {
            random_text(texts[i], round % 2 == 0 ? "ab*" : "ab*c", i % 2 == 0 ? 6 : TEXT);
            list[i] = (struct stk_pattern_bit){.pattern = texts[i], .bit = i};
        }
        set = stk_pattern_set_new(list, PATTERNS);
        assert_non_null(set);
        for (size_t asked = 0; asked < 100; asked++) {
            uint64_t expected = 0;

            random_text(text, round % 2 == 0 ? "ab" : "abc", asked % 2 == 0 ? 6 : TEXT);
            for (size_t i = 0; i < PATTERNS; i++)
                expected |= (uint64_t)stk_pattern_matches(texts[i], text) << i;
            matches += expected != 0;
            if (bits_of(set, text) != expected)
                fail_msg("round %zu: %s", round, text);
        }
        stk_pattern_set_free(set);
    }
    assert_true(matches > 10000);
}

static void thousands_of_patterns_take_no_longer_than_a_few(void **state)
{
    enum { COUNT = 4096, ASKED = 20000 };
    static char texts[COUNT][TEXT + 1];
    static struct stk_pattern_bit list[COUNT];
    static uint64_t bits[COUNT / 64];
    struct stk_pattern_set *set = NULL;
    uint64_t start = 0;
    (void)state;

    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "carrier-%04zu-*", i);
        list[i] = (struct stk_pattern_bit){.pattern = texts[i], .bit = i};
    }
    set = stk_pattern_set_new(list, COUNT);
    assert_non_null(set);
    start = stk_clock_mono_us();
    for (size_t i = 0; i < ASKED; i++) {
        size_t which = any(COUNT);
        char name[64] = "";

        memset(bits, 0, sizeof(bits));
        (void)snprintf(name, sizeof(name), "carrier-%04zu-x", which);
        stk_pattern_set_match(set, name, bits);
        assert_int_equal(bits[which / 64], UINT64_C(1) << which % 64);
    }
    /* One after the other, 80 million comparisons would take longer. */
    assert_true(stk_clock_mono_us() - start < 1000000);
    stk_pattern_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_star_stands_for_any_run_of_characters),
        cmocka_unit_test(a_hostile_pattern_costs_no_more_than_the_product_of_lengths),
        cmocka_unit_test(a_pattern_has_the_characters_of_names),
        cmocka_unit_test(a_pattern_of_uris_has_the_characters_of_uris),
        cmocka_unit_test(a_set_says_which_patterns_match),
        cmocka_unit_test(an_empty_set_matches_nothing),
        cmocka_unit_test(bits_far_apart_share_a_pattern),
        cmocka_unit_test(a_set_agrees_with_each_pattern_by_itself),
        cmocka_unit_test(thousands_of_patterns_take_no_longer_than_a_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
