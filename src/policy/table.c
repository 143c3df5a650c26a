/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/table.h"

#include <assert.h>
#include <string.h>

static size_t blocks_of(size_t count)
{
    return (count + STK_TABLE_FAN - 1) / STK_TABLE_FAN;
}

/* Samples of one level above `below` blocks, to whole blocks. */
static size_t samples_above(size_t below)
{
    return blocks_of(below) * STK_TABLE_FAN;
}

size_t stk_table_size(size_t count)
{
    size_t blocks = blocks_of(count);
    size_t size = blocks * sizeof(struct stk_table_block);

    _Static_assert(sizeof(struct stk_table_block) % 64 == 0, "blocks begin with a cache line");
    while (blocks > 1) {
        size += samples_above(blocks) * sizeof(uint64_t);
        blocks = blocks_of(blocks);
    }
    return size;
}

void stk_table_put(void *memory, size_t place, uint64_t key, uint32_t value)
{
    struct stk_table_block *block = (struct stk_table_block *)memory + place / STK_TABLE_FAN;

    block->keys[place % STK_TABLE_FAN] = key;
    block->values[place % STK_TABLE_FAN] = value;
}

void stk_table_finish(void *memory, size_t count)
{
    struct stk_table_block *lowest = memory;
    size_t blocks = blocks_of(count);
    uint64_t *samples = (uint64_t *)(void *)(lowest + blocks);
    const uint64_t *below = NULL;

    for (size_t i = count; i < blocks * STK_TABLE_FAN; i++)
        stk_table_put(memory, i, UINT64_MAX, UINT32_MAX);
    while (blocks > 1) {
        size_t room = samples_above(blocks);

        for (size_t i = 0; i < room; i++)
            samples[i] = i >= blocks     ? UINT64_MAX
                         : below == NULL ? lowest[i].keys[0]
                                         : below[i * STK_TABLE_FAN];
        below = samples;
        samples += room;
        blocks = blocks_of(blocks);
    }
}

void stk_table_map(struct stk_table *table, const void *memory, size_t count)
{
    size_t blocks = blocks_of(count);
    const uint64_t *samples = NULL;

    assert(count <= STK_TABLE_MAX && (uintptr_t)memory % _Alignof(struct stk_table_block) == 0);
    *table = (struct stk_table){.blocks = memory, .count = count};
    samples = (const uint64_t *)(const void *)(table->blocks + blocks);
    while (blocks > 1) {
        assert(table->depth < STK_TABLE_DEPTH);
        table->samples[table->depth] = samples;
        table->sampled[table->depth++] = samples_above(blocks);
        samples += samples_above(blocks);
        blocks = blocks_of(blocks);
    }
}
