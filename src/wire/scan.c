/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/scan.h"

#include "wire/text.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FIELD_NUMBER_MAX 0x1fffffffU
#define PATH_TEXT 128
#define NUMBER_BYTES_MAX 10 /* of a varint, however it is padded */
#define LOOKED_THROUGH 8    /* fields, for one that is mostly among the first three */
#define PREFIX_BYTES_MAX 5  /* of a tag or a length: 32 bits, as all readers of protobuf take */

/* A number, and what is behind it: NULL when there is none before `end`. */
struct number {
    const uint8_t *behind;
    uint64_t value;
};

static struct number read_long_varint(const uint8_t *at, const uint8_t *end, size_t bytes_max)
{
    uint64_t value = 0;

    for (size_t i = 0; at < end && i < bytes_max; i++) {
        uint8_t byte = *at++;

        if (i == NUMBER_BYTES_MAX - 1 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0)
            return (struct number){at, value};
    }
    return (struct number){NULL, 0};
}

/* Most are of one byte. */
static inline struct number read_varint(const uint8_t *at, const uint8_t *end, size_t bytes_max)
{
    if (at < end && *at < 0x80)
        return (struct number){at + 1, *at};
    return read_long_varint(at, end, bytes_max);
}

/* Little-endian, of 4 or 8 bytes. */
static struct number read_fixed(const uint8_t *at, const uint8_t *end, size_t bytes)
{
    uint64_t value = 0;

    if ((size_t)(end - at) < bytes)
        return (struct number){NULL, 0};
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return (struct number){at + bytes, value};
}

bool stk_scan_cut(struct stk_bytes *rest, struct stk_wire_field *ret_field)
{
    const uint8_t *end = rest->data + rest->length;
    struct number tag = read_varint(rest->data, end, PREFIX_BYTES_MAX);
    struct number value = {NULL, 0};
    uint64_t length = 0;

    if (tag.behind == NULL || tag.value >> 3 == 0 || tag.value >> 3 > FIELD_NUMBER_MAX)
        return false;
    switch (tag.value & 7) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        value = read_varint(tag.behind, end, NUMBER_BYTES_MAX);
        break;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        value = read_fixed(tag.behind, end, 8);
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        value = read_varint(tag.behind, end, PREFIX_BYTES_MAX);
        length = value.value;
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        value = read_fixed(tag.behind, end, 4);
        break;
    default: /* groups, and what never was */
        return false;
    }
    if (value.behind == NULL || length > (size_t)(end - value.behind))
        return false;
    ret_field->number = (uint32_t)(tag.value >> 3);
    ret_field->type = (ProtobufCWireType)(tag.value & 7);
    ret_field->value = value.value;
    ret_field->inside = (struct stk_bytes){value.behind, (size_t)length};
    *rest =
        (struct stk_bytes){value.behind + length, (size_t)(end - value.behind) - (size_t)length};
    return true;
}

uint64_t stk_scan_id(struct stk_bytes message)
{
    struct stk_wire_field field = {0};

    while (message.length > 0 && stk_scan_cut(&message, &field))
        if (field.number == 1)
            return field.type == PROTOBUF_C_WIRE_TYPE_VARINT ? field.value : 0;
    return 0;
}

struct stk_bytes stk_scan_inside(struct stk_bytes message, uint32_t number)
{
    struct stk_wire_field field = {0};

    for (int i = 0; i < LOOKED_THROUGH && message.length > 0 && stk_scan_cut(&message, &field); i++)
        if (field.number == number)
            return field.type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED ? field.inside
                                                                      : (struct stk_bytes){NULL, 0};
    return (struct stk_bytes){NULL, 0};
}

/* Where in a message the scan is: for error messages, from the inside out. */
struct place {
    const struct place *above;
    const char *name;
};

struct scan {
    enum stk_unknown unknown;
    enum stirkeep_status status;
    struct stk_error *error;
};

static void write_path(const struct place *place, char *text, size_t size)
{
    size_t used = 0;

    if (place == NULL)
        return;
    write_path(place->above, text, size);
    used = strlen(text);
    (void)snprintf(text + used, size - used, "%s%s", used > 0 ? "." : "", place->name);
}

/* The first finding stays, but the structure comes before the content. */
static void note(struct scan *scan, const struct place *place, enum stirkeep_status status,
                 const char *reason)
{
    char path[PATH_TEXT] = "";

    if (scan->status == STIRKEEP_MALFORMED ||
        (scan->status != STIRKEEP_OK && status != STIRKEEP_MALFORMED))
        return;
    write_path(place, path, sizeof(path));
    scan->status = stk_error_set(scan->error, status, "%s: %s", path, reason);
}

