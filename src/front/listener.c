/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include "base/log.h"
#include "room/room.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_TURN_MAX 64     /* in one turn, so that those connected are served, too */
#define TELL_AGAIN_US 10000000 /* between two lines in the log about the same trouble */

/* One answer that says why, without a place in the table. */
static void turn_away(int fd, enum stirkeep_status status, const char *message)
{
    struct stk_buffer out = {0};

    if (stk_response_encode_error(0, status, message, &out) == STIRKEEP_OK)
        (void)send(fd, out.data, out.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    stk_buffer_free(&out);
    (void)close(fd);
}

/* There are many of them at once: one less to be held, but none less to be recorded. */
static void turn_away_stranger(struct stk_front *front, int fd, const struct stk_peer *peer)
{
    const struct stk_refusal refusal = {.status = STIRKEEP_NOT_PERMITTED,
                                        .reason = STK_STRANGER,
                                        .name = "",
                                        .ppt = "",
                                        .orig = "",
                                        .dest = "",
                                        .attest = "",
                                        .origid = "",
                                        .peer = *peer};

    stk_refusal_note(front, &refusal);
    turn_away(fd, refusal.status, refusal.reason);
}

/* Whose program is still to be found out may have a grant. */
static bool is_stranger(const struct stk_connection *connection)
{
    return connection->grants->count == 0 && !stk_program_pending(connection);
}

bool stk_listener_holds_stranger(const struct stk_front *front,
                                 const struct stk_connection *connection)
{
    size_t others = 0;

    for (uint32_t i = 0; i < STK_CONNECTIONS_MAX; i++)
        if (front->connections[i] != NULL && front->connections[i] != connection)
            others += is_stranger(front->connections[i]) ? 1 : 0;
    return others < STK_UNGRANTED_CONNECTIONS_MAX;
}

/* How many of the table are a user's, or nobody's with a grant? */
static void count(const struct stk_front *front, uid_t uid, size_t *ret_of_user,
                  size_t *ret_ungranted, uint32_t *ret_free)
{
    *ret_of_user = 0;
    *ret_ungranted = 0;
    *ret_free = STK_CONNECTIONS_MAX;
    for (uint32_t i = 0; i < STK_CONNECTIONS_MAX; i++) {
        const struct stk_connection *connection = front->connections[i];

        if (connection == NULL) {
            if (*ret_free == STK_CONNECTIONS_MAX)
                *ret_free = i;
            continue;
        }
        *ret_of_user += connection->peer.uid == uid ? 1 : 0;
        *ret_ungranted += is_stranger(connection) ? 1 : 0;
    }
}

static void open_at(struct stk_front *front, int fd, uint32_t place, const struct stk_peer *peer,
                    struct stk_grants *grants)
{
    if (stk_connection_open(front, fd, place, peer, grants) == STIRKEEP_OK &&
        stk_policy_needs_program(front->config->policy))
        stk_program_ask(front->connections[place]);
}

static void welcome(struct stk_front *front, int fd)
{
    bool needs_program = stk_policy_needs_program(front->config->policy);
    struct stk_peer peer = {0};
    struct stk_who who = {0};
    struct stk_grants *grants = NULL;
    gid_t *groups = NULL;
    size_t of_user = 0;
    size_t ungranted = 0;
    uint32_t place = 0;

    if (!stk_peer_of(fd, &peer, &groups, &who.group_count)) {
        (void)close(fd);
        return;
    }
    who.uid = peer.uid;
    who.groups = groups;
    grants = stk_policy_grants_for(front->config->policy, &who);
    free(groups);
    count(front, peer.uid, &of_user, &ungranted, &place);
    if (grants == NULL || front->connection_count >= front->connection_limit ||
        place == STK_CONNECTIONS_MAX) {
        turn_away(fd, STIRKEEP_OVERLOADED, "too many connections");
    } else if (of_user >= front->connection_limit - front->connection_limit / 4) {
        turn_away(fd, STIRKEEP_OVERLOADED, "too many connections of this user");
    } else if (grants->count == 0 && !needs_program && ungranted >= STK_UNGRANTED_CONNECTIONS_MAX) {
        turn_away_stranger(front, fd, &peer);
    } else {
        open_at(front, fd, place, &peer, grants);
        return;
    }
    free(grants);
}

/* Descriptors or memory are used up: others than this process may have them. */
static void pause_accepting(struct stk_front *front, int reason)
{
    uint64_t now = stk_clock_mono_us();

    (void)event_del(&front->listener);
    front->accept_again_us = now + STK_ACCEPT_PAUSE_US;
    if (front->accept_told_us != 0 && now - front->accept_told_us < TELL_AGAIN_US)
        return;
    front->accept_told_us = now;
    stk_log(STK_LOG_WARNING, "cannot accept a connection: %s", strerror(reason));
}

static void ready(evutil_socket_t listener, short what, void *context)
{
    struct stk_front *front = context;
    (void)what;

    for (int i = 0; i < ACCEPT_TURN_MAX; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            welcome(front, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(front, errno);
        if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

bool stk_listener_start(struct stk_front *front)
{
    return event_assign(&front->listener, front->base, STK_FD_FRONT_LISTEN, EV_READ | EV_PERSIST,
                        ready, front) == 0 &&
           event_add(&front->listener, NULL) == 0;
}

void stk_listener_resume(struct stk_front *front)
{
    front->accept_again_us = 0;
    if (event_add(&front->listener, NULL) != 0)
        front->accept_again_us = stk_clock_mono_us() + STK_ACCEPT_PAUSE_US;
}

void stk_listener_stop(struct stk_front *front)
{
    (void)event_del(&front->listener);
    front->accept_again_us = 0;
}
