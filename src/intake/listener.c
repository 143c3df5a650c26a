/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "base/log.h"
#include "room/room.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_PAUSE_MS 100
/* Strangers in the trail: so many at once, then one for each interval. The rest is counted. */
#define STRANGER_BURST 20
#define STRANGER_INTERVAL_US 1000000
#define STRANGER_TELL_MS 2000 /* after the last one: how many were counted */

static bool peer_of(int fd, struct stk_peer *ret_peer)
{
    struct ucred credentials = {0};
    socklen_t length = sizeof(credentials);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 ||
        length != sizeof(credentials))
        return false;
    *ret_peer = (struct stk_peer){credentials.uid, credentials.gid, credentials.pid};
    return true;
}

bool stk_is_administrator(const struct stk_intake *intake, const struct stk_peer *peer)
{
    for (size_t i = 0; i < intake->config->admin.user_count; i++)
        if (intake->config->admin.users[i] == peer->uid)
            return true;
    return false;
}

static void record_stranger(struct stk_intake *intake, const struct stk_peer *peer,
                            const char *detail)
{
    const struct stk_act act = {.act = "admin-refused",
                                .outcome = stirkeep_status_name(STIRKEEP_NOT_PERMITTED),
                                .name = "",
                                .detail = detail,
                                .peer = *peer};

    intake->strangers_suppressed = 0;
    stk_acts_note(intake, &act);
}

static void tell_strangers(evutil_socket_t fd, short what, void *context)
{
    struct stk_intake *intake = context;
    char detail[128] = "";
    (void)fd;
    (void)what;

    if (intake->strangers_suppressed == 0)
        return;
    (void)snprintf(detail, sizeof(detail),
                   "no administrator: %u in all that were not recorded one by one, this the last",
                   intake->strangers_suppressed);
    record_stranger(intake, &intake->stranger, detail);
}

void stk_stranger_note(struct stk_intake *intake, const struct stk_peer *peer)
{
    uint64_t now = stk_clock_mono_us();
    char detail[128] = "no administrator";

    if (intake->strangers_paid_us < now)
        intake->strangers_paid_us = now;
    if (intake->strangers_paid_us - now >= (uint64_t)STRANGER_BURST * STRANGER_INTERVAL_US) {
        intake->stranger = *peer;
        if (intake->strangers_suppressed++ == 0)
            stk_intake_timer(&intake->strangers_tell, STRANGER_TELL_MS);
        return;
    }
    intake->strangers_paid_us += STRANGER_INTERVAL_US;
    if (intake->strangers_suppressed > 0)
        (void)snprintf(detail, sizeof(detail),
                       "no administrator; %u more before this one were not recorded one by one",
                       intake->strangers_suppressed);
    record_stranger(intake, peer, detail);
}

static void turn_away(int fd, enum stirkeep_status status, const char *message)
{
    struct stk_admin_response response = {.status = status, .message = message};
    struct stk_buffer out = {0};

    if (stk_admin_response_encode(&response, &out) == STIRKEEP_OK)
        (void)send(fd, out.data, out.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    stk_buffer_free(&out);
    (void)close(fd);
}

static void welcome(struct stk_intake *intake, int fd)
{
    struct stk_peer peer = {0};

    if (!peer_of(fd, &peer)) {
        (void)close(fd);
    } else if (!stk_is_administrator(intake, &peer)) {
        stk_stranger_note(intake, &peer);
        turn_away(fd, STIRKEEP_NOT_PERMITTED, STK_STRANGER_MESSAGE);
    } else if (intake->connection_count >= STK_ADMIN_CONNECTIONS_MAX) {
        turn_away(fd, STIRKEEP_OVERLOADED, "too many administrators are connected");
    } else if (!stk_connection_open(intake, fd, &peer)) {
        stk_log(STK_LOG_WARNING, "a connection was refused: out of memory");
    }
}

static void ready(evutil_socket_t listener, short what, void *context)
{
    struct stk_intake *intake = context;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    (void)what;

    if (fd >= 0) {
        welcome(intake, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        stk_log(STK_LOG_WARNING, "cannot accept a connection: %s", strerror(errno));
        (void)event_del(&intake->listener);
        stk_intake_timer(&intake->listener_again, ACCEPT_PAUSE_MS);
    }
}

static void again(evutil_socket_t fd, short what, void *context)
{
    struct stk_intake *intake = context;
    (void)fd;
    (void)what;

    if (event_add(&intake->listener, NULL) != 0)
        stk_intake_timer(&intake->listener_again, ACCEPT_PAUSE_MS);
}

bool stk_listener_start(struct stk_intake *intake)
{
    return event_assign(&intake->listener, intake->base, STK_FD_INTAKE_LISTEN, EV_READ | EV_PERSIST,
                        ready, intake) == 0 &&
           evtimer_assign(&intake->listener_again, intake->base, again, intake) == 0 &&
           evtimer_assign(&intake->strangers_tell, intake->base, tell_strangers, intake) == 0 &&
           event_add(&intake->listener, NULL) == 0;
}

void stk_listener_stop(struct stk_intake *intake)
{
    (void)event_del(&intake->listener);
    (void)event_del(&intake->listener_again);
    (void)event_del(&intake->strangers_tell);
    tell_strangers(-1, 0, intake);
}
