/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

/*
 * The keeper itself: threads, the trail's files, and the token's, which the module reads and writes
 * in this process. SoftHSM needs no more.
 */
static const struct stk_syscall keeper[] = {
    {"dup", STK_ALWAYS, 0},
    {"fcntl", STK_SECOND_IS, F_SETFL},
    {"ioctl", STK_SECOND_IS, FIONREAD}, /* the outbox: is there more to sign? */
    {"ioprio_set", STK_ALWAYS, 0},
    {"mincore", STK_ALWAYS, 0}, /* large_pages.c: which memory is in use? */
    {"prctl", STK_FIRST_IS, PR_GET_NAME}, /* modules name their threads, and sleep exactly */
    {"prctl", STK_FIRST_IS, PR_SET_TIMERSLACK},
    {"seccomp", STK_FIRST_IS, SECCOMP_SET_MODE_FILTER}, /* one more can only forbid more */
    {"sched_getattr", STK_FIRST_IS, 0}, /* of the calling thread */
    {"sched_setattr", STK_FIRST_IS, 0},
    {"sched_setscheduler", STK_ALWAYS, 0},
};
const struct stk_syscalls stk_syscalls_keeper = STK_SYSCALLS(keeper);

/* The C library asks caching daemons for users, and modules talk to syslog: both go on without. */
static const struct stk_syscall strict[] = {
    {"connect", STK_FAILS, EACCES},
    {"socket", STK_FAILS, EACCES},
    {"socketpair", STK_FAILS, EACCES},
};
const struct stk_syscalls stk_syscalls_keeper_strict = STK_SYSCALLS(strict);

/* [lock-down] keeper = module: devices, networks, shared memory and whatever else a vendor's client
 * waits with. Not: programs, other processes, what changes the system. */
static const struct stk_syscall module[] = {
    {"accept4", STK_ALWAYS, 0},
    {"bind", STK_ALWAYS, 0},
    {"connect", STK_ALWAYS, 0},
    {"dup2", STK_ALWAYS, 0},
    {"dup3", STK_ALWAYS, 0},
    {"epoll_create", STK_ALWAYS, 0},
    {"epoll_create1", STK_ALWAYS, 0},
    {"epoll_ctl", STK_ALWAYS, 0},
    {"epoll_pwait", STK_ALWAYS, 0},
    {"epoll_pwait2", STK_ALWAYS, 0},
    {"epoll_wait", STK_ALWAYS, 0},
    {"eventfd2", STK_ALWAYS, 0},
    {"fcntl", STK_ALWAYS, 0},
    {"futex_waitv", STK_ALWAYS, 0},
    {"get_mempolicy", STK_ALWAYS, 0},
    {"getcpu", STK_ALWAYS, 0},
    {"getgroups", STK_ALWAYS, 0},
    {"getpeername", STK_ALWAYS, 0},
    {"getpgrp", STK_ALWAYS, 0},
    {"getppid", STK_ALWAYS, 0},
    {"getpriority", STK_ALWAYS, 0},
    {"getresgid", STK_ALWAYS, 0},
    {"getresuid", STK_ALWAYS, 0},
    {"getsockname", STK_ALWAYS, 0},
    {"inotify_add_watch", STK_ALWAYS, 0},
    {"inotify_init1", STK_ALWAYS, 0},
    {"inotify_rm_watch", STK_ALWAYS, 0},
    {"ioctl", STK_ALWAYS, 0},
    {"listen", STK_ALWAYS, 0},
    {"memfd_create", STK_ALWAYS, 0},
    {"mlock2", STK_ALWAYS, 0},
    {"mlockall", STK_ALWAYS, 0},
    {"msgctl", STK_ALWAYS, 0},
    {"msgget", STK_ALWAYS, 0},
    {"msgrcv", STK_ALWAYS, 0},
    {"msgsnd", STK_ALWAYS, 0},
    {"msync", STK_ALWAYS, 0},
    {"pipe", STK_ALWAYS, 0},
    {"pipe2", STK_ALWAYS, 0},
    {"preadv2", STK_ALWAYS, 0},
    {"pselect6", STK_ALWAYS, 0},
    {"pwritev2", STK_ALWAYS, 0},
    {"recvmmsg", STK_ALWAYS, 0},
    {"rt_sigpending", STK_ALWAYS, 0},
    {"rt_sigsuspend", STK_ALWAYS, 0},
    {"rt_sigtimedwait", STK_ALWAYS, 0},
    {"sched_get_priority_max", STK_ALWAYS, 0},
    {"sched_get_priority_min", STK_ALWAYS, 0},
    {"sched_getparam", STK_ALWAYS, 0},
    {"sched_getscheduler", STK_ALWAYS, 0},
    {"sched_setaffinity", STK_ALWAYS, 0},
    {"select", STK_ALWAYS, 0},
    {"semctl", STK_ALWAYS, 0},
    {"semget", STK_ALWAYS, 0},
    {"semop", STK_ALWAYS, 0},
    {"semtimedop", STK_ALWAYS, 0},
    {"sendmmsg", STK_ALWAYS, 0},
    {"sendmsg", STK_ALWAYS, 0},
    {"setsockopt", STK_ALWAYS, 0},
    {"shmat", STK_ALWAYS, 0},
    {"shmctl", STK_ALWAYS, 0},
    {"shmdt", STK_ALWAYS, 0},
    {"shmget", STK_ALWAYS, 0},
    {"socket", STK_ALWAYS, 0},
    {"socketpair", STK_ALWAYS, 0},
    {"timer_create", STK_ALWAYS, 0},
    {"timer_delete", STK_ALWAYS, 0},
    {"timer_settime", STK_ALWAYS, 0},
    {"timerfd_create", STK_ALWAYS, 0},
    {"timerfd_settime", STK_ALWAYS, 0},
    {"times", STK_ALWAYS, 0},
};
const struct stk_syscalls stk_syscalls_keeper_module = STK_SYSCALLS(module);
