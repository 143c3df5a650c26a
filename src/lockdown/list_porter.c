/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/filter.h"

#include <errno.h>

/*
 * stirkeepd starts the rooms and the witness's command, an administrator's own program: a filter is
 * inherited, so it can only have what none of them may ever do. They get EPERM, not SIGSYS: a
 * program that tries something goes on without it.
 */
#define REFUSED STK_FAILS, EPERM
static const struct stk_syscall porter[] = {
    /* other processes */
    {"kcmp", REFUSED},
    {"pidfd_getfd", REFUSED},
    {"process_madvise", REFUSED},
    {"process_vm_readv", REFUSED},
    {"process_vm_writev", REFUSED},
    {"ptrace", REFUSED},
    /* the kernel */
    {"acct", REFUSED},
    {"bpf", REFUSED},
    {"create_module", REFUSED},
    {"delete_module", REFUSED},
    {"finit_module", REFUSED},
    {"init_module", REFUSED},
    {"io_uring_enter", REFUSED},
    {"io_uring_register", REFUSED},
    {"io_uring_setup", REFUSED},
    {"ioperm", REFUSED},
    {"iopl", REFUSED},
    {"kexec_file_load", REFUSED},
    {"kexec_load", REFUSED},
    {"lookup_dcookie", REFUSED},
    {"perf_event_open", REFUSED},
    {"reboot", REFUSED},
    {"swapoff", REFUSED},
    {"swapon", REFUSED},
    {"syslog", REFUSED},
    {"userfaultfd", REFUSED},
    {"vhangup", REFUSED},
    /* the clock and the host's name */
    {"adjtimex", REFUSED},
    {"clock_adjtime", REFUSED},
    {"clock_settime", REFUSED},
    {"setdomainname", REFUSED},
    {"sethostname", REFUSED},
    {"settimeofday", REFUSED},
    /* keys, mounts and spaces */
    {"add_key", REFUSED},
    {"chroot", REFUSED},
    {"clone", STK_FAILS_NEW_SPACE, EPERM},
    {"clone3", STK_FAILS, ENOSYS}, /* its flags lie in memory: the C library takes clone then */
    {"fsconfig", REFUSED},
    {"fsmount", REFUSED},
    {"fsopen", REFUSED},
    {"fspick", REFUSED},
    {"keyctl", REFUSED},
    {"mount", REFUSED},
    {"mount_setattr", REFUSED},
    {"move_mount", REFUSED},
    {"name_to_handle_at", REFUSED},
    {"open_by_handle_at", REFUSED},
    {"open_tree", REFUSED},
    {"personality", REFUSED},
    {"pivot_root", REFUSED},
    {"quotactl", REFUSED},
    {"quotactl_fd", REFUSED},
    {"request_key", REFUSED},
    {"setns", REFUSED},
    {"umount2", REFUSED},
    {"unshare", REFUSED},
};
const struct stk_syscalls stk_syscalls_porter = STK_SYSCALLS(porter);

/* Of a build for sanitizers, whose leak check traces. */
static const struct stk_syscall porter_relaxed[] = {
    {"bpf", REFUSED},
    {"io_uring_setup", REFUSED},
    {"mount", REFUSED},
};
const struct stk_syscalls stk_syscalls_never_of_porter = STK_SYSCALLS(porter_relaxed);
