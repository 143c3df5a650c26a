/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include "base/clock.h"
#include "policy/rules_impl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_rule(const struct rules *rules, const char *tn, const char *expected,
                        uint32_t line)
{
    struct stk_rule_found found = stk_rules_find(rules->opened, tn);

    assert_string_equal(stk_level_name(found.level), expected);
    assert_int_equal(found.found, line != 0);
    assert_int_equal(found.line, line);
    assert_int_equal(found.source, line != 0);
}

/* What building says to these rules; "" when it is content. */
static const char *fault_of(const char *csv)
{
    static struct stk_error error;
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_buffer out = {0};

    error = (struct stk_error){0};
    assert_non_null(draft);
    assert_int_equal(stk_rules_draft_csv(draft, csv, strlen(csv), "attest.csv", &error),
                     STIRKEEP_OK);
    if (stk_rules_build(draft, &out, &error) == STIRKEEP_OK)
        assert_true(out.length > 0);
    else
        assert_int_equal(out.length, 0);
    stk_buffer_free(&out);
    stk_rules_draft_free(draft);
    return error.message;
}

static void a_level_has_a_name(void **state)
{
    enum stk_level read = STK_LEVEL_NONE;
    (void)state;

    assert_true(stk_level_read("A", &read));
    assert_int_equal(read, STK_LEVEL_A);
    assert_true(stk_level_read("none", &read));
    assert_int_equal(read, STK_LEVEL_NONE);
    assert_false(stk_level_read("a", &read));
    assert_false(stk_level_read("", &read));
    assert_false(stk_level_read("AA", &read));
    assert_string_equal(stk_level_name(STK_LEVEL_B), "B");
    assert_string_equal(stk_level_name((enum stk_level)77), "none");
}

static void the_most_specific_rule_decides(void **state)
{
    struct rules rules = rules_of("14155550100,A\n"
                                  "14155550000-14155559999,B\n"
                                  "14155550100-14155550199,C\n"
                                  "1415*,none\n"
                                  "1415555*,A\n"
                                  "*,C\n",
                                  STK_LEVEL_NONE);
    (void)state;

    assert_rule(&rules, "14155550100", "A", 1); /* by itself before all ranges */
    assert_rule(&rules, "14155550101", "C", 3); /* the range of fewer numbers */
    assert_rule(&rules, "14155550099", "B", 2); /* the one around it */
    assert_rule(&rules, "14155550200", "B", 2); /* again behind it */
    assert_rule(&rules, "14155560000", "none", 4);
    assert_rule(&rules, "1415555", "A", 5); /* ranges have a length, prefixes have not */
    assert_rule(&rules, "141555501000", "A", 5);
    assert_rule(&rules, "1415", "none", 4);
    assert_rule(&rules, "141", "C", 6);
    assert_rule(&rules, "999999999999999", "C", 6);
    assert_int_equal(stk_rules_count(rules.opened), 6);
    rules_free(&rules);
}

static void a_number_without_a_rule_has_the_default(void **state)
{
    struct rules rules = rules_of("14155550100,A\n2000-2999,B\n", STK_LEVEL_C);
    struct rules none = rules_of("", STK_LEVEL_NONE);
    (void)state;

    assert_rule(&rules, "14155550101", "C", 0);
    assert_rule(&rules, "1999", "C", 0);
    assert_rule(&rules, "3000", "C", 0);
    assert_rule(&rules, "02000", "C", 0);
    assert_rule(&rules, "2000", "B", 2);
    assert_rule(&rules, "2999", "B", 2);
    assert_rule(&none, "14155550100", "none", 0);
    assert_int_equal(stk_rules_count(none.opened), 0);
    rules_free(&rules);
    rules_free(&none);
}

