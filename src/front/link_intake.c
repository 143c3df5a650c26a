/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include "base/log.h"
#include "room/room.h"
#include "wire/codec_order.h"
#include <string.h>

#define RECEIVE_TURN_MAX 64

/* ---- out: acknowledgements, and the wish for a snapshot */

static const struct stk_front_counters *counters_of(struct stk_front *front)
{
    if (front->counters_wanted == 0)
        return NULL;
    stk_tally_report(&front->tally, &front->counters);
    memcpy(front->counters.refused, front->refusals.by_status, sizeof(front->counters.refused));
    front->counters.in_flight = (uint32_t)front->orders->count;
    return &front->counters;
}

static bool send_report(struct stk_front *front, uint64_t push)
{
    const struct stk_front_report report = {.push = push,
                                            .snapshot_wanted = front->snapshot_wanted,
                                            .connections = front->connection_count,
                                            .refusals = front->refusals.total,
                                            .in_flight = (uint32_t)front->orders->count,
                                            .usage = front->counts,
                                            .usage_count = front->count_count,
                                            .counters = counters_of(front)};
    enum stirkeep_status status = STIRKEEP_OK;

    front->outgoing.length = 0;
    status = stk_front_report_encode(&report, &front->outgoing);
    if (status == STIRKEEP_OK)
        status = stk_link_send(STK_FD_FRONT_INTAKE, front->outgoing.data, front->outgoing.length, 0,
                               NULL);
    if (status == STIRKEEP_UNAVAILABLE)
        front->intake_full = event_add(&front->intake_writable, NULL) == 0;
    if (status != STIRKEEP_OK)
        return false;
    front->snapshot_wanted = false;
    if (push == front->counters_wanted)
        front->counters_wanted = 0;
    stk_counts_sent(front);
    return true;
}

void stk_link_intake_flush(struct stk_front *front)
{
    size_t sent = 0;

    if (front->intake_full)
        return;
    while (sent < front->acknowledge_count && send_report(front, front->acknowledge[sent]))
        sent++;
    front->acknowledge_count -= sent;
    memmove(front->acknowledge, front->acknowledge + sent,
            front->acknowledge_count * sizeof(front->acknowledge[0]));
    while ((front->snapshot_wanted || front->count_count > 0) && !front->intake_full)
        if (!send_report(front, 0))
            return;
}

static void writable(evutil_socket_t fd, short what, void *context)
{
    struct stk_front *front = context;
    (void)fd;
    (void)what;

    front->intake_full = false;
}

/* ---- in: names */

static void become_ready(struct stk_front *front)
{
    if (front->ready || !stk_names_complete(front->names))
        return;
    front->ready =
        stk_control_send(STK_FD_CONTROL, STK_CONTROL_READY, STK_ROOM_FRONT, front->lockdown);
}

/* What was in it is not known: the whole again, but not over and over at once. */
static void lose_push(struct stk_front *front)
{
    if (front->snapshot_again_us == 0)
        front->snapshot_again_us = stk_clock_mono_us() + STK_SNAPSHOT_AGAIN_US;
}

static void take_push(struct stk_front *front, const struct stk_catalog_push *push)
{
    enum stirkeep_status status = stk_counts_recall(front, push);

    if (status == STIRKEEP_OK)
        status = stk_names_apply(front->names, push->first, push->last, push->entries,
                                 push->entry_count);
    if (status != STIRKEEP_OK) {
        stk_log(STK_LOG_ERROR, "the certificates' names cannot be taken: %s",
                stirkeep_status_text(status));
        lose_push(front);
        return;
    }
    become_ready(front);
    /* One that finds no room is not told: intake stops waiting for it after a while. */
    if (front->acknowledge_count < STK_ACKNOWLEDGE_MAX)
        front->acknowledge[front->acknowledge_count++] = push->push;
    else
        return;
    if (push->status_wanted)
        front->counters_wanted = push->push;
}

static void take_message(struct stk_front *front, size_t length)
{
    struct stk_catalog_push push = {0};
    struct stk_error error = {0};

    stk_arena_reset(&front->arena);
    if (stk_catalog_push_decode((struct stk_bytes){front->message, length}, &front->arena, &push,
                                &error) == STIRKEEP_OK) {
        take_push(front, &push);
        return;
    }
    stk_log(STK_LOG_ERROR, "a message of intake's was dropped: %s", error.message);
    lose_push(front);
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

bool stk_link_intake_start(struct stk_front *front)
{
    front->snapshot_wanted = true;
    return event_assign(&front->intake_readable, front->base, STK_FD_FRONT_INTAKE,
                        EV_READ | EV_PERSIST, readable, front) == 0 &&
           event_assign(&front->intake_writable, front->base, STK_FD_FRONT_INTAKE, EV_WRITE,
                        writable, front) == 0 &&
           event_add(&front->intake_readable, NULL) == 0;
}
