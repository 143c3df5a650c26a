/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/exchange.h"
#include <string.h>

static enum stirkeep_status encode_list(uint64_t id, uint32_t deadline_ms, const void *what,
                                        struct stk_buffer *out)
{
    (void)deadline_ms;
    return stk_request_encode_list(id, what, out);
}

static enum stirkeep_status encode_ping(uint64_t id, uint32_t deadline_ms, const void *what,
                                        struct stk_buffer *out)
{
    (void)deadline_ms;
    (void)what;
    return stk_request_encode_ping(id, out);
}

static size_t listed_count(const struct stirkeep_client *client)
{
    return client->listed.length / sizeof(struct stk_certificate);
}

/* Ask page by page until the service says that there is no more. */
static enum stirkeep_status ask_pages(struct stirkeep_client *client)
{
    uint64_t deadline_us = stk_client_deadline(client, 0);
    char after[STK_NAME_MAX + 1] = "";
    struct stk_result result = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    do {
        const struct stk_response *response = &result.response;

        status = stk_client_ask(client, STK_REQUEST_LIST, deadline_us, encode_list, after, &result);
        if (status == STIRKEEP_OK)
            status = stk_buffer_add(&client->listed, response->listed,
                                    response->listed_count * sizeof(struct stk_certificate));
        if (status == STIRKEEP_TOO_LARGE || status == STIRKEEP_NO_MEMORY)
            (void)stk_error_set(&client->error, status, "list: %s", stirkeep_status_text(status));
        if (status != STIRKEEP_OK || !response->more)
            break;
        /* Pages that do not go forward would never end. */
        if (response->listed_count == 0 ||
            strcmp(response->listed[response->listed_count - 1].name.text, after) <= 0)
            status = stk_error_set(&client->error, STIRKEEP_MALFORMED,
                                   "list: the service's pages do not go on");
        else
            memcpy(after, response->listed[response->listed_count - 1].name.text, sizeof(after));
    } while (status == STIRKEEP_OK);
    return status;
}

static enum stirkeep_status show_listed(struct stirkeep_client *client)
{
    const struct stk_certificate *listed = (const struct stk_certificate *)client->listed.data;

    for (size_t i = 0; i < listed_count(client); i++) {
        struct stirkeep_certificate shown = {.name = listed[i].name.text,
                                             .generation = listed[i].generation,
                                             .x5u = listed[i].x5u,
                                             .not_before = listed[i].not_before,
                                             .not_after = listed[i].not_after,
                                             .active = listed[i].active};
        if (stk_buffer_add(&client->list_shown, &shown, sizeof(shown)) != STIRKEEP_OK)
            return stk_error_set(&client->error, STIRKEEP_NO_MEMORY, "list: out of memory");
    }
    return STIRKEEP_OK;
}

enum stirkeep_status stirkeep_list(struct stirkeep_client *client,
                                   const struct stirkeep_certificate **ret_list, size_t *ret_count)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (client == NULL || ret_list == NULL || ret_count == NULL)
        return STIRKEEP_INVALID;
    stk_client_enter(client);
    client->listed.length = 0;
    client->listed.ceiling = STK_NAMES_MAX * sizeof(struct stk_certificate);
    client->list_shown.length = 0;
    status = ask_pages(client);
    if (status == STIRKEEP_OK)
        status = show_listed(client);
    if (status != STIRKEEP_OK)
        return status;
    *ret_list = (const struct stirkeep_certificate *)client->list_shown.data;
    *ret_count = listed_count(client);
    return STIRKEEP_OK;
}

enum stirkeep_status stirkeep_ping(struct stirkeep_client *client)
{
    struct stk_result result = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (client == NULL)
        return STIRKEEP_INVALID;
    stk_client_enter(client);
    status = stk_client_ask(client, STK_REQUEST_PING, stk_client_deadline(client, 0), encode_ping,
                            NULL, &result);
    if (status == STIRKEEP_OK && !result.response.pong.ready)
        status = stk_error_set(&client->error, STIRKEEP_UNAVAILABLE, "%s",
                               result.response.pong.detail != NULL &&
                                       result.response.pong.detail[0] != '\0'
                                   ? result.response.pong.detail
                                   : stirkeep_status_text(STIRKEEP_UNAVAILABLE));
    return status;
}
