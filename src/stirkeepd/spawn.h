/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_SPAWN_H
#define STK_STIRKEEPD_SPAWN_H

#include "room/room.h"
#include "stirkeepd/user.h"
#include <sys/types.h>

#define STK_BIRTH_FDS (STK_FD_FRONT_RULES + 1)
_Static_assert(STK_FD_KEEPER_NUMBERS < STK_BIRTH_FDS, "STK_BIRTH_FDS is too small");

/* All that a new room gets. Nothing here is owned. */
struct stk_birth {
    enum stk_room room;
    const char *libexec;         /* directory of its program */
    char *const *environment;    /* all of it */
    const struct stk_user *user; /* whom it runs as */
    bool stand_by;               /* STK_ROOM_STAND_BY */
    int fds[STK_BIRTH_FDS];      /* what it finds under each number from 3 on; -1: nothing */
};

/*
 * Start it. The new process has 0 open on /dev/null, 1 and 2 on our standard error, its
 * descriptors and no other. What goes wrong in it before its program runs arrives as FAILED on its
 * control channel. IO when there can be no process. From a process with one thread.
 */
enum stirkeep_status stk_spawn(const struct stk_birth *birth, pid_t *ret_pid,
                               struct stk_error *error);

#endif
