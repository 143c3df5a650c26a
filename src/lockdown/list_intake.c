/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/filter.h"

#include <linux/fs.h>

/* intake: connections of administrators, the catalog's and the spool's files, which it watches, and
 * threads. Neither programs nor connections of its own making. */
#define STK_LAST_BORN 7 /* STK_FD_INTAKE_FRONT */
static const struct stk_syscall intake[] = {
    {"fgetxattr", STK_ALWAYS, 0},
    {"inotify_add_watch", STK_ALWAYS, 0},
    {"inotify_rm_watch", STK_ALWAYS, 0},
    {"ioctl", STK_SECOND_IS, FS_IOC_GETFLAGS},    /* wipe: is it a file system that overwrites? */
    {"shutdown", STK_FIRST_ABOVE, STK_LAST_BORN}, /* no link between rooms: it would stay so */
};
const struct stk_syscalls stk_syscalls_intake = STK_SYSCALLS(intake);
