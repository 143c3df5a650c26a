/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_sign.h"

#include "model/uri.h"
#include "wire/unpack.h"

#include "sign.pb-c.h"
#include <string.h>

/* Responses, the client's side. */

/* It goes into a SIP message as it is: nobody's line ends, whoever is at the socket. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static enum stirkeep_status take_signed(const Stirkeep__V1__Signed *body,
                                        struct stk_response_signed *ret_signed,
                                        struct stk_error *error)
{
    size_t length = strlen(body->identity);

    if (length == 0 || length > STK_IDENTITY_MAX)
        return stk_error_set(error, STIRKEEP_INVALID, "signed.identity: must have 1 to %d bytes",
                             STK_IDENTITY_MAX);
    if (!is_printable(body->identity))
        return stk_error_set(error, STIRKEEP_INVALID, "signed.identity: is not printable ASCII");
    if (body->passport_length == 0 || body->passport_length > length)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "signed.passport_length: does not fit the identity");
    *ret_signed =
        (struct stk_response_signed){.identity = {(const uint8_t *)body->identity, length},
                                     .passport_length = body->passport_length,
                                     .generation = body->generation,
                                     .iat = body->iat,
                                     .origid = body->origid,
                                     .attest = body->attest};
    if (body->attest[0] != '\0' &&
        (body->attest[0] < 'A' || body->attest[0] > 'C' || body->attest[1] != '\0'))
        return stk_error_set(error, STIRKEEP_INVALID, "signed.attest: is not A, B or C");
    return stk_take_text(body->origid, "signed.origid", STK_ORIGID_LENGTH, error);
}

static enum stirkeep_status take_result(const Stirkeep__V1__Result *message,
                                        struct stk_response_result *result, struct stk_error *error)
{
    result->status = stk_take_status(message->status);
    result->message = message->message;
    if (result->status != STIRKEEP_OK)
        return STIRKEEP_OK;
    if (message->signed_ == NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "result.signed: missing");
    return take_signed(message->signed_, &result->signed_, error);
}

static enum stirkeep_status take_batch(const Stirkeep__V1__Batch *body, struct stk_arena *arena,
                                       struct stk_response *response, struct stk_error *error)
{
    size_t count = body->n_results;

    if (count > STK_SIGNINGS_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "batch.results: more than %d",
                             STK_SIGNINGS_MAX);
    response->results = stk_arena_take(arena, count * sizeof(*response->results));
    if (response->results == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "batch: takes too much memory");
    memset(response->results, 0, count * sizeof(*response->results));
    for (size_t i = 0; i < count; i++) {
        enum stirkeep_status status = take_result(body->results[i], &response->results[i], error);

        if (status != STIRKEEP_OK)
            return status;
    }
    response->kind = STK_RESPONSE_BATCH;
    response->result_count = count;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_summary(const Stirkeep__V1__CertificateSummary *summary,
                                         struct stk_certificate *certificate,
                                         struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(summary->name, &certificate->name, error);

    if (status == STIRKEEP_OK)
        status = stk_x5u_check(summary->x5u, error);
    if (status != STIRKEEP_OK)
        return status;
    (void)strcpy(certificate->x5u, summary->x5u);
    certificate->generation = summary->generation;
    certificate->not_before = summary->not_before;
    certificate->not_after = summary->not_after;
    certificate->active = summary->active != 0;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_listed(const Stirkeep__V1__Listed *body, struct stk_arena *arena,
                                        struct stk_response *response, struct stk_error *error)
{
    size_t count = body->n_certificates;
    struct stk_certificate *listed = NULL;

    listed = stk_arena_take(arena, count * sizeof(*listed));
    if (listed == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "listed: takes too much memory");
    memset(listed, 0, count * sizeof(*listed));
    for (size_t i = 0; i < count; i++) {
        enum stirkeep_status status = take_summary(body->certificates[i], &listed[i], error);

        if (status != STIRKEEP_OK)
            return status;
    }
    response->kind = STK_RESPONSE_LISTED;
    response->listed = listed;
    response->listed_count = count;
    response->more = body->more != 0;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_body(const Stirkeep__V1__Response *message,
                                      struct stk_arena *arena, struct stk_response *response,
                                      struct stk_error *error)
{
    switch (message->body_case) {
    case STIRKEEP__V1__RESPONSE__BODY_SIGNED:
        response->kind = STK_RESPONSE_SIGNED;
        return take_signed(message->signed_, &response->signed_, error);
    case STIRKEEP__V1__RESPONSE__BODY_BATCH:
        return take_batch(message->batch, arena, response, error);
    case STIRKEEP__V1__RESPONSE__BODY_LISTED:
        return take_listed(message->listed, arena, response, error);
    case STIRKEEP__V1__RESPONSE__BODY_PONG:
        response->kind = STK_RESPONSE_PONG;
        response->pong = (struct stk_response_pong){.ready = message->pong->ready != 0,
                                                    .version = message->pong->version,
                                                    .detail = message->pong->detail,
                                                    .certificates = message->pong->certificates};
        return STIRKEEP_OK;
    default:
        return stk_error_set(error, STIRKEEP_UNSUPPORTED,
                             "response: has no body that this version knows");
    }
}

enum stirkeep_status stk_response_decode(struct stk_bytes message, struct stk_arena *arena,
                                         struct stk_response *ret_response, struct stk_error *error)
{
    const Stirkeep__V1__Response *unpacked = NULL;
    struct stk_response response = {.message = "", .kind = STK_RESPONSE_ERROR};
    struct stk_error reason = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    unpacked = stk_unpack(&stirkeep__v1__response__descriptor, message, STK_UNKNOWN_IGNORED, arena,
                          &reason);
    if (unpacked == NULL) {
        ret_response->id = stk_scan_id(message);
        return stk_error_set(error, reason.status, "%s", reason.message);
    }
    ret_response->id = unpacked->id;
    response.id = unpacked->id;
    response.status = stk_take_status(unpacked->status);
    response.message = unpacked->message;
    if (response.status == STIRKEEP_OK)
        status = take_body(unpacked, arena, &response, error);
    if (status == STIRKEEP_OK)
        *ret_response = response;
    return status;
}
