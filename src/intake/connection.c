/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "wire/frame.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_MAX ((size_t)16 * 1024)
#define LINGER_MS 1000
#define KEPT_MAX ((size_t)64 * 1024) /* a larger buffer is given back when it is empty */

void stk_connection_free(struct stk_connection *connection)
{
    struct stk_intake *intake = connection->intake;

    if (connection->task != NULL)
        connection->task->connection = NULL;
    (void)event_del(&connection->readable);
    (void)event_del(&connection->writable);
    (void)event_del(&connection->timer);
    (void)event_del(&connection->proceed);
    (void)close(connection->fd);
    stk_buffer_free(&connection->in);
    stk_buffer_free(&connection->out);
    TAILQ_REMOVE(&intake->connections, connection, entry);
    intake->connection_count--;
    free(connection);
    stk_intake_drain_check(intake);
}

void stk_connection_stop_reading(struct stk_connection *connection)
{
    (void)event_del(&connection->readable);
}

/* The answer is out. A client that still sends would lose it if the socket were just closed. */
static void linger(struct stk_connection *connection)
{
    connection->state = STK_CONNECTION_LINGERING;
    if (connection->eof || connection->intake->draining || shutdown(connection->fd, SHUT_WR) != 0 ||
        event_add(&connection->readable, NULL) != 0) {
        stk_connection_free(connection);
        return;
    }
    stk_intake_timer(&connection->timer, LINGER_MS);
}

/* Send what the socket takes. The connection may be gone afterwards. */
static void send_out(struct stk_connection *connection)
{
    struct stk_buffer *out = &connection->out;

    while (connection->out_sent < out->length) {
        ssize_t sent = send(connection->fd, out->data + connection->out_sent,
                            out->length - connection->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            connection->out_sent += (size_t)sent;
        } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) &&
                   event_add(&connection->writable, NULL) == 0) {
            if (evtimer_pending(&connection->timer, NULL) == 0)
                stk_intake_timer(&connection->timer,
                                 connection->intake->config->sockets.client_timeout_ms);
            return;
        } else if (sent == 0 || errno != EINTR) {
            stk_connection_free(connection);
            return;
        }
    }
    (void)event_del(&connection->timer);
    connection->out_sent = 0;
    out->length = 0;
    if (out->capacity > KEPT_MAX)
        stk_buffer_free(out);
    if (connection->state == STK_CONNECTION_ENDING)
        linger(connection);
    else
        event_active(&connection->proceed, EV_TIMEOUT, 0); /* not from here: it would nest */
}

static void writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    send_out(context);
}

void stk_connection_end(struct stk_connection *connection, enum stirkeep_status status,
                        const char *message)
{
    struct stk_admin_response response = {.status = status, .message = message};

    connection->state = STK_CONNECTION_ENDING;
    (void)event_del(&connection->readable);
    (void)event_del(&connection->timer);
    if (stk_admin_response_encode(&response, &connection->out) == STIRKEEP_OK)
        send_out(connection);
    else
        stk_connection_free(connection);
}

void stk_connection_dismiss(struct stk_connection *connection)
{
    stk_stranger_note(connection->intake, &connection->peer);
    stk_connection_end(connection, STIRKEEP_NOT_PERMITTED, STK_STRANGER_MESSAGE);
}

void stk_connection_answered(struct stk_connection *connection,
                             const struct stk_admin_response *response)
{
    struct stk_admin_response failed = {.id = response->id,
                                        .status = STIRKEEP_TOO_LARGE,
                                        .message = "the answer is larger than a message may be"};

    connection->task = NULL;
    if (stk_admin_response_encode(response, &connection->out) != STIRKEEP_OK &&
        stk_admin_response_encode(&failed, &connection->out) != STIRKEEP_OK)
        stk_connection_free(connection);
    else
        send_out(connection);
}

static void refuse_frame(struct stk_connection *connection, enum stk_frame_state state)
{
    char reason[64] = "frame: empty";

    if (state == STK_FRAME_TOO_LARGE)
        (void)snprintf(reason, sizeof(reason), "frame: longer than %d bytes",
                       STK_ADMIN_MESSAGE_MAX);
    stk_connection_end(
        connection, state == STK_FRAME_TOO_LARGE ? STIRKEEP_TOO_LARGE : STIRKEEP_MALFORMED, reason);
}

