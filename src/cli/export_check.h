/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_EXPORT_CHECK_H
#define STK_CLI_EXPORT_CHECK_H

#include "cli/trail_files.h"

/* Checking a bundle of `audit export`, which may come from anybody, without the trail. */
struct stk_export_checked {
    uint64_t records;
    uint64_t proven;
    uint64_t checkpoints;
    uint64_t first, last; /* records */
};

/*
 * Is each checkpoint signed by one of the keys, each proof right and under one of the checkpoints,
 * each record whole, in sequence, of the period and name that summary.json says, and are there as
 * many of each as it says? NOT_VERIFIED with file and line, INVALID, IO.
 */
enum stirkeep_status stk_export_check(const char *path, const struct stk_audit_keys *keys,
                                      struct stk_export_checked *ret_checked,
                                      struct stk_error *error);

#endif
