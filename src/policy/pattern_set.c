/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/pattern_set.h"

#include "base/hash.h"
#include "policy/pattern.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

/* How long the texts around the stars are. Without a star all of it stands before. */
struct shape {
    uint16_t before;
    uint16_t behind;
    bool exact;
};

struct entry {
    uint64_t hash;
    const char *pattern;
    struct shape shape;
    bool inner;    /* something stands between the first and the last star */
    uint32_t next; /* with the same place in the table */
    uint32_t word; /* of a bitmap: where these words belong ... */
    uint32_t word_count;
    size_t at; /* ... and where they lie in `bits` */
};

struct stk_pattern_set {
    struct entry *entries;
    size_t count;
    struct shape *shapes; /* those with stars: by `before`, then `behind`, each once */
    size_t shape_count;
    size_t exact_max; /* characters of the longest exact text; 0: there is none */
    uint32_t *table;
    size_t mask;
    uint64_t *bits;
};

static struct shape shape_of(const char *pattern)
{
    const char *first = strchr(pattern, '*');
    const char *last = strrchr(pattern, '*');

    if (first == NULL)
        return (struct shape){.before = (uint16_t)strlen(pattern), .exact = true};
    return (struct shape){.before = (uint16_t)(first - pattern),
                          .behind = (uint16_t)strlen(last + 1)};
}

static uint64_t hash_of(const char *text, size_t length, struct shape shape)
{
    uint64_t hash = stk_hash(text, shape.before, shape.exact);

    return shape.behind > 0 ? stk_hash(text + length - shape.behind, shape.behind, hash) : hash;
}

/* ---- building */

static int by_pattern(const void *a, const void *b)
{
    const struct stk_pattern_bit *left = a;
    const struct stk_pattern_bit *right = b;
    int order = strcmp(left->pattern, right->pattern);

    if (order != 0)
        return order;
    return left->bit < right->bit ? -1 : left->bit > right->bit;
}

static int by_shape(const void *a, const void *b)
{
    const struct shape *left = a;
    const struct shape *right = b;

    return left->before != right->before ? left->before - right->before
                                         : left->behind - right->behind;
}

/* Of one pattern in a sorted list; the number of its places. `*words` is how many are in use. */
static size_t run_of(const struct stk_pattern_bit *list, size_t count, struct entry *ret_entry,
                     size_t *words)
{
    size_t run = 1;

    while (run < count && strcmp(list[run].pattern, list[0].pattern) == 0)
        run++;
    *ret_entry = (struct entry){.pattern = list[0].pattern,
                                .shape = shape_of(list[0].pattern),
                                .word = (uint32_t)(list[0].bit / 64),
                                .at = *words};
    ret_entry->word_count = (uint32_t)(list[run - 1].bit / 64) - ret_entry->word + 1;
    ret_entry->inner =
        !ret_entry->shape.exact && strchr(list[0].pattern, '*') != strrchr(list[0].pattern, '*');
    ret_entry->hash = hash_of(ret_entry->pattern, strlen(ret_entry->pattern), ret_entry->shape);
    *words += ret_entry->word_count;
    return run;
}

static void take_shapes(struct stk_pattern_set *set)
{
    size_t count = 0;

    for (size_t i = 0; i < set->count; i++) {
        struct shape shape = set->entries[i].shape;

        if (!shape.exact)
            set->shapes[count++] = shape;
        else if (shape.before > set->exact_max)
            set->exact_max = shape.before;
    }
    qsort(set->shapes, count, sizeof(*set->shapes), by_shape);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || by_shape(&set->shapes[i], &set->shapes[i - 1]) != 0)
            set->shapes[set->shape_count++] = set->shapes[i];
}

