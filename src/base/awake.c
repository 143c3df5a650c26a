/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/awake.h"

#include <sched.h>

void stk_awake_init(struct stk_awake *awake)
{
    cpu_set_t processors;

    *awake = (struct stk_awake){0};
    awake->able =
        sched_getaffinity(0, sizeof(processors), &processors) == 0 && CPU_COUNT(&processors) > 1;
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
