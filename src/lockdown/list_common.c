/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>

/*
 * What every room does: memory that is never executable, time, locks, its own descriptors, sleeping,
 * ending. The C libraries of Debian 12 and 13 and Ubuntu 22.04 and 24.04 differ in which call they
 * use for one thing, and so do x86_64 and aarch64: all of them stand here.
 */
static const struct stk_syscall common[] = {
    /* memory */
    {"brk", STK_ALWAYS, 0},
    {"madvise", STK_ALWAYS, 0},
    {"mlock", STK_ALWAYS, 0},
    {"mremap", STK_ALWAYS, 0},
    {"munlock", STK_ALWAYS, 0},
    {"munmap", STK_ALWAYS, 0},
    {"sysinfo", STK_ALWAYS, 0}, /* qsort asks how much there is */
    /* time and sleep */
    {"clock_getres", STK_ALWAYS, 0},
    {"clock_gettime", STK_ALWAYS, 0},
    {"clock_nanosleep", STK_ALWAYS, 0},
    {"gettimeofday", STK_ALWAYS, 0},
    {"nanosleep", STK_ALWAYS, 0},
    {"pause", STK_ALWAYS, 0},
    {"time", STK_ALWAYS, 0},
    /* threads, locks, signals to itself */
    {"futex", STK_ALWAYS, 0},
    {"get_robust_list", STK_ALWAYS, 0},
    {"getpid", STK_ALWAYS, 0},
    {"gettid", STK_ALWAYS, 0},
    {"membarrier", STK_ALWAYS, 0},
    {"restart_syscall", STK_ALWAYS, 0},
    {"rseq", STK_ALWAYS, 0},
    {"rt_sigaction", STK_ALWAYS, 0},
    {"rt_sigprocmask", STK_ALWAYS, 0},
    {"rt_sigreturn", STK_ALWAYS, 0},
    {"sched_getaffinity", STK_ALWAYS, 0},
    {"sched_yield", STK_ALWAYS, 0},
    {"set_robust_list", STK_ALWAYS, 0},
    {"set_tid_address", STK_ALWAYS, 0},
    {"sigaltstack", STK_ALWAYS, 0},
    {"tgkill", STK_TO_ITSELF, 0},
    /* who it is; whose limits they are, its own */
    {"getegid", STK_ALWAYS, 0},
    {"geteuid", STK_ALWAYS, 0},
    {"getgid", STK_ALWAYS, 0},
    {"getrandom", STK_ALWAYS, 0},
    {"getrlimit", STK_ALWAYS, 0},
    {"getrusage", STK_ALWAYS, 0},
    {"getuid", STK_ALWAYS, 0},
    {"uname", STK_ALWAYS, 0},
    {"prlimit64", STK_FIRST_IS, 0},
    /* descriptors that it has; what they have in common with stirkeepd's and the next room's, as
     * O_NONBLOCK of the listening socket, front and intake do not change */
    {"close", STK_ALWAYS, 0},
    {"fcntl", STK_SECOND_IS, F_GETFD},
    {"fcntl", STK_SECOND_IS, F_GETFL},
    {"fcntl", STK_SECOND_IS, F_GET_SEALS},
    {"fcntl", STK_SECOND_IS, F_SETFD},
    {"fstat", STK_ALWAYS, 0},
    {"lseek", STK_ALWAYS, 0},
    {"poll", STK_ALWAYS, 0},
    {"ppoll", STK_ALWAYS, 0},
    {"pread64", STK_ALWAYS, 0},
    {"read", STK_ALWAYS, 0},
    {"readv", STK_ALWAYS, 0},
    {"write", STK_ALWAYS, 0},
    {"writev", STK_ALWAYS, 0},
    /* messages on sockets that it has; not sendmsg, which gives descriptors away: another program
     * would go on with them when the room is no more, and who closes one last may have to wait */
    {"getsockopt", STK_ALWAYS, 0},
    {"recvfrom", STK_ALWAYS, 0},
    {"recvmsg", STK_ALWAYS, 0},
    {"sendto", STK_ALWAYS, 0},
    /* the end */
    {"exit", STK_ALWAYS, 0},
    {"exit_group", STK_ALWAYS, 0},
};
const struct stk_syscalls stk_syscalls_common = STK_SYSCALLS(common);

