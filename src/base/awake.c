/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/awake.h"

#include "base/process.h"
#include <sched.h>

void stk_awake_init(struct stk_awake *awake, size_t threads)
{
    const size_t processors = stk_process_processors();

    *awake = (struct stk_awake){.able = processors > 1 && threads <= processors + 1};
}

bool stk_awake_stays(struct stk_awake *awake, bool waits, uint64_t now_us)
{
    if (!waits) {
        if (awake->since_us != 0)
            awake->worth = now_us - awake->since_us < STK_AWAKE_US;
        awake->since_us = 0;
        return false;
    }
    if (awake->since_us == 0)
        awake->since_us = now_us;
    if (!awake->able || !awake->worth || now_us - awake->since_us >= STK_AWAKE_US)
        return false;
    (void)sched_yield();
    return true;
}
