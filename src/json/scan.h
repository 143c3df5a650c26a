/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_JSON_SCAN_H
#define STK_JSON_SCAN_H

#include "json/json.h"
#include <stdbool.h>

/* The pieces that JSON texts are made of; only for src/json. */

struct stk_scan {
    const char *text;
    size_t length;
    size_t at; /* bytes taken */
    const char *field;
    struct stk_arena *arena;
    struct stk_error *error;
};

/* INVALID: "field: byte N: why", N counted from 1. */
enum stirkeep_status stk_scan_refuse(const struct stk_scan *scan, size_t at, const char *why);
enum stirkeep_status stk_scan_no_room(const struct stk_scan *scan);

/* Pass over white space; then the next byte, '\0' at the end (in the text a NUL is refused). */
char stk_scan_next(struct stk_scan *scan);

/* Take the byte if it is the next one behind white space. */
bool stk_scan_take(struct stk_scan *scan, char c);

/* A string, from its first quote on: escapes resolved, '\0' behind it, in the arena. */
enum stirkeep_status stk_scan_string(struct stk_scan *scan, const char **ret_text,
                                     size_t *ret_length);

/* A number, from its first character on: an integer of at most 2^53 - 1. */
enum stirkeep_status stk_scan_integer(struct stk_scan *scan, int64_t *ret_integer);

#endif
