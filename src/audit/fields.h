/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_FIELDS_H
#define STK_AUDIT_FIELDS_H

#include "base/buffer.h"
#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The members of a record's line (docs/AUDIT.md), found in one pass without copying, for those who
 * look through long trails: over a million lines a second. Pure; any thread.
 */
struct stk_fields {
    uint64_t sequence;
    int64_t real_us;
    bool has_peer; /* uid, gid and pid are the peer's */
    uint32_t uid, gid, pid;
    uint32_t generation;
    int64_t iat;
    uint64_t suppressed;
    uint64_t from, through;
    /* Texts as they stand in the line, between their quotes, escapes not resolved: for comparing
     * where none can be (names, hex, acts), else through stk_fields_text. Empty: not there. */
    struct stk_bytes time, act, outcome, reason, detail, executable, request_id, grant, name,
        key_id, ppt, orig, attest, attest_asked, origid, sig, head, root, sealed, seal, prev, sum;
    struct stk_bytes dest; /* the array as it stands, with its brackets; stk_fields_next_dest */
};

/* False when the line is not an object of members that this version knows, each at most once, in
 * the order of the table, a number and a time among them; or is not safe. */
bool stk_fields_read(struct stk_bytes line, struct stk_fields *ret_fields);

/* Is the line free of what is no UTF-8, and of the characters that a trail always escapes: those
 * that steer a terminal? */
bool stk_fields_are_safe(struct stk_bytes line);

/* The next text of an array, quotes taken off; moves `rest` on. False at the end. */
bool stk_fields_next_dest(struct stk_bytes *rest, struct stk_bytes *ret_text);

/* Append a text with its escapes resolved: control characters then stand in it as they are, but for
 * NUL and what is no escape, which become U+FFFD. NO_MEMORY, TOO_LARGE; `out` is then as it was. */
enum stirkeep_status stk_fields_text(struct stk_bytes raw, struct stk_buffer *out);

bool stk_fields_equal(struct stk_bytes raw, const char *text); /* of a text without escapes */

#endif
