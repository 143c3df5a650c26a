/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/orders.h"

#include <assert.h>
#include <stdlib.h>

#define SLOT_BITS 12
#define SLOT_MASK ((1u << SLOT_BITS) - 1)
#define BYTES_KEPT 4096 /* a buffer that grew past this for one order is not kept for the next */

_Static_assert(STK_ORDERS_IN_FLIGHT_MAX <= SLOT_MASK + 1, "an id has no room for the slot");

struct stk_orders *stk_orders_new(uint64_t seed)
{
    struct stk_orders *orders = calloc(1, sizeof(*orders));

    if (orders == NULL)
        return NULL;
    orders->slots = calloc(STK_ORDERS_IN_FLIGHT_MAX, sizeof(*orders->slots));
    orders->heap = calloc(STK_ORDERS_IN_FLIGHT_MAX, sizeof(*orders->heap));
    orders->owners = calloc(STK_ORDERS_IN_FLIGHT_MAX, sizeof(*orders->owners));
    if (orders->slots == NULL || orders->heap == NULL || orders->owners == NULL) {
        free(orders->slots);
        free(orders->heap);
        free(orders->owners);
        free(orders);
        return NULL;
    }
    orders->serial = seed >> SLOT_BITS;
    TAILQ_INIT(&orders->free_slots);
    TAILQ_INIT(&orders->unsent);
    TAILQ_INIT(&orders->sent);
    for (size_t i = 0; i < STK_ORDERS_IN_FLIGHT_MAX; i++) {
        orders->owners[i] = STK_NO_OWNER;
        TAILQ_INSERT_TAIL(&orders->free_slots, &orders->slots[i], entry);
    }
    return orders;
}

void stk_orders_free(struct stk_orders *orders)
{
    if (orders == NULL)
        return;
    for (size_t i = 0; i < STK_ORDERS_IN_FLIGHT_MAX; i++)
        stk_buffer_free(&orders->slots[i].bytes);
    free(orders->slots);
    free(orders->heap);
    free(orders->owners);
    free(orders);
}

static void heap_set(struct stk_orders *orders, size_t place, struct stk_slot *slot)
{
    orders->heap[place] = slot;
    slot->heap_place = (uint32_t)place;
}

static void heap_rise(struct stk_orders *orders, size_t place, struct stk_slot *slot)
{
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (orders->heap[parent]->deadline_us <= slot->deadline_us)
            break;
        heap_set(orders, place, orders->heap[parent]);
        place = parent;
    }
    heap_set(orders, place, slot);
}

static void heap_sink(struct stk_orders *orders, size_t place, struct stk_slot *slot)
{
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= orders->count)
            break;
        if (child + 1 < orders->count &&
            orders->heap[child + 1]->deadline_us < orders->heap[child]->deadline_us)
            child++;
        if (slot->deadline_us <= orders->heap[child]->deadline_us)
            break;
        heap_set(orders, place, orders->heap[child]);
        place = child;
    }
    heap_set(orders, place, slot);
}

static void heap_remove(struct stk_orders *orders, size_t place)
{
    struct stk_slot *last = orders->heap[--orders->count];

    if (place == orders->count)
        return;
    if (place > 0 && orders->heap[(place - 1) / 2]->deadline_us > last->deadline_us)
        heap_rise(orders, place, last);
    else
        heap_sink(orders, place, last);
}

static bool has_share(const struct stk_orders *orders, uid_t uid)
{
    size_t count = 0;

    if (orders->count < STK_ORDERS_OF_USER_MAX)
        return false;
    for (size_t i = 0; i < STK_ORDERS_IN_FLIGHT_MAX; i++)
        count += orders->owners[i] == uid ? 1 : 0;
    return count >= STK_ORDERS_OF_USER_MAX;
}

struct stk_slot *stk_orders_take(struct stk_orders *orders, uid_t uid, uint64_t deadline_us)
{
    struct stk_slot *slot = TAILQ_FIRST(&orders->free_slots);

    if (slot == NULL || has_share(orders, uid))
        return NULL;
    TAILQ_REMOVE(&orders->free_slots, slot, entry);
    do
        slot->id = ++orders->serial << SLOT_BITS | (uint64_t)(slot - orders->slots);
    while (slot->id == 0);
    orders->owners[slot - orders->slots] = uid;
    slot->deadline_us = deadline_us;
    slot->sent = false;
    slot->told = false;
    slot->batch = NULL;
    slot->weight = 0;
    heap_rise(orders, orders->count++, slot);
    TAILQ_INSERT_TAIL(&orders->unsent, slot, entry);
    orders->unsent_count++;
    return slot;
}

void stk_orders_release(struct stk_orders *orders, struct stk_slot *slot)
{
    assert(slot->id != 0);
    heap_remove(orders, slot->heap_place);
    if (slot->sent) {
        TAILQ_REMOVE(&orders->sent, slot, entry);
    } else {
        TAILQ_REMOVE(&orders->unsent, slot, entry);
        orders->unsent_count--;
    }
    orders->owners[slot - orders->slots] = STK_NO_OWNER;
    slot->id = 0;
    slot->bytes.length = 0;
    if (slot->bytes.capacity > BYTES_KEPT)
        stk_buffer_free(&slot->bytes);
    TAILQ_INSERT_HEAD(&orders->free_slots, slot, entry); /* its memory is still in the cache */
}

struct stk_slot *stk_orders_find(const struct stk_orders *orders, uint64_t id)
{
    size_t number = (size_t)(id & SLOT_MASK);

    if (id == 0 || number >= STK_ORDERS_IN_FLIGHT_MAX || orders->slots[number].id != id)
        return NULL;
    return &orders->slots[number];
}

void stk_orders_mark_sent(struct stk_orders *orders, struct stk_slot *slot)
{
    assert(!slot->sent);
    TAILQ_REMOVE(&orders->unsent, slot, entry);
    TAILQ_INSERT_TAIL(&orders->sent, slot, entry);
    slot->sent = true;
    slot->told = true;
    orders->unsent_count--;
}

void stk_orders_unsend(struct stk_orders *orders)
{
    struct stk_slot *slot = NULL;

    TAILQ_FOREACH(slot, &orders->sent, entry)
    slot->sent = false;
    TAILQ_CONCAT(&orders->sent, &orders->unsent, entry);
    TAILQ_CONCAT(&orders->unsent, &orders->sent, entry);
    orders->unsent_count = orders->count;
}

uint64_t stk_orders_next_deadline(const struct stk_orders *orders)
{
    return orders->count > 0 ? orders->heap[0]->deadline_us : UINT64_MAX;
}

struct stk_slot *stk_orders_earliest(const struct stk_orders *orders)
{
    return orders->count > 0 ? orders->heap[0] : NULL;
}
