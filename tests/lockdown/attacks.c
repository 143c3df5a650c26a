/* SPDX-License-Identifier: BSD-2-Clause */
#include "attacks.h"

#include "base/log.h"
#include "room/room.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define DESCRIPTORS 4096

/* What was not deadly: "found" is what must never be. */
static void tell(const char *what, long result)
{
    if (result >= 0)
        stk_log(STK_LOG_ERROR, "takeover: FOUND %s: %ld", what, result);
    else
        stk_log(STK_LOG_INFO, "takeover: %s: %s", what, strerror(errno));
}

/* ---- what it has already */

static const char *kind_of(int fd, const struct stat *about)
{
    int value = 0;
    socklen_t size = sizeof(value);

    if (S_ISSOCK(about->st_mode)) {
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0)
            return "listening";
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) == 0 && value == SOCK_SEQPACKET)
            return "link";
        return "socket";
    }
    if (S_ISCHR(about->st_mode))
        return "device";
    if (S_ISFIFO(about->st_mode))
        return "pipe";
    if (S_ISREG(about->st_mode))
        return "file";
    if (S_ISDIR(about->st_mode))
        return "directory";
    return (about->st_mode & S_IFMT) == 0 ? "anonymous" : "other";
}

static void list_descriptors(const struct prey *prey)
{
    (void)prey;
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        struct stat about = {0};

        if (syscall(SYS_fstat, fd, &about) == 0)
            stk_log(STK_LOG_INFO, "takeover: descriptor %d %s", fd, kind_of(fd, &about));
    }
}

static void raise_limits(const struct prey *prey)
{
    const struct rlimit more = {1000, 1000};

    (void)prey;
    tell("more processes", syscall(SYS_prlimit64, 0, RLIMIT_NPROC, &more, NULL));
}

/* ---- files */

static void read_pin(const struct prey *prey)
{
    tell("the PIN's file", syscall(SYS_openat, AT_FDCWD, prey->pin, O_RDONLY));
}

static void read_keeper(const struct prey *prey)
{
    char path[64] = "";

    (void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)prey->keeper);
    tell("the keeper's memory", syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
}

static void own_memory(const struct prey *prey)
{
    (void)prey;
    tell("its own memory as a file", syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR));
}

static void look_at_path(const struct prey *prey)
{
    struct stat about = {0};

    tell("a look at the PIN's file", syscall(SYS_newfstatat, AT_FDCWD, prey->pin, &about, 0));
}

/* ---- programs and memory */

static void run_shell(const struct prey *prey)
{
    char *const arguments[] = {(char[]){"sh"}, NULL};

    (void)prey;
    tell("a shell", syscall(SYS_execve, "/bin/sh", arguments, arguments + 1));
}

static void fork_process(const struct prey *prey)
{
    (void)prey;
    tell("a process", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static void start_thread(const struct prey *prey)
{
    (void)prey;
    tell("a thread", syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0));
}

static void map_code(const struct prey *prey)
{
    (void)prey;
    tell("memory for code", (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void make_code(const struct prey *prey)
{
    static char page[2 * 4096];

    (void)prey;
    tell("code in its data", mprotect((void *)(((uintptr_t)page + 4095) & ~(uintptr_t)4095), 4096,
                                      PROT_READ | PROT_EXEC));
}

static void make_file(const struct prey *prey)
{
    (void)prey;
    tell("a file in memory", syscall(SYS_memfd_create, "x", 0));
}

/* ---- other processes */

static void trace_keeper(const struct prey *prey)
{
    tell("the keeper by ptrace", syscall(SYS_ptrace, PTRACE_SEIZE, prey->keeper, 0, 0));
}

static void copy_keeper(const struct prey *prey)
{
    char byte = 0;
    struct iovec here = {&byte, 1};
    struct iovec there = {(void *)0x400000, 1};

    tell("the keeper's memory by copy",
         syscall(SYS_process_vm_readv, prey->keeper, &here, 1, &there, 1, 0));
}

static void stop_keeper(const struct prey *prey)
{
    tell("a signal to the keeper", syscall(SYS_kill, prey->keeper, SIGSTOP));
}

static void signal_keeper(const struct prey *prey)
{
    tell("a thread's signal to the keeper",
         syscall(SYS_tgkill, prey->keeper, prey->keeper, SIGSTOP));
}

static void open_keeper(const struct prey *prey)
{
    tell("a descriptor of the keeper", syscall(SYS_pidfd_open, prey->keeper, 0));
}

/* ---- the network, the kernel */

static void make_socket(const struct prey *prey)
{
    (void)prey;
    tell("a socket", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
}

static void connect_link(const struct prey *prey)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/x"};

    (void)prey;
    tell("a connection", syscall(SYS_connect, 3, &address, sizeof(address)));
}

static void use_uring(const struct prey *prey)
{
    struct io_uring_params parameters = {0};

    (void)prey;
    tell("io_uring", syscall(SYS_io_uring_setup, 1, &parameters));
}

static void load_bpf(const struct prey *prey)
{
    union bpf_attr attributes = {0};

    (void)prey;
    tell("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static void become_dumpable(const struct prey *prey)
{
    (void)prey;
    tell("to be dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static void make_spaces(const struct prey *prey)
{
    (void)prey;
    tell("a user space of its own", syscall(SYS_unshare, CLONE_NEWUSER));
}

static void cut_link(const struct prey *prey)
{
    (void)prey;
    tell("to shut a link down", shutdown(6, SHUT_RDWR));
}

/* For good, and for every front to come. The kernel looks at the lower half of the number only. */
static void cut_listener(const struct prey *prey)
{
    (void)prey;
    tell("to shut its listening socket down",
         syscall(SYS_shutdown, 0x100000000UL + STK_FD_FRONT_LISTEN, SHUT_RDWR));
}

/* What it shares with its successor: that would wait in its first accept(). */
static void block_listener(const struct prey *prey)
{
    (void)prey;
    tell("to have accept() wait", fcntl(STK_FD_FRONT_LISTEN, F_SETFL, 0));
}

/* Those first that it survives. */
static const struct attack attacks[] = {
    {"descriptors", list_descriptors},
    {"limits", raise_limits},
    {"noise", attack_noise},
    {"orders", attack_orders},
    {"custody", attack_custody},
    {"read-pin", read_pin},
    {"read-keeper", read_keeper},
    {"exec", run_shell},
    {"fork", fork_process},
    {"ptrace", trace_keeper},
    {"copy-keeper", copy_keeper},
    {"socket", make_socket},
    {"kill", stop_keeper},
    {"own-memory", own_memory},
    {"stat", look_at_path},
    {"thread", start_thread},
    {"map-code", map_code},
    {"make-code", make_code},
    {"memfd", make_file},
    {"tgkill", signal_keeper},
    {"pidfd", open_keeper},
    {"connect", connect_link},
    {"io_uring", use_uring},
    {"bpf", load_bpf},
    {"dumpable", become_dumpable},
    {"unshare", make_spaces},
    {"cut-link", cut_link},
    {"cut-listener", cut_listener},
    {"give-link", attack_give_link},
    {"block-listener", block_listener},
    {"control", attack_control},
};

const struct attack *attack_at(unsigned number)
{
    return number < sizeof(attacks) / sizeof(attacks[0]) ? &attacks[number] : NULL;
}
