/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_LAB_H
#define STK_CLI_LAB_H

#include "base/error.h"
#include "model/name.h"
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * `stirkeep lab`: a throw-away service. Who the user started waits and passes signals on; its child,
 * the guardian, in a process group of its own, makes the directory and is the parent of the service
 * and of COMMAND. When the first dies its end of the line between them closes: the guardian ends
 * everything below it and removes the directory. When the guardian dies the first does so. When both
 * die at once the kernel ends the service and COMMAND, and the next lab removes the directory.
 */

#define STK_LAB_NAMES_MAX 64
#define STK_LAB_TN_DIGITS_MIN 7 /* so many digits and nothing else: a number, not an SPC */

struct stk_lab_certificate {
    struct stk_name name;
    char spc[16]; /* upper-case letters and digits; "": the number */
    char tn[16];
};

/* What is asked for, and where things are found: known before anything is made. */
struct stk_lab {
    struct stk_lab_certificate certificates[STK_LAB_NAMES_MAX];
    size_t count;
    const char *x5u_template;
    const char *directory; /* where its directory is to be made; NULL: a temporary one */
    char **command;        /* NULL: wait */
    bool json;
    char module[PATH_MAX];
    char own[PATH_MAX];      /* this program's directory */
    char porter[PATH_MAX];   /* stirkeepd */
    char rooms[3][PATH_MAX]; /* keeper, intake, front: programs */
    uid_t uid;               /* the service's: not root's even when root starts it */
    sigset_t watched;        /* signals that are taken; what was ignored stays so */
    sigset_t mask;           /* signals, as they were */
    mode_t umask;            /* likewise */
    pid_t group;             /* the process group of who was started */
};

/* ---- lab_find.c */

/* "NAME", "NAME=SPC" or "NAME=TN" each. INVALID with what is wrong. */
enum stirkeep_status stk_lab_names(struct stk_lab *lab, const char *const *items, size_t count,
                                   struct stk_error *error);

/* SoftHSM's module: `given`, or where distributions have it; the message lists where it was sought. */
enum stirkeep_status stk_lab_find_module(struct stk_lab *lab, const char *given,
                                         struct stk_error *error);

/* stirkeepd and the rooms: in `given`, or beside this program (installed, or in a build tree), or
 * where they get installed. */
enum stirkeep_status stk_lab_find_programs(struct stk_lab *lab, const char *given,
                                           struct stk_error *error);

/* ---- lab_place.c: the directory */

struct stk_lab_place {
    int lock; /* the directory, locked as long as it is in use; -1: there is none */
    char path[PATH_MAX];
};

/*
 * Make the directory, mode 0700 (for root, whose service is another user's: 0710 and that user's
 * group), locked. Where `lab->directory` does not say where: TMPDIR, /tmp, XDG_RUNTIME_DIR, /dev/shm,
 * the first that will do. The message has each one and its reason.
 */
enum stirkeep_status stk_lab_place_make(const struct stk_lab *lab, struct stk_lab_place *ret_place,
                                        struct stk_error *error);
bool stk_lab_place_remove(struct stk_lab_place *place);

/* Remove the directories of labs that were killed: those that nobody holds the lock of. */
void stk_lab_sweep(const struct stk_lab *lab);

/* A path in it; false when it does not fit. */
bool stk_lab_path(const struct stk_lab_place *place, const char *name, char ret_path[PATH_MAX]);

/* Write a file in it. */
enum stirkeep_status stk_lab_write(const struct stk_lab_place *place, const char *name,
                                   const char *text, size_t length, struct stk_error *error);

/* ---- lab_user.c */

/* Choose the service's user: this one, or for root one that nobody has. */
void stk_lab_user_choose(struct stk_lab *lab);

/* Become it. False with errno. */
bool stk_lab_user_become(const struct stk_lab *lab);

/* ---- lab_service.c: what runs in children of the guardian */

/* Make the token, its PIN and the configuration. As the service's user. */
enum stirkeep_status stk_lab_prepare(const struct stk_lab *lab, const struct stk_lab_place *place,
                                     struct stk_error *error);

/* Make `programs` in the directory: links, or copies where the service's user cannot reach them. */
enum stirkeep_status stk_lab_link_programs(const struct stk_lab *lab,
                                           const struct stk_lab_place *place,
                                           struct stk_error *error);

/* Become stirkeepd as the service's user, with its messages in service.log; it is to end with the
 * guardian. */
_Noreturn void stk_lab_become_porter(const struct stk_lab *lab, const struct stk_lab_place *place,
                                     pid_t guardian);

/* ---- lab_fill.c */

/* Make the chain, wait for the service, and give it the certificates. */
enum stirkeep_status stk_lab_fill(const struct stk_lab *lab, const struct stk_lab_place *place,
                                  struct stk_error *error);

/* ---- lab_show.c */

/* What COMMAND finds in its environment. False when memory ran out. */
bool stk_lab_environment(const struct stk_lab *lab, const struct stk_lab_place *place);

/* The same for who has no COMMAND: how to use it. */
bool stk_lab_show(const struct stk_lab *lab, const struct stk_lab_place *place);

/* The end of service.log, on standard error. */
void stk_lab_show_log(const struct stk_lab_place *place);

/* ---- lab_children.c */

/*
 * End every process below this one (a child subreaper): SIGTERM and up to `grace_ms`, then SIGKILL.
 * False when one is left after five seconds more.
 */
bool stk_lab_end_children(unsigned grace_ms);

/* ---- lab_guard.c */

/* A signal that came to who was started, for the guardian. */
struct stk_lab_note {
    int signal;
    bool from_terminal; /* COMMAND got it, too */
};

/* Be the guardian; `line` leads to who was started. Returns the exit status. */
int stk_lab_guard(struct stk_lab *lab, int line);

/* ---- lab_wait.c */

/* Be who was started: wait for the guardian. Returns the exit status. */
int stk_lab_wait(const struct stk_lab *lab, pid_t guardian, int line);

#endif