static void a_number_with_a_star_or_hash_is_in_no_range_but_under_prefixes(void **state)
{
    struct rules rules = rules_of("00-99,B\n5*-5*,C\n7*,A\n+#*,A\n", STK_LEVEL_NONE);
    (void)state;

    assert_rule(&rules, "59", "B", 1);
    assert_rule(&rules, "5*", "C", 2);
    assert_rule(&rules, "5#", "none", 0);
    assert_rule(&rules, "60", "B", 1);
    assert_rule(&rules, "7#", "A", 3);
    assert_rule(&rules, "71", "B", 1);
    assert_rule(&rules, "#", "A", 4);
    assert_rule(&rules, "#31#123", "A", 4);
    assert_rule(&rules, "*31", "none", 0);
    rules_free(&rules);
}

static void ends_of_what_numbers_there_are(void **state)
{
    struct rules rules = rules_of("999999999999999,A\n"
                                  "999999999999990-999999999999999,B\n"
                                  "0-9,C\n"
                                  "99999999999999*,none\n"
                                  "000000000000000-099999999999999,A\n",
                                  STK_LEVEL_NONE);
    (void)state;

    assert_rule(&rules, "999999999999999", "A", 1);
    assert_rule(&rules, "999999999999998", "B", 2);
    assert_rule(&rules, "99999999999999", "none", 4);
    assert_rule(&rules, "0", "C", 3);
    assert_rule(&rules, "9", "C", 3);
    assert_rule(&rules, "10", "none", 0);
    assert_rule(&rules, "000000000000000", "A", 5);
    assert_rule(&rules, "00000000000000", "none", 0);
    rules_free(&rules);
}

static void two_rules_for_the_same_numbers_are_a_conflict_naming_both_lines(void **state)
{
    (void)state;

    assert_string_equal(fault_of("14155550100,A\n\n+1 (415) 555.0100,B\n"),
                        "attest.csv:3: 14155550100 has a rule already in line 1");
    assert_string_equal(fault_of("14155550100,A\n14155550100,A\n"), /* also when they agree */
                        "attest.csv:2: 14155550100 has a rule already in line 1");
    assert_string_equal(fault_of("2000-2999,A\n2000-2999,B\n"),
                        "attest.csv:2: 2000-2999 has a rule already in line 1");
    assert_string_equal(fault_of("1415*,A\n1416*,A\n1415*,B\n"),
                        "attest.csv:3: 1415* has a rule already in line 1");
    assert_string_equal(fault_of("*,A\n*,B\n"), "attest.csv:2: * has a rule already in line 1");
    assert_string_equal(fault_of("2000-2000,A\n2000,B\n"), /* a range of one */
                        "attest.csv:2: 2000 has a rule already in line 1");
    assert_string_equal(fault_of("123456789012345*,A\n123456789012345,B\n"), /* nothing is longer */
                        "attest.csv:2: 123456789012345 has a rule already in line 1");
    assert_string_equal(fault_of("*#*,A\n*#*,B\n"),
                        "attest.csv:2: *#* has a rule already in line 1");
}

static void ranges_that_overlap_are_a_conflict_naming_both_lines(void **state)
{
    (void)state;

    assert_string_equal(fault_of("2000-2999,A\n2500-3499,B\n"),
                        "attest.csv:2: 2500-3499 overlaps 2000-2999 in line 1, and neither lies "
                        "within the other");
    assert_string_equal(fault_of("2500-3499,A\n2000-2500,B\n"),
                        "attest.csv:2: 2000-2500 overlaps 2500-3499 in line 1, and neither lies "
                        "within the other");
    /* Through several that hold it. */
    assert_non_null(strstr(fault_of("0000-9999,A\n1000-5000,A\n2000-3000,B\n2900-3100,C\n"),
                           "attest.csv:4: 2900-3100 overlaps 2000-3000 in line 3"));
    assert_string_equal(fault_of("2000-2999,A\n3000-3999,B\n"), "");
    assert_string_equal(fault_of("2000-2999,A\n2000-2998,B\n2001-2998,C\n"), "");
    assert_string_equal(fault_of("2000-2999,A\n02500-03499,B\n"), ""); /* of another length */
    assert_string_equal(fault_of("1*,A\n14*,B\n15*,C\n141*,A\n"), "");
}

