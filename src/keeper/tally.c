/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/tally.h"

#include "base/clock.h"
#include "keeper/keeper.h"
#include <string.h>

void stk_tally_signature(struct stk_signer_tally *tally, uint64_t asked_us, uint64_t began_us,
                         uint64_t ended_us)
{
    if (asked_us != 0 && asked_us <= began_us)
        stk_histogram_add(&tally->queue, began_us - asked_us, 1);
    stk_histogram_add(&tally->token, ended_us - began_us, 1);
}

static void add_signer(const struct stk_signer_thread *thread, struct stk_keeper_counters *counters)
{
    struct stk_histogram token = {0};

    stk_histogram_merge(&token, &thread->tally.token);
    stk_histogram_merge(&counters->token, &token);
    stk_histogram_merge(&counters->queue, &thread->tally.queue);
    counters->signers[counters->signer_count++] =
        (struct stk_signer_use){stk_histogram_count(&token), token.sum};
    if (thread->signer != NULL && stk_signer_busy_since(thread->signer) != 0)
        counters->busy++;
}

void stk_tally_all(struct stk_keeper *keeper, struct stk_keeper_counters *ret_counters)
{
    memset(ret_counters, 0, sizeof(*ret_counters));
    ret_counters->room =
        (struct stk_room_use){stk_clock_cpu_us(), stk_clock_mono_us() - keeper->started_us};
    stk_histogram_merge(&ret_counters->audit, &keeper->outbox.audit);
    for (size_t i = 0; i < keeper->signer_count && i < STK_SIGNERS_MAX; i++)
        add_signer(&keeper->signers[i], ret_counters);
}
