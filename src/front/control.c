/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include "room/room.h"

void stk_front_leave(struct stk_front *front, int exit_status)
{
    front->done = true;
    front->exit_status = exit_status;
}

/* All counts, in as many messages as that takes. */
static void tell_refusals(struct stk_front *front)
{
    for (size_t i = 0; i <= STK_REFUSAL_USERS / STK_BATCH_MAX; i++) {
        stk_refusals_summarise(&front->refusals, stk_clock_mono_us(), true);
        stk_link_keeper_flush_refusals(front);
    }
}

/* Nothing new is accepted; what clients had sent by now is read, and answered. */
static void drain(struct stk_front *front)
{
    uint64_t now_us = stk_clock_mono_us();

    if (front->drain_until_us != 0)
        return;
    front->drain_until_us = now_us + STK_DRAIN_US;
    front->drain_read_until_us = now_us + STK_DRAIN_READ_US;
    stk_listener_stop(front);
    tell_refusals(front);
    for (size_t i = 0; i < STK_CONNECTIONS_MAX; i++)
        if (front->connections[i] != NULL) {
            stk_connection_touch(front->connections[i]);
            stk_hunger_note(front->connections[i]);
        }
}

/* Of who goes on sending for ever no more is read. */
static bool is_read(const struct stk_front *front, struct stk_connection *connection,
                    uint64_t now_us)
{
    if (connection->state != STK_CONNECTION_OPEN)
        return true;
    connection->drained = connection->drained || now_us >= front->drain_read_until_us;
    return (connection->drained || connection->eof) && !stk_input_has_frame(connection);
}

void stk_drain_check(struct stk_front *front, uint64_t now_us)
{
    if (front->drain_until_us == 0)
        return;
    if (now_us < front->drain_until_us) {
        if (front->orders->count > 0 || front->refusals.message_count > 0 ||
            !TAILQ_EMPTY(&front->hungry))
            return;
        for (size_t i = 0; i < STK_CONNECTIONS_MAX; i++)
            if (front->connections[i] != NULL && (!is_read(front, front->connections[i], now_us) ||
                                                  stk_output_unsent(front->connections[i]) > 0))
                return;
        if (!stk_counts_settle(front))
            return;
    }
    stk_front_leave(front, 0);
}

static void obey(struct stk_front *front, struct stk_control_message *message)
{
    if (message->kind == STK_CONTROL_DRAIN) {
        drain(front);
    } else if (message->kind == STK_CONTROL_PING) {
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_PONG, STK_ROOM_FRONT, NULL);
    } else if (message->kind == STK_CONTROL_CONFIG) {
        stk_reload(front, message);
    } else if (message->kind == STK_CONTROL_PROGRAM) {
        stk_program_learn(front, message->number, message->text);
    } else if (message->kind == STK_CONTROL_ROOM_DOWN && message->room == STK_ROOM_KEEPER) {
        front->keeper_up = false;
        stk_late_forget(front->late);
    } else if (message->kind == STK_CONTROL_ROOM_UP && message->room == STK_ROOM_KEEPER) {
        front->keeper_up = true;
        stk_link_keeper_again(front);
    } else if (message->kind == STK_CONTROL_ROOM_UP && message->room == STK_ROOM_INTAKE) {
        front->snapshot_wanted = front->snapshot_wanted || !stk_names_complete(front->names);
    }
}

static void ready(evutil_socket_t fd, short what, void *context)
{
    struct stk_front *front = context;
    struct stk_control_message message = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    (void)what;

    while ((status = stk_control_receive(fd, &message)) == STIRKEEP_OK) {
        obey(front, &message);
        stk_control_drop(&message);
    }
    if (status == STIRKEEP_NOT_CONNECTED)
        stk_front_leave(front, 1); /* without a porter there is no keeper to be had for long */
}

static void writable(evutil_socket_t fd, short what, void *context)
{
    struct stk_front *front = context;
    (void)fd;
    (void)what;

    front->control_full = false; /* the end of the turn sends */
}

bool stk_control_say(struct stk_front *front, const struct stk_control_message *message)
{
    if (front->control_full)
        return false;
    if (stk_control_send_message(STK_FD_CONTROL, message))
        return true;
    front->control_full = event_add(&front->control_writable, NULL) == 0;
    return false;
}

void stk_control_flush(struct stk_front *front)
{
    if (front->taken_waits && stk_control_say(front, &front->taken))
        front->taken_waits = false;
    stk_program_flush(front);
}

bool stk_control_start(struct stk_front *front)
{
    return event_assign(&front->control, front->base, STK_FD_CONTROL, EV_READ | EV_PERSIST, ready,
                        front) == 0 &&
           event_assign(&front->control_writable, front->base, STK_FD_CONTROL, EV_WRITE, writable,
                        front) == 0 &&
           event_add(&front->control, NULL) == 0;
}
