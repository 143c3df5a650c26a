/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_SOCKETS_H
#define STK_STIRKEEPD_SOCKETS_H

#include "base/error.h"
#include <stdbool.h>
#include <sys/types.h>

/* A listening Unix socket and the lock that makes it ours. */
struct stk_listener {
    const char *path; /* the configuration's */
    int fd;           /* -1: none */
    int lock;
    dev_t device; /* of the socket's name, to remove no other */
    ino_t inode;
    bool bound; /* by us; else handed over by the service manager, who keeps it */
};

/*
 * Listen at `path`. `PATH.lock` is locked for as long as the listener lives (and then left: who
 * removes a lock file takes it from under somebody else's feet); a socket that nobody listens at
 * is replaced, under the lock. `given` is a listening socket of that path from the service
 * manager, or -1; ownership passes here.
 *
 * The socket's mode is 0666: connecting says nothing yet. Who may do what is decided by grants on
 * the uid and gid that the kernel tells (SO_PEERCRED), with an answer and a record for those who
 * may not, where a file mode would only fail to connect. BUSY: another stirkeepd has it. CONFIG.
 */
enum stirkeep_status stk_listener_open(const char *path, int given, struct stk_listener *ret_listen,
                                       struct stk_error *error);

/* Could it listen there, as far as can be told without doing so? CONFIG with the reason. */
enum stirkeep_status stk_listener_check(const char *path, struct stk_error *error);

/* Remove the name, if it is still the one that was bound: nobody finds the service any more. */
void stk_listener_unlink(struct stk_listener *listener);

void stk_listener_close(struct stk_listener *listener);

/*
 * Sockets handed over by a service manager (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS). Each must
 * be a listening stream socket at one of `paths`, whose place in `ret_fds` it takes; the others
 * there are -1. CONFIG names one that is none of them.
 */
enum stirkeep_status stk_activation_take(const char *const *paths, size_t count, int *ret_fds,
                                         struct stk_error *error);

#endif
