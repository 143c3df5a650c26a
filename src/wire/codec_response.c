/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_sign.h"

#include "wire/pack.h"
#include "wire/text.h"

#include "sign.pb-c.h"
#include <string.h>

/* Responses, the service's side. Field numbers; proto/stirkeep/v1/sign.proto. */
enum { RESPONSE_ID = 1 };
enum {
    RESPONSE_SIGNED = STIRKEEP__V1__RESPONSE__BODY_SIGNED,
    RESPONSE_LISTED = STIRKEEP__V1__RESPONSE__BODY_LISTED,
    RESPONSE_BATCH = STIRKEEP__V1__RESPONSE__BODY_BATCH
};
enum { SIGNED_IDENTITY = 1, SIGNED_LENGTH, SIGNED_GENERATION, SIGNED_IAT, SIGNED_ORIGID };
enum { SIGNED_ATTEST = SIGNED_ORIGID + 1 };
enum { BATCH_RESULTS = 1 };
enum { RESULT_STATUS = 1, RESULT_MESSAGE, RESULT_SIGNED };
enum { LISTED_CERTIFICATES = 1 };

/* What `more`, the prefixes and the id may still need behind the last entry of a list. */
#define LIST_RESERVE 32

/* The same in a batch: its own prefixes and the id; and each result's, beside the identity: prefixes
 * of at most 4 bytes of the result, the body in it and the identity, then the other fields. A refused
 * one has its status and the beginning of its message in as many. */
#define BATCH_RESERVE 32
#define RESULT_RESERVE (3 * 4 + 6 + 6 + 11 + (2 + STK_ORIGID_LENGTH) + 3)
#define RESULT_MESSAGE_RESERVE (RESULT_RESERVE - 4 - 3 - 3)

static void begin(struct stk_writer *writer, uint64_t id, size_t *ret_frame)
{
    writer->status = stk_pack_frame_begin(writer->out, ret_frame);
    stk_write_number(writer, RESPONSE_ID, id);
}

static enum stirkeep_status end(struct stk_writer *writer, size_t frame, size_t before)
{
    if (writer->status == STIRKEEP_OK)
        writer->status = stk_pack_frame_end(frame, STK_SIGN_MESSAGE_MAX, writer->out);
    if (writer->status != STIRKEEP_OK)
        writer->out->length = before;
    return writer->status;
}

static void write_signed(struct stk_writer *writer, uint32_t number,
                         const struct stk_response_signed *body)
{
    size_t mark = writer->out->length;

    stk_write_bytes(writer, SIGNED_IDENTITY, body->identity);
    stk_write_number(writer, SIGNED_LENGTH, body->passport_length);
    stk_write_number(writer, SIGNED_GENERATION, body->generation);
    stk_write_number(writer, SIGNED_IAT, (uint64_t)body->iat);
    stk_write_text(writer, SIGNED_ORIGID, body->origid);
    stk_write_text(writer, SIGNED_ATTEST, body->attest);
    stk_write_close(writer, number, mark);
}

enum stirkeep_status stk_response_encode_signed(uint64_t id, const struct stk_response_signed *body,
                                                struct stk_buffer *out)
{
    struct stk_writer writer = {.out = out};
    size_t before = out->length;
    size_t frame = 0;

    begin(&writer, id, &frame);
    write_signed(&writer, RESPONSE_SIGNED, body);
    return end(&writer, frame, before);
}

/* ---- batches */

size_t stk_response_batch_bound(size_t count, size_t identities)
{
    return BATCH_RESERVE + count * RESULT_RESERVE + identities;
}

/* How long the message of each refused one may be, so that the answer fits whenever its bound does. */
static size_t message_share(const struct stk_response_result *results, size_t count)
{
    size_t signed_count = 0;
    size_t identities = 0;
    size_t used = 0;
    size_t share = RESULT_MESSAGE_RESERVE;

    for (size_t i = 0; i < count; i++)
        if (results[i].status == STIRKEEP_OK) {
            signed_count++;
            identities += results[i].signed_.identity.length;
        }
    used = stk_response_batch_bound(count, identities);
    if (count > signed_count && used < STK_SIGN_MESSAGE_MAX)
        share += (STK_SIGN_MESSAGE_MAX - used) / (count - signed_count);
    return share < STK_ERROR_MAX - 1 ? share : STK_ERROR_MAX - 1;
}

static void write_result(struct stk_writer *writer, const struct stk_response_result *result,
                         size_t message_max)
{
    size_t mark = writer->out->length;
    char words[STK_ERROR_MAX];

    if (result->status == STIRKEEP_OK) {
        write_signed(writer, RESULT_SIGNED, &result->signed_);
    } else {
        stk_text_cut(result->message, words, message_max + 1);
        stk_write_number(writer, RESULT_STATUS, (uint32_t)result->status);
        stk_write_text(writer, RESULT_MESSAGE, words);
    }
    stk_write_close(writer, BATCH_RESULTS, mark);
}

enum stirkeep_status stk_response_encode_batch(uint64_t id,
                                               const struct stk_response_result *results,
                                               size_t count, struct stk_buffer *out)
{
    struct stk_writer writer = {.out = out};
    size_t message_max = message_share(results, count);
    size_t before = out->length;
    size_t frame = 0;
    size_t mark = 0;

    begin(&writer, id, &frame);
    mark = out->length;
    for (size_t i = 0; i < count && writer.status == STIRKEEP_OK; i++)
        write_result(&writer, &results[i], message_max);
    stk_write_close(&writer, RESPONSE_BATCH, mark);
    return end(&writer, frame, before);
}

/* ---- lists and the rest */

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
    enum { LISTED_MORE = 2 };
    struct stk_writer writer = {.out = out};
    size_t before = out->length;
    size_t frame = 0;
    size_t mark = 0;

    begin(&writer, id, &frame);
    mark = out->length;
    for (size_t i = 0; i < count && writer.status == STIRKEEP_OK; i++) {
        Stirkeep__V1__CertificateSummary summary = summary_of(certificates[i]);
        size_t length = protobuf_c_message_get_packed_size(&summary.base);

        if (i == STK_LISTED_MAX ||
            out->length - frame + length > STK_SIGN_MESSAGE_MAX - LIST_RESERVE) {
            more = true;
            break;
        }
        writer.status = stk_pack_element(LISTED_CERTIFICATES, &summary.base, out);
    }
    stk_write_number(&writer, LISTED_MORE, more);
    stk_write_close(&writer, RESPONSE_LISTED, mark);
    return end(&writer, frame, before);
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
