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
                                        .reason = "no grant names this peer",
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
        *ret_ungranted += connection->grants->count == 0 ? 1 : 0;
    }
}

static void welcome(struct stk_front *front, int fd)
{
    struct stk_peer peer = {0};
    struct stk_grants *grants = NULL;
    gid_t *groups = NULL;
    size_t group_count = 0;
    size_t of_user = 0;
    size_t ungranted = 0;
    uint32_t place = 0;

    if (!stk_peer_of(fd, &peer, &groups, &group_count)) {
        (void)close(fd);
        return;
    }
    grants = stk_policy_grants_for(front->config->policy, peer.uid, groups, group_count);
    free(groups);
    count(front, peer.uid, &of_user, &ungranted, &place);
    if (grants == NULL || front->connection_count >= front->connection_limit ||
        place == STK_CONNECTIONS_MAX) {
        turn_away(fd, STIRKEEP_OVERLOADED, "too many connections");
    } else if (of_user >= front->connection_limit - front->connection_limit / 4) {
        turn_away(fd, STIRKEEP_OVERLOADED, "too many connections of this user");
    } else if (grants->count == 0 && ungranted >= STK_UNGRANTED_CONNECTIONS_MAX) {
        turn_away_stranger(front, fd, &peer);
    } else {
        (void)stk_connection_open(front, fd, place, &peer, grants);
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
