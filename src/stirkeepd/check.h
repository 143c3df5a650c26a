/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_CHECK_H
#define STK_STIRKEEPD_CHECK_H

#include "stirkeepd/options.h"

/*
 * --check: the configuration, and all that it names which can be checked without starting: the file
 * of attestation rules, the PIN's, directories, the module, the rooms' programs, each with the eyes
 * of the user who will need it; the trail and the witness, if they are there, and whether they would
 * be written to. Every problem is one line on standard error; without any, "FILE: ok" and how many
 * grants and rules there are on standard output. Nothing is changed. The exit status.
 */
int stk_check_run(const struct stk_options *options);

#endif
