/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum stirkeep_status stk_connection_open(struct stk_front *front, int fd, uint32_t place,
                                         const struct stk_peer *peer, struct stk_grants *grants)
{
    struct stk_connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        goto out;
    connection->front = front;
    connection->fd = fd;
    connection->place = place;
    connection->serial = ++front->connection_serial;
    connection->peer = *peer;
    connection->grants = grants;
    connection->visible_version = UINT64_MAX;
    connection->out.ceiling = STK_OUTPUT_MAX;
    if (event_assign(&connection->readable, front->base, fd, EV_READ | EV_PERSIST, stk_input_ready,
                     connection) != 0 ||
        event_assign(&connection->writable, front->base, fd, EV_WRITE, stk_output_ready,
                     connection) != 0 ||
        event_add(&connection->readable, NULL) != 0)
        goto out;
    if (!stk_flow_open(&front->orders->queue, peer->uid, &connection->flow)) {
        (void)event_del(&connection->readable);
        goto out;
    }
    connection->reading = true;
    front->connections[place] = connection;
    front->connection_count++;
    stk_connection_wait(connection, STK_WAIT_REQUEST,
                        stk_clock_mono_us() + front->config->sockets.client_timeout_ms * 1000ULL);
    return STIRKEEP_OK;

out:
    free(connection);
    free(grants);
    (void)close(fd);
    return STIRKEEP_NO_MEMORY;
}

void stk_connection_free(struct stk_connection *connection)
{
    struct stk_front *front = connection->front;

    (void)event_del(&connection->readable);
    (void)event_del(&connection->writable);
    stk_connection_wait(connection, STK_WAIT_NONE, 0);
    stk_connection_forget_reader(connection);
    stk_program_forget(connection);
    stk_hunger_forget(connection);
    stk_answer_forget(front, &connection->flow);
    stk_owed_forget(connection);
    stk_flow_close(&front->orders->queue, &connection->flow);
    if (connection->dirty)
        TAILQ_REMOVE(&front->dirty, connection, dirty_entry);
    (void)close(connection->fd);
    stk_buffer_free(&connection->in);
    stk_buffer_free(&connection->out);
    free(connection->grants);
    front->connections[connection->place] = NULL;
    front->connection_count--;
    free(connection);
}

void stk_connection_grant(struct stk_connection *connection, struct stk_grants *grants)
{
    free(connection->grants);
    connection->grants = grants;
    connection->visible = 0;
    connection->visible_version = UINT64_MAX;
}

void stk_connection_touch(struct stk_connection *connection)
{
    if (connection->dirty)
        return;
    connection->dirty = true;
    TAILQ_INSERT_TAIL(&connection->front->dirty, connection, dirty_entry);
}

void stk_connection_break(struct stk_connection *connection)
{
    connection->state = STK_CONNECTION_BROKEN;
    stk_connection_touch(connection);
}

void stk_connection_end(struct stk_connection *connection, enum stirkeep_status status,
                        const char *message)
{
    connection->state = STK_CONNECTION_ENDING;
    stk_connection_wait(connection, STK_WAIT_NONE, 0);
    stk_output_error(connection, 0, status, message);
}

void stk_connection_forget_reader(struct stk_connection *connection)
{
    if (connection->taking)
        TAILQ_REMOVE(&connection->front->taking, connection, taking_entry);
    connection->taking = false;
}

void stk_connection_await_reader(struct stk_connection *connection)
{
    struct stk_front *front = connection->front;

    stk_connection_forget_reader(connection);
    connection->taking = true;
    connection->taking_until_us =
        stk_clock_mono_us() + front->config->sockets.client_timeout_ms * 1000ULL;
    TAILQ_INSERT_TAIL(&front->taking, connection, taking_entry);
}

static struct stk_connection_list *queue_of(struct stk_front *front, enum stk_connection_wait wait)
{
    return wait == STK_WAIT_LINGER ? &front->lingering : &front->waiting;
}

void stk_connection_wait(struct stk_connection *connection, enum stk_connection_wait wait,
                         uint64_t until_us)
{
    struct stk_front *front = connection->front;

    if (connection->wait != STK_WAIT_NONE)
        TAILQ_REMOVE(queue_of(front, connection->wait), connection, wait_entry);
    connection->wait = wait;
    connection->wait_until_us = until_us;
    if (wait != STK_WAIT_NONE)
        TAILQ_INSERT_TAIL(queue_of(front, wait), connection, wait_entry);
}

void stk_connection_expire(struct stk_connection *connection)
{
    bool partial = connection->in.length > 0;

    if (connection->wait == STK_WAIT_LINGER) {
        stk_connection_break(connection);
        return;
    }
    stk_connection_end(connection, STIRKEEP_TIMEOUT,
                       partial ? "the request was not completed in time"
                               : "no request came in time");
}

/* The answers are out. A client that still sends would lose them if the socket were just closed
 * under it. */
static void linger(struct stk_connection *connection)
{
    connection->state = STK_CONNECTION_LINGERING;
    if (shutdown(connection->fd, SHUT_WR) != 0) {
        stk_connection_break(connection);
        return;
    }
    stk_connection_wait(connection, STK_WAIT_LINGER, stk_clock_mono_us() + STK_LINGER_US);
}

/* Set the read event as the state wants it. */
static void set_reading(struct stk_connection *connection)
{
    bool draining = connection->front->drain_until_us != 0;
    bool wanted = connection->state == STK_CONNECTION_LINGERING ||
                  (connection->state == STK_CONNECTION_OPEN && !connection->eof &&
                   !connection->paused && !draining);

    if (wanted == connection->reading)
        return;
    if (wanted ? event_add(&connection->readable, NULL) != 0
               : event_del(&connection->readable) != 0)
        stk_connection_break(connection);
    connection->reading = wanted;
}

void stk_connection_settle(struct stk_connection *connection)
{
    bool over = false;

    if (connection->state != STK_CONNECTION_BROKEN)
        stk_output_write(connection);
    if (connection->state == STK_CONNECTION_OPEN && connection->paused &&
        stk_input_may_resume(connection)) {
        stk_input_process(connection); /* touches it again when that gave answers */
        if (connection->front->drain_until_us != 0 && !connection->drained)
            stk_hunger_note(connection);
    }
    over = connection->unanswered == 0 && stk_output_unsent(connection) == 0;
    if (connection->state == STK_CONNECTION_ENDING && over && !connection->eof)
        linger(connection);
    else if (connection->eof && over && !connection->paused && !connection->hungry)
        stk_connection_break(connection);
    if (connection->state != STK_CONNECTION_BROKEN)
        set_reading(connection);
    if (connection->state == STK_CONNECTION_BROKEN)
        stk_connection_free(connection);
}
