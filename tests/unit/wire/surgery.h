/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_WIRE_SURGERY_H
#define TEST_WIRE_SURGERY_H

#include "base/buffer.h"
#include "wire/scan.h"

/* A place in a message where something can be cut out and put in: a field as it is there, at any
 * depth, or (field NULL) the end of the message or of one in it. */
struct spot {
    const ProtobufCMessageDescriptor *type; /* the message that it is in */
    const ProtobufCFieldDescriptor *field;
    unsigned depth;
    struct stk_bytes raw; /* all of it, tag included */
    struct stk_wire_field wire;
};

#define SPOTS_MAX 256

/* All spots of a message that is well-formed. */
size_t spots_find(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                  struct spot ret_spots[SPOTS_MAX]);

/* The message with `replacement` in the place of the spot; lengths around it are made right. */
void spot_replace(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                  const struct spot *spot, struct stk_bytes replacement, struct stk_buffer *out);

/* Pieces to put in. */
void put_varint(uint64_t value, struct stk_buffer *out);
/* A field of this wire type (0-7) that is otherwise in order. */
void put_field(uint32_t number, unsigned wire_type, struct stk_buffer *out);
void put_number(uint32_t number, uint64_t value, struct stk_buffer *out);
void put_bytes(uint32_t number, const void *data, size_t length, struct stk_buffer *out);

#endif