static bool make_table(struct stk_pattern_set *set)
{
    size_t size = 16;

    while (size < 2 * set->count)
        size *= 2;
    set->table = malloc(size * sizeof(*set->table));
    if (set->table == NULL)
        return false;
    set->mask = size - 1;
    memset(set->table, 0xff, size * sizeof(*set->table)); /* NOBODY */
    for (size_t i = 0; i < set->count; i++) {
        uint32_t *place = &set->table[set->entries[i].hash & set->mask];

        set->entries[i].next = *place;
        *place = (uint32_t)i;
    }
    return true;
}

/* The bits of each entry, whose places are known; the list has them in the same order. */
static bool fill_bits(struct stk_pattern_set *set, const struct stk_pattern_bit *list, size_t count,
                      size_t words)
{
    size_t at = 0;

    set->bits = calloc(words, sizeof(*set->bits));
    if (set->bits == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = NULL;

        if (i > 0 && strcmp(list[i].pattern, list[i - 1].pattern) != 0)
            at++;
        entry = &set->entries[at];
        set->bits[entry->at + list[i].bit / 64 - entry->word] |= UINT64_C(1) << list[i].bit % 64;
    }
    return true;
}

struct stk_pattern_set *stk_pattern_set_new(struct stk_pattern_bit *list, size_t count)
{
    struct stk_pattern_set *set = calloc(1, sizeof(*set));
    size_t words = 0;

    assert(count < NOBODY);
    if (set == NULL || count == 0)
        return set;
    qsort(list, count, sizeof(*list), by_pattern);
    set->entries = calloc(count, sizeof(*set->entries));
    set->shapes = calloc(count, sizeof(*set->shapes));
    if (set->entries == NULL || set->shapes == NULL) {
        stk_pattern_set_free(set);
        return NULL;
    }
    for (size_t i = 0; i < count;)
        i += run_of(list + i, count - i, &set->entries[set->count++], &words);
    take_shapes(set);
    if (!make_table(set) || !fill_bits(set, list, count, words)) {
        stk_pattern_set_free(set);
        return NULL;
    }
    return set;
}

void stk_pattern_set_free(struct stk_pattern_set *set)
{
    if (set == NULL)
        return;
    free(set->entries);
    free(set->shapes);
    free(set->table);
    free(set->bits);
    free(set);
}

bool stk_pattern_set_is_empty(const struct stk_pattern_set *set)
{
    return set->count == 0;
}

/* ---- matching */

static bool entry_matches(const struct entry *entry, const char *text, size_t length)
{
    struct shape shape = entry->shape;

    if (memcmp(text, entry->pattern, shape.before) != 0)
        return false;
    if (shape.exact)
        return true;
    if (entry->inner)
        return stk_pattern_matches(entry->pattern, text);
    /* "before*behind" */
    return memcmp(text + length - shape.behind, entry->pattern + shape.before + 1, shape.behind) ==
           0;
}

/* Those of one shape; the text is long enough for it. */
static void probe(const struct stk_pattern_set *set, struct shape shape, const char *text,
                  size_t length, uint64_t *bits)
{
    uint64_t hash = hash_of(text, length, shape);

    for (uint32_t i = set->table[hash & set->mask]; i != NOBODY; i = set->entries[i].next) {
        const struct entry *entry = &set->entries[i];

        if (entry->hash != hash || entry->shape.exact != shape.exact ||
            entry->shape.before != shape.before || entry->shape.behind != shape.behind ||
            !entry_matches(entry, text, length))
            continue;
        for (size_t word = 0; word < entry->word_count; word++)
            bits[entry->word + word] |= set->bits[entry->at + word];
    }
}

void stk_pattern_set_match(const struct stk_pattern_set *set, const char *text, uint64_t *bits)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < set->shape_count && set->shapes[i].before <= length; i++)
        if ((size_t)set->shapes[i].before + set->shapes[i].behind <= length)
            probe(set, set->shapes[i], text, length, bits);
    if (length > 0 && length <= set->exact_max)
        probe(set, (struct shape){.before = (uint16_t)length, .exact = true}, text, length, bits);
}
