/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_sign.h"

#include "wire/codec_claims.h"
#include "wire/pack.h"

/* Requests, the client's side. Field numbers; proto/stirkeep/v1/sign.proto. */
enum {
    REQUEST_ID = 1,
    REQUEST_DEADLINE = 2,
    REQUEST_SIGN = STIRKEEP__V1__REQUEST__BODY_SIGN,
    REQUEST_BATCH = STIRKEEP__V1__REQUEST__BODY_BATCH
};
enum { SIGN_CERTIFICATE = 1, SIGN_CLAIMS, SIGN_INPUT };
enum { INPUT_HEADER = 1, INPUT_PAYLOAD };
enum { BATCH_SIGN = 1, BATCH_WHOLE };

static void begin(struct stk_writer *writer, uint64_t id, uint32_t deadline_ms, size_t *ret_frame)
{
    writer->status = stk_pack_frame_begin(writer->out, ret_frame);
    stk_write_number(writer, REQUEST_ID, id);
    stk_write_number(writer, REQUEST_DEADLINE, deadline_ms);
}

static enum stirkeep_status end(struct stk_writer *writer, size_t frame, size_t before)
{
    if (writer->status == STIRKEEP_OK)
        writer->status = stk_pack_frame_end(frame, STK_SIGN_MESSAGE_MAX, writer->out);
    if (writer->status != STIRKEEP_OK)
        writer->out->length = before;
    return writer->status;
}

static void write_signing(struct stk_writer *writer, uint32_t number,
                          const struct stk_signing_input *signing)
{
    size_t mark = writer->out->length;
    size_t inside = 0;

    stk_write_text(writer, SIGN_CERTIFICATE, signing->name);
    inside = writer->out->length;
    if (signing->claims == NULL) {
        stk_write_text(writer, INPUT_HEADER, signing->header);
        stk_write_text(writer, INPUT_PAYLOAD, signing->payload);
        stk_write_close(writer, SIGN_INPUT, inside);
    } else if (writer->status == STIRKEEP_OK) {
        writer->status = stk_claims_append_input(SIGN_CLAIMS, signing->claims, writer->out);
    }
    stk_write_close(writer, number, mark);
}

enum stirkeep_status stk_request_encode_sign(uint64_t id, uint32_t deadline_ms,
                                             const struct stk_signing_input *signing,
                                             struct stk_buffer *out)
{
    struct stk_writer writer = {.out = out};
    size_t before = out->length;
    size_t frame = 0;

    begin(&writer, id, deadline_ms, &frame);
    write_signing(&writer, REQUEST_SIGN, signing);
    return end(&writer, frame, before);
}

enum stirkeep_status stk_request_encode_batch(uint64_t id, uint32_t deadline_ms,
                                              const struct stk_signing_input *signings,
                                              size_t count, bool whole, struct stk_buffer *out)
{
    struct stk_writer writer = {.out = out};
    size_t before = out->length;
    size_t frame = 0;
    size_t mark = 0;

    begin(&writer, id, deadline_ms, &frame);
    mark = out->length;
    for (size_t i = 0; i < count && writer.status == STIRKEEP_OK; i++)
        write_signing(&writer, BATCH_SIGN, &signings[i]);
    stk_write_number(&writer, BATCH_WHOLE, whole);
    stk_write_close(&writer, REQUEST_BATCH, mark);
    return end(&writer, frame, before);
}

enum stirkeep_status stk_request_encode_list(uint64_t id, const char *after, struct stk_buffer *out)
{
    Stirkeep__V1__ListRequest list = STIRKEEP__V1__LIST_REQUEST__INIT;
    Stirkeep__V1__Request request = STIRKEEP__V1__REQUEST__INIT;

    list.after = stk_pack_text(after);
    request.id = id;
    request.body_case = STIRKEEP__V1__REQUEST__BODY_LIST;
    request.list = &list;
    return stk_pack_framed(&request.base, STK_SIGN_MESSAGE_MAX, out);
}

enum stirkeep_status stk_request_encode_ping(uint64_t id, struct stk_buffer *out)
{
    Stirkeep__V1__PingRequest ping = STIRKEEP__V1__PING_REQUEST__INIT;
    Stirkeep__V1__Request request = STIRKEEP__V1__REQUEST__INIT;

    request.id = id;
    request.body_case = STIRKEEP__V1__REQUEST__BODY_PING;
    request.ping = &ping;
    return stk_pack_framed(&request.base, STK_SIGN_MESSAGE_MAX, out);
}
