/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "policy/rules.h"
#include "policy/rules_impl.h"
#include <stdlib.h>
#include <string.h>

/*
 * Attestation rules as CSV. The image that they are compiled to finds for every number what going
 * through all rules one by one finds: a single number before a range, a range before a prefix, of
 * ranges the one with fewer numbers, of prefixes the longer one.
 */
#define RULES_MAX 256 /* of which each is tried with each */

/* The draft's rules before they are compiled, which uses them up. */
struct all {
    struct stk_rule_one ones[RULES_MAX];
    struct stk_rule_span ranges[RULES_MAX];
    struct stk_rule_span prefixes[RULES_MAX];
    size_t one_count;
    size_t range_count;
    size_t prefix_count;
};
static struct all all;

static void copy_all(const struct stk_rules_draft *draft)
{
    all.one_count = draft->one_count;
    all.range_count = draft->ranges.count;
    all.prefix_count = draft->prefixes.count;
    if (all.one_count > 0)
        memcpy(all.ones, draft->ones, all.one_count * sizeof(all.ones[0]));
    if (all.range_count > 0)
        memcpy(all.ranges, draft->ranges.spans, all.range_count * sizeof(all.ranges[0]));
    if (all.prefix_count > 0)
        memcpy(all.prefixes, draft->prefixes.spans, all.prefix_count * sizeof(all.prefixes[0]));
}

/* The span with the fewest numbers in which `place` is; NULL: none. */
static const struct stk_rule_span *narrowest(const struct stk_rule_span *spans, size_t count,
                                             uint64_t place)
{
    const struct stk_rule_span *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (place >= spans[i].first && place <= spans[i].last &&
            (best == NULL || spans[i].last - spans[i].first < best->last - best->first))
            best = &spans[i];
    return best;
}

static uint32_t one_by_one(uint64_t key)
{
    const struct stk_rule_span *span = NULL;

    for (size_t i = 0; i < all.one_count; i++)
        if (all.ones[i].key == key)
            return all.ones[i].value;
    if (!stk_number_is_marked(key))
        span = narrowest(all.ranges, all.range_count, key);
    if (span == NULL)
        span = narrowest(all.prefixes, all.prefix_count, stk_rules_left(key));
    return span != NULL ? span->value : STK_RULE_NONE;
}

static void check_number(const struct stk_rules *rules, uint64_t key)
{
    char tn[STK_TN_MAX + 1] = "";
    uint32_t expected = one_by_one(key);
    struct stk_rule_found found = {0};

    stk_number_text(key, tn);
    found = stk_rules_find(rules, tn);
    FUZZ_CHECK(found.found == (expected != STK_RULE_NONE));
    if (found.found)
        FUZZ_CHECK(stk_rule_pack(found.level, found.source, found.line) == expected);
    else
        FUZZ_CHECK(found.level == STK_LEVEL_C);
}

static bool is_number(uint64_t key)
{
    for (uint64_t length = key >> 60; length > 0; length--, key >>= 4)
        if ((key & 15) > 11)
            return false;
    return true;
}

/* A number's neighbours, among numbers: keys that are none are left out. */
static void check_around(const struct stk_rules *rules, uint64_t key)
{
    for (int step = -1; step <= 1; step++) {
        uint64_t near = key + (uint64_t)step;

        if (near >> 60 > 0 && near >> 60 == key >> 60 && is_number(near))
            check_number(rules, near);
    }
}

/* The first number of a prefix, and the longest one. */
static void check_prefix(const struct stk_rules *rules, uint64_t left)
{
    char tn[STK_TN_MAX + 1] = "";
    size_t length = 0;

    while (length < STK_TN_MAX && (left >> 4 * (STK_TN_MAX - 1 - length) & 15) > 0) {
        tn[length] = "?0123456789*#???"[left >> 4 * (STK_TN_MAX - 1 - length) & 15];
        length++;
    }
    if (length > 0)
        check_around(rules, stk_number_key(tn));
    memset(tn + length, '9', STK_TN_MAX - length);
    check_around(rules, stk_number_key(tn));
}

static void check_all(const struct stk_rules *rules)
{
    for (size_t i = 0; i < all.one_count; i++)
        check_around(rules, all.ones[i].key);
    for (size_t i = 0; i < all.range_count; i++) {
        check_around(rules, all.ranges[i].first);
        check_around(rules, all.ranges[i].last);
    }
    for (size_t i = 0; i < all.prefix_count; i++)
        check_prefix(rules, all.prefixes[i].first);
    check_around(rules, stk_number_key("12155550100"));
}

static void compile(struct stk_rules_draft *draft)
{
    struct stk_buffer image = {0};
    struct stk_rules *rules = NULL;
    struct stk_error error = {0};
    size_t count = stk_rules_draft_count(draft);
    enum stirkeep_status status = STIRKEEP_OK;

    if (count > RULES_MAX)
        return;
    copy_all(draft);
    status = stk_rules_build(draft, &image, &error);
    if (status == STIRKEEP_OK) {
        FUZZ_OK(stk_rules_open((struct stk_bytes){image.data, image.length}, &rules, &error),
                &error);
        FUZZ_CHECK(stk_rules_count(rules) == count);
        check_all(rules);
        stk_rules_close(rules);
    } else {
        FUZZ_CHECK(status == STIRKEEP_CONFIG);
        fuzz_refusal(status, &error);
    }
    stk_buffer_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    FUZZ_CHECK(draft != NULL);
    stk_rules_draft_default(draft, STK_LEVEL_C);
    status = stk_rules_draft_csv(draft, (const char *)data, size, "attest.csv", &error);
    if (status == STIRKEEP_OK)
        compile(draft);
    else
        fuzz_refusal(status, &error);
    stk_rules_draft_free(draft);
    return 0;
}
