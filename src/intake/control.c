/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "room/room.h"
#include <stdio.h>
#include <unistd.h>

static void leave(struct stk_intake *intake, int exit_status)
{
    intake->exit_status = exit_status;
    (void)event_base_loopbreak(intake->base);
}

static void drain_over(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    leave(context, 0);
}

static void drain(struct stk_intake *intake)
{
    struct stk_connection *connection = NULL;

    if (intake->draining)
        return;
    intake->draining = true;
    stk_listener_stop(intake);
    TAILQ_FOREACH(connection, &intake->connections, entry)
    stk_connection_stop_reading(connection);
    stk_intake_timer(&intake->drain_over, STK_DRAIN_MS);
    stk_intake_drain_check(intake);
}

static void keeper_up(struct stk_intake *intake)
{
    intake->keeper_up = true;
    stk_calls_again(intake);
    stk_acts_flush(intake);
    stk_replay_run(intake);
    stk_spool_again(intake);
}

static void room_changed(struct stk_intake *intake, const struct stk_control_message *message)
{
    bool up = message->kind == STK_CONTROL_ROOM_UP;

    if (message->room == STK_ROOM_FRONT)
        intake->front_up = up;
    else if (message->room == STK_ROOM_KEEPER && up)
        keeper_up(intake);
    else if (message->room == STK_ROOM_KEEPER)
        intake->keeper_up = false;
}

static void obey(struct stk_intake *intake, const struct stk_control_message *message)
{
    switch (message->kind) {
    case STK_CONTROL_DRAIN:
        drain(intake);
        break;
    case STK_CONTROL_PING:
        (void)stk_control_send(STK_FD_CONTROL, STK_CONTROL_PONG, STK_ROOM_INTAKE, NULL);
        break;
    case STK_CONTROL_LOCKED:
        stk_locked_take(&intake->locked, message);
        break;
    case STK_CONTROL_CONFIG:
        stk_reload_take(intake, message);
        break;
    case STK_CONTROL_RELOADED:
        stk_reload_over(intake, message);
        break;
    case STK_CONTROL_POLICY:
    case STK_CONTROL_POLICY_NEXT:
        stk_reload_record(intake, message);
        break;
    case STK_CONTROL_ROOM_UP:
    case STK_CONTROL_ROOM_DOWN:
        room_changed(intake, message);
        break;
    default:
        break; /* nothing of intake's */
    }
}

static void ready(evutil_socket_t fd, short what, void *context)
{
    struct stk_intake *intake = context;
    struct stk_control_message message = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    (void)what;

    while ((status = stk_control_receive(fd, &message)) == STIRKEEP_OK) {
        obey(intake, &message);
        stk_control_drop(&message);
    }
    /* Without a porter there is nobody to work for. What is under way is in the journal. */
    if (status == STIRKEEP_NOT_CONNECTED)
        leave(intake, 1);
}

bool stk_control_start(struct stk_intake *intake)
{
    return event_assign(&intake->control, intake->base, STK_FD_CONTROL, EV_READ | EV_PERSIST, ready,
                        intake) == 0 &&
           evtimer_assign(&intake->drain_over, intake->base, drain_over, intake) == 0 &&
           event_add(&intake->control, NULL) == 0;
}
