/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/counters.h"

#include "base/digest.h"
#include "base/hash.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_TABLE 256
#define FIRST_ROOM 64

static bool make_table(struct stk_counters *counters, uint32_t size)
{
    uint32_t *table = malloc(size * sizeof(*table));

    if (table == NULL)
        return false;
    memset(table, 0xff, size * sizeof(*table)); /* STK_COUNTER_NONE */
    free(counters->table);
    counters->table = table;
    counters->mask = size - 1;
    return true;
}

bool stk_counters_init(struct stk_counters *counters)
{
    *counters = (struct stk_counters){.free = STK_COUNTER_NONE,
                                      .first_changed = STK_COUNTER_NONE,
                                      .last_changed = STK_COUNTER_NONE};
    stk_random(&counters->seed, sizeof(counters->seed));
    return make_table(counters, FIRST_TABLE);
}

void stk_counters_free(struct stk_counters *counters)
{
    free(counters->all);
    free(counters->table);
    *counters = (struct stk_counters){0};
}

static uint32_t place_of(const struct stk_counters *counters, enum stk_usage_kind kind,
                         const char *name)
{
    return (uint32_t)stk_hash(name, strlen(name), counters->seed + kind) & counters->mask;
}

uint32_t stk_counters_find(const struct stk_counters *counters, enum stk_usage_kind kind,
                           const char *name)
{
    uint32_t number = counters->table[place_of(counters, kind, name)];

    while (number != STK_COUNTER_NONE && (counters->all[number].kind != (uint8_t)kind ||
                                          strcmp(counters->all[number].name, name) != 0))
        number = counters->all[number].next;
    return number;
}

static void hang(struct stk_counters *counters, uint32_t number)
{
    struct stk_counter *counter = &counters->all[number];
    uint32_t *place =
        &counters->table[place_of(counters, (enum stk_usage_kind)counter->kind, counter->name)];

    counter->next = *place;
    *place = number;
}

static bool grow(struct stk_counters *counters)
{
    uint32_t room = counters->room > 0 ? 2 * counters->room : FIRST_ROOM;
    struct stk_counter *all = NULL;

    if (counters->free != STK_COUNTER_NONE || counters->count < counters->room)
        return true;
    all = reallocarray(counters->all, room, sizeof(*all));
    if (all == NULL)
        return false;
    counters->all = all;
    counters->room = room;
    if (room <= counters->mask)
        return true;
    if (!make_table(counters, 2 * room)) /* the old one does, more slowly */
        return true;
    for (uint32_t i = 0; i < counters->count; i++)
        if (all[i].in_use)
            hang(counters, i);
    return true;
}

uint32_t stk_counters_make(struct stk_counters *counters, enum stk_usage_kind kind,
                           const char *name)
{
    uint32_t number = stk_counters_find(counters, kind, name);
    size_t length = strlen(name);
    uint32_t births = 0;

    assert(length <= STK_GRANT_NAME_MAX);
    if (number != STK_COUNTER_NONE)
        return number;
    if (!grow(counters))
        return STK_COUNTER_NONE;
    number = counters->free;
    if (number != STK_COUNTER_NONE) {
        counters->free = counters->all[number].next;
        births = counters->all[number].births;
    } else {
        number = counters->count++;
    }
    counters->all[number] = (struct stk_counter){.kind = (uint8_t)kind,
                                                 .in_use = true,
                                                 .next_changed = STK_COUNTER_NONE,
                                                 .births = births + 1,
                                                 .grant = STK_COUNTER_NONE,
                                                 .day = INT64_MIN};
    memcpy(counters->all[number].name, name, length + 1);
    hang(counters, number);
    counters->used[kind]++;
    return number;
}

void stk_counters_remove(struct stk_counters *counters, uint32_t number)
{
    struct stk_counter *counter = &counters->all[number];
    uint32_t *at =
        &counters->table[place_of(counters, (enum stk_usage_kind)counter->kind, counter->name)];

    assert(counter->in_use && !counter->is_changed);
    while (*at != number)
        at = &counters->all[*at].next;
    *at = counter->next;
    counters->used[counter->kind]--;
    counter->in_use = false;
    counter->next = counters->free;
    counters->free = number;
}

void stk_counters_mark(struct stk_counters *counters, uint32_t number)
{
    struct stk_counter *counter = &counters->all[number];

    if (counter->is_changed)
        return;
    counter->is_changed = true;
    counter->next_changed = STK_COUNTER_NONE;
    if (counters->last_changed != STK_COUNTER_NONE)
        counters->all[counters->last_changed].next_changed = number;
    else
        counters->first_changed = number;
    counters->last_changed = number;
}

uint32_t stk_counters_unmark_first(struct stk_counters *counters)
{
    uint32_t number = counters->first_changed;

    if (number == STK_COUNTER_NONE)
        return number;
    counters->first_changed = counters->all[number].next_changed;
    if (counters->first_changed == STK_COUNTER_NONE)
        counters->last_changed = STK_COUNTER_NONE;
    counters->all[number].is_changed = false;
    return number;
}
