/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_JSON_JSON_H
#define STK_JSON_JSON_H

#include "base/arena.h"
#include "base/error.h"
#include "json/canonical.h"

/*
 * Reading JSON (RFC 8259) that somebody else wrote, strictly and within bounds, and writing it
 * canonically. Taken: UTF-8 without a BOM, no key twice in an object (compared after escapes are
 * resolved), no U+0000 and no lone surrogates, numbers that are integers of at most 2^53 - 1 (RFC
 * 8785 would have to spell others as ECMAScript does; no claim needs them), STK_JSON_DEPTH_MAX
 * levels. Pure; any thread.
 */
#define STK_JSON_DEPTH_MAX 8

enum stk_json_kind {
    STK_JSON_NULL,
    STK_JSON_FALSE,
    STK_JSON_TRUE,
    STK_JSON_INTEGER,
    STK_JSON_STRING,
    STK_JSON_ARRAY,
    STK_JSON_OBJECT
};

/* A value; all of it lives in the arena it was read into. */
struct stk_json {
    enum stk_json_kind kind;
    int64_t integer;              /* INTEGER */
    const char *text;             /* STRING: UTF-8, escapes resolved, '\0'-terminated */
    size_t length;                /* of text */
    const struct stk_json *first; /* ARRAY: in order; OBJECT: members in code-point order of keys */
    const struct stk_json *next;  /* within its array or object */
    size_t count;                 /* ARRAY, OBJECT */
    const char *key;              /* as a member of an object: '\0'-terminated */
    size_t key_length;
};

/*
 * Read one value that is all of `text`, white space around it allowed. INVALID: the message begins
 * with `field` and says what and where ("claims: byte 17: a key is given twice"); TOO_LARGE when
 * the arena is used up. `*ret_json` is untouched on failure.
 */
enum stirkeep_status stk_json_read(const char *text, size_t length, const char *field,
                                   struct stk_arena *arena, const struct stk_json **ret_json,
                                   struct stk_error *error);

/* A member of an object; NULL when `json` is NULL, is no object, or has none of that name. */
const struct stk_json *stk_json_member(const struct stk_json *json, const char *key);

/* The text of a STRING member; NULL when there is none or it is something else. */
const char *stk_json_member_text(const struct stk_json *json, const char *key);

/* Write a value canonically (json/canonical.h), keys in code-point order at every level. */
void stk_json_write(const struct stk_json *json, struct stk_canonical *out);

/* The same as a text in an arena; NULL when there is no room. */
const char *stk_json_text_of(const struct stk_json *json, struct stk_arena *arena);

#endif
