/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/exchange.h"

#include "base/clock.h"
#include "base/process.h"
#include "client/again.h"
#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#define TIMEOUT_MS_DEFAULT 2000

static_assert(STK_UNDER_WAY_MAX == 4096, "as include/stirkeep/client.h says");

static const char *path_or_default(const char *path)
{
    /* Not for a program that runs with more rights than whoever set the environment. */
    const char *given = path == NULL ? secure_getenv("STIRKEEP_SIGN_SOCKET") : path;

    if (given == NULL || (path == NULL && given[0] == '\0'))
        return STIRKEEP_DEFAULT_SIGN_SOCKET;
    return given;
}

enum stirkeep_status stirkeep_client_new(const char *path, uint32_t timeout_ms,
                                         struct stirkeep_client **ret_client)
{
    struct stirkeep_client *client = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (ret_client == NULL)
        return STIRKEEP_INVALID;
    client = calloc(1, sizeof(*client));
    if (client == NULL)
        return STIRKEEP_NO_MEMORY;
    client->process = stk_process_id();
    client->timeout_ms = timeout_ms > 0 ? timeout_ms : TIMEOUT_MS_DEFAULT;
    client->again.due_us = UINT64_MAX;
    client->again.patience_us = STK_AGAIN_AWAIT_US;
    stk_pending_start(&client->pending);
    status = stk_connection_start(&client->connection, path_or_default(path), STK_SIGN_MESSAGE_MAX,
                                  NULL);
    if (status == STIRKEEP_OK)
        status = stk_arena_new(&client->arena, STK_DECODE_ARENA_MAX);
    if (status != STIRKEEP_OK) {
        stirkeep_client_free(client);
        return status;
    }
    *ret_client = client;
    return STIRKEEP_OK;
}

void stirkeep_set_patience(struct stirkeep_client *client, uint32_t patience_ms)
{
    client->again.patience_us = (uint64_t)patience_ms * 1000;
}

void stirkeep_client_free(struct stirkeep_client *client)
{
    if (client == NULL)
        return;
    if (client->process != stk_process_id())
        stk_connection_disown(&client->connection);
    stk_connection_free(&client->connection);
    stk_pending_free(&client->pending);
    stk_arena_free(&client->arena);
    stk_buffer_free(&client->listed);
    stk_buffer_free(&client->list_shown);
    free(client);
}

const char *stirkeep_client_error(const struct stirkeep_client *client)
{
    return client == NULL ? "" : client->error.message;
}

size_t stirkeep_under_way(const struct stirkeep_client *client)
{
    return client == NULL || client->process != stk_process_id() ? 0 : client->pending.count;
}

int stirkeep_fd(const struct stirkeep_client *client, bool *ret_want_write)
{
    bool mine = client != NULL && client->process == stk_process_id() && client->connection.fd >= 0;

    if (ret_want_write != NULL)
        *ret_want_write = mine && !client->connection.sending_failed &&
                          stk_connection_unsent(&client->connection) > 0;
    return mine ? client->connection.fd : -1;
}

int stirkeep_wait_ms(const struct stirkeep_client *client)
{
    uint64_t now_us = stk_clock_mono_us();
    uint64_t due_us = 0;
    uint64_t wait_ms = 0;

    if (stirkeep_under_way(client) == 0)
        return -1;
    due_us = stk_client_due(client, UINT64_MAX);
    /* Rounded up: a wait that ends too early would be repeated until the time is there. */
    wait_ms = due_us > now_us ? (due_us - now_us + 999) / 1000 : 0;
    return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

const char *stirkeep_version(void)
{
    return STIRKEEP_VERSION;
}
