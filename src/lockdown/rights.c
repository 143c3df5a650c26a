/* SPDX-License-Identifier: BSD-2-Clause */
#include "lockdown/rights.h"

#include "lockdown/lockdown.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIGHEST 63 /* capabilities are 64 bits; the kernel says which of them there are */
#define WORD 32

struct capabilities {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static bool get_capabilities(struct capabilities *ret_own)
{
    *ret_own = (struct capabilities){.header = {.version = _LINUX_CAPABILITY_VERSION_3}};
    return syscall(SYS_capget, &ret_own->header, ret_own->data) == 0;
}

bool stk_lockdown_sees_programs(void)
{
    struct capabilities own;

    return get_capabilities(&own) && (own.data[0].effective & (1U << CAP_SYS_PTRACE)) != 0;
}

static bool set_capabilities(uint64_t kept)
{
    struct capabilities own;

    if (!get_capabilities(&own))
        return false;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        uint32_t mask = (uint32_t)(kept >> (i * WORD));

        own.data[i].permitted &= mask;
        own.data[i].effective &= mask;
        own.data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &own.header, own.data) == 0;
}

/* Those that the kernel does not have are EINVAL. */
static bool bound_to(uint64_t kept)
{
    for (unsigned capability = 0; capability <= HIGHEST; capability++)
        if ((kept >> capability & 1) == 0 && prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1 &&
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            return false;
    return true;
}

bool stk_lockdown_no_capabilities(void)
{
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    (void)bound_to(0); /* takes CAP_SETPCAP: the porter did it where it had it */
    return set_capabilities(0);
}

bool stk_lockdown_forget_root(void)
{
    const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                               SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                               SECBIT_NO_SETUID_FIXUP_LOCKED;

    /* Root without CAP_SETPCAP, as some containers have it, can do neither: setresuid takes what
     * there is all the same, and no new privileges keep it away. */
    if (prctl(PR_SET_SECUREBITS, bits) != 0)
        return errno == EPERM;
    return bound_to(0);
}

/* Its rooms' users, their end, files of theirs (the PIN's, a socket's directory), whose program a
 * client is (/proc/PID/exe), limits, and this. */
#define OF_PORTER                                                                                  \
    (1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH |                  \
     1ULL << CAP_FOWNER | 1ULL << CAP_KILL | 1ULL << CAP_SETGID | 1ULL << CAP_SETUID |             \
     1ULL << CAP_SETPCAP | 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_SYS_RESOURCE |                     \
     1ULL << CAP_IPC_LOCK)

bool stk_rights_of_porter(void)
{
    if (geteuid() != 0)
        return set_capabilities(OF_PORTER);
    return (prctl(PR_CAPBSET_READ, CAP_SETPCAP, 0, 0, 0) != 1 || bound_to(OF_PORTER)) &&
           set_capabilities(OF_PORTER);
}

bool stk_rights_of_front(void)
{
    const struct rlimit none = {0, 0};
    struct stat log = {0};

    if (setrlimit(RLIMIT_NPROC, &none) != 0 || setrlimit(RLIMIT_MEMLOCK, &none) != 0)
        return false;
    /* A log that is a file has to grow. */
    if (fstat(STDERR_FILENO, &log) == 0 && S_ISREG(log.st_mode))
        return true;
    return setrlimit(RLIMIT_FSIZE, &none) == 0;
}
