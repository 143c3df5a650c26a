/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/number_set.h"

#include "policy/rules_impl.h"
#include <stdlib.h>
#include <string.h>

/* Runs of keys; in a set only of one bit at a time they do not overlap. */
struct run {
    uint64_t first;
    uint64_t last;
    size_t bit;
};

/* A bit begins or ends. */
struct change {
    uint64_t key;
    size_t bit;
};

/* Single numbers and prefixes are found in the order from the left, ranges in that of keys: for
 * '*' and '#' a range has no place (model/number.h). */
enum order { ORDER_LEFT, ORDER_KEYS, ORDERS };

struct part {
    struct stk_table table; /* for each key the number of the set that holds from there on */
    void *memory;
};

struct stk_number_set {
    size_t words;
    struct part parts[ORDERS];
    uint64_t *bits; /* sets, each of `words`; the first one is empty */
    size_t count;
    size_t room;
    /* While it is built: sets by hash. */
    uint64_t *hashes;
    uint32_t *table;
    size_t table_size;
};

/* ---- sets that are kept once */

static uint64_t hash_of_bit(size_t bit)
{
    uint64_t hash = (bit + 1) * UINT64_C(0x9e3779b97f4a7c15);

    hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 31;
}

static bool make_room(struct stk_number_set *set)
{
    size_t room = set->room > 0 ? set->room * 2 : 16;
    uint64_t *bits = reallocarray(set->bits, room * set->words, sizeof(*bits));
    uint64_t *hashes = NULL;
    uint32_t *table = NULL;

    if (bits == NULL)
        return false;
    set->bits = bits;
    hashes = reallocarray(set->hashes, room, sizeof(*hashes));
    if (hashes == NULL)
        return false;
    set->hashes = hashes;
    table = calloc(2 * room, sizeof(*table));
    if (table == NULL)
        return false;
    for (size_t i = 0; i < set->count; i++) {
        size_t place = hashes[i] & (2 * room - 1);

        while (table[place] != 0)
            place = (place + 1) & (2 * room - 1);
        table[place] = (uint32_t)i + 1;
    }
    free(set->table);
    set->table = table;
    set->table_size = 2 * room;
    set->room = room;
    return true;
}

/* The number of the set that is equal to `bits`, whose hash is the exclusive or of its bits'. */
static bool number_of(struct stk_number_set *set, const uint64_t *bits, uint64_t hash,
                      uint32_t *ret_number)
{
    size_t size = set->words * sizeof(*bits);
    size_t place = 0;

    if (set->count == set->room && !make_room(set))
        return false;
    for (place = hash & (set->table_size - 1); set->table[place] != 0;
         place = (place + 1) & (set->table_size - 1)) {
        uint32_t number = set->table[place] - 1;

        if (set->hashes[number] == hash &&
            memcmp(set->bits + number * set->words, bits, size) == 0) {
            *ret_number = number;
            return true;
        }
    }
    memcpy(set->bits + set->count * set->words, bits, size);
    set->hashes[set->count] = hash;
    *ret_number = (uint32_t)set->count++;
    set->table[place] = *ret_number + 1;
    return true;
}

/* ---- runs of one bit, joined */

static int by_bit_and_first(const void *a, const void *b)
{
    const struct run *left = a;
    const struct run *right = b;

    if (left->bit != right->bit)
        return left->bit < right->bit ? -1 : 1;
    return left->first < right->first ? -1 : left->first > right->first;
}

static size_t join(struct run *runs, size_t count)
{
    size_t kept = 0;

    qsort(runs, count, sizeof(*runs), by_bit_and_first);
    for (size_t i = 0; i < count; i++) {
        struct run *before = kept > 0 ? &runs[kept - 1] : NULL;

        if (before == NULL || before->bit != runs[i].bit ||
            (before->last < UINT64_MAX && before->last + 1 < runs[i].first))
            runs[kept++] = runs[i];
        else if (before->last < runs[i].last)
            before->last = runs[i].last;
    }
    return kept;
}

static struct run run_of(const struct stk_number_bit *from, enum order order)
{
    const struct stk_number_pattern *pattern = from->pattern;
    size_t length = strlen(pattern->prefix);
    struct run run = {.first = pattern->range.first, .last = pattern->range.last, .bit = from->bit};

    if (order == ORDER_KEYS)
        return run;
    if (pattern->kind != STK_NUMBER_PREFIX) {
        run.first = stk_rules_left(run.first);
        run.last = run.first;
        return run;
    }
    run.first = length > 0 ? stk_rules_left(stk_number_key(pattern->prefix)) : 0;
    run.last = run.first | ((UINT64_C(1) << 4 * (STK_TN_MAX - length)) - 1);
    return run;
}

