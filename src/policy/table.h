/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_TABLE_H
#define STK_POLICY_TABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sorted keys with values, in one run of memory, and above them samples: the first key of every
 * block, of those again the first of every STK_TABLE_FAN, and so on. A search reads one block on
 * each level; all but the lowest two levels of a large table stay in a processor's own caches, and
 * the lowest one has keys and values side by side. What is left over of the last block of a level
 * is filled with the largest key. Pure; any thread.
 */
#define STK_TABLE_FAN 16
#define STK_TABLE_DEPTH 8           /* levels of samples at most */
#define STK_TABLE_MAX (1UL << 28)   /* keys at most */
#define STK_TABLE_NONE ((size_t)-1) /* below the first key */

struct stk_table_block {
    uint64_t keys[STK_TABLE_FAN];
    uint32_t values[STK_TABLE_FAN];
};

struct stk_table {
    const struct stk_table_block *blocks;
    size_t count;                             /* keys */
    unsigned depth;                           /* of samples */
    const uint64_t *samples[STK_TABLE_DEPTH]; /* the lowest level first */
    size_t sampled[STK_TABLE_DEPTH];          /* how many, with what fills the last block */
};

/* How many bytes a table of `count` keys takes: a multiple of 64. */
size_t stk_table_size(size_t count);

/* One key and its value into such memory, at its place: they are sorted, and none twice. */
void stk_table_put(void *memory, size_t place, uint64_t key, uint32_t value);

/* Fill in the rest when all keys are there. */
void stk_table_finish(void *memory, size_t count);

/* A table in memory that stk_table_finish has seen, or that somebody else says is so: a search in
 * any bytes at all stays within them. Aligned to 8 bytes. */
void stk_table_map(struct stk_table *table, const void *memory, size_t count);

static inline uint64_t stk_table_key(const struct stk_table *table, size_t place)
{
    return table->blocks[place / STK_TABLE_FAN].keys[place % STK_TABLE_FAN];
}

static inline uint32_t stk_table_value(const struct stk_table *table, size_t place)
{
    return table->blocks[place / STK_TABLE_FAN].values[place % STK_TABLE_FAN];
}

/* How many of a block's keys are not above `key`? In sums that do not wait for each other. */
static inline size_t stk_table_in_block(const uint64_t *keys, uint64_t key)
{
    size_t a = 0;
    size_t b = 0;
    size_t c = 0;
    size_t d = 0;

    _Static_assert(STK_TABLE_FAN == 16, "written out for 16");
    a = (size_t)(keys[0] <= key) + (keys[1] <= key) + (keys[2] <= key) + (keys[3] <= key);
    b = (size_t)(keys[4] <= key) + (keys[5] <= key) + (keys[6] <= key) + (keys[7] <= key);
    c = (size_t)(keys[8] <= key) + (keys[9] <= key) + (keys[10] <= key) + (keys[11] <= key);
    d = (size_t)(keys[12] <= key) + (keys[13] <= key) + (keys[14] <= key) + (keys[15] <= key);
    return a + b + c + d;
}

/* The place of the last key that is not above `key`, or STK_TABLE_NONE. */
static inline size_t stk_table_find(const struct stk_table *table, uint64_t key)
{
    size_t block = 0;
    size_t below = 0;
    size_t limit = 0;

    if (table->count == 0)
        return STK_TABLE_NONE;
    for (unsigned level = table->depth; level-- > 0;) {
        below = stk_table_in_block(table->samples[level] + block * STK_TABLE_FAN, key);
        if (below == 0)
            return STK_TABLE_NONE;
        block = block * STK_TABLE_FAN + below - 1;
        /* What fills the last block is a sample of nothing: the last block is meant. */
        limit = level > 0 ? table->sampled[level - 1] : table->count;
        if (block * STK_TABLE_FAN >= limit)
            block = (limit - 1) / STK_TABLE_FAN;
    }
    __builtin_prefetch(table->blocks[block].values);
    below = stk_table_in_block(table->blocks[block].keys, key);
    if (below == 0)
        return STK_TABLE_NONE;
    block = block * STK_TABLE_FAN + below - 1;
    return block < table->count ? block : table->count - 1;
}

#endif
