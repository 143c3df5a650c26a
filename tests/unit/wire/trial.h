/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_WIRE_TRIAL_H
#define TEST_WIRE_TRIAL_H

#include "codecs.h"

/*
 * One decoding of one message, out of memory of exactly its size and into an arena of exactly
 * `capacity` bytes, so that a sanitizer sees what goes past either. What every decoder promises
 * is checked on the way: a status that its header names; an error with that status and a line of
 * text; on failure nothing of the value touched but the id. What was decoded can be encoded again.
 */
struct trial {
    enum stirkeep_status status;
    struct stk_error error;
    struct stk_arena arena;
    union decoded value;
    uint8_t *message;
};

void trial_run(struct trial *trial, const struct codec *codec, struct stk_bytes message,
               size_t capacity);
void trial_end(struct trial *trial);

/* Run with memory enough (as rooms have it, for large messages), and end: the status. */
enum stirkeep_status trial_status(const struct codec *codec, struct stk_bytes message);

/* The same, but it must be `expected`; `what` and `where` are told when it is not. */
void trial_expect(const struct codec *codec, struct stk_bytes message,
                  enum stirkeep_status expected, const char *what, const char *where);

#endif
