/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_READING_H
#define STK_STIRKEEPD_READING_H

#include "config/config.h"
#include "room/room.h"

/* A configuration as it was read, and in the form in which rooms get it. {-1 for the descriptors}
 * is an empty one. */
struct stk_reading {
    struct stk_config *config; /* NULL: it is not kept */
    int config_fd;             /* for STK_FD_CONFIG; sealed */
    int rules_fd;              /* for STK_FD_FRONT_RULES; sealed; -1: no attestation rules */
    size_t grant_count;
    size_t rule_count;
    char text[STK_ERROR_MAX]; /* STK_POLICY_TEXT */
};

/*
 * Read the file, find its users, compile its attestation rules. With `now`, it must be one that can
 * take over from that (stk_config_replaces). CONFIG and others with the file, line and reason;
 * `ret_reading` is then untouched.
 */
enum stirkeep_status stk_reading_take(const char *path, const struct stk_config *now,
                                      struct stk_reading *ret_reading, struct stk_error *error);
void stk_reading_free(struct stk_reading *reading);

#endif
