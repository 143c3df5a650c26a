/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_AWAKE_H
#define STK_BASE_AWAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whoever sleeps has to be woken, which on another processor takes 20 to 40 us: as long as a
 * signature. So who waits for what the last time came within STK_AWAKE_US looks again for so long,
 * and lets others have the processor in between, before it sleeps. What took longer the last time is
 * slept for. Never where there is only one processor, or where more threads wait than one more than
 * there are processors: their work is done elsewhere, and takes longer than being woken. One thread.
 */
#define STK_AWAKE_US 200

struct stk_awake {
    bool able;         /* there are processors enough */
    bool worth;        /* it came soon, the last time */
    uint64_t since_us; /* of this wait; 0: none */
};

/* For one of `threads` that wait for the same. Asks for the number of processors. */
void stk_awake_init(struct stk_awake *awake, size_t threads);

/*
 * Is what is waited for to be looked for once more, instead of sleeping? Called before each look
 * while it has not come (`waits`), when the processor is given to whoever else wants it; and once
 * with `waits` false when it came, which is what the next wait goes by. `now_us`: CLOCK_MONOTONIC.
 */
bool stk_awake_stays(struct stk_awake *awake, bool waits, uint64_t now_us);

#endif
