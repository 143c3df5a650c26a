/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/exchange.h"

#include "base/clock.h"
#include "base/process.h"
#include "client/again.h"

#define RETRY_FIRST_US 5000    /* before the second attempt in a row; the first is at once */
#define RETRY_MAX_US 200000    /* the delay doubles up to this */
#define STALE_READS_MAX 16     /* of answers that nobody waits for any more */
#define GATHER_MAX (16 * 1024) /* so many bytes may wait while answers lie ready to be fetched */

void stk_client_enter(struct stirkeep_client *client)
{
    stk_arena_reset(&client->arena);
    if (client->process == stk_process_id())
        return;
    client->process = stk_process_id();
    stk_connection_disown(&client->connection);
    stk_pending_forget(&client->pending);
    client->retry_delay_us = 0;
    client->retry_at_us = 0;
    client->again.due_us = UINT64_MAX;
}

uint64_t stk_client_deadline(const struct stirkeep_client *client, uint32_t ms)
{
    return stk_clock_mono_us() + (uint64_t)(ms > 0 ? ms : client->timeout_ms) * 1000;
}

static void try_later(struct stirkeep_client *client, uint64_t now_us)
{
    client->retry_at_us = now_us + client->retry_delay_us;
    client->retry_delay_us *= 2;
    if (client->retry_delay_us < RETRY_FIRST_US)
        client->retry_delay_us = RETRY_FIRST_US;
    if (client->retry_delay_us > RETRY_MAX_US)
        client->retry_delay_us = RETRY_MAX_US;
}

static enum stirkeep_status queue_all(struct stirkeep_client *client)
{
    struct stk_buffer *out = &client->connection.out;
    enum stirkeep_status status = STIRKEEP_OK;

    for (const struct stk_slot *slot = stk_pending_first(&client->pending);
         slot != NULL && status == STIRKEEP_OK; slot = stk_pending_next(&client->pending, slot))
        status = stk_buffer_add(out, slot->frame.data, slot->frame.length);
    if (status == STIRKEEP_OK)
        stk_again_sent_all(client);
    return status;
}

/* OK: there is a connection, and everything under way has been given to it. */
static enum stirkeep_status connect_if_due(struct stirkeep_client *client, uint64_t now_us)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (client->connection.fd >= 0)
        return STIRKEEP_OK;
    if (now_us < client->retry_at_us)
        return STIRKEEP_BUSY;
    status = stk_connection_open(&client->connection);
    if (status == STIRKEEP_OK)
        status = queue_all(client);
    if (status == STIRKEEP_NO_MEMORY)
        stk_connection_close(&client->connection);
    if (status != STIRKEEP_OK)
        try_later(client, now_us);
    return status;
}

/* Nobody who speaks like this is asked again: everything under way ends with `status`. */
static void give_up(struct stirkeep_client *client, enum stirkeep_status status,
                    const char *message)
{
    (void)stk_error_set(&client->failure, status, "%s: %s", client->connection.address.sun_path,
                        message);
    stk_connection_close(&client->connection);
    stk_pending_fail(&client->pending, status);
}

/* An answer to no request in particular: the service's last word on this connection. */
static void end_by_service(struct stirkeep_client *client, const struct stk_response *response)
{
    if (response->kind != STK_RESPONSE_ERROR)
        return;
    if (response->status == STIRKEEP_TIMEOUT) {
        /* It had given up on us while we were idle, and we had begun again: like a break. */
        stk_connection_close(&client->connection);
        return;
    }
    give_up(client, response->status, response->message);
}

static bool answers(enum stk_response_kind given, enum stk_request_kind asked)
{
    switch (given) {
    case STK_RESPONSE_ERROR:
        return true;
    case STK_RESPONSE_SIGNED:
        return asked == STK_REQUEST_SIGN;
    case STK_RESPONSE_LISTED:
        return asked == STK_REQUEST_LIST;
    case STK_RESPONSE_PONG:
        return asked == STK_REQUEST_PING;
    case STK_RESPONSE_BATCH:
        return asked == STK_REQUEST_BATCH;
    }
    return false;
}

static bool take_answer(struct stirkeep_client *client, struct stk_response *response,
                        struct stk_result *ret_result)
{
    struct stk_slot *slot = stk_pending_find(&client->pending, response->id);