static enum order order_of(const struct stk_number_pattern *pattern)
{
    return pattern->kind == STK_NUMBER_RANGE && pattern->range.first != pattern->range.last
               ? ORDER_KEYS
               : ORDER_LEFT;
}

/* ---- where the set of bits changes */

static int by_place(const void *a, const void *b)
{
    const struct change *left = a;
    const struct change *right = b;

    return left->key < right->key ? -1 : left->key > right->key;
}

static size_t list_changes(const struct run *runs, size_t count, struct change *changes)
{
    size_t listed = 0;

    for (size_t i = 0; i < count; i++) {
        changes[listed++] = (struct change){.key = runs[i].first, .bit = runs[i].bit};
        if (runs[i].last < UINT64_MAX)
            changes[listed++] = (struct change){.key = runs[i].last + 1, .bit = runs[i].bit};
    }
    qsort(changes, listed, sizeof(*changes), by_place);
    return listed;
}

/* Walk over the changes and keep, for each place of one, the set from there on. */
static bool sweep(struct stk_number_set *set, const struct change *changes, size_t count,
                  struct part *part)
{
    uint64_t *bits = calloc(set->words, sizeof(*bits));
    uint64_t hash = 0;
    size_t places = 0;
    uint32_t number = 0;
    bool done = false;

    part->memory = malloc(stk_table_size(count));
    if (bits == NULL || part->memory == NULL)
        goto out;
    for (size_t i = 0; i < count; i++) {
        bits[changes[i].bit / 64] ^= UINT64_C(1) << changes[i].bit % 64;
        hash ^= hash_of_bit(changes[i].bit);
        if (i + 1 < count && changes[i + 1].key == changes[i].key)
            continue;
        if (!number_of(set, bits, hash, &number))
            goto out;
        stk_table_put(part->memory, places++, changes[i].key, number);
    }
    stk_table_finish(part->memory, places);
    stk_table_map(&part->table, part->memory, places);
    done = true;
out:
    free(bits);
    return done;
}

static bool add_part(struct stk_number_set *set, const struct stk_number_bit *list, size_t count,
                     enum order order)
{
    struct run *runs = reallocarray(NULL, count + 1, sizeof(*runs));
    struct change *changes = NULL;
    size_t used = 0;
    bool done = false;

    if (runs == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (order_of(list[i].pattern) == order)
            runs[used++] = run_of(&list[i], order);
    used = join(runs, used);
    changes = reallocarray(NULL, 2 * used + 1, sizeof(*changes));
    if (changes != NULL) {
        size_t listed = list_changes(runs, used, changes);
        done = listed == 0 || sweep(set, changes, listed, &set->parts[order]);
    }
    free(changes);
    free(runs);
    return done;
}

struct stk_number_set *stk_number_set_new(const struct stk_number_bit *list, size_t count,
                                          size_t words)
{
    struct stk_number_set *set = calloc(1, sizeof(*set));
    uint64_t *empty = calloc(words, sizeof(*empty));
    uint32_t number = 0;
    bool done = false;

    if (set != NULL && empty != NULL) {
        set->words = words;
        done = number_of(set, empty, 0, &number) && add_part(set, list, count, ORDER_LEFT) &&
               add_part(set, list, count, ORDER_KEYS);
    }
    free(empty);
    if (!done) {
        stk_number_set_free(set);
        return NULL;
    }
    free(set->hashes);
    free(set->table);
    set->hashes = NULL;
    set->table = NULL;
    return set;
}

void stk_number_set_free(struct stk_number_set *set)
{
    if (set == NULL)
        return;
    for (unsigned i = 0; i < ORDERS; i++)
        free(set->parts[i].memory);
    free(set->bits);
    free(set->hashes);
    free(set->table);
    free(set);
}

static const uint64_t *bits_at(const struct stk_number_set *set, enum order order, uint64_t key)
{
    const struct stk_table *table = &set->parts[order].table;
    size_t place = stk_table_find(table, key);

    return set->bits + (place != STK_TABLE_NONE ? stk_table_value(table, place) * set->words : 0);
}

struct stk_number_bits stk_number_set_find(const struct stk_number_set *set, uint64_t key)
{
    struct stk_number_bits found = {.one = bits_at(set, ORDER_LEFT, stk_rules_left(key)),
                                    .other = set->bits};

    if (!stk_number_is_marked(key))
        found.other = bits_at(set, ORDER_KEYS, key);
    return found;
}