static void a_conflict_with_the_configuration_says_so(void **state)
{
    static const char csv[] = "\n2000,B\n";
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_number_pattern pattern = pattern_of("2000");
    struct stk_buffer out = {0};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_rules_draft_csv(draft, csv, strlen(csv), "attest.csv", &error),
                     STIRKEEP_OK);
    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 0, 77), STIRKEEP_OK);
    assert_int_equal(stk_rules_build(draft, &out, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message, "attest.csv:2: 2000 has a rule already in the "
                                       "configuration, line 77");
    stk_rules_draft_free(draft);
    draft = stk_rules_draft_new();
    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 0, 7), STIRKEEP_OK);
    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_B, 0, 9), STIRKEEP_OK);
    assert_int_equal(stk_rules_build(draft, &out, &error), STIRKEEP_CONFIG);
    assert_string_equal(error.message,
                        "line 9 of the configuration: 2000 has a rule already in line 7");
    stk_rules_draft_free(draft);
    stk_rules_draft_free(NULL);
    stk_buffer_free(&out);
}

static void a_draft_takes_what_is_sound_and_not_too_much(void **state)
{
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_number_pattern pattern = pattern_of("2000-2999");
    (void)state;

    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 1, STK_RULES_LINE_MAX),
                     STIRKEEP_OK);
    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 1, STK_RULES_LINE_MAX + 1),
                     STIRKEEP_TOO_LARGE);
    pattern.range.last = stk_number_key("1999");
    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 1, 1), STIRKEEP_INVALID);
    pattern.range.last = stk_number_key("20000");
    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 1, 1), STIRKEEP_INVALID);
    pattern.kind = STK_NUMBER_PREFIX;
    memset(pattern.prefix, '1', sizeof(pattern.prefix));
    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 1, 1), STIRKEEP_INVALID);
    pattern = pattern_of("1");
    while (stk_rules_draft_count(draft) < STK_RULES_MAX)
        assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 1, 1), STIRKEEP_OK);
    assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 1, 1), STIRKEEP_TOO_LARGE);
    stk_rules_draft_free(draft);
}

static void lines_and_sources_come_back(void **state)
{
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_number_pattern one = pattern_of("1");
    struct stk_number_pattern other = pattern_of("2");
    struct stk_buffer out = {0};
    struct stk_rules *rules = NULL;
    struct stk_rule_found found = {0};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_rules_draft_add(draft, &one, STK_LEVEL_A, 1, STK_RULES_LINE_MAX),
                     STIRKEEP_OK);
    assert_int_equal(stk_rules_draft_add(draft, &other, STK_LEVEL_NONE, 0, 0), STIRKEEP_OK);
    assert_int_equal(stk_rules_build(draft, &out, &error), STIRKEEP_OK);
    assert_int_equal(stk_rules_open((struct stk_bytes){out.data, out.length}, &rules, &error),
                     STIRKEEP_OK);
    found = stk_rules_find(rules, "1");
    assert_true(found.found && found.level == STK_LEVEL_A && found.source == 1 &&
                found.line == STK_RULES_LINE_MAX);
    found = stk_rules_find(rules, "2");
    assert_true(found.found && found.level == STK_LEVEL_NONE && found.source == 0 &&
                found.line == 0);
    stk_rules_close(rules);
    stk_rules_draft_free(draft);
    stk_buffer_free(&out);
}

/* ---- against each rule by itself */

#define RULES 48
struct plain_rule {
    struct stk_number_pattern pattern;
    enum stk_level level;
    uint32_t line;
};

static void random_number(char text[STK_TN_MAX + 1], bool digits_alone)
{
    size_t length = any(4) + 1;

    for (size_t i = 0; i < length; i++)
        text[i] = "01289*#"[any(digits_alone ? 5 : 7)];
    text[length] = '\0';
}

static struct stk_number_pattern random_pattern(void)
{
    struct stk_number_pattern pattern = {.kind = (enum stk_number_kind)any(3)};
    char texts[2][STK_TN_MAX + 1] = {"", ""};

