/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_TABLE_H
#define STK_POLICY_TABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sorted keys that lie in one run of memory, with samples above them: the first key of every
 * STK_TABLE_FAN of them, of those again the first of every STK_TABLE_FAN, and so on. A search
 * touches two cache lines on each level, of which all but the lowest two or three stay in a
 * processor's own caches. Pure; any thread.
 */
#define STK_TABLE_FAN 16
#define STK_TABLE_DEPTH 8           /* levels at most */
#define STK_TABLE_MAX (1UL << 28)   /* keys at most */
#define STK_TABLE_NONE ((size_t)-1) /* below the first key */

struct stk_table {
    const uint64_t *levels[STK_TABLE_DEPTH]; /* 0: the keys */
    size_t counts[STK_TABLE_DEPTH];
    unsigned depth; /* 0: no key */
};

/* How many words `count` keys and their samples take. */
size_t stk_table_words(size_t count);

/* Fill in the samples behind `count` sorted keys; there is room for stk_table_words(count). */
void stk_table_sample(uint64_t *words, size_t count);

/* A table over words that stk_table_sample has seen, or that somebody else says are so: a search
 * in any words at all stays within them. */
void stk_table_map(struct stk_table *table, const uint64_t *words, size_t count);

/* How many of the `count` keys at `keys`, which are sorted, are not above `key`? */
static inline size_t stk_table_not_above(const uint64_t *keys, size_t count, uint64_t key)
{
    size_t below = 0;

    if (count >= STK_TABLE_FAN) {
        for (size_t i = 0; i < STK_TABLE_FAN; i++)
            below += keys[i] <= key;
        return below;
    }
    for (size_t i = 0; i < count; i++)
        below += keys[i] <= key;
    return below;
}

/* The index of the last key that is not above `key`, or STK_TABLE_NONE. `*ret_values` of the
 * block that it is in are wanted next, so they are fetched meanwhile; NULL is allowed. */
static inline size_t stk_table_find(const struct stk_table *table, const uint32_t *values,
                                    uint64_t key)
{
    size_t place = 0;

    if (table->depth == 0)
        return STK_TABLE_NONE;
    for (unsigned level = table->depth; level-- > 0;) {
        size_t block = place * STK_TABLE_FAN;
        size_t below = 0;

        if (level == 0)
            __builtin_prefetch(values + block);
        below =
            stk_table_not_above(table->levels[level] + block, table->counts[level] - block, key);
        if (below == 0)
            return STK_TABLE_NONE;
        place = block + below - 1;
    }
    return place;
}

#endif
