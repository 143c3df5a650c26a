/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/constraints.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

bool stk_constraints_any(const struct stk_constraints *constraints)
{
    return constraints != NULL &&
           (constraints->numbers_only || constraints->must_include_count > 0 ||
            constraints->permitted_count > 0 || constraints->must_exclude_count > 0);
}

/* NULL for no texts, and when there is no room: `*ok` tells. */
static const char *const *copy_texts(const char *const *texts, size_t count,
                                     struct stk_arena *arena, bool *ok)
{
    const char **copy = NULL;

    if (count == 0 || !*ok)
        return NULL;
    copy = stk_arena_take(arena, count * sizeof(*copy));
    *ok = copy != NULL;
    for (size_t i = 0; *ok && i < count; i++) {
        copy[i] = stk_arena_copy(arena, texts[i], strlen(texts[i]));
        *ok = copy[i] != NULL;
    }
    return *ok ? copy : NULL;
}

static const struct stk_permitted *copy_permitted(const struct stk_permitted *permitted,
                                                  size_t count, struct stk_arena *arena, bool *ok)
{
    struct stk_permitted *copy = NULL;

    if (count == 0 || !*ok)
        return NULL;
    copy = stk_arena_take(arena, count * sizeof(*copy));
    *ok = copy != NULL;
    for (size_t i = 0; *ok && i < count; i++) {
        copy[i].claim = stk_arena_copy(arena, permitted[i].claim, strlen(permitted[i].claim));
        *ok = copy[i].claim != NULL;
        copy[i].count = permitted[i].count;
        copy[i].values = copy_texts(permitted[i].values, permitted[i].count, arena, ok);
    }
    return *ok ? copy : NULL;
}

static struct stk_constraints *copy_into(const struct stk_constraints *from,
                                         struct stk_arena *arena)
{
    struct stk_constraints *copy = stk_arena_take(arena, sizeof(*copy));
    struct stk_number_range *ranges = NULL;
    bool ok = copy != NULL;

    if (ok)
        *copy = *from;
    if (ok && from->range_count > 0) {
        ranges = stk_arena_take(arena, from->range_count * sizeof(*ranges));
        ok = ranges != NULL;
        if (ok)
            memcpy(ranges, from->ranges, from->range_count * sizeof(*ranges));
    }
    if (!ok)
        return NULL;
    copy->ranges = ranges;
    copy->must_include = copy_texts(from->must_include, from->must_include_count, arena, &ok);
    copy->permitted = copy_permitted(from->permitted, from->permitted_count, arena, &ok);
    copy->must_exclude = copy_texts(from->must_exclude, from->must_exclude_count, arena, &ok);
    return ok ? copy : NULL;
}

const struct stk_constraints *stk_constraints_copy(const struct stk_constraints *constraints,
                                                   struct stk_arena *arena)
{
    return copy_into(constraints, arena);
}

/* What an arena takes of its memory for `size` bytes. */
static size_t taken_for(size_t size)
{
    const size_t step = alignof(max_align_t);

    return (size + step - 1) / step * step;
}

static size_t taken_for_texts(const char *const *texts, size_t count)
{
    size_t taken = taken_for(count * sizeof(*texts));

    for (size_t i = 0; i < count; i++)
        taken += taken_for(strlen(texts[i]) + 1);
    return taken;
}

static size_t taken_for_all(const struct stk_constraints *constraints)
{
    size_t taken = taken_for(sizeof(*constraints)) +
                   taken_for(constraints->range_count * sizeof(*constraints->ranges)) +
                   taken_for(constraints->permitted_count * sizeof(*constraints->permitted)) +
                   taken_for_texts(constraints->must_include, constraints->must_include_count) +
                   taken_for_texts(constraints->must_exclude, constraints->must_exclude_count);

    for (size_t i = 0; i < constraints->permitted_count; i++)
        taken += taken_for(strlen(constraints->permitted[i].claim) + 1) +
                 taken_for_texts(constraints->permitted[i].values, constraints->permitted[i].count);
    return taken;
}

struct stk_constraints *stk_constraints_clone(const struct stk_constraints *constraints)
{
    struct stk_arena arena = {0};
    struct stk_constraints *clone = NULL;

    if (stk_arena_new(&arena, taken_for_all(constraints)) != STIRKEEP_OK)
        return NULL;
    clone = copy_into(constraints, &arena);
    /* The first thing taken is the arena's beginning: freeing it frees all. */
    assert(clone != NULL && (uint8_t *)clone == arena.data);
    return clone;
}
