/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/signing.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static_assert(STIRKEEP_BATCH_MAX == STK_SIGNINGS_MAX, "as include/stirkeep/client.h says");

struct batch {
    struct stk_signing_input inputs[STK_SIGNINGS_MAX];
    size_t count;
    bool whole;
    struct stk_client_signing signings[];
};

static enum stirkeep_status encode_batch(uint64_t id, uint32_t deadline_ms, const void *what,
                                         struct stk_buffer *out)
{
    const struct batch *batch = what;

    return stk_request_encode_batch(id, deadline_ms, batch->inputs, batch->count, batch->whole,
                                    out);
}

static enum stirkeep_status batch_of(struct stirkeep_client *client,
                                     const struct stirkeep_request *requests, struct batch *batch)
{
    char place[32] = "";

    for (size_t i = 0; i < batch->count; i++) {
        if (stk_client_signing_of(client, &requests[i], &batch->signings[i]) != STIRKEEP_OK) {
            (void)snprintf(place, sizeof(place), "sign[%zu]", i);
            return stk_error_prefix(&client->error, place);
        }
        batch->inputs[i] = batch->signings[i].input;
    }
    return STIRKEEP_OK;
}

/* As many results as were asked for, and of a whole batch none that is refused. */
static bool fits(const struct stk_response *response, const struct batch *batch)
{
    if (response->result_count != batch->count)
        return false;
    for (size_t i = 0; i < batch->count && batch->whole; i++)
        if (response->results[i].status != STIRKEEP_OK)
            return false;
    return true;
}

static enum stirkeep_status answer_of(struct stirkeep_client *client,
                                      const struct stk_response_result *result,
                                      struct stirkeep_answer *answer)
{
    *answer = (struct stirkeep_answer){
        .status = result->status, .message = "", .signature = stk_no_signature};
    if (result->status == STIRKEEP_OK)
        return stk_client_signature_of(client, &result->signed_, &answer->signature);
    answer->message =
        result->message[0] != '\0' ? result->message : stirkeep_status_text(result->status);
    return STIRKEEP_OK;
}

static enum stirkeep_status ask(struct stirkeep_client *client, const struct batch *batch,
                                struct stirkeep_answer *ret_answers)
{
    struct stirkeep_answer answers[STK_SIGNINGS_MAX];
    struct stk_result result = {0};
    enum stirkeep_status status = stk_client_ask(
        client, STK_REQUEST_BATCH, stk_client_deadline(client, 0), encode_batch, batch, &result);

    if (status != STIRKEEP_OK)
        return status;
    if (!fits(&result.response, batch)) {
        stk_connection_close(&client->connection);
        return stk_error_set(&client->error, STIRKEEP_MALFORMED,
                             "%s: the answer does not fit the request",
                             client->connection.address.sun_path);
    }
    for (size_t i = 0; i < batch->count && status == STIRKEEP_OK; i++) {
        status = answer_of(client, &result.response.results[i], &answers[i]);
        answers[i].tag = i;
    }
    for (size_t i = 0; i < batch->count && status == STIRKEEP_OK; i++)
        ret_answers[i] = answers[i];
    return status;
}

enum stirkeep_status stirkeep_sign_batch(struct stirkeep_client *client,
                                         const struct stirkeep_request *requests, size_t count,
                                         bool whole, struct stirkeep_answer *ret_answers)
{
    struct batch *batch = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (client == NULL || ret_answers == NULL)
        return STIRKEEP_INVALID;
    stk_client_enter(client);
    if (requests == NULL || count == 0)
        return stk_error_set(&client->error, STIRKEEP_INVALID, "batch: nothing to sign");
    if (count > STK_SIGNINGS_MAX)
        return stk_error_set(&client->error, STIRKEEP_TOO_LARGE, "batch: more than %d to sign",
                             STK_SIGNINGS_MAX);
    batch = calloc(1, sizeof(*batch) + count * sizeof(batch->signings[0]));
    if (batch == NULL)
        return stk_error_set(&client->error, STIRKEEP_NO_MEMORY, "batch: out of memory");
    batch->count = count;
    batch->whole = whole;
    status = batch_of(client, requests, batch);
    if (status == STIRKEEP_OK)
        status = ask(client, batch, ret_answers);
    free(batch);
    return status;
}
