/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_PROGRAM_H
#define STK_STIRKEEPD_PROGRAM_H

#include "policy/policy.h"
#include <sys/types.h>

/* Which program a peer runs, for grants that name one. "": not known, or none. */
struct stk_program {
    char executable[STK_EXECUTABLE_MAX + 1]; /* absolute path */
    char unit[STK_UNIT_MAX + 1];             /* systemd unit: "kamailio.service" */
};

/*
 * Find it out of the process that has this number now. Both are of one process; whether it is the one
 * that was meant knows who holds a pidfd of that, when it is alive after the answer: then it has had
 * the number all the time.
 *
 *   executable  /proc/PID/exe, if that is the same file as the one at this path here. A path alone
 *               says nothing: anybody may mount a file of their own there, where only they see it.
 *   unit        the first component of its cgroup's path below the slices, when it is a service or
 *               a scope. A user's own units are below user@UID.service, and are told as that.
 */
void stk_program_find(pid_t pid, struct stk_program *ret_program);

/* The unit in the text of a /proc/PID/cgroup; "" when there is none. */
void stk_program_unit(const char *text, char ret_unit[STK_UNIT_MAX + 1]);

#endif
