/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool stk_window_make(uint64_t most, struct stk_window *ret_window)
{
    /* One more than it takes, twice over: a run may begin and end in the middle of a block. */
    struct stk_window window = {.most = most, .slots = (size_t)(most / STK_WINDOW_BLOCK) + 2};

    window.blocks = calloc(window.slots, sizeof(struct stk_window_entry *));
    if (window.blocks == NULL)
        return false;
    *ret_window = window;
    return true;
}

void stk_window_free(struct stk_window *window)
{
    for (size_t i = 0; i < window->slots; i++)
        free(window->blocks[i]);
    free(window->blocks);
    free(window->spare);
    *window = (struct stk_window){0};
}

static struct stk_window_entry **slot_of(const struct stk_window *window, uint64_t sequence)
{
    return &window->blocks[sequence / STK_WINDOW_BLOCK % window->slots];
}

static void give_up(struct stk_window *window, uint64_t block)
{
    struct stk_window_entry **slot = slot_of(window, block * STK_WINDOW_BLOCK);

    free(window->spare);
    window->spare = *slot;
    *slot = NULL;
}

static bool has_block(struct stk_window *window, uint64_t sequence)
{
    struct stk_window_entry **slot = slot_of(window, sequence);

    if (*slot == NULL) {
        *slot = window->spare;
        window->spare = NULL;
    }
    if (*slot == NULL)
        *slot = malloc(STK_WINDOW_BLOCK * sizeof(**slot));
    return *slot != NULL;
}

bool stk_window_add(struct stk_window *window, uint64_t sequence,
                    const uint8_t digest[STK_DIGEST_LENGTH], int64_t real_us)
{
    struct stk_window_entry *entry = NULL;

    assert(window->count < window->most);
    assert(window->count == 0 || sequence == window->first + window->count);
    if (!has_block(window, sequence))
        return false;
    entry = *slot_of(window, sequence) + sequence % STK_WINDOW_BLOCK;
    memcpy(entry->digest, digest, sizeof(entry->digest));
    entry->real_us = real_us;
    if (window->count == 0)
        window->first = sequence;
    window->count++;
    return true;
}

const struct stk_window_entry *stk_window_at(const struct stk_window *window, uint64_t sequence)
{
    if (sequence < window->first || sequence - window->first >= window->count)
        return NULL;
    return *slot_of(window, sequence) + sequence % STK_WINDOW_BLOCK;
}

/* Give up the blocks that hold records from `from` to `to` and none of what is held now. */
static void give_up_blocks(struct stk_window *window, uint64_t from, uint64_t to)
{
    uint64_t held_first = window->first / STK_WINDOW_BLOCK;
    uint64_t held_last = (window->first + window->count - 1) / STK_WINDOW_BLOCK;

    for (uint64_t block = from / STK_WINDOW_BLOCK; block <= to / STK_WINDOW_BLOCK; block++)
        if (window->count == 0 || block < held_first || block > held_last)
            give_up(window, block);
}

void stk_window_drop_through(struct stk_window *window, uint64_t through)
{
    uint64_t first = window->first;
    uint64_t dropped = 0;

    if (window->count == 0 || through < first)
        return;
    dropped = through - first + 1 < window->count ? through - first + 1 : window->count;
    window->first += dropped;
    window->count -= dropped;
    give_up_blocks(window, first, first + dropped - 1);
}

void stk_window_drop_behind(struct stk_window *window, uint64_t last)
{
    uint64_t end = window->first + window->count;
    uint64_t from = last + 1 > window->first ? last + 1 : window->first;

    if (window->count == 0 || from >= end)
        return;
    window->count = from - window->first;
    give_up_blocks(window, from, end - 1);
}

uint64_t stk_window_first_block_end(const struct stk_window *window)
{
    return window->first / STK_WINDOW_BLOCK * STK_WINDOW_BLOCK + STK_WINDOW_BLOCK - 1;
}
