/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/admin.h"

#include "base/clock.h"
#include "client/connection.h"
#include <stdlib.h>

#define CONNECT_AGAIN_US 10000                      /* when the queue of connections is full */
#define ADMIN_ARENA_MAX (4 * STK_ADMIN_MESSAGE_MAX) /* memory that one answer may take */

struct stk_admin {
    struct stk_connection connection;
    struct stk_arena arena;
    uint64_t id;
    unsigned timeout_ms;
};

enum stirkeep_status stk_admin_connect(const char *path, unsigned timeout_ms,
                                       struct stk_admin **ret_admin, struct stk_error *error)
{
    struct stk_admin *admin = calloc(1, sizeof(*admin));
    uint64_t until_us = stk_clock_mono_us() + (uint64_t)timeout_ms * 1000;
    enum stirkeep_status status = STIRKEEP_OK;

    if (admin == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    admin->timeout_ms = timeout_ms;
    status = stk_connection_start(&admin->connection, path, STK_ADMIN_MESSAGE_MAX, error);
    if (status != STIRKEEP_OK)
        goto out;
    status = stk_arena_new(&admin->arena, ADMIN_ARENA_MAX);
    if (status != STIRKEEP_OK) {
        (void)stk_error_set(error, status, "out of memory");
        goto out;
    }
    while ((status = stk_connection_open(&admin->connection)) == STIRKEEP_BUSY &&
           stk_clock_mono_us() < until_us)
        stk_connection_wait(&admin->connection, stk_clock_mono_us() + CONNECT_AGAIN_US);
    if (status != STIRKEEP_OK)
        status =
            stk_error_set(error, STIRKEEP_NOT_CONNECTED, "%s", admin->connection.failure.message);
out:
    if (status == STIRKEEP_OK)
        *ret_admin = admin;
    else
        stk_admin_close(admin);
    return status;
}

void stk_admin_close(struct stk_admin *admin)
{
    if (admin == NULL)
        return;
    stk_connection_free(&admin->connection);
    stk_arena_free(&admin->arena);
    free(admin);
}

static enum stirkeep_status malformed(struct stk_admin *admin, const char *what,
                                      struct stk_error *error)
{
    stk_connection_close(&admin->connection);
    return stk_error_set(error, STIRKEEP_MALFORMED, "%s: %s", admin->connection.address.sun_path,
                         what);
}

static enum stirkeep_status judge(struct stk_admin *admin,
                                  const struct stk_admin_response *response,
                                  enum stk_admin_kind asked, struct stk_error *error)
{
    if (response->status != STIRKEEP_OK)
        return stk_error_set(error, response->status, "%s",
                             response->message != NULL && response->message[0] != '\0'
                                 ? response->message
                                 : stirkeep_status_text(response->status));
    if (response->kind != asked)
        return malformed(admin, "the answer does not fit the request", error);
    return STIRKEEP_OK;
}

/* Is the answer in what has been read, or something that ends the wait for it? */
static bool take_answer(struct stk_admin *admin, enum stk_admin_kind asked,
                        struct stk_admin_response *ret_response, enum stirkeep_status *ret_status,
                        struct stk_error *error)
{
    struct stk_admin_response response = {0};
    struct stk_bytes message = {0};
    enum stk_frame_state state = STK_FRAME_NONE;

    while ((state = stk_connection_next(&admin->connection, &message)) == STK_FRAME_WHOLE) {
        stk_arena_reset(&admin->arena);
        if (stk_admin_response_decode(message, &admin->arena, &response, error) != STIRKEEP_OK) {
            *ret_status = malformed(admin, "the answer is not a message of the protocol", error);
            return true;
        }
        /* Id 0: the service's last word on this connection, whatever was asked. */
        if (response.id != admin->id && (response.id != 0 || response.status == STIRKEEP_OK))
            continue;
        *ret_status = judge(admin, &response, asked, error);
        if (*ret_status == STIRKEEP_OK)
            *ret_response = response;
        return true;
    }
    if (state == STK_FRAME_NONE)
        return false;
    *ret_status = malformed(admin, "what came is not a frame of the protocol", error);
    return true;
}

/* TIMEOUT, NOT_CONNECTED, or OK: there is something to look at. */
static enum stirkeep_status move(struct stk_admin *admin, uint64_t until_us,
                                 struct stk_error *error)
{
    for (;;) {
        switch (stk_connection_move(&admin->connection)) {
        case STK_MOVEMENT_BYTES:
            return STIRKEEP_OK;
        case STK_MOVEMENT_END:
            stk_connection_close(&admin->connection);
            return stk_error_set(error, STIRKEEP_NOT_CONNECTED, "%s",
                                 admin->connection.failure.message);
        case STK_MOVEMENT_NONE:
            break;
        }
        if (stk_clock_mono_us() >= until_us)
            return stk_error_set(error, STIRKEEP_TIMEOUT, "%s: no answer within %u ms",
                                 admin->connection.address.sun_path, admin->timeout_ms);
        stk_connection_wait(&admin->connection, until_us);
    }
}

enum stirkeep_status stk_admin_call(struct stk_admin *admin, struct stk_admin_request *request,
                                    struct stk_admin_response *ret_response,
                                    struct stk_error *error)
{
    uint64_t until_us = stk_clock_mono_us() + (uint64_t)admin->timeout_ms * 1000;
    enum stirkeep_status status = STIRKEEP_OK;

    if (admin->connection.fd < 0)
        return stk_error_set(error, STIRKEEP_NOT_CONNECTED, "%s: the connection has ended",
                             admin->connection.address.sun_path);
    request->id = ++admin->id;
    status = stk_admin_request_encode(request, &admin->connection.out);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "request: %s", stirkeep_status_text(status));
    while (!take_answer(admin, request->kind, ret_response, &status, error)) {
        status = move(admin, until_us, error);
        if (status != STIRKEEP_OK)
            break;
    }
    return status;
}
