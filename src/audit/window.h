/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_WINDOW_H
#define STK_AUDIT_WINDOW_H

#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The digests of a run of a chain's records, by sequence number: added at the end, dropped at both
 * ends. Memory comes and goes in blocks with what is held. One thread.
 */
#define STK_WINDOW_BLOCK 4096 /* records */

struct stk_window_entry {
    uint8_t digest[STK_DIGEST_LENGTH];
    int64_t real_us; /* whatever the owner likes to keep with it */
};

struct stk_window {
    uint64_t first; /* number of the first one held */
    uint64_t count;
    uint64_t most;
    struct stk_window_entry **blocks; /* by sequence / STK_WINDOW_BLOCK, in a ring */
    size_t slots;
    struct stk_window_entry *spare; /* the block that was given up last */
};

/* False without memory. `most`: how many it may hold. */
bool stk_window_make(uint64_t most, struct stk_window *ret_window);
void stk_window_free(struct stk_window *window);

/* The next one: its number is first + count, or any when nothing is held. Not when it is full.
 * False without memory; then it is as it was. */
bool stk_window_add(struct stk_window *window, uint64_t sequence,
                    const uint8_t digest[STK_DIGEST_LENGTH], int64_t real_us);

/* What is held of a number; NULL when it is not. Valid until something is dropped. */
const struct stk_window_entry *stk_window_at(const struct stk_window *window, uint64_t sequence);

/* Drop those with numbers up to `through`, or behind `last`. */
void stk_window_drop_through(struct stk_window *window, uint64_t through);
void stk_window_drop_behind(struct stk_window *window, uint64_t last);

/* The last number in the first one's block: what to drop to make room cheaply. */
uint64_t stk_window_first_block_end(const struct stk_window *window);

#endif
