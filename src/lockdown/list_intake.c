/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/filter.h"

#include <linux/fs.h>

/* intake: connections of administrators, the catalog's and the spool's files, which it watches, and
 * threads. Neither programs nor connections of its own making. */
#define STK_LAST_BORN 7 /* STK_FD_INTAKE_FRONT */
static const struct stk_syscall intake[] = {
    {"accept", STK_ALWAYS, 0},
    {"accept4", STK_ALWAYS, 0},
    {"epoll_ctl", STK_ALWAYS, 0},
    {"epoll_pwait", STK_ALWAYS, 0},
    {"epoll_pwait2", STK_ALWAYS, 0},
    {"epoll_wait", STK_ALWAYS, 0},
    {"fgetxattr", STK_ALWAYS, 0},
    {"getsockname", STK_ALWAYS, 0},
    {"inotify_add_watch", STK_ALWAYS, 0},
    {"inotify_rm_watch", STK_ALWAYS, 0},
    {"ioctl", STK_SECOND_IS, FS_IOC_GETFLAGS}, /* wipe: is it a file system that overwrites? */
    {"mmap", STK_NOT_EXECUTABLE, 0},
    {"mprotect", STK_NOT_EXECUTABLE, 0},
    {"shutdown", STK_FIRST_ABOVE, STK_LAST_BORN}, /* no link between rooms: it would stay so */
};
const struct stk_syscalls stk_syscalls_intake = STK_SYSCALLS(intake);
