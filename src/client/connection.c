/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/connection.h"

#include "base/clock.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP (64 * 1024)           /* room made for one read */
#define OUT_KEPT_MAX (1024 * 1024)      /* an empty send buffer keeps its memory up to this */
#define WAIT_STEP_US (10 * 1000 * 1000) /* waits are cut into pieces that fit poll's int */

enum stirkeep_status stk_connection_start(struct stk_connection *connection, const char *path,
                                          size_t message_max, struct stk_error *error)
{
    size_t length = strlen(path);

    *connection = (struct stk_connection){.fd = -1, .message_max = message_max};
    connection->address.sun_family = AF_UNIX;
    if (length == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "socket path: empty");
    if (length >= sizeof(connection->address.sun_path))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "socket path: longer than the %zu characters a Unix socket can have",
                             sizeof(connection->address.sun_path) - 1);
    memcpy(connection->address.sun_path, path, length + 1);
    return STIRKEEP_OK;
}

void stk_connection_free(struct stk_connection *connection)
{
    stk_connection_close(connection);
    stk_buffer_free(&connection->in);
    stk_buffer_free(&connection->out);
}

static enum stirkeep_status fail(struct stk_connection *connection, enum stirkeep_status status,
                                 const char *reason)
{
    return stk_error_set(&connection->failure, status, "%s: %s", connection->address.sun_path,
                         reason);
}

enum stirkeep_status stk_connection_open(struct stk_connection *connection)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat about = {0};
    int reason = 0;

    stk_connection_close(connection);
    if (fd < 0)
        return fail(connection, STIRKEEP_NOT_CONNECTED, strerror(errno));
    /* On a Unix socket this ends at once: done, refused, or EAGAIN when the queue is full. */
    if (connect(fd, (const struct sockaddr *)&connection->address, sizeof(connection->address)) !=
            0 ||
        fstat(fd, &about) != 0) {
        reason = errno;
        (void)close(fd);
        return fail(connection,
                    reason == EAGAIN || reason == EINTR ? STIRKEEP_BUSY : STIRKEEP_NOT_CONNECTED,
                    reason == EAGAIN ? "the queue of new connections is full" : strerror(reason));
    }
    connection->fd = fd;
    connection->device = about.st_dev;
    connection->inode = about.st_ino;
    return STIRKEEP_OK;
}

static void forget_bytes(struct stk_connection *connection)
{
    connection->fd = -1;
    connection->sending_failed = false;
    connection->in.length = 0;
    connection->in_taken = 0;
    connection->out.length = 0;
    connection->out_sent = 0;
}

void stk_connection_close(struct stk_connection *connection)
{
    if (connection->fd >= 0)
        (void)close(connection->fd);
    forget_bytes(connection);
}

void stk_connection_disown(struct stk_connection *connection)
{
    struct stat about = {0};

    if (connection->fd >= 0 && fstat(connection->fd, &about) == 0 && S_ISSOCK(about.st_mode) &&
        about.st_dev == connection->device && about.st_ino == connection->inode)
        (void)close(connection->fd);
    forget_bytes(connection);
}

void stk_connection_flush(struct stk_connection *connection)
{
    while (!connection->sending_failed && stk_connection_unsent(connection) > 0) {
        ssize_t sent = send(connection->fd, connection->out.data + connection->out_sent,
                            connection->out.length - connection->out_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS))
            return;
        if (sent < 0) {
            (void)fail(connection, STIRKEEP_NOT_CONNECTED, strerror(errno));
            connection->sending_failed = true;
            return;
        }
        connection->out_sent += (size_t)sent;
    }
    if (stk_connection_unsent(connection) > 0)
        return;
    connection->out.length = 0;
    connection->out_sent = 0;
    if (connection->out.capacity > OUT_KEPT_MAX)
        stk_buffer_free(&connection->out);
}

static enum stk_movement read_once(struct stk_connection *connection)
{
    struct stk_buffer *in = &connection->in;
    ssize_t got = 0;

    stk_buffer_drop(in, connection->in_taken);
    connection->in_taken = 0;
    if (stk_buffer_reserve(in, READ_STEP) != STIRKEEP_OK) {
        (void)fail(connection, STIRKEEP_NO_MEMORY, "out of memory");
        return STK_MOVEMENT_END;
    }
    do
        got = recv(connection->fd, in->data + in->length, in->capacity - in->length, 0);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        in->length += (size_t)got;
        return STK_MOVEMENT_BYTES;
    }
    if (got < 0 && errno == EAGAIN)
        return STK_MOVEMENT_NONE;
    (void)fail(connection, STIRKEEP_NOT_CONNECTED,
               got == 0 ? "the service closed the connection" : strerror(errno));
    return STK_MOVEMENT_END;
}

enum stk_movement stk_connection_move(struct stk_connection *connection)
{
    enum stk_movement movement = STK_MOVEMENT_NONE;

    stk_connection_flush(connection);
    movement = read_once(connection);
    /* What the service had answered before it went away is still read. */
    if (movement == STK_MOVEMENT_NONE && connection->sending_failed)
        movement = STK_MOVEMENT_END;
    return movement;
}

enum stk_frame_state stk_connection_next(struct stk_connection *connection,
                                         struct stk_bytes *ret_message)
{
    size_t taken = 0;
    enum stk_frame_state state = STK_FRAME_NONE;

    if (connection->in.length > connection->in_taken)
        state = stk_frame_next(connection->in.data + connection->in_taken,
                               connection->in.length - connection->in_taken,
                               connection->message_max, ret_message, &taken);
    if (state == STK_FRAME_WHOLE)
        connection->in_taken += taken;
    return state;
}

bool stk_connection_ready(const struct stk_connection *connection)
{
    struct stk_bytes message = {0};
    size_t taken = 0;

    return connection->in.length > connection->in_taken &&
           stk_frame_next(connection->in.data + connection->in_taken,
                          connection->in.length - connection->in_taken, connection->message_max,
                          &message, &taken) == STK_FRAME_WHOLE;
}

size_t stk_connection_unsent(const struct stk_connection *connection)
{
    return connection->out.length - connection->out_sent;
}

void stk_connection_wait(const struct stk_connection *connection, uint64_t until_us)
{
    uint64_t now_us = stk_clock_mono_us();
    uint64_t wait_us = until_us > now_us ? until_us - now_us : 0;
    struct pollfd item = {.fd = connection->fd, .events = POLLIN};

    if (wait_us > WAIT_STEP_US)
        wait_us = WAIT_STEP_US;
    if (stk_connection_unsent(connection) > 0 && !connection->sending_failed)
        item.events |= POLLOUT;
    /* Rounded up: a wait that ends too early would be repeated with 0 until the time is there. */
    (void)poll(&item, connection->fd >= 0 ? 1 : 0, (int)((wait_us + 999) / 1000));
}
