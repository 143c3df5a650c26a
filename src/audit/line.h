/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_LINE_H
#define STK_AUDIT_LINE_H

#include "audit/trail.h"
#include "base/buffer.h"
#include "base/clock.h"

/*
 * One line of the trail (docs/AUDIT.md). Its two ends have a fixed form, which is all that
 * checking a line looks at, so that no text inside can be taken for a part of the chain:
 *
 *   {"seq":N,"time":"2026-11-25T20:06:24.123456Z","act":...,"prev":"<64 hex>","sum":"<16 hex>"}
 *
 * prev: SHA-256 of the line before, without its newline; zeros in the first line of all.
 * sum: the first 8 bytes of SHA-256 of the line up to and without `,"sum":`.
 */
#define STK_LINE_MAX (1024 * 1024) /* a line with its newline; a record cannot become longer */
#define STK_LINE_SUM_LENGTH 8      /* bytes of the digest that are written */

/* Where a chain stands: the last line's number and digest. {0}: no line yet. */
struct stk_chain {
    uint64_t sequence;
    uint8_t digest[STK_DIGEST_LENGTH];
};

/* ---- writing, in two steps: what needs no chain can be made before it is one's turn */

/* Append a record's members from act on, without prev and sum. On failure (NO_MEMORY, TOO_LARGE)
 * `out` is as it was. */
enum stirkeep_status stk_line_body(const struct stk_record *record, struct stk_buffer *out);

/* Append the line that has this body and follows `chain`, with its newline, and move `chain` on.
 * `time_text` is stk_clock_text's. On failure `out` and `chain` are as they were. */
enum stirkeep_status stk_line_finish(const void *body, size_t length, const char *time_text,
                                     struct stk_chain *chain, struct stk_buffer *out);

/* Both at once. */
enum stirkeep_status stk_line_append(const struct stk_record *record, const char *time_text,
                                     struct stk_chain *chain, struct stk_buffer *out);

/* ---- reading */

/* A line's ends, as read. */
struct stk_line {
    uint64_t sequence;
    uint8_t previous[STK_DIGEST_LENGTH];
    uint8_t digest[STK_DIGEST_LENGTH]; /* of the whole line */
    bool continues;                    /* act "continue": it may begin a file */
    bool seals;                        /* act "seal" */
};

/* Read a line (without its newline) and check its sum. NULL when it is whole, else what is wrong
 * with it; `ret_line` is then untouched. Any thread. */
const char *stk_line_read(const void *data, size_t length, struct stk_line *ret_line);

/* Number, time and act of what begins like a line, unchecked: for finding one's way in a file. */
struct stk_line_start {
    uint64_t sequence;
    int64_t real_us;
    bool seals;
};
bool stk_line_begins(const void *data, size_t length, struct stk_line_start *ret_start);

/* Does `line` follow `chain`? Moves `chain` on and returns NULL, or says why not. */
const char *stk_line_follow(const struct stk_line *line, struct stk_chain *chain);

#endif
