/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/table.h"

#include <assert.h>

static size_t sampled(size_t count)
{
    return (count + STK_TABLE_FAN - 1) / STK_TABLE_FAN;
}

size_t stk_table_words(size_t count)
{
    size_t words = count;

    while (count > STK_TABLE_FAN) {
        count = sampled(count);
        words += count;
    }
    return words;
}

void stk_table_sample(uint64_t *words, size_t count)
{
    while (count > STK_TABLE_FAN) {
        size_t samples = sampled(count);

        for (size_t i = 0; i < samples; i++)
            words[count + i] = words[i * STK_TABLE_FAN];
        words += count;
        count = samples;
    }
}

void stk_table_map(struct stk_table *table, const uint64_t *words, size_t count)
{
    assert(count <= STK_TABLE_MAX);
    *table = (struct stk_table){0};
    if (count == 0)
        return;
    for (;;) {
        assert(table->depth < STK_TABLE_DEPTH);
        table->levels[table->depth] = words;
        table->counts[table->depth++] = count;
        if (count <= STK_TABLE_FAN)
            return;
        words += count;
        count = sampled(count);
    }
}
