/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_LOCKED_H
#define TEST_LOCKED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lockdown/lockdown.h"

/* How a child that is locked down as a room is fares with one thing. */
#define LOCKED_KILLED (-31) /* by SIGSYS */

struct locked {
    enum stk_room room;
    enum stk_keeper_lock keeper;
    const struct stk_access *accesses; /* NULL: any file */
    size_t count;
    bool files_only; /* the first step alone */
};

/* Lock this process down. Ends it with 99 when that fails. */
void locked_enter(const struct locked *as);

/* `attempt` in such a child: 0 when it gave no -1, its errno, or minus the signal that it died of. */
int locked_try(const struct locked *as, long (*attempt)(void));

/* The same of a child as it is. */
int locked_child(long (*attempt)(void));

#endif
