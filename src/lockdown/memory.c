/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "lockdown/lockdown.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool may_lock_without_limit(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
        return true;
    return syscall(SYS_capget, &header, data) == 0 &&
           (data[0].effective & (1U << CAP_IPC_LOCK)) != 0;
}

void stk_memory_lock(void)
{
    /* With a limit, MCL_FUTURE would make later allocations fail instead of going unlocked. */
    if (!may_lock_without_limit()) {
        stk_log(STK_LOG_INFO, "RLIMIT_MEMLOCK is limited: only secrets are locked in memory");
        return;
    }
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        stk_log(STK_LOG_WARNING, "mlockall: %s: only secrets are locked in memory",
                strerror(errno));
}