    random_number(texts[0], pattern.kind == STK_NUMBER_RANGE);
    memcpy(texts[1], texts[0], sizeof(texts[0]));
    if (pattern.kind == STK_NUMBER_PREFIX) {
        memcpy(pattern.prefix, texts[0], sizeof(pattern.prefix));
        if (any(20) == 0)
            pattern.prefix[0] = '\0';
        return pattern;
    }
    for (size_t i = 0; pattern.kind == STK_NUMBER_RANGE && texts[1][i] != '\0'; i++)
        texts[1][i] = "01289"[any(5)];
    pattern.range.first = stk_number_key(texts[0]);
    pattern.range.last = stk_number_key(texts[1]);
    if (pattern.range.first > pattern.range.last) {
        pattern.range.first = pattern.range.last;
        pattern.range.last = stk_number_key(texts[0]);
    }
    return pattern;
}

static bool is_one(const struct stk_number_pattern *pattern)
{
    return pattern->kind != STK_NUMBER_PREFIX && pattern->range.first == pattern->range.last;
}

static bool clash(const struct stk_number_pattern *a, const struct stk_number_pattern *b)
{
    if (a->kind == STK_NUMBER_PREFIX || b->kind == STK_NUMBER_PREFIX)
        return a->kind == b->kind && strcmp(a->prefix, b->prefix) == 0;
    if (is_one(a) || is_one(b))
        return is_one(a) && is_one(b) && a->range.first == b->range.first;
    if (a->range.first == b->range.first && a->range.last == b->range.last)
        return true;
    return a->range.first <= b->range.last && b->range.first <= a->range.last &&
           !(a->range.first <= b->range.first && b->range.last <= a->range.last) &&
           !(b->range.first <= a->range.first && a->range.last <= b->range.last);
}

/* More specific is less: a single number, then a small range, then a long prefix. */
static uint64_t breadth(const struct stk_number_pattern *pattern)
{
    if (pattern->kind == STK_NUMBER_PREFIX)
        return UINT64_MAX - strlen(pattern->prefix);
    return is_one(pattern) ? 0 : pattern->range.last - pattern->range.first;
}

static const struct plain_rule *decide_plainly(const struct plain_rule *rules, size_t count,
                                               const char *tn)
{
    const struct plain_rule *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (stk_number_pattern_matches(&rules[i].pattern, tn) &&
            (best == NULL || breadth(&rules[i].pattern) < breadth(&best->pattern)))
            best = &rules[i];
    return best;
}

static struct stk_rules *compile(const struct plain_rule *rules, size_t count,
                                 struct stk_buffer *out)
{
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_rules *opened = NULL;
    struct stk_error error = {0};

    for (size_t i = 0; i < count; i++)
        assert_int_equal(stk_rules_draft_add(draft, &rules[i].pattern, rules[i].level,
                                             rules[i].line % 2, rules[i].line),
                         STIRKEEP_OK);
    if (stk_rules_build(draft, out, &error) == STIRKEEP_OK)
        assert_int_equal(
            stk_rules_open((struct stk_bytes){out->data, out->length}, &opened, &error),
            STIRKEEP_OK);
    stk_rules_draft_free(draft);
    return opened;
}

static void assert_agrees(const struct stk_rules *opened, const struct plain_rule *rules,
                          size_t count, const char *tn)
{
    const struct plain_rule *expected = decide_plainly(rules, count, tn);
    struct stk_rule_found found = stk_rules_find(opened, tn);

    if (found.found != (expected != NULL) ||
        (expected != NULL && (found.line != expected->line || found.level != expected->level ||
                              found.source != expected->line % 2)))
        fail_msg("%s: line %u, not %u", tn, found.line, expected != NULL ? expected->line : 0);
}

