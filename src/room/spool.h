/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_ROOM_SPOOL_H
#define STK_ROOM_SPOOL_H

#include "base/error.h"

/*
 * The spool's directories, for intake, which uses them, and for stirkeepd --check, which asks as
 * intake's user whether it can.
 */
enum stk_spool_place {
    STK_SPOOL_BASE,
    STK_SPOOL_INCOMING, /* uploads; their owners write to it */
    STK_SPOOL_DONE,     /* evidence; the service alone writes to it */
    STK_SPOOL_PLACE_COUNT
};

#define STK_SPOOL_INCOMING_NAME "incoming"
#define STK_SPOOL_DONE_NAME "done"

/*
 * Can this process use a place of the spool, and can nobody else do there what they must not?
 * CONFIG with the path and the reason: missing, not a directory (or a symbolic link), not to be
 * written to, everybody may write to it, its owner. Any thread.
 */
enum stirkeep_status stk_spool_check(const char *directory, enum stk_spool_place place,
                                     struct stk_error *error);

#endif
