/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_PACK_H
#define STK_WIRE_PACK_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "model/key_id.h"
#include <protobuf-c/protobuf-c.h>

/*
 * Writing messages straight into a buffer's reserved room: no memory of their own. Each appends;
 * on failure (TOO_LARGE, NO_MEMORY) the buffer is as it was. Any thread.
 */

/* A message without anything around it. */
enum stirkeep_status stk_pack(const ProtobufCMessage *message, struct stk_buffer *out);

/* A message as field `number` of the one under way. */
enum stirkeep_status stk_pack_element(uint32_t number, const ProtobufCMessage *message,
                                      struct stk_buffer *out);

/* Bytes (or text, on the wire the same) as field `number`; nothing when there are none. */
enum stirkeep_status stk_pack_bytes(uint32_t number, struct stk_bytes bytes,
                                    struct stk_buffer *out);

/* Make what was appended since `mark` the inside of field `number`. */
enum stirkeep_status stk_pack_close(uint32_t number, size_t mark, struct stk_buffer *out);

/*
 * Field by field, without protobuf-c's structures, for what a signature's way has. A writer
 * remembers its first failure and then writes nothing more; what it wrote before stays in the buffer.
 */
struct stk_writer {
    struct stk_buffer *out;
    enum stirkeep_status status;
};

/* As proto3 has it, a number that is 0, a text that is NULL or "" and bytes that are none are left
 * out. */
void stk_write_number(struct stk_writer *writer, uint32_t number, uint64_t value);
void stk_write_text(struct stk_writer *writer, uint32_t number, const char *text);
void stk_write_bytes(struct stk_writer *writer, uint32_t number, struct stk_bytes bytes);
/* One of a list: there even when it is "". */
void stk_write_text_element(struct stk_writer *writer, uint32_t number, const char *text);

/* What is written since `mark` (the buffer's length then) becomes the inside of field `number`; the
 * second one leaves a message out that has nothing in it. */
void stk_write_close(struct stk_writer *writer, uint32_t number, size_t mark);
void stk_write_close_given(struct stk_writer *writer, uint32_t number, size_t mark);

/* Frame a message: begin, append its parts, end. */
enum stirkeep_status stk_pack_frame_begin(struct stk_buffer *out, size_t *ret_mark);
/* TOO_LARGE when more than `limit` bytes were appended; the frame is then taken back. */
enum stirkeep_status stk_pack_frame_end(size_t mark, size_t limit, struct stk_buffer *out);

/* A whole message in its frame, its texts as they are. */
enum stirkeep_status stk_pack_framed(const ProtobufCMessage *message, size_t limit,
                                     struct stk_buffer *out);

/* The same, its texts scrubbed, for messages with words of an operating system or a token. */
enum stirkeep_status stk_pack_framed_scrubbed(const ProtobufCMessage *message, size_t limit,
                                              struct stk_buffer *out);
enum stirkeep_status stk_pack_scrubbed(const ProtobufCMessage *message, struct stk_buffer *out);

/* protobuf-c's structures point to what is only read here, but say it without const. */
char *stk_pack_text(const char *text);
ProtobufCBinaryData stk_pack_view(struct stk_bytes bytes);
ProtobufCBinaryData stk_pack_id(const struct stk_key_id *id);
/* Nothing when it is zero. */
ProtobufCBinaryData stk_pack_id_or_none(const struct stk_key_id *id);

#endif
