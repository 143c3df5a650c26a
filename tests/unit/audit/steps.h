/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_AUDIT_STEPS_H
#define STK_TEST_AUDIT_STEPS_H

/*
 * The system calls of the code under test that change a file or a directory, or take one, by the
 * linker's --wrap, one step each. At a chosen step the process is killed before the call is made,
 * or the call fails.
 */
enum steps_end { STEPS_NONE, STEPS_KILL, STEPS_FAIL };

/* Count from now on; at step `at` (from 1) `end` happens. */
void steps_begin(enum steps_end end, int at);

/* Stop counting; how many there were. */
int steps_over(void);

#endif
