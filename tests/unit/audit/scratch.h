/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_AUDIT_SCRATCH_H
#define STK_TEST_AUDIT_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audit/trail.h"
#include "base/buffer.h"
#include <limits.h>

/* A directory of its own for each test, with a trail's path in it. */
struct scratch {
    char directory[64];
    char path[PATH_MAX];
};

#define NOW_US 1792958784123456 /* 2026-10-25T20:06:24.123456Z */

int scratch_set_up(void **state);
int scratch_tear_down(void **state);

/* A sign record like the keeper's. */
struct stk_record sign_record(uint64_t request_id);

/* Open it, append `count` sign records one by one from `first`, all of which must go well. */
struct stk_trail *open_trail(const struct scratch *scratch, enum stk_trail_sync sync);
void append_some(struct stk_trail *trail, uint64_t first, size_t count);

/* The whole file; the caller frees the buffer. */
struct stk_buffer read_whole(const char *path);
void write_whole(const char *path, const void *data, size_t length);

/* Verify a file: its status, with the number of records or the message. */
enum stirkeep_status verify_path(const char *path, uint64_t *ret_records, struct stk_error *error);

/* How many records there are; fails the test when the file does not verify. */
uint64_t records_in(const char *path);

/* The one file beside the trail whose name holds ".KIND-"; false when there is none. */
bool find_aside(const struct scratch *scratch, const char *kind, char ret_path[PATH_MAX]);

#endif
