/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_ERRAND_H
#define STK_INTAKE_ERRAND_H

#include <stddef.h>
#include <sys/queue.h>

/*
 * What goes on over several callbacks has memory of its own, until it is done or intake ends,
 * whichever comes first. Such a struct has its stk_errand as the first member. One thread.
 */

struct stk_errand {
    LIST_ENTRY(stk_errand) entry;
    void (*drop)(void *errand);
};
LIST_HEAD(stk_errand_list, stk_errand);

/*
 * Zeroed memory of `size` octets that begins with a struct stk_errand; NULL: out of memory. `drop`
 * (or NULL) lets go of what it holds beside itself; it must ask for nothing and answer no one.
 */
void *stk_errand_new(struct stk_errand_list *errands, size_t size, void (*drop)(void *errand));

/* Drop and free it. NULL is fine. */
void stk_errand_end(void *errand);

/* End all that are under way. */
void stk_errands_end(struct stk_errand_list *errands);

#endif
