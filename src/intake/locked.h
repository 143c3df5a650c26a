/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_LOCKED_H
#define STK_INTAKE_LOCKED_H

#include "room/room.h"
#include "wire/bounds.h"

/* How the service's processes are locked down, as stirkeepd has told last. */
struct stk_locked {
    char text[STK_CONTROL_TEXT_MAX];      /* what `lines` point into */
    const char *lines[STK_PROCESSES_MAX]; /* "front: system calls filtered, ..." */
    bool open[STK_PROCESSES_MAX];         /* that process is not: worth a warning */
    size_t count;
};

/* Take a LOCKED message up; what was told before is forgotten. */
void stk_locked_take(struct stk_locked *locked, const struct stk_control_message *message);

#endif
