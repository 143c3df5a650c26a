/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/rules_impl.h"

#include "base/digest.h"
#include <stdlib.h>
#include <string.h>

#define SEEDS 8 /* tried before giving up: one does, unless somebody could guess it */

unsigned stk_rules_cell_bits(size_t count)
{
    unsigned bits = 0;

    while (((size_t)STK_RULES_CELL << bits) < count)
        bits++;
    return bits;
}

static uint64_t hash_of(const struct stk_rules_entry *entry)
{
    return (uint64_t)entry->hash[0] << 32 | entry->hash[1];
}

static int by_hash(const void *a, const void *b)
{
    const uint64_t left = hash_of(a);
    const uint64_t right = hash_of(b);

    return left < right ? -1 : left > right;
}

/* Each entry into its cell; `cells` get where they begin, and behind them where the last ends. */
static void deal(const struct stk_rules_draft *draft, const struct stk_rules_head *head,
                 uint32_t *cells, struct stk_rules_entry *entries)
{
    size_t cell_count = (size_t)1 << head->cell_bits;
    unsigned bits = (unsigned)head->cell_bits;
    uint32_t begin = 0;

    memset(cells, 0, (cell_count + 1) * sizeof(*cells));
    for (size_t i = 0; i < draft->one_count; i++)
        cells[stk_rules_cell(stk_rules_hash(draft->ones[i].key, head->seed), bits)]++;
    for (size_t i = 0; i <= cell_count; i++) {
        uint32_t count = cells[i];

        cells[i] = begin;
        begin += count;
    }
    for (size_t i = 0; i < draft->one_count; i++) {
        uint64_t hash = stk_rules_hash(draft->ones[i].key, head->seed);

        entries[cells[stk_rules_cell(hash, bits)]++] = (struct stk_rules_entry){
            .hash = {(uint32_t)(hash >> 32), (uint32_t)hash}, .value = draft->ones[i].value};
    }
    /* Now each says where it ends, which is where the next one begins. */
    memmove(cells + 1, cells, cell_count * sizeof(*cells));
    cells[0] = 0;
}

static struct stk_rule_span span_of(const struct stk_rules_entry *entry, uint64_t seed)
{
    uint64_t key = stk_rules_unhash(hash_of(entry), seed);

    return (struct stk_rule_span){.first = key, .last = key, .value = entry->value};
}

/* Two rules for one number are in one cell. */
static enum stirkeep_status check_cell(const struct stk_rules_draft *draft, uint64_t seed,
                                       struct stk_rules_entry *entries, size_t count,
                                       struct stk_error *error)
{
    qsort(entries, count, sizeof(*entries), by_hash);
    for (size_t i = 1; i < count; i++) {
        struct stk_rule_span a = {0};
        struct stk_rule_span b = {0};

        if (by_hash(&entries[i - 1], &entries[i]) != 0)
            continue;
        a = span_of(&entries[i - 1], seed);
        b = span_of(&entries[i], seed);
        return stk_rules_conflict(draft, false, &a, &b, error);
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stk_rules_place_ones(const struct stk_rules_draft *draft,
                                          struct stk_rules_head *head, uint32_t *cells,
                                          struct stk_rules_entry *entries, struct stk_error *error)
{
    size_t cell_count = (size_t)1 << head->cell_bits;
    bool good = false;

    for (unsigned tried = 0; tried < SEEDS && !good; tried++) {
        stk_random(&head->seed, sizeof(head->seed));
        deal(draft, head, cells, entries);
        good = true;
        for (size_t i = 0; i < cell_count; i++) {
            size_t count = cells[i + 1] - cells[i];
            enum stirkeep_status status =
                check_cell(draft, head->seed, entries + cells[i], count, error);

            if (status != STIRKEEP_OK)
                return status;
            good = good && count <= STK_RULES_CELL_MAX;
        }
    }
    if (!good)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s: the numbers cannot be spread over a table", draft->file);
    return STIRKEEP_OK;
}