static void random_rules_agree_with_each_rule_by_itself(void **state)
{
    struct plain_rule rules[RULES];
    size_t conflicts = 0;
    size_t lookups = 0;
    (void)state;

    for (size_t round = 0; lookups < 100000; round++) {
        size_t count = any(RULES) + 1;
        bool allow_conflicts = round % 16 == 0;
        bool conflict = false;
        struct stk_buffer out = {0};
        struct stk_rules *opened = NULL;

        for (size_t i = 0; i < count;) {
            bool clashes = false;

            rules[i] = (struct plain_rule){.pattern = random_pattern(),
                                           .level = (enum stk_level)any(4),
                                           .line = (uint32_t)any(1000)};
            for (size_t j = 0; j < i; j++)
                clashes = clashes || clash(&rules[i].pattern, &rules[j].pattern);
            conflict = conflict || (clashes && allow_conflicts);
            if (!clashes || allow_conflicts)
                i++;
            else if (any(50) == 0)
                count = i; /* not many are left that fit in */
        }
        opened = compile(rules, count, &out);
        conflicts += conflict;
        assert_int_equal(opened == NULL, conflict);
        for (size_t i = 0; opened != NULL && i < 1000; i++, lookups++) {
            char tn[STK_TN_MAX + 1] = "";

            random_number(tn, i % 4 != 0);
            assert_agrees(opened, rules, count, tn);
        }
        stk_rules_close(opened);
        stk_buffer_free(&out);
    }
    assert_true(conflicts > 0);
}

/* ---- size */

static void many_numbers_are_all_found_and_no_others(void **state)
{
    enum { COUNT = 200000 };
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_buffer out = {0};
    struct stk_rules *rules = NULL;
    struct stk_error error = {0};
    (void)state;

    for (uint32_t i = 0; i < COUNT; i++) {
        char tn[STK_TN_MAX + 1] = "";
        struct stk_number_pattern pattern = {.kind = STK_NUMBER_ONE};

        (void)snprintf(tn, sizeof(tn), "%u", 1000000000u + i * 2 * 1013u);
        pattern.range.first = stk_number_key(tn);
        pattern.range.last = pattern.range.first;
        assert_int_equal(stk_rules_draft_add(draft, &pattern, (enum stk_level)(i % 4), 1, i),
                         STIRKEEP_OK);
    }
    assert_int_equal(stk_rules_build(draft, &out, &error), STIRKEEP_OK);
    assert_true(out.length < 14 * COUNT);
    assert_int_equal(stk_rules_open((struct stk_bytes){out.data, out.length}, &rules, &error),
                     STIRKEEP_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        char tn[STK_TN_MAX + 1] = "";
        struct stk_rule_found found = {0};

        (void)snprintf(tn, sizeof(tn), "%u", 1000000000u + i * 2 * 1013u);
        found = stk_rules_find(rules, tn);
        assert_true(found.found && found.line == i && found.level == (enum stk_level)(i % 4));
        (void)snprintf(tn, sizeof(tn), "%u", 1000000000u + i * 2 * 1013u + 1013u);
        assert_false(stk_rules_find(rules, tn).found);
    }
    stk_rules_close(rules);
    stk_rules_draft_free(draft);
    stk_buffer_free(&out);
}

static uint64_t key_at(uint64_t number)
{
    char tn[STK_TN_MAX + 1] = "";

    (void)snprintf(tn, sizeof(tn), "%lu", (unsigned long)number);
    return stk_number_key(tn);
}

/* Each within the one before it, in a bad order. */
static void a_million_nested_ranges_are_no_more_than_a_million_others(void **state)
{
    enum { COUNT = 1000000 };
    const uint64_t base = 20000000000;
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_buffer out = {0};
    struct stk_rules *rules = NULL;
    struct stk_error error = {0};
    uint64_t start = 0;
    (void)state;

    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t depth = i % 2 == 0 ? i : COUNT - i;
        struct stk_number_pattern pattern = {
            .kind = STK_NUMBER_RANGE,
            .range = {key_at(base + depth), key_at(base + 4 * (uint64_t)COUNT - depth)}};

        assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_B, 1, depth), STIRKEEP_OK);
    }
    start = stk_clock_mono_us();
    assert_int_equal(stk_rules_build(draft, &out, &error), STIRKEEP_OK);
    assert_true(stk_clock_mono_us() - start < 5000000); /* sanitizers and a busy host included */
    assert_int_equal(stk_rules_open((struct stk_bytes){out.data, out.length}, &rules, &error),
                     STIRKEEP_OK);
    assert_int_equal(stk_rules_find(rules, "20000000000").line, 0);
    assert_int_equal(stk_rules_find(rules, "20000000123").line, 123);
    assert_int_equal(stk_rules_find(rules, "20002000000").line, COUNT - 1);
    assert_int_equal(stk_rules_find(rules, "20003999877").line, 123);
    assert_false(stk_rules_find(rules, "20004000001").found);
    stk_rules_close(rules);
    stk_rules_draft_free(draft);
    stk_buffer_free(&out);
}

