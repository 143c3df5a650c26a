/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "surgery.h"
#include <string.h>

static const ProtobufCFieldDescriptor *known_field(const ProtobufCMessageDescriptor *type,
                                                   uint32_t number)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].id == number)
            return &type->fields[i];
    return NULL;
}

static void find(const ProtobufCMessageDescriptor *type, struct stk_bytes message, unsigned depth,
                 struct spot *spots, size_t *count)
{
    struct stk_bytes rest = message;

    while (rest.length > 0) {
        struct spot spot = {.type = type, .depth = depth, .raw = {rest.data, 0}};

        assert_true(*count < SPOTS_MAX);
        assert_true(stk_scan_cut(&rest, &spot.wire));
        spot.raw.length = (size_t)(rest.data - spot.raw.data);
        spot.field = known_field(type, spot.wire.number);
        assert_non_null(spot.field);
        spots[(*count)++] = spot;
        if (spot.field->type == PROTOBUF_C_TYPE_MESSAGE)
            find(spot.field->descriptor, spot.wire.inside, depth + 1, spots, count);
    }
    assert_true(*count < SPOTS_MAX);
    spots[(*count)++] = (struct spot){.type = type, .depth = depth, .raw = {rest.data, 0}};
}

size_t spots_find(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                  struct spot ret_spots[SPOTS_MAX])
{
    size_t count = 0;

    find(type, message, 0, ret_spots, &count);
    return count;
}

static void add(struct stk_buffer *out, const void *data, size_t length)
{
    assert_int_equal(stk_buffer_add(out, data, length), STIRKEEP_OK);
}

static void rebuild(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                    unsigned depth, const struct spot *spot, struct stk_bytes replacement,
                    struct stk_buffer *out)
{
    struct stk_bytes rest = message;

    while (rest.length > 0) {
        const uint8_t *begin = rest.data;
        struct stk_wire_field wire = {0};
        const ProtobufCFieldDescriptor *field = NULL;

        assert_true(stk_scan_cut(&rest, &wire));
        field = known_field(type, wire.number);
        if (spot->field != NULL && spot->raw.data == begin && spot->depth == depth) {
            add(out, replacement.data, replacement.length);
        } else if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE) {
            struct stk_buffer inside = {0};

            rebuild(field->descriptor, wire.inside, depth + 1, spot, replacement, &inside);
            put_bytes(wire.number, inside.data, inside.length, out);
            stk_buffer_free(&inside);
        } else {
            add(out, begin, (size_t)(rest.data - begin));
        }
    }
    if (spot->field == NULL && spot->raw.data == rest.data && spot->depth == depth)
        add(out, replacement.data, replacement.length);
}

void spot_replace(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                  const struct spot *spot, struct stk_bytes replacement, struct stk_buffer *out)
{
    rebuild(type, message, 0, spot, replacement, out);
}

void put_varint(uint64_t value, struct stk_buffer *out)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));

        add(out, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

void put_field(uint32_t number, unsigned wire_type, struct stk_buffer *out)
{
    static const uint8_t zeros[8] = {0};

    put_varint((uint64_t)number << 3 | wire_type, out);
    switch (wire_type) {
    case 0: /* varint */
    case 2: /* length 0 */
        add(out, zeros, 1);
        break;
    case 1:
        add(out, zeros, 8);
        break;
    case 5:
        add(out, zeros, 4);
        break;
    case 3: /* an empty group */
        put_varint((uint64_t)number << 3 | 4, out);
        break;
    default: /* nothing can follow them */
        break;
    }
}

void put_number(uint32_t number, uint64_t value, struct stk_buffer *out)
{
    put_varint((uint64_t)number << 3, out);
    put_varint(value, out);
}

void put_bytes(uint32_t number, const void *data, size_t length, struct stk_buffer *out)
{
    put_varint((uint64_t)number << 3 | 2, out);
    put_varint(length, out);
    add(out, data, length);
}
