/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/pending.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT32_MAX
#define SLOTS_AT_FIRST 16
#define FRAME_KEPT_MAX 4096 /* a released slot keeps its frame's memory up to this */

static const struct stk_slot_list empty_list = {NOWHERE, NOWHERE};

static void list_append(struct stk_pending *pending, struct stk_slot_list *list,
                        struct stk_slot *slot)
{
    slot->before = list->last;
    slot->after = NOWHERE;
    if (list->last == NOWHERE)
        list->first = slot->index;
    else
        pending->slots[list->last].after = slot->index;
    list->last = slot->index;
}

static void list_remove(struct stk_pending *pending, struct stk_slot_list *list,
                        struct stk_slot *slot)
{
    if (slot->before == NOWHERE)
        list->first = slot->after;
    else
        pending->slots[slot->before].after = slot->after;
    if (slot->after == NOWHERE)
        list->last = slot->before;
    else
        pending->slots[slot->after].before = slot->before;
}

static struct stk_slot *slot_at(const struct stk_pending *pending, uint32_t index)
{
    return index == NOWHERE ? NULL : &pending->slots[index];
}

void stk_pending_start(struct stk_pending *pending)
{
    *pending = (struct stk_pending){.unused = empty_list,
                                    .waiting = empty_list,
                                    .failed = empty_list,
                                    .earliest_us = UINT64_MAX};
}

void stk_pending_free(struct stk_pending *pending)
{
    for (size_t i = 0; i < pending->capacity; i++)
        stk_buffer_free(&pending->slots[i].frame);
    free(pending->slots);
    stk_pending_start(pending);
}

static enum stirkeep_status grow(struct stk_pending *pending)
{
    size_t capacity = pending->capacity > 0 ? pending->capacity * 2 : SLOTS_AT_FIRST;
    struct stk_slot *slots = NULL;

    if (pending->capacity >= STK_UNDER_WAY_MAX)
        return STIRKEEP_OVERLOADED;
    slots = realloc(pending->slots, capacity * sizeof(*slots));
    if (slots == NULL)
        return STIRKEEP_NO_MEMORY;
    pending->slots = slots;
    for (size_t i = pending->capacity; i < capacity; i++) {
        slots[i] = (struct stk_slot){.index = (uint32_t)i,
                                     .frame.ceiling = STK_FRAME_HEADER + STK_SIGN_MESSAGE_MAX};
        list_append(pending, &pending->unused, &slots[i]);
    }
    pending->capacity = capacity;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_pending_take(struct stk_pending *pending, struct stk_slot **ret_slot)
{
    enum stirkeep_status status = STIRKEEP_OK;
    struct stk_slot *slot = NULL;

    if (pending->unused.first == NOWHERE)
        status = grow(pending);
    if (status != STIRKEEP_OK)
        return status;
    /* The one used last: its memory is warm, and a table grown once is not touched throughout. */
    slot = &pending->slots[pending->unused.last];
    list_remove(pending, &pending->unused, slot);
    slot->state = STK_SLOT_NEW;
    slot->again_us = 0;
    slot->again_pause_us = 0;
    slot->id = ++pending->sequence * STK_UNDER_WAY_MAX + slot->index;
    slot->frame.length = 0;
    pending->count++;
    *ret_slot = slot;
    return STIRKEEP_OK;
}

void stk_pending_wait(struct stk_pending *pending, struct stk_slot *slot)
{
    assert(slot->state == STK_SLOT_NEW);
    slot->state = STK_SLOT_WAITING;
    list_append(pending, &pending->waiting, slot);
    if (slot->deadline_us < pending->earliest_us)
        pending->earliest_us = slot->deadline_us;
}

void stk_pending_release(struct stk_pending *pending, struct stk_slot *slot)
{
    assert(slot->state != STK_SLOT_FREE);
    if (slot->state == STK_SLOT_WAITING)
        list_remove(pending, &pending->waiting, slot);
    else if (slot->state == STK_SLOT_FAILED)
        list_remove(pending, &pending->failed, slot);
    if (slot->frame.capacity > FRAME_KEPT_MAX)
        stk_buffer_free(&slot->frame);
    slot->state = STK_SLOT_FREE;
    slot->id = 0;
    list_append(pending, &pending->unused, slot);
    pending->count--;
    if (pending->waiting.first == NOWHERE)
        pending->earliest_us = UINT64_MAX;
}

struct stk_slot *stk_pending_find(const struct stk_pending *pending, uint64_t id)
{
    size_t index = id % STK_UNDER_WAY_MAX;
    struct stk_slot *slot = index < pending->capacity ? &pending->slots[index] : NULL;

    return slot != NULL && slot->state == STK_SLOT_WAITING && slot->id == id ? slot : NULL;
}

struct stk_slot *stk_pending_first(const struct stk_pending *pending)
{
    return slot_at(pending, pending->waiting.first);
}

struct stk_slot *stk_pending_next(const struct stk_pending *pending, const struct stk_slot *slot)
{
    return slot_at(pending, slot->after);
}

static void fail_one(struct stk_pending *pending, struct stk_slot *slot,
                     enum stirkeep_status failure)
{
    list_remove(pending, &pending->waiting, slot);
    slot->state = STK_SLOT_FAILED;
    slot->failure = failure;
    list_append(pending, &pending->failed, slot);
}

bool stk_pending_expire(struct stk_pending *pending, uint64_t now_us)
{
    struct stk_slot *next = NULL;
    bool any = false;

    if (now_us < pending->earliest_us)
        return false;
    pending->earliest_us = UINT64_MAX;
    for (struct stk_slot *slot = stk_pending_first(pending); slot != NULL; slot = next) {
        next = stk_pending_next(pending, slot);
        if (now_us >= slot->deadline_us) {
            fail_one(pending, slot, STIRKEEP_TIMEOUT);
            any = true;
        } else if (slot->deadline_us < pending->earliest_us) {
            pending->earliest_us = slot->deadline_us;
        }
    }
    return any;
}

void stk_pending_fail(struct stk_pending *pending, enum stirkeep_status failure)
{
    for (struct stk_slot *slot = stk_pending_first(pending); slot != NULL;
         slot = stk_pending_first(pending))
        fail_one(pending, slot, failure);
    pending->earliest_us = UINT64_MAX;
}

struct stk_slot *stk_pending_failed(const struct stk_pending *pending)
{
    return slot_at(pending, pending->failed.first);
}

void stk_pending_forget(struct stk_pending *pending)
{
    stk_pending_fail(pending, STIRKEEP_NOT_CONNECTED);
    for (struct stk_slot *slot = stk_pending_failed(pending); slot != NULL;
         slot = stk_pending_failed(pending))
        stk_pending_release(pending, slot);
}