    if (response->id == 0)
        end_by_service(client, response);
    if (slot == NULL)
        return false;
    if (!answers(response->kind, slot->kind) ||
        (response->kind == STK_RESPONSE_ERROR) != (response->status != STIRKEEP_OK) ||
        (response->kind == STK_RESPONSE_SIGNED &&
         response->signed_.passport_length > response->signed_.identity.length)) {
        give_up(client, STIRKEEP_MALFORMED, "the answer does not fit the request");
        return false;
    }
    client->retry_delay_us = 0;
    if (response->status != STIRKEEP_OK)
        (void)stk_error_set(&client->refusal, response->status, "%s",
                            response->message != NULL && response->message[0] != '\0'
                                ? response->message
                                : stirkeep_status_text(response->status));
    if (response->status == STIRKEEP_UNAVAILABLE &&
        stk_again_keep(client, slot, stk_clock_mono_us())) {
        client->again.reason = client->refusal;
        return false;
    }
    *ret_result = (struct stk_result){
        .tag = slot->tag,
        .status = response->status,
        .message = response->status != STIRKEEP_OK ? client->refusal.message : "",
        .response = *response};
    stk_pending_release(&client->pending, slot);
    return true;
}

/* Look through what has been read for an answer to something under way. */
static bool take_read(struct stirkeep_client *client, struct stk_result *ret_result)
{
    struct stk_bytes message = {0};
    struct stk_response response = {0};
    enum stk_frame_state state = STK_FRAME_NONE;

    while ((state = stk_connection_next(&client->connection, &message)) == STK_FRAME_WHOLE) {
        stk_arena_reset(&client->arena);
        if (stk_response_decode(message, &client->arena, &response, NULL) != STIRKEEP_OK) {
            give_up(client, STIRKEEP_MALFORMED, "the answer is not a message of the protocol");
            return false;
        }
        if (take_answer(client, &response, ret_result))
            return true;
    }
    if (state != STK_FRAME_NONE)
        give_up(client, STIRKEEP_MALFORMED, "what came is not a frame of the protocol");
    return false;
}

/*
 * The service may have gone away, or ended an idle connection, since the last call. Late answers
 * to requests that timed out are no reason to connect again.
 */
static void drop_stale(struct stirkeep_client *client)
{
    struct stk_connection *connection = &client->connection;
    enum stk_movement movement = STK_MOVEMENT_BYTES;
    struct stk_result nothing = {0};

    for (int i = 0; i < STALE_READS_MAX && connection->fd >= 0 && movement == STK_MOVEMENT_BYTES;
         i++) {
        movement = stk_connection_move(connection);
        if (movement == STK_MOVEMENT_BYTES)
            (void)take_read(client, &nothing);
    }
    if (movement != STK_MOVEMENT_NONE) {
        if (connection->fd >= 0)
            stk_again_lost(client);
        stk_connection_close(connection);
    }
    client->retry_at_us = 0;
    client->retry_delay_us = 0;
}

static enum stirkeep_status send_or_connect(struct stirkeep_client *client, struct stk_slot *slot)
{
    struct stk_connection *connection = &client->connection;
    enum stirkeep_status status = STIRKEEP_OK;

    if (connection->fd >= 0) {
        status = stk_buffer_add(&connection->out, slot->frame.data, slot->frame.length);
    } else {
        status = connect_if_due(client, stk_clock_mono_us());
        /* Others are under way: the service is being waited for already. */
        if (status == STIRKEEP_NOT_CONNECTED &&
            (client->pending.count > 1 || stk_again_is_awaited(client, stk_clock_mono_us())))
            status = STIRKEEP_OK;
        if (status == STIRKEEP_BUSY)
            status = STIRKEEP_OK;
    }
    if (status != STIRKEEP_OK)
        return stk_error_set(&client->error, status, "%s",
                             status == STIRKEEP_NOT_CONNECTED ? connection->failure.message
                                                              : stirkeep_status_text(status));
    /* While answers lie ready the caller is about to fetch: gather what it submits meanwhile. */
    if (connection->fd >= 0 &&
        (stk_connection_unsent(connection) > GATHER_MAX || !stk_connection_ready(connection)))
        stk_connection_flush(connection);
    return STIRKEEP_OK;
}

/* The service is told a little less, so that its own word on a late request arrives in time. */
static uint32_t deadline_told(uint64_t deadline_us)
{
    uint64_t now_us = stk_clock_mono_us();
    uint64_t left_ms = deadline_us > now_us ? (deadline_us - now_us) / 1000 : 0;

    left_ms -= left_ms / 8;
    if (left_ms > UINT32_MAX)
        left_ms = UINT32_MAX;
    return left_ms > 0 ? (uint32_t)left_ms : 1;
}