static void a_million_rules_for_one_number_are_refused_at_once(void **state)
{
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_number_pattern pattern = pattern_of("14155550100");
    struct stk_buffer out = {0};
    struct stk_error error = {0};
    uint64_t start = stk_clock_mono_us();
    (void)state;

    for (uint32_t i = 1; i <= 1000000; i++)
        assert_int_equal(stk_rules_draft_add(draft, &pattern, STK_LEVEL_A, 1, i), STIRKEEP_OK);
    assert_int_equal(stk_rules_build(draft, &out, &error), STIRKEEP_CONFIG);
    assert_non_null(strstr(error.message, "14155550100 has a rule already in line"));
    assert_true(stk_clock_mono_us() - start < 5000000);
    stk_rules_draft_free(draft);
    stk_buffer_free(&out);
}

/* ---- images that nobody compiled */

static void a_hash_gives_its_key_back(void **state)
{
    (void)state;

    for (size_t i = 0; i < 10000; i++) {
        uint64_t key = any(UINT64_MAX) << 20 ^ any(UINT64_MAX);
        uint64_t seed = any(UINT64_MAX) << 20 ^ any(UINT64_MAX);

        assert_true(stk_rules_unhash(stk_rules_hash(key, seed), seed) == key);
    }
}

static enum stirkeep_status open_bytes(const uint8_t *data, size_t length,
                                       struct stk_rules **ret_rules)
{
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_rules_open((struct stk_bytes){data, length}, ret_rules, &error);

    if (status != STIRKEEP_OK)
        assert_non_null(strstr(error.message, "image of attestation rules: "));
    return status;
}

static void an_image_that_is_cut_or_longer_is_refused(void **state)
{
    struct rules rules = rules_of("1,A\n20-29,B\n3*,C\n", STK_LEVEL_C);
    struct stk_rules *opened = NULL;
    uint8_t *longer = calloc(1, rules.length + 64);
    (void)state;

    for (size_t length = 0; length < rules.length; length++)
        assert_int_equal(open_bytes(rules.image, length, &opened), STIRKEEP_MALFORMED);
    memcpy(longer, rules.image, rules.length);
    assert_int_equal(open_bytes(longer, rules.length + 64, &opened), STIRKEEP_MALFORMED);
    assert_int_equal(open_bytes(longer, rules.length, &opened), STIRKEEP_OK);
    stk_rules_close(opened);
    opened = NULL;
    memmove(longer + 1, rules.image, rules.length);
    assert_int_equal(open_bytes(longer + 1, rules.length, &opened), STIRKEEP_MALFORMED);
    assert_null(opened);
    free(longer);
    rules_free(&rules);
}

