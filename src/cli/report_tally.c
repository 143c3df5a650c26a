/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_tally.h"

#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 16
#define CUT "..."

static bool is_row(const struct stk_tally_row *row, struct stk_bytes key)
{
    return row->length == key.length &&
           (key.length == 0 || memcmp(row->key, key.data, key.length) == 0);
}

/* The slot that has the text, or the free one where it would be. Who chooses texts that collide
 * slows a bounded table down, no more. */
static size_t slot_of(const struct stk_tally *tally, struct stk_bytes key)
{
    size_t slot = (size_t)stk_hash((const char *)key.data, key.length, 0) & (tally->slot_count - 1);

    while (tally->slots[slot] != 0 && !is_row(&tally->rows[tally->slots[slot] - 1], key))
        slot = (slot + 1) & (tally->slot_count - 1);
    return slot;
}

/* Find all rows their slots anew. */
static void fill_slots(struct stk_tally *tally)
{
    memset(tally->slots, 0, tally->slot_count * sizeof(*tally->slots));
    for (size_t i = 0; i < tally->count; i++) {
        const struct stk_bytes key = {(const uint8_t *)tally->rows[i].key, tally->rows[i].length};

        tally->slots[slot_of(tally, key)] = (uint32_t)i + 1;
    }
}

static bool make_room(struct stk_tally *tally)
{
    size_t slot_count = tally->slot_count == 0 ? SLOTS_FIRST : 2 * tally->slot_count;
    uint32_t *slots = NULL;
    struct stk_tally_row *rows = NULL;

    if (tally->count < tally->room)
        return true;
    rows = realloc(tally->rows, slot_count / 2 * sizeof(*rows));
    if (rows == NULL)
        return false;
    tally->rows = rows;
    slots = realloc(tally->slots, slot_count * sizeof(*slots));
    if (slots == NULL)
        return false;
    tally->slots = slots;
    tally->slot_count = slot_count;
    tally->room = slot_count / 2;
    fill_slots(tally);
    return true;
}

/* `ret_row` NULL: there is no room for it by the bounds. */
static bool add_row(struct stk_tally *tally, struct stk_bytes key, struct stk_tally_row **ret_row)
{
    struct stk_tally_row *row = NULL;
    char *copy = NULL;

    *ret_row = NULL;
    if (tally->count == tally->most || (tally->budget != NULL && tally->budget->left == 0))
        return true;
    copy = malloc(key.length + 1);
    if (copy == NULL || !make_room(tally)) {
        free(copy);
        return false;
    }
    if (key.length > 0)
        memcpy(copy, key.data, key.length);
    copy[key.length] = '\0';
    tally->slots[slot_of(tally, key)] = (uint32_t)tally->count + 1;
    row = &tally->rows[tally->count++];
    *row = (struct stk_tally_row){.key = copy, .length = key.length};
    if (tally->budget != NULL)
        tally->budget->left--;
    *ret_row = row;
    return true;
}

static struct stk_bytes cut_key(struct stk_bytes key, uint8_t ret_cut[STK_TALLY_KEY_MAX])
{
    const size_t kept = STK_TALLY_KEY_MAX - (sizeof(CUT) - 1);

    if (key.length <= STK_TALLY_KEY_MAX)
        return key;
    memcpy(ret_cut, key.data, kept);
    memcpy(ret_cut + kept, CUT, sizeof(CUT) - 1);
    return (struct stk_bytes){ret_cut, STK_TALLY_KEY_MAX};
}

static void count_in(struct stk_tally_row *row, size_t which, uint64_t amount, int64_t real_us)
{
    row->counts[which] += amount;
    if (real_us == 0)
        return;
    if (row->first_us == 0 || real_us < row->first_us)
        row->first_us = real_us;
    if (real_us > row->last_us)
        row->last_us = real_us;
}

bool stk_tally_add(struct stk_tally *tally, struct stk_bytes key, size_t which, uint64_t amount,
                   int64_t real_us)
{
    uint8_t cut[STK_TALLY_KEY_MAX];
    struct stk_tally_row *row = NULL;

    key = cut_key(key, cut);
    row = stk_tally_find(tally, key);
    if (row == NULL && !add_row(tally, key, &row))
        return false;
    if (row != NULL)
        count_in(row, which, amount, real_us);
    else
        tally->others[which] += amount;
    return true;
}

struct stk_tally_row *stk_tally_find(const struct stk_tally *tally, struct stk_bytes key)
{
    uint32_t found = tally->slot_count > 0 ? tally->slots[slot_of(tally, key)] : 0;

    return found != 0 ? &tally->rows[found - 1] : NULL;
}

uint64_t stk_tally_row_sum(const struct stk_tally_row *row)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < STK_TALLY_COUNTS; i++)
        sum += row->counts[i];
    return sum;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct stk_tally_row *)a)->key, ((const struct stk_tally_row *)b)->key);
}

static int by_count(const void *a, const void *b)
{
    uint64_t left = stk_tally_row_sum(a);
    uint64_t right = stk_tally_row_sum(b);

    if (left != right)
        return left < right ? 1 : -1;
    return by_key(a, b);
}

static void sort(struct stk_tally *tally, int (*compare)(const void *, const void *))
{
    if (tally->count < 2)
        return;
    qsort(tally->rows, tally->count, sizeof(*tally->rows), compare);
    fill_slots(tally);
}

void stk_tally_sort_by_key(struct stk_tally *tally)
{
    sort(tally, by_key);
}

void stk_tally_sort_by_count(struct stk_tally *tally)
{
    sort(tally, by_count);
}

uint64_t stk_tally_total(const struct stk_tally *tally, size_t which)
{
    uint64_t total = tally->others[which];

    for (size_t i = 0; i < tally->count; i++)
        total += tally->rows[i].counts[which];
    return total;
}

void stk_tally_free(struct stk_tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        free(tally->rows[i].key);
    free(tally->rows);
    free(tally->slots);
    tally->rows = NULL;
    tally->slots = NULL;
    tally->count = tally->room = tally->slot_count = 0;
}
