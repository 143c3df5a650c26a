/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_JSON_CANONICAL_H
#define STK_JSON_CANONICAL_H

#include "base/buffer.h"
#include <stddef.h>
#include <stdint.h>

/*
 * Writing canonical JSON: what RFC 8225 section 9 fixes (no white space, integers, keys in order,
 * which is the caller's to see to) and, where it is silent, RFC 8785 section 3.2.2.2: '"' and '\'
 * behind a backslash, \b \t \n \f \r for the control characters that have a name, \u00xx in lower
 * case for the others, all else as it is ('/' too). RFC 8225 leaves escapes open; RFC 8785 is the
 * one published form that gives each text exactly one spelling.
 *
 * A writer remembers its first failure and then writes nothing more; one thread.
 */
struct stk_canonical {
    struct stk_buffer *out;
    size_t start;
    size_t length; /* bytes of all that it was given to write */
    enum stirkeep_status status;
};

/* `out` NULL: nothing is written, only counted. */
struct stk_canonical stk_canonical_begin(struct stk_buffer *out);

/* The first failure; then `out` is as it was at the beginning. */
enum stirkeep_status stk_canonical_end(struct stk_canonical *json);

/* Text as it stands: braces, commas, and names that need no escape. */
void stk_canonical_raw(struct stk_canonical *json, const char *text);

/* A string with its quotes. `text` is UTF-8. */
void stk_canonical_string(struct stk_canonical *json, const char *text, size_t length);
void stk_canonical_text(struct stk_canonical *json, const char *text);

void stk_canonical_integer(struct stk_canonical *json, int64_t value);

#endif
