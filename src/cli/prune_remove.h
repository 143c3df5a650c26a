/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_PRUNE_REMOVE_H
#define STK_CLI_PRUNE_REMOVE_H

#include "cli/prune_plan.h"

/*
 * Removing what goes, the oldest file first, so that a kill at any moment leaves a chain without a
 * hole. What was removed is on record beside the trail, in PATH.pruned: a JSON line "begun", synced,
 * before a file goes, and one "ok" after it. `head` there is the digest of the file's last line, which
 * the first record that is left carries as its `prev`.
 */

/* May they go, by what else is in their directory? INVALID: an older file that was not given, or a
 * second copy (it is being packed). Looked at before anything is removed. IO. */
enum stirkeep_status stk_prune_look_around(const struct stk_prune_plan *plan,
                                           struct stk_error *error);

/* Remove them. INVALID: one is not as it was when it was read. IO. `ret_removed` counts also when it
 * fails. */
enum stirkeep_status stk_prune_remove(const struct stk_prune_plan *plan, size_t *ret_removed,
                                      struct stk_error *error);

#endif
