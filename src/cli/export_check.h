/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_EXPORT_CHECK_H
#define STK_CLI_EXPORT_CHECK_H

#include "cli/export_take.h"

/* Checking a bundle of `audit export`, which may come from anybody, without the trail. */
struct stk_export_checked {
    uint64_t records;
    uint64_t proven;
    uint64_t checkpoints;
    uint64_t first, last; /* records */
    struct stk_export_runs unproven;
};

/*
 * Is each checkpoint signed by one of the keys, each proof right and under one of the checkpoints,
 * each record whole, in sequence, of the period and name that summary.json says, and are there as
 * many of each, and of each act, outcome and name, as it says? A record without a proof may be
 * anybody's: whoever asks has to be told which these are. NOT_VERIFIED with file and line, INVALID, IO.
 */
enum stirkeep_status stk_export_check(const char *path, const struct stk_audit_keys *keys,
                                      struct stk_export_checked *ret_checked,
                                      struct stk_error *error);

#endif