static const struct stk_syscall files[] = {
    {"access", STK_ALWAYS, 0},
    {"copy_file_range", STK_ALWAYS, 0},
    {"faccessat", STK_ALWAYS, 0},
    {"faccessat2", STK_ALWAYS, 0},
    {"fadvise64", STK_ALWAYS, 0},
    {"fallocate", STK_ALWAYS, 0},
    /* a program that others may run as this user would stay when the room is replaced */
    {"fchmod", STK_NO_SET_ID, 1},
    {"fchmodat", STK_NO_SET_ID, 2},
    {"fchown", STK_FAILS, EPERM},
    {"fcntl", STK_SECOND_IS, F_GETLK},
    {"fcntl", STK_SECOND_IS, F_SETLK},
    {"fcntl", STK_SECOND_IS, F_SETLKW},
    {"fcntl", STK_SECOND_IS, F_OFD_GETLK},
    {"fcntl", STK_SECOND_IS, F_OFD_SETLK},
    {"fcntl", STK_SECOND_IS, F_OFD_SETLKW},
    {"fcntl", STK_SECOND_IS, F_DUPFD},
    {"fcntl", STK_SECOND_IS, F_DUPFD_CLOEXEC},
    {"fdatasync", STK_ALWAYS, 0},
    {"flock", STK_ALWAYS, 0},
    {"fstatfs", STK_ALWAYS, 0},
    {"fsync", STK_ALWAYS, 0},
    {"ftruncate", STK_ALWAYS, 0},
    {"getcwd", STK_ALWAYS, 0},
    {"getdents64", STK_ALWAYS, 0},
    {"link", STK_ALWAYS, 0},
    {"linkat", STK_ALWAYS, 0},
    {"lstat", STK_ALWAYS, 0},
    {"mkdir", STK_ALWAYS, 0},
    {"mkdirat", STK_ALWAYS, 0},
    {"newfstatat", STK_ALWAYS, 0},
    {"open", STK_MAKES_NO_FILE, 1}, /* its mode is anything then */
    {"open", STK_NO_SET_ID, 2},
    {"openat", STK_MAKES_NO_FILE, 2},
    {"openat", STK_NO_SET_ID, 3},
    {"preadv", STK_ALWAYS, 0},
    {"pwrite64", STK_ALWAYS, 0},
    {"pwritev", STK_ALWAYS, 0},
    {"readlink", STK_ALWAYS, 0},
    {"readlinkat", STK_ALWAYS, 0},
    {"rename", STK_ALWAYS, 0},
    {"renameat", STK_ALWAYS, 0},
    {"renameat2", STK_ALWAYS, 0},
    {"rmdir", STK_ALWAYS, 0},
    {"stat", STK_ALWAYS, 0},
    {"statfs", STK_ALWAYS, 0},
    {"statx", STK_ALWAYS, 0},
    {"sync_file_range", STK_ALWAYS, 0},
    {"truncate", STK_ALWAYS, 0},
    {"umask", STK_ALWAYS, 0},
    {"unlink", STK_ALWAYS, 0},
    {"unlinkat", STK_ALWAYS, 0},
    {"utimensat", STK_ALWAYS, 0},
};
const struct stk_syscalls stk_syscalls_files = STK_SYSCALLS(files);

/* What clone3 is asked for lies in memory, where no filter sees it: without it the C library takes
 * clone, whose flags are in a register. */
static const struct stk_syscall threads[] = {
    {"clone", STK_FOR_A_THREAD, 0},
    {"clone3", STK_FAILS, ENOSYS},
    {"prctl", STK_FIRST_IS, PR_SET_NAME},
};
const struct stk_syscalls stk_syscalls_threads = STK_SYSCALLS(threads);

/* Rooms with a listening socket and an event loop, which bring no code in. */
static const struct stk_syscall loop[] = {
    {"accept", STK_ALWAYS, 0},           {"accept4", STK_ALWAYS, 0},
    {"epoll_ctl", STK_ALWAYS, 0},        {"epoll_pwait", STK_ALWAYS, 0},
    {"epoll_pwait2", STK_ALWAYS, 0},     {"epoll_wait", STK_ALWAYS, 0},
    {"getsockname", STK_ALWAYS, 0},      {"mmap", STK_NOT_EXECUTABLE, 0},
    {"mprotect", STK_NOT_EXECUTABLE, 0},
};
const struct stk_syscalls stk_syscalls_loop = STK_SYSCALLS(loop);

static const struct stk_syscall loading[] = {
    {"mmap", STK_ALWAYS, 0},
    {"mprotect", STK_ALWAYS, 0},
};
const struct stk_syscalls stk_syscalls_loading = STK_SYSCALLS(loading);

/* Softly, for what a module loads late is as good as not there. */
static const struct stk_syscall loaded[] = {
    {"mmap", STK_FAILS_EXECUTABLE, EACCES},
    {"mprotect", STK_FAILS_EXECUTABLE, EACCES},
    {"pkey_mprotect", STK_KILLS, 0},
};
const struct stk_syscalls stk_syscalls_loaded = STK_SYSCALLS(loaded);

/* Of a build for sanitizers: they allocate, trace and look around, but none of this. */
static const struct stk_syscall never[] = {
    {"bpf", STK_KILLS, 0},   {"execve", STK_KILLS, 0},          {"execveat", STK_KILLS, 0},
    {"fork", STK_KILLS, 0},  {"io_uring_setup", STK_KILLS, 0},  {"keyctl", STK_KILLS, 0},
    {"mount", STK_KILLS, 0}, {"perf_event_open", STK_KILLS, 0}, {"process_vm_writev", STK_KILLS, 0},
    {"setns", STK_KILLS, 0}, {"unshare", STK_KILLS, 0},         {"userfaultfd", STK_KILLS, 0},
    {"vfork", STK_KILLS, 0},
};
const struct stk_syscalls stk_syscalls_never = STK_SYSCALLS(never);
