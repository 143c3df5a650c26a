/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_PROCESS_H
#define STK_BASE_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The number of this process, as getpid says it, without asking the kernel each time: it is kept in
 * memory that the kernel itself wipes in a child, however the child came to be. Where that is not to
 * be had the kernel is asked. Any thread; after a fork too.
 */
pid_t stk_process_id(void);

/* On how many processors the calling thread may run (sched_setaffinity(2)), at least 1. Any thread. */
size_t stk_process_processors(void);

#endif
