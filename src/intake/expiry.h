/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_EXPIRY_H
#define STK_INTAKE_EXPIRY_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Certificates that expire: a line in the log 30, 14, 7 days and one day before, and when it has
 * happened; all that are under 30 days at the start. One thread.
 */

struct stk_intake;
struct stk_task;

struct stk_expiry {
    struct event timer;
    int64_t looked; /* up to when everything has been told */
};

bool stk_expiry_start(struct stk_intake *intake);

/* Add the warnings of now to a status: those under 30 days, the soonest first. */
void stk_expiry_warn(struct stk_task *task);

#endif
