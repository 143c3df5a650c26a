/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_LOCKDOWN_FILTER_H
#define STK_LOCKDOWN_FILTER_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On what condition a system call is allowed; several rows of one call: any of them. */
enum stk_when {
    STK_ALWAYS,
    STK_NOT_EXECUTABLE, /* the protection, its third argument, is without PROT_EXEC */
    STK_TO_ITSELF,      /* its first argument is this process */
    STK_FOR_A_THREAD,   /* clone: of this process, with all that it has */
    STK_SECOND_IS,      /* its second argument is `value` */
    STK_FIRST_IS,       /* its first argument is `value` */
    STK_FIRST_ABOVE,    /* its first argument, an int, is larger than `value` */
    STK_NO_SET_ID,      /* the mode, its argument number `value` from 0, sets no user or group id */
    STK_MAKES_NO_FILE,  /* the flags, its argument number `value` from 0, make none */
    STK_FAILS,          /* never: it fails with errno `value`, as programs expect it of it */
    STK_FAILS_EXECUTABLE, /* the third argument has PROT_EXEC: errno `value` */
    STK_FAILS_NEW_SPACE,  /* clone: with a namespace of its own: errno `value` */
    STK_KILLS             /* never, where everything else is allowed */
};

/* One that the architecture, or the libseccomp that this was built with, does not know is left out:
 * it stays forbidden. */
struct stk_syscall {
    const char *name;
    enum stk_when when;
    uint64_t value;
};

struct stk_syscalls {
    const struct stk_syscall *calls;
    size_t count;
};

#define STK_SYSCALLS(table)                                                                        \
    {                                                                                              \
        (table), sizeof(table) / sizeof((table)[0])                                                \
    }

struct sock_filter;
struct stk_filter {
    struct sock_filter *code;
    size_t length; /* in instructions */
};

/* What is in none of the lists ends the process with SIGSYS, or with `otherwise_allowed` is allowed.
 * UNAVAILABLE: this system has no filters. INTERNAL. Free with stk_filter_free. */
enum stirkeep_status stk_filter_make(const struct stk_syscalls *lists, size_t count,
                                     bool otherwise_allowed, struct stk_filter *ret_filter,
                                     struct stk_error *error);
void stk_filter_free(struct stk_filter *filter);

/* From now on, in all threads of this process, which must have no_new_privs; for good. Filters add
 * up: each can only take more away. UNAVAILABLE: the kernel refuses it. */
enum stirkeep_status stk_filter_enter(const struct stk_filter *filter, struct stk_error *error);

/* The lists. */
extern const struct stk_syscalls stk_syscalls_common; /* memory, time, locks, its descriptors */
extern const struct stk_syscalls stk_syscalls_files;  /* making, reading, writing, removing */
extern const struct stk_syscalls stk_syscalls_loop;   /* connections, and no executable memory */
extern const struct stk_syscalls stk_syscalls_front;
extern const struct stk_syscalls stk_syscalls_intake;
extern const struct stk_syscalls stk_syscalls_keeper;
extern const struct stk_syscalls stk_syscalls_keeper_strict; /* what fails softly there */
extern const struct stk_syscalls stk_syscalls_keeper_module; /* what modules may need further */
extern const struct stk_syscalls stk_syscalls_loading;       /* executable memory, for dlopen */
extern const struct stk_syscalls stk_syscalls_loaded; /* the other way round: none any more */
extern const struct stk_syscalls stk_syscalls_threads;
extern const struct stk_syscalls stk_syscalls_porter; /* what nobody there may */
extern const struct stk_syscalls stk_syscalls_never_of_porter;
extern const struct stk_syscalls stk_syscalls_never; /* the same for rooms of a relaxed build */

#endif
