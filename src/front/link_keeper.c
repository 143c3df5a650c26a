/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include "base/log.h"
#include "room/room.h"
#include "wire/codec_order.h"
#include <assert.h>
#include <string.h>

#define RECEIVE_TURN_MAX 64 /* messages in one turn */

/* ---- out */

/* Send `outgoing`; false when the link takes no more for the moment. */
static bool send_outgoing(struct stk_front *front)
{
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_link_send(STK_FD_FRONT_KEEPER, front->outgoing.data, front->outgoing.length, 0, &error);

    if (status == STIRKEEP_OK)
        return true;
    if (status == STIRKEEP_UNAVAILABLE)
        front->keeper_full = event_add(&front->keeper_writable, NULL) == 0;
    else
        stk_log(STK_LOG_ERROR, "keeper: %s", error.message);
    return false;
}

/* As many as one signer is given at once, but so that each of them gets some of what there is. */
static size_t batch_size(const struct stk_front *front)
{
    size_t share = (front->orders->count + front->pace.signers - 1) / front->pace.signers;
    size_t most = stk_pace_message(&front->pace);

    return share < most ? share : most;
}

/* Gather unsent orders, which are marked as sent. One that is much to decode must not use up the
 * keeper's memory for those beside it. */
static size_t gather(struct stk_front *front, size_t room, struct stk_slot **ret_slots)
{
    struct stk_slot *slot = NULL;
    size_t weight = 0;
    size_t count = 0;

    while (count < room && (slot = stk_orders_next(front->orders)) != NULL) {
        weight += slot->weight;
        if (weight > STK_MESSAGE_WEIGHT_MAX && count > 0)
            break;
        if (stk_buffer_add(&front->outgoing, slot->bytes.data, slot->bytes.length) != STIRKEEP_OK)
            break;
        stk_orders_mark_sent(front->orders, slot);
        ret_slots[count++] = slot;
    }
    return count;
}

static bool send_batch(struct stk_front *front, size_t room)
{
    struct stk_slot *slots[STK_BATCH_MAX];
    size_t count = 0;

    front->outgoing.length = 0;
    count = gather(front, room, slots);
    assert(count > 0); /* room for one is there from the beginning */
    if (send_outgoing(front)) {
        for (size_t i = 0; i < count; i++)
            slots[i]->told = true;
        return true;
    }
    while (count > 0)
        stk_orders_take_back(front->orders, slots[--count]);
    return false;
}

/* Whole messages, as long as the keeper takes them. */
static void send_orders(struct stk_front *front)
{
    const struct stk_orders *orders = front->orders;
    size_t unsent = 0;

    while ((unsent = stk_orders_unsent(orders)) > 0) {
        size_t size = batch_size(front);
        size_t room = stk_pace_room(&front->pace, orders->count - unsent);

        if (room < (unsent < size ? unsent : size) || !send_batch(front, size))
            return;
    }
}

static bool send_refusals(struct stk_front *front)
{
    front->outgoing.length = 0;
    if (stk_buffer_add(&front->outgoing, front->refusals.message.data,
                       front->refusals.message.length) != STIRKEEP_OK ||
        !send_outgoing(front))
        return false;
    stk_refusals_sent(&front->refusals);
    return true;
}

void stk_link_keeper_flush_refusals(struct stk_front *front)
{
    if (front->keeper_up && !front->keeper_full && front->refusals.message_count > 0)
        (void)send_refusals(front);
}

void stk_link_keeper_flush(struct stk_front *front)
{
    if (!front->keeper_up || front->keeper_full)
        return;
    send_orders(front);
    stk_link_keeper_flush_refusals(front);
}

void stk_link_keeper_again(struct stk_front *front)
{
    stk_pace_break(&front->pace);
    stk_orders_unsend(front->orders);
    stk_link_keeper_flush(front);
}

static void writable(evutil_socket_t fd, short what, void *context)
{
    struct stk_front *front = context;
    (void)fd;
    (void)what;

    front->keeper_full = false; /* the end of the turn sends */
}

/* ---- in */

static void take_message(struct stk_front *front, size_t length)
{
    struct stk_answer *answers = NULL;
    struct stk_error error = {0};
    size_t count = 0;

    stk_arena_reset(&front->arena);
    if (stk_answers_decode((struct stk_bytes){front->message, length}, &front->arena, &answers,
                           &count, &error) != STIRKEEP_OK) {
        stk_log(STK_LOG_ERROR, "a message of the keeper's was dropped: %s", error.message);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        stk_pace_answer(&front->pace, answers[i].token_us);
        stk_answer_deliver(front, &answers[i]);
    }
}

static void readable(evutil_socket_t fd, short what, void *context)
{
    struct stk_front *front = context;
    size_t length = 0;
    (void)what;

    for (int i = 0; i < RECEIVE_TURN_MAX; i++) {
        if (stk_link_receive(fd, 0, front->message, &length, NULL) != STIRKEEP_OK)
            return;
        take_message(front, length);
    }
}

bool stk_link_keeper_start(struct stk_front *front)
{
    return event_assign(&front->keeper_readable, front->base, STK_FD_FRONT_KEEPER,
                        EV_READ | EV_PERSIST, readable, front) == 0 &&
           event_assign(&front->keeper_writable, front->base, STK_FD_FRONT_KEEPER, EV_WRITE,
                        writable, front) == 0 &&
           event_add(&front->keeper_readable, NULL) == 0;
}
