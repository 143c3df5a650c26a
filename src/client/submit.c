/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "client/signing.h"

static enum stirkeep_status encode_signing(uint64_t id, uint32_t deadline_ms, const void *what,
                                           struct stk_buffer *out)
{
    const struct stk_client_signing *signing = what;

    return stk_request_encode_sign(id, deadline_ms, &signing->input, out);
}

static enum stirkeep_status sign(struct stirkeep_client *client,
                                 const struct stirkeep_request *request,
                                 struct stirkeep_signature *ret_signature)
{
    struct stk_client_signing signing;
    struct stk_result result = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_client_enter(client);
    status = stk_client_signing_of(client, request, &signing);
    if (status == STIRKEEP_OK)
        status = stk_client_ask(client, STK_REQUEST_SIGN, stk_client_deadline(client, 0),
                                encode_signing, &signing, &result);
    if (status != STIRKEEP_OK)
        return status;
    return stk_client_signature_of(client, &result.response.signed_, ret_signature);
}

enum stirkeep_status stirkeep_sign(struct stirkeep_client *client, const char *name,
                                   const struct stirkeep_claims *claims,
                                   struct stirkeep_signature *ret_signature)
{
    const struct stirkeep_request request = {.name = name, .claims = claims};

    if (client == NULL || ret_signature == NULL)
        return STIRKEEP_INVALID;
    return sign(client, &request, ret_signature);
}

enum stirkeep_status stirkeep_sign_input(struct stirkeep_client *client, const char *name,
                                         const char *header, const char *payload,
                                         struct stirkeep_signature *ret_signature)
{
    const struct stirkeep_request request = {.name = name, .header = header, .payload = payload};

    if (client == NULL || ret_signature == NULL)
        return STIRKEEP_INVALID;
    return sign(client, &request, ret_signature);
}

enum stirkeep_status stirkeep_submit(struct stirkeep_client *client, const char *name,
                                     const struct stirkeep_claims *claims, uint32_t deadline_ms,
                                     uint64_t tag)
{
    const struct stirkeep_request request = {.name = name, .claims = claims};
    struct stk_client_signing signing;
    enum stirkeep_status status = STIRKEEP_OK;

    if (client == NULL)
        return STIRKEEP_INVALID;
    stk_client_enter(client);
    status = stk_client_signing_of(client, &request, &signing);
    if (status != STIRKEEP_OK)
        return status;
    return stk_client_begin(client, STK_REQUEST_SIGN, stk_client_deadline(client, deadline_ms), tag,
                            encode_signing, &signing);
}

enum stirkeep_status stirkeep_fetch(struct stirkeep_client *client, int wait_ms,
                                    struct stirkeep_answer *ret_answer)
{
    struct stirkeep_answer answer = {.signature = stk_no_signature};
    struct stk_result result = {0};
    uint64_t until_us = 0;

    if (client == NULL || ret_answer == NULL)
        return STIRKEEP_INVALID;
    stk_client_enter(client);
    if (client->pending.count == 0)
        return stk_error_set(&client->error, STIRKEEP_INVALID, "nothing is under way");
    /* A negative wait is without an end of its own, as in poll(2): the deadlines end it. */
    until_us = wait_ms < 0 ? UINT64_MAX : stk_clock_mono_us() + (uint64_t)wait_ms * 1000;
    if (stk_client_next(client, until_us, &result) != STIRKEEP_OK)
        return stk_error_set(&client->error, STIRKEEP_TIMEOUT, "no answer yet");
    answer.tag = result.tag;
    answer.status = result.status;
    answer.message = result.message;
    if (result.status == STIRKEEP_OK)
        answer.status =
            stk_client_signature_of(client, &result.response.signed_, &answer.signature);
    if (answer.status != STIRKEEP_OK && result.status == STIRKEEP_OK)
        answer.message = client->error.message;
    *ret_answer = answer;
    return STIRKEEP_OK;
}
