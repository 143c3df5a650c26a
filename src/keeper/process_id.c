/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/process.h"
#include <unistd.h>

/*
 * In the place of the C library's, for all that the keeper has loaded: OpenSSL's random numbers ask
 * five times a signature whether the process has forked, and five system calls are a twentieth of a
 * signature. The answer is the same, in a child as well.
 */
__attribute__((visibility("default"))) pid_t getpid(void)
{
    return stk_process_id();
}
