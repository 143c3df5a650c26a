/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_SIGNALS_H
#define STK_STIRKEEPD_SIGNALS_H

#include "base/error.h"

/*
 * SIGCHLD and SIGTERM, and SIGINT and SIGHUP unless they are ignored already, as a descriptor to
 * poll (signalfd(2)); SIGPIPE ignored. Before any child is started. IO.
 */
enum stirkeep_status stk_signals_open(int *ret_fd, struct stk_error *error);

/* The next signal's number, 0 when there is none. */
int stk_signals_next(int fd);

#endif
