/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_sign.h"

#include "model/uri.h"
#include "wire/pack.h"
#include "wire/unpack.h"

#include "sign.pb-c.h"
#include <string.h>

/* Field numbers of what is written around bodies here; proto/stirkeep/v1/sign.proto. */
enum {
    SIGNED_IDENTITY = 1,
    LISTED_CERTIFICATES = 1,
    RESPONSE_SIGNED = STIRKEEP__V1__RESPONSE__BODY_SIGNED,
    RESPONSE_LISTED = STIRKEEP__V1__RESPONSE__BODY_LISTED
};

/* What `more`, the prefixes and the id may still need behind the last entry of a list. */
#define LIST_RESERVE 32

/* ---- the service's side */

static enum stirkeep_status begin(uint64_t id, struct stk_buffer *out, size_t *ret_mark)
{
    Stirkeep__V1__Response head = STIRKEEP__V1__RESPONSE__INIT;
    enum stirkeep_status status = stk_pack_frame_begin(out, ret_mark);

    head.id = id;
    return status == STIRKEEP_OK ? stk_pack(&head.base, out) : status;
}

/* Close the body that begins at `mark` and the frame that begins at `frame`. */
static enum stirkeep_status end(uint32_t number, size_t mark, size_t frame, struct stk_buffer *out)
{
    enum stirkeep_status status = stk_pack_close(number, mark, out);

    return status == STIRKEEP_OK ? stk_pack_frame_end(frame, STK_SIGN_MESSAGE_MAX, out) : status;
}

enum stirkeep_status stk_response_encode_signed(uint64_t id, const struct stk_response_signed *body,
                                                struct stk_buffer *out)
{
    Stirkeep__V1__Signed rest = STIRKEEP__V1__SIGNED__INIT;
    size_t before = out->length;
    size_t frame = 0;
    size_t mark = 0;
    enum stirkeep_status status = begin(id, out, &frame);

    rest.passport_length = body->passport_length;
    rest.generation = body->generation;
    rest.iat = body->iat;
    rest.origid = stk_pack_text(body->origid);
    mark = out->length;
    /* By hand: the identity need not end with a NUL. */
    if (status == STIRKEEP_OK)
        status = stk_pack_bytes(SIGNED_IDENTITY, body->identity, out);
    if (status == STIRKEEP_OK)
        status = stk_pack(&rest.base, out);
    if (status == STIRKEEP_OK)
        status = end(RESPONSE_SIGNED, mark, frame, out);
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}

static Stirkeep__V1__CertificateSummary summary_of(const struct stk_certificate *certificate)
{
    Stirkeep__V1__CertificateSummary summary = STIRKEEP__V1__CERTIFICATE_SUMMARY__INIT;

    summary.name = stk_pack_text(certificate->name.text);
    summary.generation = certificate->generation;
    summary.x5u = stk_pack_text(certificate->x5u);
    summary.not_before = certificate->not_before;
    summary.not_after = certificate->not_after;
    summary.active = certificate->active;
    return summary;
}

enum stirkeep_status stk_response_encode_list(uint64_t id,
                                              const struct stk_certificate *const *certificates,
                                              size_t count, bool more, struct stk_buffer *out)
{
    Stirkeep__V1__Listed rest = STIRKEEP__V1__LISTED__INIT;
    size_t before = out->length;
    size_t frame = 0;
    size_t mark = 0;
    enum stirkeep_status status = begin(id, out, &frame);

    mark = out->length;
    for (size_t i = 0; i < count && status == STIRKEEP_OK; i++) {
        Stirkeep__V1__CertificateSummary summary = summary_of(certificates[i]);
        size_t length = protobuf_c_message_get_packed_size(&summary.base);

        if (i == STK_LISTED_MAX ||
            out->length - frame + length > STK_SIGN_MESSAGE_MAX - LIST_RESERVE) {
            more = true;
            break;
        }
        status = stk_pack_element(LISTED_CERTIFICATES, &summary.base, out);
    }
    rest.more = more;
    if (status == STIRKEEP_OK)
        status = stk_pack(&rest.base, out);
    if (status == STIRKEEP_OK)
        status = end(RESPONSE_LISTED, mark, frame, out);
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}

enum stirkeep_status stk_response_encode_pong(uint64_t id, const struct stk_response_pong *body,
                                              struct stk_buffer *out)
{
    Stirkeep__V1__Pong pong = STIRKEEP__V1__PONG__INIT;
    Stirkeep__V1__Response response = STIRKEEP__V1__RESPONSE__INIT;

    pong.ready = body->ready;
    pong.version = stk_pack_text(body->version);
    pong.detail = stk_pack_text(body->detail);
    pong.certificates = body->certificates;
    response.id = id;
    response.body_case = STIRKEEP__V1__RESPONSE__BODY_PONG;
    response.pong = &pong;
    return stk_pack_framed_scrubbed(&response.base, STK_SIGN_MESSAGE_MAX, out);
}

enum stirkeep_status stk_response_encode_error(uint64_t id, enum stirkeep_status error,
                                               const char *message, struct stk_buffer *out)
{
    Stirkeep__V1__Response response = STIRKEEP__V1__RESPONSE__INIT;

    response.id = id;
    response.status = (uint32_t)error;
    response.message = stk_pack_text(message);
    return stk_pack_framed_scrubbed(&response.base, STK_SIGN_MESSAGE_MAX, out);
}

/* ---- the client's side */

static enum stirkeep_status take_signed(const Stirkeep__V1__Signed *body,
                                        struct stk_response *response, struct stk_error *error)
{
    size_t length = strlen(body->identity);

    if (length == 0 || length > STK_IDENTITY_MAX)
        return stk_error_set(error, STIRKEEP_INVALID, "signed.identity: must have 1 to %d bytes",
                             STK_IDENTITY_MAX);
    if (body->passport_length == 0 || body->passport_length > length)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "signed.passport_length: does not fit the identity");
    response->kind = STK_RESPONSE_SIGNED;
    response->signed_ =
        (struct stk_response_signed){.identity = {(const uint8_t *)body->identity, length},
                                     .passport_length = body->passport_length,
                                     .generation = body->generation,
                                     .iat = body->iat,
                                     .origid = body->origid};
    return stk_take_text(body->origid, "signed.origid", STK_ORIGID_LENGTH, error);
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
        return take_signed(message->signed_, response, error);
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
