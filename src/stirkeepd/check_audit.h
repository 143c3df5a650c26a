/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_CHECK_AUDIT_H
#define STK_STIRKEEPD_CHECK_AUDIT_H

#include <sys/types.h>

/*
 * Of --check: what would keep the keeper from writing the trail, or a seal from its witness, and
 * shows only once the service runs. Every problem is one line in the log; how many there were. What
 * is not there yet is none, and what cannot be looked at is told by who needs it.
 */

/* The trail's file. */
int stk_check_trail(const char *path, uid_t keeper_uid);
/* The witness's file and its command; "": there is none. */
int stk_check_witness_file(const char *path);
int stk_check_witness_command(const char *command);

#endif
