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
    if (orders->slots == NULL || orders->heap == NULL) {
        free(orders->slots);
        free(orders->heap);
        free(orders);
        return NULL;
    }
    orders->serial = seed >> SLOT_BITS;
    TAILQ_INIT(&orders->free_slots);
    TAILQ_INIT(&orders->again);
    TAILQ_INIT(&orders->sent);
    stk_queue_init(&orders->queue);
    for (size_t i = 0; i < STK_ORDERS_IN_FLIGHT_MAX; i++)
        TAILQ_INSERT_TAIL(&orders->free_slots, &orders->slots[i], entry);
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
    stk_queue_clear(&orders->queue);
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

struct stk_slot *stk_orders_take(struct stk_orders *orders, struct stk_flow *flow,
                                 uint64_t deadline_us)
{
    struct stk_slot *slot = TAILQ_FIRST(&orders->free_slots);

    if (slot == NULL || flow->user->in_flight >= STK_ORDERS_OF_USER_MAX)
        return NULL;
    TAILQ_REMOVE(&orders->free_slots, slot, entry);
    do
        slot->id = ++orders->serial << SLOT_BITS | (uint64_t)(slot - orders->slots);
    while (slot->id == 0);
    slot->deadline_us = deadline_us;
    slot->place = STK_SLOT_WAITS;
    slot->told = false;
    slot->batch = NULL;
    slot->weight = 0;
    slot->flow = flow;
    slot->user = flow->user;
    stk_user_begin(slot->user);
    heap_rise(orders, orders->count++, slot);
    stk_queue_put(&orders->queue, flow, slot);
    return slot;
}

static void leave_place(struct stk_orders *orders, struct stk_slot *slot)
{
    switch (slot->place) {
    case STK_SLOT_WAITS:
        stk_queue_remove(&orders->queue, slot->flow, slot);
        break;
    case STK_SLOT_AGAIN:
        TAILQ_REMOVE(&orders->again, slot, entry);
        orders->again_count--;
        break;
    case STK_SLOT_SENT:
        TAILQ_REMOVE(&orders->sent, slot, entry);
        break;
    }
}

void stk_orders_release(struct stk_orders *orders, struct stk_slot *slot)
{
    assert(slot->id != 0);
    heap_remove(orders, slot->heap_place);
    leave_place(orders, slot);
    stk_user_end(&orders->queue, slot->user);
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

size_t stk_orders_unsent(const struct stk_orders *orders)
{
    return orders->again_count + orders->queue.count;
}

struct stk_slot *stk_orders_next(const struct stk_orders *orders)
{
    struct stk_slot *again = TAILQ_FIRST(&orders->again);

    return again != NULL ? again : stk_queue_next(&orders->queue);
}

void stk_orders_mark_sent(struct stk_orders *orders, struct stk_slot *slot)
{
    assert(slot->place != STK_SLOT_SENT);
    if (slot->place == STK_SLOT_WAITS)
        stk_queue_take(&orders->queue, slot);
    else
        leave_place(orders, slot);
    TAILQ_INSERT_TAIL(&orders->sent, slot, entry);
    slot->place = STK_SLOT_SENT;
}

void stk_orders_take_back(struct stk_orders *orders, struct stk_slot *slot)
{
    leave_place(orders, slot);
    TAILQ_INSERT_HEAD(&orders->again, slot, entry);
    slot->place = STK_SLOT_AGAIN;
    orders->again_count++;
}

void stk_orders_unsend(struct stk_orders *orders)
{
    struct stk_slot *slot = NULL;

    while ((slot = TAILQ_LAST(&orders->sent, stk_slot_list)) != NULL)
        stk_orders_take_back(orders, slot);
}

uint64_t stk_orders_next_deadline(const struct stk_orders *orders)
{
    return orders->count > 0 ? orders->heap[0]->deadline_us : UINT64_MAX;
}

struct stk_slot *stk_orders_earliest(const struct stk_orders *orders)
{
    return orders->count > 0 ? orders->heap[0] : NULL;
}