static void a_head_that_lies_is_refused(void **state)
{
    struct rules rules = rules_of("1,A\n20-29,B\n3*,C\n", STK_LEVEL_C);
    struct stk_rules_head good = {0};
    struct stk_rules *opened = NULL;
    (void)state;

    memcpy(&good, rules.image, sizeof(good));
    for (size_t word = 0; word < sizeof(good) / sizeof(uint64_t); word++) {
        static const uint64_t lies[] = {0, 1, 7, 63, 64, 65, UINT32_MAX, INT64_MAX, UINT64_MAX};

        for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
            memcpy(rules.image + word * sizeof(uint64_t), &lies[i], sizeof(lies[i]));
            /* Taken or not, and then to be used: what matters is that nothing outside is read. */
            if (open_bytes(rules.image, rules.length, &opened) == STIRKEEP_OK) {
                (void)stk_rules_find(opened, "1");
                (void)stk_rules_find(opened, "25");
                (void)stk_rules_find(opened, "31");
                stk_rules_close(opened);
            }
            memcpy(rules.image, &good, sizeof(good));
        }
    }
    for (size_t i = 0; i < 12; i++) { /* magic and version */
        rules.image[i] ^= 1;
        assert_int_equal(open_bytes(rules.image, rules.length, &opened), STIRKEEP_MALFORMED);
        rules.image[i] ^= 1;
    }
    rules.image[12] = 4; /* no level */
    assert_int_equal(open_bytes(rules.image, rules.length, &opened), STIRKEEP_MALFORMED);
    rules_free(&rules);
}

static void whatever_the_tables_say_nothing_outside_is_read(void **state)
{
    enum { COUNT = 2000 };
    char *csv = malloc(COUNT * 64);
    size_t length = 0;
    struct rules rules = {0};
    uint8_t *image = NULL;
    (void)state;

    assert_non_null(csv);
    for (size_t i = 0; i < COUNT; i++)
        length +=
            (size_t)sprintf(csv + length, "1%06zu,A\n2%06zu0-2%06zu8,B\n3%06zu*,C\n", i, i, i, i);
    rules = rules_of(csv, STK_LEVEL_C);
    image = malloc(rules.length);
    for (size_t round = 0; round < 300; round++) {
        struct stk_rules *opened = NULL;
        size_t harm = round % 3 == 0 ? rules.length : any(64) + 1;

        memcpy(image, rules.image, rules.length);
        for (size_t i = 0; i < harm; i++)
            image[STK_RULES_HEAD + any(rules.length - STK_RULES_HEAD)] =
                round % 2 == 0 ? 0xff : (uint8_t)any(256);
        assert_int_equal(open_bytes(image, rules.length, &opened), STIRKEEP_OK);
        for (size_t i = 0; i < 300; i++) {
            char tn[STK_TN_MAX + 1] = "";

            (void)snprintf(tn, sizeof(tn), "%zu%06zu%zu", i % 3 + 1, (size_t)any(COUNT),
                           (size_t)any(9));
            (void)stk_rules_find(opened, tn);
        }
        (void)stk_rules_find(opened, "###############");
        stk_rules_close(opened);
    }
    free(image);
    rules_free(&rules);
    free(csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_has_a_name),
        cmocka_unit_test(the_most_specific_rule_decides),
        cmocka_unit_test(a_number_without_a_rule_has_the_default),
        cmocka_unit_test(a_number_with_a_star_or_hash_is_in_no_range_but_under_prefixes),
        cmocka_unit_test(ends_of_what_numbers_there_are),
        cmocka_unit_test(two_rules_for_the_same_numbers_are_a_conflict_naming_both_lines),
        cmocka_unit_test(ranges_that_overlap_are_a_conflict_naming_both_lines),
        cmocka_unit_test(a_conflict_with_the_configuration_says_so),
        cmocka_unit_test(a_draft_takes_what_is_sound_and_not_too_much),
        cmocka_unit_test(lines_and_sources_come_back),
        cmocka_unit_test(random_rules_agree_with_each_rule_by_itself),
        cmocka_unit_test(many_numbers_are_all_found_and_no_others),
        cmocka_unit_test(a_million_nested_ranges_are_no_more_than_a_million_others),
        cmocka_unit_test(a_million_rules_for_one_number_are_refused_at_once),
        cmocka_unit_test(a_hash_gives_its_key_back),
        cmocka_unit_test(an_image_that_is_cut_or_longer_is_refused),
        cmocka_unit_test(a_head_that_lies_is_refused),
        cmocka_unit_test(whatever_the_tables_say_nothing_outside_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