/* Nothing is under way: wait for the next request, but not for ever for the rest of one. */
static void read_on(struct stk_connection *connection)
{
    bool partial = connection->in.length > 0;

    if (connection->eof || connection->intake->draining) {
        stk_connection_free(connection);
        return;
    }
    if (event_add(&connection->readable, NULL) != 0) {
        stk_connection_free(connection);
        return;
    }
    if (connection->asked && !partial)
        (void)event_del(&connection->timer);
    else if (evtimer_pending(&connection->timer, NULL) == 0)
        stk_intake_timer(&connection->timer, connection->intake->config->sockets.client_timeout_ms);
}

/* Begin with the next request that is in the buffer. The connection may be gone afterwards. */
static void process(struct stk_connection *connection)
{
    struct stk_buffer *in = &connection->in;
    struct stk_bytes message = {0};
    size_t taken = 0;
    enum stk_frame_state state = STK_FRAME_NONE;

    if (connection->task != NULL || connection->state != STK_CONNECTION_OPEN)
        return;
    state = stk_frame_next(in->data, in->length, STK_ADMIN_MESSAGE_MAX, &message, &taken);
    if (state == STK_FRAME_NONE) {
        read_on(connection);
        return;
    }
    if (state != STK_FRAME_WHOLE) {
        refuse_frame(connection, state);
        return;
    }
    (void)event_del(&connection->readable);
    (void)event_del(&connection->timer);
    if (!stk_is_administrator(connection->intake, &connection->peer)) {
        stk_connection_dismiss(connection); /* it was one when it connected */
        return;
    }
    connection->asked = true;
    if (stk_task_begin(connection, message) != STIRKEEP_OK)
        stk_connection_end(connection, STIRKEEP_NO_MEMORY, "out of memory");
}

static void proceed(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    process(context);
}

static void throw_away(struct stk_connection *connection)
{
    uint8_t rest[4096];
    ssize_t got = recv(connection->fd, rest, sizeof(rest), MSG_DONTWAIT);

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        stk_connection_free(connection);
}

static void readable(evutil_socket_t fd, short what, void *context)
{
    struct stk_connection *connection = context;
    struct stk_buffer *in = &connection->in;
    ssize_t got = 0;
    (void)what;

    if (connection->state == STK_CONNECTION_LINGERING) {
        throw_away(connection);
        return;
    }
    if (stk_buffer_reserve(in, stk_frame_room(in->data, in->length, STK_ADMIN_MESSAGE_MAX,
                                              READ_MAX)) != STIRKEEP_OK) {
        stk_connection_end(connection, STIRKEEP_NO_MEMORY, "out of memory");
        return;
    }
    got = recv(fd, in->data + in->length, in->capacity - in->length, MSG_DONTWAIT);
    if (got < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            stk_connection_free(connection);
        return;
    }
    connection->eof = got == 0;
    in->length += (size_t)got;
    process(connection);
}

static void expired(evutil_socket_t fd, short what, void *context)
{
    struct stk_connection *connection = context;
    (void)fd;
    (void)what;

    if (connection->state == STK_CONNECTION_LINGERING ||
        connection->out_sent < connection->out.length)
        stk_connection_free(connection); /* it does not take what it gets */
    else
        stk_connection_end(connection, STIRKEEP_TIMEOUT,
                           connection->in.length > 0 ? "the request was not completed in time"
                                                     : "no request came in time");
}

bool stk_connection_open(struct stk_intake *intake, int fd, const struct stk_peer *peer)
{
    struct stk_connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL) {
        (void)close(fd);
        return false;
    }
    connection->intake = intake;
    connection->fd = fd;
    connection->peer = *peer;
    connection->in.ceiling = STK_ADMIN_MESSAGE_MAX + STK_FRAME_HEADER + READ_MAX;
    TAILQ_INSERT_TAIL(&intake->connections, connection, entry);
    intake->connection_count++;
    if (event_assign(&connection->readable, intake->base, fd, EV_READ | EV_PERSIST, readable,
                     connection) != 0 ||
        event_assign(&connection->writable, intake->base, fd, EV_WRITE, writable, connection) !=
            0 ||
        evtimer_assign(&connection->timer, intake->base, expired, connection) != 0 ||
        evtimer_assign(&connection->proceed, intake->base, proceed, connection) != 0) {
        stk_connection_free(connection);
        return false;
    }
    read_on(connection);
    return true;
}
