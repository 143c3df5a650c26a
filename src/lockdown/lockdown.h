/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_LOCKDOWN_LOCKDOWN_H
#define STK_LOCKDOWN_LOCKDOWN_H

#include "base/error.h"
#include "config/config.h"
#include "lockdown/filter.h"

/*
 * What a process can never do again: system calls that its filter does not know end it (SIGSYS),
 * files that it was not given do not open (Landlock), and it has no rights of root's. All of it is
 * for good, for this process and whatever it may start.
 *
 * Which system calls a room has is in a file of its own: list_front.c, list_intake.c, list_keeper.c.
 *
 * A build for sanitizers or valgrind (meson's option lock-down) is relaxed: their own calls are more
 * than any list has, so only what no room does is forbidden, and no file is. It says so: in the log
 * at each start, in `stirkeep status`, and as STK_LOCKDOWN_RELAXED.
 */
#ifndef STK_LOCKDOWN_RELAXED
#define STK_LOCKDOWN_RELAXED 0
#endif

/* How far a room got. */
struct stk_lockdown {
    enum stk_room room;
    const struct stk_config *config;
    unsigned landlock; /* ABI of the Landlock rules in force; 0: none */
    bool filtered;
    struct stk_filter next; /* the keeper's second one, until it is entered */
};

/* A file or a directory with all that is below it. One that is not there is left out; with `later`
 * it may come while this process lives, and the directory nearest to it stands in for it. */
struct stk_access {
    const char *path;
    bool write; /* also make, remove and rename; else only read */
    bool later;
};

/*
 * First step, before any thread: no file but these from now on (those that are open stay so;
 * NULL: any), no TCP and no abstract Unix sockets of others, no signals to other processes, as far
 * as the kernel knows it. UNAVAILABLE when [lock-down] require asks for what this system does not
 * have; otherwise what it does not have is logged.
 */
enum stirkeep_status stk_lockdown_files(struct stk_lockdown *lock, enum stk_room room,
                                        const struct stk_config *config,
                                        const struct stk_access *accesses, size_t count,
                                        struct stk_error *error);

/*
 * Last step, when everything is open and set up: the filter, for all threads. front can start no
 * thread afterwards, nor make a file grow, unless its log is one. UNAVAILABLE as above, INTERNAL.
 */
enum stirkeep_status stk_lockdown_calls(struct stk_lockdown *lock, struct stk_error *error);

/* The keeper: before the module is loaded, and then (stk_lockdown_calls) without what loading it
 * takes. */
enum stirkeep_status stk_lockdown_before_module(struct stk_lockdown *lock, struct stk_error *error);

/* For READY, what cannot be seen from outside: "filtered landlock 7". That there is a filter can,
 * but a container's has the same looks. */
#define STK_LOCKDOWN_WORD 64
void stk_lockdown_word(const struct stk_lockdown *lock, char ret_word[STK_LOCKDOWN_WORD]);

/* ---- the porter */

/*
 * What no program that stirkeepd starts has any use for, the witness's command among them: EPERM
 * for it, and as root no capabilities but those that its own work takes. `ret_word`: what of it
 * holds, for stk_lockdown_describe. As above for what the system does not have.
 */
enum stirkeep_status stk_lockdown_porter(const struct stk_config *config,
                                         char ret_word[STK_LOCKDOWN_WORD], struct stk_error *error);

/* In a child that is about to be a room, while it is still root: no capability can come back by any
 * program. False with errno. */
bool stk_lockdown_forget_root(void);

/* May this process see which programs others run (CAP_SYS_PTRACE)? */
bool stk_lockdown_sees_programs(void);

/* No capabilities, whoever this process is. */
bool stk_lockdown_no_capabilities(void);

/*
 * "system calls filtered, Landlock 7, no new privileges, no capabilities" of a process, as the
 * kernel tells in /proc/PID/status and, where it does not tell, `said`: what stk_lockdown_word or
 * stk_lockdown_porter gave. False: it is open, which is worth a warning: without a filter of its own,
 * or it may get new privileges, or /proc does not tell.
 */
#define STK_LOCKDOWN_TEXT 160
bool stk_lockdown_describe(int pid, const char *said, char ret_text[STK_LOCKDOWN_TEXT]);

/* Keep all memory out of swap space, as far as RLIMIT_MEMLOCK lets; what it does not let is logged. */
void stk_memory_lock(void);

#endif
