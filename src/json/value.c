/* SPDX-License-Identifier: BSD-2-Clause */
#include "json/json.h"

#include <stdbool.h>
#include <string.h>

/* Looking into values, and writing them. */

const struct stk_json *stk_json_member(const struct stk_json *json, const char *key)
{
    size_t length = strlen(key);

    if (json == NULL || json->kind != STK_JSON_OBJECT)
        return NULL;
    for (const struct stk_json *member = json->first; member != NULL; member = member->next)
        if (member->key_length == length && memcmp(member->key, key, length) == 0)
            return member;
    return NULL;
}

const char *stk_json_member_text(const struct stk_json *json, const char *key)
{
    const struct stk_json *member = stk_json_member(json, key);

    return member != NULL && member->kind == STK_JSON_STRING ? member->text : NULL;
}

static void write_items(const struct stk_json *json, struct stk_canonical *out)
{
    const bool object = json->kind == STK_JSON_OBJECT;

    stk_canonical_raw(out, object ? "{" : "[");
    for (const struct stk_json *item = json->first; item != NULL; item = item->next) {
        if (item != json->first)
            stk_canonical_raw(out, ",");
        if (object) {
            stk_canonical_string(out, item->key, item->key_length);
            stk_canonical_raw(out, ":");
        }
        stk_json_write(item, out);
    }
    stk_canonical_raw(out, object ? "}" : "]");
}

void stk_json_write(const struct stk_json *json, struct stk_canonical *out)
{
    switch (json->kind) {
    case STK_JSON_NULL:
        stk_canonical_raw(out, "null");
        break;
    case STK_JSON_FALSE:
        stk_canonical_raw(out, "false");
        break;
    case STK_JSON_TRUE:
        stk_canonical_raw(out, "true");
        break;
    case STK_JSON_INTEGER:
        stk_canonical_integer(out, json->integer);
        break;
    case STK_JSON_STRING:
        stk_canonical_string(out, json->text, json->length);
        break;
    case STK_JSON_ARRAY:
    case STK_JSON_OBJECT:
        write_items(json, out);
        break;
    }
}

const char *stk_json_text_of(const struct stk_json *json, struct stk_arena *arena)
{
    const size_t left = arena->capacity - arena->used;
    /* It writes where the arena is free, and never grows. */
    struct stk_buffer room = {.data = arena->data + arena->used, .capacity = left, .ceiling = left};
    struct stk_canonical out = stk_canonical_begin(&room);

    if (left == 0)
        return NULL;
    stk_json_write(json, &out);
    if (stk_canonical_end(&out) != STIRKEEP_OK || stk_buffer_add(&room, "", 1) != STIRKEEP_OK)
        return NULL;
    return stk_arena_take(arena, room.length);
}
