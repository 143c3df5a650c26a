/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_SCAN_H
#define STK_WIRE_SCAN_H

#include "base/bytes.h"
#include "base/error.h"
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A strict reading of a message's bytes before protobuf-c makes structures of them. It settles
 * what protobuf-c leaves open: texts with a NUL or bytes that are not UTF-8, fields given twice,
 * numbers that do not fit, wire types that do not belong to the field. It allocates nothing, and
 * goes no deeper than the message type does. Any thread.
 */

/* One field as it is on the wire. */
struct stk_wire_field {
    uint32_t number;
    ProtobufCWireType type;
    uint64_t value;          /* varint, 64 or 32 bits; of what is length-prefixed the length */
    struct stk_bytes inside; /* length-prefixed */
};

/* Cut the first field off `rest`. False when the bytes are not one. */
bool stk_scan_cut(struct stk_bytes *rest, struct stk_wire_field *ret_field);

/* The field's index in its message type, or n_fields when it is not known there. Fields mostly come
 * in order: `hint` is where to look first, the index of the one before or 0. */
unsigned stk_scan_field(const ProtobufCMessageDescriptor *type, uint32_t number, unsigned hint);

/* The value of field 1 as far as it can be read, else 0: for answers to what cannot be decoded. */
uint64_t stk_scan_id(struct stk_bytes message);

/* What is inside of the first field with this number, if that is among the first eight fields, these can be
 * read, and it is length-prefixed; else {NULL, 0}. */
struct stk_bytes stk_scan_inside(struct stk_bytes message, uint32_t number);

/* From which depth on a field that this version does not know is refused. */
enum stk_unknown {
    STK_UNKNOWN_REFUSED = 0,
    STK_UNKNOWN_REFUSED_IN_BODY = 1, /* beside the body they are ignored */
    STK_UNKNOWN_IGNORED = 255
};

/*
 * MALFORMED: the bytes are not a message of this type. INVALID: they are, but a text is not valid.
 * UNSUPPORTED: they are, but with a field that is not known. The message names the field.
 */
enum stirkeep_status stk_scan_check(const ProtobufCMessageDescriptor *type,
                                    struct stk_bytes message, enum stk_unknown unknown,
                                    struct stk_error *error);

/* Scrub all texts of a well-formed message in place, so that any receiver can read it. */
void stk_scan_scrub(const ProtobufCMessageDescriptor *type, uint8_t *message, size_t length);

#endif
