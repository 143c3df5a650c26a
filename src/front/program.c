/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include "base/log.h"
#include "room/room.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Which program is at the other end. This room may not look: the porter does, and is told the number
 * of the process, which may have another owner by then. It has not when the process is alive after
 * the answer.
 */

#define PLACE_BITS 16

_Static_assert(STK_CONNECTIONS_MAX <= 1 << PLACE_BITS, "a token has no room for the place");

static uint64_t token_of(const struct stk_connection *connection)
{
    return connection->serial << PLACE_BITS | connection->place;
}

static struct stk_connection *find(const struct stk_front *front, uint64_t token)
{
    uint64_t place = token & ((1U << PLACE_BITS) - 1);
    struct stk_connection *connection =
        place < STK_CONNECTIONS_MAX ? front->connections[place] : NULL;

    return connection != NULL && token_of(connection) == token ? connection : NULL;
}

bool stk_program_pending(const struct stk_connection *connection)
{
    return connection->program == STK_PROGRAM_WANTED || connection->program == STK_PROGRAM_ASKED;
}

static struct stk_connection_list *list_of(struct stk_front *front, enum stk_program_state state)
{
    return state == STK_PROGRAM_WANTED ? &front->program_wanted : &front->program_asked;
}

static void move_to(struct stk_connection *connection, enum stk_program_state state)
{
    struct stk_front *front = connection->front;

    if (stk_program_pending(connection))
        TAILQ_REMOVE(list_of(front, connection->program), connection, program_entry);
    front->program_asked_count -= connection->program == STK_PROGRAM_ASKED ? 1 : 0;
    front->program_asked_count += state == STK_PROGRAM_ASKED ? 1 : 0;
    connection->program = state;
    connection->program_until_us = stk_clock_mono_us() + STK_PROGRAM_WAIT_US;
    if (stk_program_pending(connection))
        TAILQ_INSERT_TAIL(list_of(front, state), connection, program_entry);
}

void stk_program_forget(struct stk_connection *connection)
{
    move_to(connection, STK_PROGRAM_UNKNOWN);
    free(connection->program_text);
    connection->program_text = NULL;
    connection->executable = NULL;
    connection->unit = NULL;
}

void stk_program_ask(struct stk_connection *connection)
{
    if (connection->state != STK_CONNECTION_OPEN || connection->program == STK_PROGRAM_KNOWN ||
        stk_program_pending(connection))
        return;
    move_to(connection, STK_PROGRAM_WANTED);
    connection->paused = true;
    stk_connection_wait(connection, STK_WAIT_NONE, 0);
    stk_connection_touch(connection);
}

/* Its requests are handled from now on. */
static void go_on(struct stk_connection *connection)
{
    struct stk_front *front = connection->front;

    stk_connection_touch(connection);
    if (connection->state != STK_CONNECTION_OPEN)
        return;
    if (connection->asked)
        return;
    if (connection->grants->count == 0 && !stk_listener_holds_stranger(front, connection)) {
        stk_refusal_of_connection(connection, STIRKEEP_NOT_PERMITTED, STK_STRANGER);
        stk_connection_end(connection, STIRKEEP_NOT_PERMITTED, STK_STRANGER);
    } else {
        stk_connection_wait(connection, STK_WAIT_REQUEST,
                            stk_clock_mono_us() +
                                front->config->sockets.client_timeout_ms * 1000ULL);
    }
}

static void give_up(struct stk_connection *connection)
{
    move_to(connection, STK_PROGRAM_UNKNOWN);
    go_on(connection);
}

/* ---- asking */

static void complain(struct stk_front *front, int reason)
{
    if (reason != ENOPROTOOPT || front->program_told)
        return;
    front->program_told = true;
    stk_log(STK_LOG_WARNING, "this kernel does not tell which process a client is (SO_PEERPIDFD, "
                             "Linux 6.5): grants with an executable or a unit are nobody's");
}

/* False when the control channel takes no more for the moment. */
static bool ask(struct stk_connection *connection)
{
    struct stk_front *front = connection->front;
    struct stk_control_message message = {
        .kind = STK_CONTROL_WHO, .room = STK_ROOM_FRONT, .number = token_of(connection)};

    /* Number 0: of a process that is not seen from here. */
    if (!stk_peer_lives(connection->fd) || connection->peer.pid <= 0) {
        complain(front, errno);
        give_up(connection);
        return true;
    }
    (void)snprintf(message.text, sizeof(message.text), "%d", (int)connection->peer.pid);
    if (!stk_control_say(front, &message))
        return false;
    move_to(connection, STK_PROGRAM_ASKED);
    return true;
}

void stk_program_flush(struct stk_front *front)
{
    while (front->program_asked_count < STK_PROGRAMS_ASKED_MAX &&
           !TAILQ_EMPTY(&front->program_wanted) && ask(TAILQ_FIRST(&front->program_wanted)))
        ;
}

/* ---- answers */

/* "EXECUTABLE\nUNIT"; what is empty, or longer than a grant's can be, is not known. A path may have
 * a newline in it, a unit's name may not. */
static bool take_text(struct stk_connection *connection, const char *text)
{
    char *copy = strdup(text);
    char *unit = NULL;

    if (copy == NULL)
        return false;
    unit = strrchr(copy, '\n');
    if (unit == NULL)
        unit = copy + strlen(copy);
    else
        *unit++ = '\0';
    free(connection->program_text);
    connection->program_text = copy;
    connection->executable = *copy != '\0' && strlen(copy) <= STK_EXECUTABLE_MAX ? copy : NULL;
    connection->unit = *unit != '\0' && strlen(unit) <= STK_UNIT_MAX ? unit : NULL;
    return true;
}

void stk_program_learn(struct stk_front *front, uint64_t token, const char *text)
{
    struct stk_connection *connection = find(front, token);
    struct stk_grants *grants = NULL;

    if (connection != NULL && !stk_peer_lives(connection->fd)) {
        give_up(connection);
        return;
    }
    if (connection == NULL || !take_text(connection, text))
        return; /* it has left; or its time-out tells */
    grants = stk_peer_grants(connection->fd, front->config->policy, connection->executable,
                             connection->unit);
    if (grants == NULL) {
        stk_connection_break(connection);
        return;
    }
    stk_connection_grant(connection, grants);
    move_to(connection, STK_PROGRAM_KNOWN);
    go_on(connection);
}

static uint64_t first_of(const struct stk_connection_list *list)
{
    const struct stk_connection *connection = TAILQ_FIRST(list);

    return connection != NULL ? connection->program_until_us : UINT64_MAX;
}

uint64_t stk_program_next_deadline(const struct stk_front *front)
{
    uint64_t wanted = first_of(&front->program_wanted);
    uint64_t asked = first_of(&front->program_asked);

    return wanted < asked ? wanted : asked;
}

void stk_program_expire(struct stk_front *front, uint64_t now_us)
{
    while (first_of(&front->program_wanted) <= now_us)
        give_up(TAILQ_FIRST(&front->program_wanted));
    while (first_of(&front->program_asked) <= now_us)
        give_up(TAILQ_FIRST(&front->program_asked));
}
