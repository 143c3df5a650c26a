/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_ARENA_H
#define STK_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stirkeep/status.h>

/*
 * Memory for one message's life: taken in pieces, given back all at once, with a ceiling, so that
 * no message can take more than its share. One thread.
 */
struct stk_arena {
    uint8_t *data;
    size_t capacity;
    size_t used;
};

/* An arena of `capacity` bytes. NO_MEMORY leaves it empty. */
enum stirkeep_status stk_arena_new(struct stk_arena *arena, size_t capacity);

/* Wipe and release. An empty arena ({0}) is allowed. */
void stk_arena_free(struct stk_arena *arena);

/* Give everything back; pointers taken before are dead. The bytes stay until overwritten. */
void stk_arena_reset(struct stk_arena *arena);

/* `size` bytes aligned for any type, not cleared; NULL past the ceiling. */
void *stk_arena_take(struct stk_arena *arena, size_t size);

/* A copy of `length` bytes with a '\0' behind it; NULL past the ceiling. */
char *stk_arena_copy(struct stk_arena *arena, const void *data, size_t length);

#endif