static bool malformed(struct scan *scan, const struct place *place, const char *reason)
{
    note(scan, place, STIRKEEP_MALFORMED, reason);
    return false;
}

unsigned stk_scan_field(const ProtobufCMessageDescriptor *type, uint32_t number, unsigned hint)
{
    unsigned i = hint;

    while (i < type->n_fields && type->fields[i].id < number)
        i++;
    if (i < type->n_fields && type->fields[i].id == number)
        return i;
    for (i = 0; i < type->n_fields; i++)
        if (type->fields[i].id == number)
            break;
    return i;
}

static bool check_message(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                          unsigned depth, const struct place *place, struct scan *scan);

/* Our messages use these types alone; another one is a mistake of ours. */
static bool check_value(const ProtobufCFieldDescriptor *known, const struct stk_wire_field *field,
                        unsigned depth, const struct place *place, struct scan *scan)
{
    bool fits = field->type == PROTOBUF_C_WIRE_TYPE_VARINT;
    bool prefixed = field->type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;

    switch (known->type) {
    case PROTOBUF_C_TYPE_UINT32:
        if (fits && field->value > UINT32_MAX)
            return malformed(scan, place, "number does not fit 32 bits");
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_BOOL:
        break;
    case PROTOBUF_C_TYPE_FIXED64:
        fits = field->type == PROTOBUF_C_WIRE_TYPE_64BIT;
        break;
    case PROTOBUF_C_TYPE_STRING:
        if (prefixed && !stk_text_is_valid(field->inside.data, field->inside.length))
            note(scan, place, STIRKEEP_INVALID, "is not UTF-8 text, or has a NUL in it");
        return prefixed ? true : malformed(scan, place, "wrong wire type");
    case PROTOBUF_C_TYPE_BYTES:
        return prefixed ? true : malformed(scan, place, "wrong wire type");
    case PROTOBUF_C_TYPE_MESSAGE:
        if (!prefixed)
            return malformed(scan, place, "wrong wire type");
        return check_message(known->descriptor, field->inside, depth + 1, place, scan);
    default:
        assert(!"field type not provided for");
        return false;
    }
    return fits ? true : malformed(scan, place, "wrong wire type");
}

static bool check_message(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                          unsigned depth, const struct place *place, struct scan *scan)
{
    struct stk_wire_field field = {0};
    uint64_t seen = 0;
    bool has_body = false;
    unsigned index = 0;

    assert(type->n_fields <= 64);
    while (message.length > 0) {
        const ProtobufCFieldDescriptor *known = NULL;
        struct place here = {place, type->short_name};
        bool body = false;

        if (!stk_scan_cut(&message, &field))
            return malformed(scan, place != NULL ? place : &here, "cut short or not protobuf");
        index = stk_scan_field(type, field.number, index);
        if (index == type->n_fields) {
            index = 0;
            if (depth >= (unsigned)scan->unknown)
                note(scan, place != NULL ? place : &here, STIRKEEP_UNSUPPORTED,
                     "has a field that this version does not know");
            continue;
        }
        known = &type->fields[index];
        here.name = known->name;
        body = (known->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        if (known->label != PROTOBUF_C_LABEL_REPEATED && (seen >> index & 1) != 0)
            return malformed(scan, &here, "given twice");
        if (body && has_body)
            return malformed(scan, &here, "second body in one message");
        has_body = has_body || body;
        seen |= (uint64_t)1 << index;
        if (!check_value(known, &field, depth, &here, scan))
            return false;
    }
    return true;
}

enum stirkeep_status stk_scan_check(const ProtobufCMessageDescriptor *type,
                                    struct stk_bytes message, enum stk_unknown unknown,
                                    struct stk_error *error)
{
    struct scan scan = {.unknown = unknown, .status = STIRKEEP_OK, .error = error};

    (void)check_message(type, message, 0, NULL, &scan);
    return scan.status;
}

void stk_scan_scrub(const ProtobufCMessageDescriptor *type, uint8_t *message, size_t length)
{
    struct stk_bytes rest = {message, length};
    struct stk_wire_field field = {0};

    while (rest.length > 0 && stk_scan_cut(&rest, &field)) {
        unsigned index = stk_scan_field(type, field.number, 0);
        uint8_t *inside = NULL;

        if (index == type->n_fields || field.type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            continue;
        inside = message + (field.inside.data - message);
        if (type->fields[index].type == PROTOBUF_C_TYPE_STRING)
            stk_text_scrub(inside, field.inside.length);
        else if (type->fields[index].type == PROTOBUF_C_TYPE_MESSAGE)
            stk_scan_scrub(type->fields[index].descriptor, inside, field.inside.length);
    }
}
