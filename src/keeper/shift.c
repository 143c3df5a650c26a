/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"

/* Both sides write their own flag before they read the other's (sequentially consistent): either
 * the thread sees `closed`, or main sees `working`. */
bool stk_shift_begin(struct stk_keeper *keeper, struct stk_shift *shift)
{
    atomic_store(&shift->working, true);
    if (!atomic_load(&keeper->closed))
        return true;
    atomic_store(&shift->working, false);
    return false;
}

void stk_shift_end(struct stk_shift *shift)
{
    atomic_store_explicit(&shift->working, false, memory_order_release);
}

bool stk_shift_anyone(const struct stk_keeper *keeper)
{
    if (atomic_load(&keeper->custody.shift.working) ||
        atomic_load(&keeper->clerk_thread.shift.working) ||
        atomic_load(&keeper->sealer.shift.working))
        return true;
    for (size_t i = 0; i < keeper->signer_count; i++)
        if (atomic_load(&keeper->signers[i].shift.working))
            return true;
    /* Last, for what a signer was working on a moment ago is there before it stops working. */
    return atomic_load(&keeper->outbox.under_way) > 0;
}
