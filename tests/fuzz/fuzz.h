/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include <stdbool.h>

/*
 * A fuzz target is one file with this function: whatever the bytes are, it returns. What they may
 * not do, a sanitizer or FUZZ_CHECK says by ending the process. libFuzzer calls it (run.sh), or
 * replay.c with what is in corpus/.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold of whatever was read. Unlike assert() it is there in every build. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_broken(__FILE__, __LINE__, #condition);                                           \
    } while (0)
_Noreturn void fuzz_broken(const char *file, int line, const char *condition);

/* The same of a status that has to be OK: `error` is told. */
#define FUZZ_OK(status, error) fuzz_ok(__FILE__, __LINE__, (status), (error))
void fuzz_ok(const char *file, int line, enum stirkeep_status status,
             const struct stk_error *error);

/* A failure has its status in the error, and a line of text: printable, and cut to its room. */
void fuzz_refusal(enum stirkeep_status status, const struct stk_error *error);

/* The first byte of what is left, which chooses between ways; 0 when nothing is left. */
uint8_t fuzz_byte(struct stk_bytes *rest);

/* What is left up to the next newline, which is passed over; or all of it. */
struct stk_bytes fuzz_line(struct stk_bytes *rest);

/* A copy with a '\0' behind it, in memory of exactly its size: free() it. */
char *fuzz_text(struct stk_bytes bytes);

/* A copy in memory of exactly its size, so that a sanitizer sees what goes past it. */
uint8_t *fuzz_copy(struct stk_bytes bytes);

bool fuzz_same(const struct stk_buffer *one, const struct stk_buffer *other);

/* A secret with these bytes. */
void fuzz_secret(struct stk_bytes bytes, struct stk_secret *ret_secret);

/* An unlinked file with these bytes, at its start: close() it. */
int fuzz_file(struct stk_bytes bytes);

/* An arena that is the process's own and empty at each call: making large ones takes longer than
 * what is done in them. `which` below FUZZ_ARENAS. */
#define FUZZ_ARENAS 4
struct stk_arena *fuzz_arena(unsigned which, size_t capacity);

#endif
