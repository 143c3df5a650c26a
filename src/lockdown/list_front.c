/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/filter.h"

/*
 * front has all that it will ever need when this begins: it takes connections, reads and writes
 * them, and waits. It opens nothing, connects to nobody, starts neither process nor thread, and makes
 * no memory executable.
 */
#define STK_LAST_BORN 8 /* STK_FD_FRONT_RULES: all beyond it are clients */
static const struct stk_syscall front[] = {
    {"shutdown", STK_FIRST_ABOVE, STK_LAST_BORN}, /* no link between rooms: it would stay so */
#if !defined(__x86_64__) && !defined(__aarch64__)
    /* The C library's fstat there (stk_fd_about). */
    {"newfstatat", STK_ALWAYS, 0},
    {"statx", STK_ALWAYS, 0},
#endif
};
const struct stk_syscalls stk_syscalls_front = STK_SYSCALLS(front);
