/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include "wire/frame.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static bool must_pause(const struct stk_connection *connection)
{
    return stk_output_unsent(connection) > STK_UNSENT_MAX || stk_owed_is_much(connection) ||
           connection->unanswered >= STK_UNANSWERED_MAX || stk_program_pending(connection);
}

bool stk_input_may_resume(const struct stk_connection *connection)
{
    return stk_output_unsent(connection) <= STK_UNSENT_RESUME && stk_owed_is_little(connection) &&
           connection->unanswered <= STK_UNANSWERED_RESUME && !stk_program_pending(connection);
}

/* How long may what is there take to become a request? Until its first one, a connection has the
 * deadline that it was opened with. */
static void set_deadline(struct stk_connection *connection, bool moved)
{
    bool partial = connection->in.length > 0 && !connection->paused && !connection->eof;

    if (connection->state != STK_CONNECTION_OPEN || !connection->asked)
        return;
    if (!partial)
        stk_connection_wait(connection, STK_WAIT_NONE, 0);
    else if (moved || connection->wait == STK_WAIT_NONE)
        stk_connection_wait(connection, STK_WAIT_REQUEST,
                            stk_clock_mono_us() +
                                connection->front->config->sockets.client_timeout_ms * 1000ULL);
}

static void refuse_frame(struct stk_connection *connection, enum stk_frame_state state)
{
    char reason[64] = "";
    enum stirkeep_status status = STIRKEEP_MALFORMED;

    if (state == STK_FRAME_TOO_LARGE) {
        status = STIRKEEP_TOO_LARGE;
        (void)snprintf(reason, sizeof(reason), "frame: longer than %d bytes", STK_SIGN_MESSAGE_MAX);
    } else {
        (void)snprintf(reason, sizeof(reason), "frame: empty");
    }
    stk_refusal_of_connection(connection, status, reason);
    stk_connection_end(connection, status, reason);
}

/* While a request is served, what the one behind it will ask for comes from memory. */
static void expect_next(const struct stk_connection *connection, size_t taken)
{
    const struct stk_buffer *in = &connection->in;
    struct stk_bytes message = {0};
    size_t frame = 0;

    if (stk_frame_next(in->data + taken, in->length - taken, STK_SIGN_MESSAGE_MAX, &message,
                       &frame) == STK_FRAME_WHOLE)
        stk_names_expect(connection->front->names, stk_request_glimpse(message));
}

void stk_input_process(struct stk_connection *connection)
{
    struct stk_buffer *in = &connection->in;
    enum stk_frame_state state = STK_FRAME_WHOLE;
    size_t taken = 0;
    size_t looked_at = connection->front->looked_at;

    connection->paused = false;
    for (unsigned eaten = 0; connection->state == STK_CONNECTION_OPEN && state == STK_FRAME_WHOLE &&
                             taken < in->length;) {
        struct stk_bytes message = {0};
        size_t frame = 0;

        if (eaten + (connection->front->looked_at - looked_at) / STK_LOOKS_OF_REQUEST >=
            STK_BITE_REQUESTS) {
            stk_hunger_note(connection);
            break;
        }
        if (must_pause(connection)) {
            connection->paused = true;
            break;
        }
        state = stk_frame_next(in->data + taken, in->length - taken, STK_SIGN_MESSAGE_MAX, &message,
                               &frame);
        if (state == STK_FRAME_WHOLE) {
            connection->asked = true;
            taken += frame;
            eaten++;
            expect_next(connection, taken);
            stk_operation_run(connection, message);
        } else if (state != STK_FRAME_NONE) {
            refuse_frame(connection, state);
        }
    }
    if (must_pause(connection))
        connection->paused = true;
    stk_buffer_drop(in, taken);
    if (in->length == 0 && in->capacity > STK_READ_MAX)
        stk_buffer_free(in);
    set_deadline(connection, taken > 0);
}

/* After the last answer: nothing that comes is looked at. */
static void throw_away(struct stk_connection *connection)
{
    uint8_t rest[4096];
    ssize_t got = recv(connection->fd, rest, sizeof(rest), MSG_DONTWAIT);

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        stk_connection_break(connection);
}

static bool read_more(struct stk_connection *connection)
{
    struct stk_buffer *in = &connection->in;
    ssize_t got = 0;

    if (connection->eof || connection->drained)
        return false;
    if (stk_buffer_reserve(in, stk_frame_room(in->data, in->length, STK_SIGN_MESSAGE_MAX,
                                              STK_READ_MAX)) != STIRKEEP_OK) {
        stk_connection_break(connection);
        return false;
    }
    got = recv(connection->fd, in->data + in->length, in->capacity - in->length, MSG_DONTWAIT);
    if (got < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            stk_connection_break(connection);
        connection->drained = connection->front->drain_until_us != 0 && errno != EINTR;
        return false;
    }
    if (got == 0)
        connection->eof = true;
    else if (connection->front->drain_until_us != 0)
        stk_hunger_note(connection); /* no event tells of the rest any more */
    in->length += (size_t)got;
    return true;
}

bool stk_input_has_frame(const struct stk_connection *connection)
{
    struct stk_bytes message = {0};
    size_t frame = 0;

    return stk_frame_next(connection->in.data, connection->in.length, STK_SIGN_MESSAGE_MAX,
                          &message, &frame) != STK_FRAME_NONE;
}

void stk_input_bite(struct stk_connection *connection)
{
    if (connection->state == STK_CONNECTION_LINGERING) {
        throw_away(connection);
        return;
    }
    if (connection->state != STK_CONNECTION_OPEN || connection->paused)
        return;
    stk_connection_touch(connection);
    if (stk_input_has_frame(connection) || read_more(connection))
        stk_input_process(connection);
}

void stk_input_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;

    stk_hunger_note(context);
}
