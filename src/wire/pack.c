/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/pack.h"

#include "wire/frame.h"
#include "wire/scan.h"
#include <string.h>

static size_t varint_length(uint64_t value)
{
    size_t length = 1;

    for (; value >= 0x80; value >>= 7)
        length++;
    return length;
}

static uint8_t *put_varint(uint64_t value, uint8_t *out)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

static uint64_t tag_of(uint32_t number, ProtobufCWireType type)
{
    return (uint64_t)number << 3 | type;
}

static size_t prefix_length(uint32_t number, size_t length)
{
    return varint_length(tag_of(number, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)) +
           varint_length(length);
}

static void put_prefix(uint32_t number, size_t length, uint8_t *out)
{
    out = put_varint(tag_of(number, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED), out);
    (void)put_varint(length, out);
}

enum stirkeep_status stk_pack(const ProtobufCMessage *message, struct stk_buffer *out)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    enum stirkeep_status status = stk_buffer_reserve(out, length);

    /* An empty message takes no room, so there may be none to point into. */
    if (status == STIRKEEP_OK && length > 0)
        out->length += protobuf_c_message_pack(message, out->data + out->length);
    return status;
}

/* Room for exactly so many bytes more, so that a buffer's ceiling can be used up to the last. */
static enum stirkeep_status begin_field(uint32_t number, size_t length, struct stk_buffer *out)
{
    size_t used = prefix_length(number, length);
    enum stirkeep_status status =
        length <= SIZE_MAX - used ? stk_buffer_reserve(out, used + length) : STIRKEEP_TOO_LARGE;

    if (status != STIRKEEP_OK)
        return status;
    put_prefix(number, length, out->data + out->length);
    out->length += used;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_pack_element(uint32_t number, const ProtobufCMessage *message,
                                      struct stk_buffer *out)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    enum stirkeep_status status = begin_field(number, length, out);

    if (status == STIRKEEP_OK)
        out->length += protobuf_c_message_pack(message, out->data + out->length);
    return status;
}

enum stirkeep_status stk_pack_bytes(uint32_t number, struct stk_bytes bytes, struct stk_buffer *out)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (bytes.length == 0)
        return STIRKEEP_OK;
    status = begin_field(number, bytes.length, out);
    if (status != STIRKEEP_OK)
        return status;
    memcpy(out->data + out->length, bytes.data, bytes.length);
    out->length += bytes.length;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_pack_close(uint32_t number, size_t mark, struct stk_buffer *out)
{
    size_t inside = out->length - mark;
    size_t length = prefix_length(number, inside);
    enum stirkeep_status status = stk_buffer_reserve(out, length);

    if (status != STIRKEEP_OK)
        return status;
    memmove(out->data + mark + length, out->data + mark, inside);
    put_prefix(number, inside, out->data + mark);
    out->length += length;
    return STIRKEEP_OK;
}

void stk_write_number(struct stk_writer *writer, uint32_t number, uint64_t value)
{
    const uint64_t tag = tag_of(number, PROTOBUF_C_WIRE_TYPE_VARINT);
    const size_t length = varint_length(tag) + varint_length(value);
    struct stk_buffer *out = writer->out;

    if (writer->status != STIRKEEP_OK || value == 0)
        return;
    writer->status = stk_buffer_reserve(out, length);
    if (writer->status != STIRKEEP_OK)
        return;
    (void)put_varint(value, put_varint(tag, out->data + out->length));
    out->length += length;
}

void stk_write_bytes(struct stk_writer *writer, uint32_t number, struct stk_bytes bytes)
{
    if (writer->status == STIRKEEP_OK)
        writer->status = stk_pack_bytes(number, bytes, writer->out);
}

void stk_write_text(struct stk_writer *writer, uint32_t number, const char *text)
{
    if (text != NULL && text[0] != '\0')
        stk_write_bytes(writer, number, (struct stk_bytes){(const uint8_t *)text, strlen(text)});
}

void stk_write_text_element(struct stk_writer *writer, uint32_t number, const char *text)
{
    if (text != NULL && text[0] != '\0')
        stk_write_text(writer, number, text);
    else if (writer->status == STIRKEEP_OK)
        writer->status = begin_field(number, 0, writer->out);
}

void stk_write_close(struct stk_writer *writer, uint32_t number, size_t mark)
{
    if (writer->status == STIRKEEP_OK)
        writer->status = stk_pack_close(number, mark, writer->out);
}

void stk_write_close_given(struct stk_writer *writer, uint32_t number, size_t mark)
{
    if (writer->out->length > mark)
        stk_write_close(writer, number, mark);
}

enum stirkeep_status stk_pack_frame_begin(struct stk_buffer *out, size_t *ret_mark)
{
    static const uint8_t header[STK_FRAME_HEADER] = {0};
    enum stirkeep_status status = stk_buffer_add(out, header, sizeof(header));

    if (status == STIRKEEP_OK)
        *ret_mark = out->length;
    return status;
}

enum stirkeep_status stk_pack_frame_end(size_t mark, size_t limit, struct stk_buffer *out)
{
    size_t length = out->length - mark;

    if (length > limit) {
        out->length = mark - STK_FRAME_HEADER;
        return STIRKEEP_TOO_LARGE;
    }
    stk_frame_header(length, out->data + mark - STK_FRAME_HEADER);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_pack_framed(const ProtobufCMessage *message, size_t limit,
                                     struct stk_buffer *out)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    enum stirkeep_status status = STIRKEEP_OK;

    if (length > limit)
        return STIRKEEP_TOO_LARGE;
    status = stk_buffer_reserve(out, STK_FRAME_HEADER + length);
    if (status != STIRKEEP_OK)
        return status;
    stk_frame_header(length, out->data + out->length);
    out->length += STK_FRAME_HEADER;
    out->length += protobuf_c_message_pack(message, out->data + out->length);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_pack_framed_scrubbed(const ProtobufCMessage *message, size_t limit,
                                              struct stk_buffer *out)
{
    size_t mark = out->length + STK_FRAME_HEADER;
    enum stirkeep_status status = stk_pack_framed(message, limit, out);

    if (status == STIRKEEP_OK)
        stk_scan_scrub(message->descriptor, out->data + mark, out->length - mark);
    return status;
}

enum stirkeep_status stk_pack_scrubbed(const ProtobufCMessage *message, struct stk_buffer *out)
{
    size_t mark = out->length;
    enum stirkeep_status status = stk_pack(message, out);

    if (status == STIRKEEP_OK && out->length > mark)
        stk_scan_scrub(message->descriptor, out->data + mark, out->length - mark);
    return status;
}

char *stk_pack_text(const char *text)
{
    return (char *)(text != NULL ? text : "");
}

ProtobufCBinaryData stk_pack_view(struct stk_bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.length, .data = (uint8_t *)bytes.data};
}

ProtobufCBinaryData stk_pack_id(const struct stk_key_id *id)
{
    return stk_pack_view((struct stk_bytes){id->bytes, STK_KEY_ID_LENGTH});
}

ProtobufCBinaryData stk_pack_id_or_none(const struct stk_key_id *id)
{
    static const struct stk_key_id none;

    return memcmp(id, &none, sizeof(none)) == 0 ? (ProtobufCBinaryData){0} : stk_pack_id(id);
}
