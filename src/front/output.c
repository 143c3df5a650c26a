/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include <errno.h>
#include <sys/socket.h>

#define OUT_KEPT (64 * 1024) /* a larger buffer is given back when it is empty */

void stk_output_done(struct stk_connection *connection, enum stirkeep_status status)
{
    stk_owed_count(connection);
    if (status == STIRKEEP_OK)
        stk_connection_touch(connection);
    else
        stk_connection_break(connection);
}

void stk_output_error(struct stk_connection *connection, uint64_t id, enum stirkeep_status status,
                      const char *message)
{
    stk_output_done(connection, stk_response_encode_error(id, status, message, &connection->out));
}

size_t stk_output_unsent(const struct stk_connection *connection)
{
    return connection->out.length - connection->out_sent;
}

/* Some is left, since the socket is full. A reader who never quite catches up must not make the
 * buffer grow; and moving the rest only when it is the smaller part costs nothing that counts. */
static void keep_rest(struct stk_connection *connection, bool moved)
{
    size_t unsent = stk_output_unsent(connection);

    if (connection->out_sent >= unsent) {
        stk_buffer_drop(&connection->out, connection->out_sent);
        connection->out_sent = 0;
    }
    if (moved || !connection->taking)
        stk_connection_await_reader(connection);
}

void stk_output_write(struct stk_connection *connection)
{
    struct stk_buffer *out = &connection->out;
    bool moved = false;

    while (connection->out_sent < out->length && !connection->writing) {
        ssize_t sent = send(connection->fd, out->data + connection->out_sent,
                            out->length - connection->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            connection->out_sent += (size_t)sent;
            moved = true;
        } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            connection->writing = event_add(&connection->writable, NULL) == 0;
            if (!connection->writing)
                stk_connection_break(connection);
            break;
        } else if (sent == 0 || errno != EINTR) {
            stk_connection_break(connection);
            break;
        }
    }
    stk_owed_count(connection);
    if (connection->out_sent < out->length) {
        keep_rest(connection, moved);
        return;
    }
    stk_connection_forget_reader(connection);
    connection->out_sent = 0;
    out->length = 0;
    if (out->capacity > OUT_KEPT)
        stk_buffer_free(out);
}

void stk_output_ready(evutil_socket_t fd, short what, void *context)
{
    struct stk_connection *connection = context;
    (void)fd;
    (void)what;

    connection->writing = false; /* the event was set for once */
    stk_connection_touch(connection);
}