enum stirkeep_status stk_client_begin(struct stirkeep_client *client, enum stk_request_kind kind,
                                      uint64_t deadline_us, uint64_t tag, stk_encode *encode,
                                      const void *what)
{
    struct stk_slot *slot = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (client->pending.count == 0)
        drop_stale(client);
    status = stk_pending_take(&client->pending, &slot);
    if (status == STIRKEEP_OVERLOADED)
        return stk_error_set(&client->error, status, "%d requests are under way already",
                             STK_UNDER_WAY_MAX);
    if (status != STIRKEEP_OK)
        return stk_error_set(&client->error, status, "%s", stirkeep_status_text(status));
    slot->kind = kind;
    slot->tag = tag;
    slot->deadline_us = deadline_us;
    status = encode(slot->id, deadline_told(deadline_us), what, &slot->frame);
    if (status != STIRKEEP_OK) {
        stk_pending_release(&client->pending, slot);
        return stk_error_set(&client->error, status, "request: %s", stirkeep_status_text(status));
    }
    stk_pending_wait(&client->pending, slot);
    status = send_or_connect(client, slot);
    if (status != STIRKEEP_OK)
        stk_pending_release(&client->pending, slot);
    return status;
}

static bool take_failed(struct stirkeep_client *client, struct stk_result *ret_result)
{
    struct stk_slot *slot = stk_pending_failed(&client->pending);
    const char *path = client->connection.address.sun_path;

    if (slot == NULL)
        return false;
    if (slot->failure != STIRKEEP_TIMEOUT)
        client->refusal = client->failure;
    else if (client->connection.fd >= 0 && slot->again_pause_us != 0)
        client->refusal = client->again.reason; /* no answer to the last time it was asked */
    else if (client->connection.fd >= 0)
        (void)stk_error_set(&client->refusal, STIRKEEP_TIMEOUT, "%s: no answer in time", path);
    else
        (void)stk_error_set(&client->refusal, STIRKEEP_TIMEOUT, "no answer in time; %s",
                            client->connection.failure.message);
    *ret_result = (struct stk_result){
        .tag = slot->tag, .status = client->refusal.status, .message = client->refusal.message};
    stk_pending_release(&client->pending, slot);
    return true;
}

/* Send, read, connect again when the connection has ended. True when there is something new. */
static bool move(struct stirkeep_client *client, uint64_t now_us)
{
    if (connect_if_due(client, now_us) != STIRKEEP_OK)
        return false;
    stk_again_send_due(client, now_us);
    switch (stk_connection_move(&client->connection)) {
    case STK_MOVEMENT_NONE:
        return false;
    case STK_MOVEMENT_BYTES:
        return true;
    case STK_MOVEMENT_END:
        break;
    }
    stk_connection_close(&client->connection);
    stk_again_lost(client);
    try_later(client, now_us);
    if (connect_if_due(client, now_us) == STIRKEEP_OK)
        stk_connection_flush(&client->connection);
    return true;
}

uint64_t stk_client_due(const struct stirkeep_client *client, uint64_t until_us)
{
    if (stk_pending_failed(&client->pending) != NULL || stk_connection_ready(&client->connection))
        return 0;
    if (client->pending.earliest_us < until_us)
        until_us = client->pending.earliest_us;
    if (client->connection.fd < 0 && client->retry_at_us < until_us)
        until_us = client->retry_at_us;
    if (client->connection.fd >= 0 && client->again.due_us < until_us)
        until_us = client->again.due_us;
    return until_us;
}

enum stirkeep_status stk_client_next(struct stirkeep_client *client, uint64_t until_us,
                                     struct stk_result *ret_result)
{
    for (;;) {
        uint64_t now_us = 0;
        bool moved = false;

        if (take_failed(client, ret_result) || take_read(client, ret_result))
            return STIRKEEP_OK;
        now_us = stk_clock_mono_us();
        if (stk_pending_failed(&client->pending) != NULL ||
            stk_pending_expire(&client->pending, now_us))
            continue;
        moved = move(client, now_us);
        if (moved && now_us < until_us)
            continue;
        /* The time is up, but what has just arrived counts; more may go on arriving for ever. */
        if (moved && (take_read(client, ret_result) || take_failed(client, ret_result)))
            return STIRKEEP_OK;
        if (now_us >= until_us)
            return STIRKEEP_TIMEOUT;
        stk_connection_wait(&client->connection, stk_client_due(client, until_us));
    }
}

enum stirkeep_status stk_client_ask(struct stirkeep_client *client, enum stk_request_kind kind,
                                    uint64_t deadline_us, stk_encode *encode, const void *what,
                                    struct stk_result *ret_result)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (client->pending.count > 0)
        return stk_error_set(&client->error, STIRKEEP_INVALID,
                             "submitted requests are under way: fetch their answers first");
    status = stk_client_begin(client, kind, deadline_us, 0, encode, what);
    if (status != STIRKEEP_OK)
        return status;
    /* Ends at the request's own deadline at the latest. */
    (void)stk_client_next(client, UINT64_MAX, ret_result);
    if (ret_result->status != STIRKEEP_OK)
        return stk_error_set(&client->error, ret_result->status, "%s", ret_result->message);
    return STIRKEEP_OK;
}
