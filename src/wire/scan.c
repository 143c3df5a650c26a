/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/scan.h"

#include "wire/text.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FIELD_NUMBER_MAX 0x1fffffffU
#define PATH_TEXT 128

static bool read_varint(struct stk_bytes *rest, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < rest->length && i < 10; i++) {
        uint8_t byte = rest->data[i];

        if (i == 9 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            rest->data += i + 1;
            rest->length -= i + 1;
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool skip(struct stk_bytes *rest, uint64_t length)
{
    if (length > rest->length)
        return false;
    rest->data += length;
    rest->length -= (size_t)length;
    return true;
}

bool stk_scan_next(struct stk_bytes *rest, struct stk_wire_field *ret_field)
{
    struct stk_wire_field field = {0};
    uint64_t tag = 0;
    uint64_t length = 0;

    if (!read_varint(rest, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
        return false;
    field.number = (uint32_t)(tag >> 3);
    field.type = (ProtobufCWireType)(tag & 7);
    switch (tag & 7) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        if (!read_varint(rest, &field.value))
            return false;
        break;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        if (!skip(rest, 8))
            return false;
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!read_varint(rest, &length))
            return false;
        field.inside = (struct stk_bytes){rest->data, (size_t)length};
        if (!skip(rest, length))
            return false;
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        if (!skip(rest, 4))
            return false;
        break;
    default: /* groups, and what never was */
        return false;
    }
    *ret_field = field;
    return true;
}

uint64_t stk_scan_id(struct stk_bytes message)
{
    struct stk_wire_field field = {0};

    while (message.length > 0 && stk_scan_next(&message, &field))
        if (field.number == 1)
            return field.type == PROTOBUF_C_WIRE_TYPE_VARINT ? field.value : 0;
    return 0;
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

/* The field's index in its message type, or n_fields. Fields mostly come in order. */
static unsigned find_field(const ProtobufCMessageDescriptor *type, uint32_t number, unsigned hint)
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
    bool varint = field->type == PROTOBUF_C_WIRE_TYPE_VARINT;
    bool prefixed = field->type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;

    switch (known->type) {
    case PROTOBUF_C_TYPE_UINT32:
        if (varint && field->value > UINT32_MAX)
            return malformed(scan, place, "number does not fit 32 bits");
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_BOOL:
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
    return varint ? true : malformed(scan, place, "wrong wire type");
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

        if (!stk_scan_next(&message, &field))
            return malformed(scan, place != NULL ? place : &here, "cut short or not protobuf");
        index = find_field(type, field.number, index);
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

    while (rest.length > 0 && stk_scan_next(&rest, &field)) {
        unsigned index = find_field(type, field.number, 0);
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
