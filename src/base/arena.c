/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include "base/wipe.h"
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum stirkeep_status stk_arena_new(struct stk_arena *arena, size_t capacity)
{
    *arena = (struct stk_arena){.data = malloc(capacity), .capacity = capacity};
    if (arena->data != NULL)
        return STIRKEEP_OK;
    arena->capacity = 0;
    return STIRKEEP_NO_MEMORY;
}

void stk_arena_free(struct stk_arena *arena)
{
    stk_wipe(arena->data, arena->capacity);
    free(arena->data);
    *arena = (struct stk_arena){0};
}

void stk_arena_reset(struct stk_arena *arena)
{
    arena->used = 0;
}

void *stk_arena_take(struct stk_arena *arena, size_t size)
{
    const size_t step = alignof(max_align_t);
    size_t left = arena->capacity - arena->used;
    uint8_t *taken = NULL;

    if (size > left)
        return NULL;
    taken = arena->data + arena->used;
    size = (size + step - 1) / step * step;
    arena->used += size > left ? left : size;
    return taken;
}

char *stk_arena_copy(struct stk_arena *arena, const void *data, size_t length)
{
    char *copy = length < SIZE_MAX ? stk_arena_take(arena, length + 1) : NULL;

    if (copy == NULL)
        return NULL;
    if (length > 0)
        memcpy(copy, data, length);
    copy[length] = '\0';
    return copy;
}
