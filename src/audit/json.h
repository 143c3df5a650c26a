/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_JSON_H
#define STK_AUDIT_JSON_H

#include "base/buffer.h"
#include <stdbool.h>

/*
 * Appending JSON to a buffer, made for the one object per line of the trail: no tree, no memory of
 * its own. The first failure (NO_MEMORY, TOO_LARGE) sticks in `status` and nothing more is
 * written, so that it is asked for once, at the end. One thread.
 */
struct stk_jsonl {
    struct stk_buffer *out;
    enum stirkeep_status status;
};

/* Bytes of a text that are written; what follows is cut off and marked by "...". */
#define STK_JSONL_TEXT_MAX 2048

/* Is this character never in a string as it is, but always escaped? */
bool stk_jsonl_escapes(uint32_t point);

/* Bytes as they are: punctuation and names of members. */
void stk_jsonl_raw(struct stk_jsonl *json, const void *data, size_t length);

/*
 * A quoted string: '"', '\\', control characters (C1 too), line separators and the characters that
 * turn the direction of writing are escaped; bytes that are not UTF-8 (RFC 3629) become \ufffd.
 * Whatever the text is, it stays one string on one line.
 */
void stk_jsonl_string(struct stk_jsonl *json, const char *text);

void stk_jsonl_unsigned(struct stk_jsonl *json, uint64_t value);
void stk_jsonl_signed(struct stk_jsonl *json, int64_t value);

/* A quoted string of lower-case hex. */
void stk_jsonl_hex(struct stk_jsonl *json, const uint8_t *data, size_t length);

#endif
