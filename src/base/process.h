/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_PROCESS_H
#define STK_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The number of this process, as getpid says it, without asking the kernel each time: it is kept in
 * memory that the kernel itself wipes in a child, however the child came to be. Where that is not to
 * be had the kernel is asked. Any thread; after a fork too.
 */
pid_t stk_process_id(void);

/* On how many processors the calling thread may run (sched_setaffinity(2)), at least 1. Any thread. */
size_t stk_process_processors(void);

/*
 * How long the calling thread, and threads that it starts from now on, compute at a time where others
 * want the processor too, in microseconds from 100 to 100000, or 0 for the kernel's own choice. Shares
 * stay what they are: a short slice comes sooner and more often, a long one later and for longer.
 * From Linux 6.12 on; a kernel that has no such thing, or a filter that forbids it, leaves it as it
 * is. Any thread.
 */
void stk_process_slice(uint64_t us);

#define STK_SLICE_SHORT_US 100  /* for who decides: others wait for it */
#define STK_SLICE_LONG_US 10000 /* for who signs: signing takes most of the processor */

/*
 * The calling thread, and threads and programs that it starts from now on, get three times the share of
 * the processor that others get where more is wanted than there is (nice(2), -5); false: no more than
 * the others (0, where it was below). Who may not raise it (CAP_SYS_NICE, RLIMIT_NICE) leaves it as
 * it is. Any thread.
 */
void stk_process_go_first(bool first);

#endif
