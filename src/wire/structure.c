/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/structure.h"

#include "wire/scan.h"
#include <assert.h>
#include <string.h>

/* Text or bytes with a '\0' behind them; NULL when the arena is used up. */
static uint8_t *copy_inside(const struct stk_wire_field *field, struct stk_arena *arena)
{
    if (field->inside.length == 0)
        return (uint8_t *)protobuf_c_empty_string;
    return (uint8_t *)stk_arena_copy(arena, field->inside.data, field->inside.length);
}

/* One value into its place in the structure or list. False when the arena is used up. */
static bool put_value(const ProtobufCFieldDescriptor *known, const struct stk_wire_field *field,
                      struct stk_arena *arena, void *place)
{
    uint8_t *inside = NULL;

    switch (known->type) {
    case PROTOBUF_C_TYPE_UINT32:
        *(uint32_t *)place = (uint32_t)field->value;
        return true;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        *(uint64_t *)place = field->value;
        return true;
    case PROTOBUF_C_TYPE_INT64:
        *(int64_t *)place = (int64_t)field->value;
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)place = field->value != 0;
        return true;
    case PROTOBUF_C_TYPE_STRING:
        inside = copy_inside(field, arena);
        *(char **)place = (char *)inside;
        return inside != NULL;
    case PROTOBUF_C_TYPE_BYTES:
        inside = copy_inside(field, arena);
        *(ProtobufCBinaryData *)place = (ProtobufCBinaryData){field->inside.length, inside};
        return inside != NULL;
    case PROTOBUF_C_TYPE_MESSAGE:
        inside = stk_structure_make(known->descriptor, field->inside, arena);
        *(void **)place = inside;
        return inside != NULL;
    default:
        assert(!"field type not provided for");
        return false;
    }
}

static size_t value_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(uint64_t);
    }
}

/* What is there once into its place; of lists only how long they are. `*ret_lists` tells whether
 * there are any. */
static bool put_single(const ProtobufCMessageDescriptor *type, struct stk_bytes rest,
                       struct stk_arena *arena, uint8_t *structure, bool *ret_lists)
{
    struct stk_wire_field field = {0};
    unsigned index = 0;

    while (rest.length > 0 && stk_scan_cut(&rest, &field)) {
        const ProtobufCFieldDescriptor *known = NULL;

        index = stk_scan_field(type, field.number, index);
        if (index == type->n_fields) {
            index = 0;
            continue;
        }
        known = &type->fields[index];
        if (known->label == PROTOBUF_C_LABEL_REPEATED) {
            *(size_t *)(structure + known->quantifier_offset) += 1;
            *ret_lists = true;
            continue;
        }
        if ((known->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
            *(uint32_t *)(structure + known->quantifier_offset) = field.number;
        if (!put_value(known, &field, arena, structure + known->offset))
            return false;
    }
    return true;
}

/* Room for the lists, whose lengths are known; then they are empty. */
static bool make_lists(const ProtobufCMessageDescriptor *type, struct stk_arena *arena,
                       uint8_t *structure)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *known = &type->fields[i];
        size_t *count = (size_t *)(structure + known->quantifier_offset);
        void *list = NULL;

        if (known->label != PROTOBUF_C_LABEL_REPEATED || *count == 0)
            continue;
        list = stk_arena_take(arena, *count * value_size(known->type));
        if (list == NULL)
            return false;
        *(void **)(structure + known->offset) = list;
        *count = 0;
    }
    return true;
}

static bool put_lists(const ProtobufCMessageDescriptor *type, struct stk_bytes rest,
                      struct stk_arena *arena, uint8_t *structure)
{
    struct stk_wire_field field = {0};
    unsigned index = 0;

    while (rest.length > 0 && stk_scan_cut(&rest, &field)) {
        const ProtobufCFieldDescriptor *known = NULL;
        size_t *count = NULL;
        uint8_t *list = NULL;

        index = stk_scan_field(type, field.number, index);
        if (index == type->n_fields)
            index = 0;
        known = &type->fields[index];
        if (known->id != field.number || known->label != PROTOBUF_C_LABEL_REPEATED)
            continue;
        count = (size_t *)(structure + known->quantifier_offset);
        list = *(uint8_t **)(structure + known->offset);
        if (!put_value(known, &field, arena, list + *count * value_size(known->type)))
            return false;
        *count += 1;
    }
    return true;
}

void *stk_structure_make(const ProtobufCMessageDescriptor *type, struct stk_bytes message,
                         struct stk_arena *arena)
{
    uint8_t *structure = stk_arena_take(arena, type->sizeof_message);
    bool lists = false;

    if (structure == NULL)
        return NULL;
    type->message_init((ProtobufCMessage *)structure);
    if (!put_single(type, message, arena, structure, &lists))
        return NULL;
    if (lists &&
        !(make_lists(type, arena, structure) && put_lists(type, message, arena, structure)))
        return NULL;
    return structure;
}
