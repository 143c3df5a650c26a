/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_DURABLE_H
#define STK_TOKEN_DURABLE_H

#include "base/error.h"
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct stk_durable_file;

/*
 * The files that a software token keeps its objects in, brought to the disk by us because the
 * token does not (SoftHSM never calls fsync, and does not notice when a write fails). Remembers
 * what it saw, so that each time only what changed is synced. One thread.
 */
struct stk_durable {
    char root[PATH_MAX]; /* "": nothing to do */
    bool softhsm;        /* *.object files have SoftHSM's layout and can be checked */
    struct stk_durable_file *seen;
    size_t seen_count;
    bool primed; /* a first walk has been done */
};

/*
 * Sync each file below the root that is new or changed, and the directories. STORAGE with the
 * path and the reason; also when a SoftHSM object file that changed since the last walk does not
 * hold a whole object: the disk was full when it was written.
 */
enum stirkeep_status stk_durable_sync(struct stk_durable *durable, struct stk_error *error);

/*
 * The same after objects were made in vain and destroyed: SoftHSM object files that are new and not
 * whole are removed first, since the token keeps those whose writing failed. Without this they
 * would fail every later sync.
 */
enum stirkeep_status stk_durable_undo(struct stk_durable *durable, struct stk_error *error);

/*
 * Could an object's file be written now? STORAGE with the directory and the reason. Writes to a
 * file without a name; where the file system has none, the answer is OK.
 */
enum stirkeep_status stk_durable_try(const struct stk_durable *durable, struct stk_error *error);

void stk_durable_free(struct stk_durable *durable);

#endif
