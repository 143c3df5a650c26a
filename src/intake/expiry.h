/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_EXPIRY_H
#define STK_INTAKE_EXPIRY_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Certificates that expire: a line in the log 30, 14, 7 days and one day before, and when it has
 * happened; all that are under 30 days at the start. And active ones that are not valid yet, as a clock
 * that was set back makes them, every hour. One thread.
 */

struct stk_arena;
struct stk_intake;
struct stk_task;

#define STK_EXPIRY_DAYS 30      /* before notAfter it is told first */
#define STK_EXPIRY_LINES_MAX 21 /* the last one tells how many more there are */

struct stk_expiry {
    struct event timer;
    int64_t looked; /* up to when everything has been told */
};

bool stk_expiry_start(struct stk_intake *intake);

/* A line each for active certificates with `from` <= notAfter < `until`, the soonest first, in
 * `arena`; how many lines. None when the catalog cannot be read. */
size_t stk_expiry_lines(struct stk_intake *intake, struct stk_arena *arena, int64_t from,
                        int64_t until, const char *ret_lines[STK_EXPIRY_LINES_MAX]);

/* The same for active certificates that are not valid yet. */
size_t stk_early_lines(struct stk_intake *intake, struct stk_arena *arena,
                       const char *ret_lines[STK_EXPIRY_LINES_MAX]);

/* Add the warnings of now to a status: those that are not valid yet, then those under 30 days, the
 * soonest first. */
void stk_expiry_warn(struct stk_task *task);

#endif
