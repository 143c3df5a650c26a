/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "client/exchange.h"
#include <string.h>

struct signing {
    const char *name;
    struct stk_claims_input claims;
};

static const char *text_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static bool texts_given(const char *const *texts, size_t count)
{
    if (count > 0 && texts == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (texts[i] == NULL)
            return false;
    return true;
}

/* Only what could not be sent at all is refused here: what claims may say is the service's. */
static enum stirkeep_status signing_of(struct stirkeep_client *client, const char *name,
                                       const struct stirkeep_claims *claims,
                                       struct signing *ret_signing)
{
    if (name == NULL || claims == NULL)
        return stk_error_set(&client->error, STIRKEEP_INVALID, "certificate name or claims: NULL");
    if (claims->dest_tn_count > STK_DEST_MAX ||
        claims->dest_uri_count > STK_DEST_MAX - claims->dest_tn_count)
        return stk_error_set(&client->error, STIRKEEP_INVALID, "dest: more than %d", STK_DEST_MAX);
    if (!texts_given(claims->dest_tn, claims->dest_tn_count) ||
        !texts_given(claims->dest_uri, claims->dest_uri_count))
        return stk_error_set(&client->error, STIRKEEP_INVALID, "dest: NULL");
    *ret_signing = (struct signing){
        .name = name,
        .claims = {.ppt = text_or_empty(claims->ppt),
                   .orig_tn = text_or_empty(claims->orig_tn),
                   .orig_uri = text_or_empty(claims->orig_uri),
                   .dest_tn = claims->dest_tn,
                   .dest_tn_count = claims->dest_tn_count,
                   .dest_uri = claims->dest_uri,
                   .dest_uri_count = claims->dest_uri_count,
                   .iat = claims->iat,
                   .attest = text_or_empty(claims->attest),
                   .origid = text_or_empty(claims->origid)},
    };
    return STIRKEEP_OK;
}

static enum stirkeep_status encode_signing(uint64_t id, uint32_t deadline_ms, const void *what,
                                           struct stk_buffer *out)
{
    const struct signing *signing = what;

    return stk_request_encode_sign(id, deadline_ms, signing->name, &signing->claims, out);
}

static enum stirkeep_status signature_of(struct stirkeep_client *client,
                                         const struct stk_response_signed *body,
                                         struct stirkeep_signature *ret_signature)
{
    const char *identity =
        stk_arena_copy(&client->arena, body->identity.data, body->identity.length);

    if (identity == NULL)
        return stk_error_set(&client->error, STIRKEEP_MALFORMED, "the answer is too large");
    *ret_signature = (struct stirkeep_signature){
        .identity = identity,
        .identity_length = body->identity.length,
        .passport_length = body->passport_length,
        .generation = body->generation,
        .iat = body->iat,
        .origid = text_or_empty(body->origid),
    };
    return STIRKEEP_OK;
}

enum stirkeep_status stirkeep_sign(struct stirkeep_client *client, const char *name,
                                   const struct stirkeep_claims *claims,
                                   struct stirkeep_signature *ret_signature)
{
    struct signing signing = {0};
    struct stk_result result = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (client == NULL || ret_signature == NULL)
        return STIRKEEP_INVALID;
    stk_client_enter(client);
    status = signing_of(client, name, claims, &signing);
    if (status == STIRKEEP_OK)
        status = stk_client_ask(client, STK_REQUEST_SIGN, stk_client_deadline(client, 0),
                                encode_signing, &signing, &result);
    if (status != STIRKEEP_OK)
        return status;
    return signature_of(client, &result.response.signed_, ret_signature);
}

enum stirkeep_status stirkeep_submit(struct stirkeep_client *client, const char *name,
                                     const struct stirkeep_claims *claims, uint32_t deadline_ms,
                                     uint64_t tag)
{
    struct signing signing = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (client == NULL)
        return STIRKEEP_INVALID;
    stk_client_enter(client);
    status = signing_of(client, name, claims, &signing);
    if (status != STIRKEEP_OK)
        return status;
    return stk_client_begin(client, STK_REQUEST_SIGN, stk_client_deadline(client, deadline_ms), tag,
                            encode_signing, &signing);
}

enum stirkeep_status stirkeep_fetch(struct stirkeep_client *client, int wait_ms,
                                    struct stirkeep_answer *ret_answer)
{
    struct stirkeep_answer answer = {0};
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
    answer.signature.identity = "";
    answer.signature.origid = "";
    if (result.status == STIRKEEP_OK)
        answer.status = signature_of(client, &result.response.signed_, &answer.signature);
    if (answer.status != STIRKEEP_OK && result.status == STIRKEEP_OK)
        answer.message = client->error.message;
    *ret_answer = answer;
    return STIRKEEP_OK;
}
