/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"

static void describe_seals(struct stk_keeper *keeper, struct stk_token_report *report)
{
    struct stk_trail *trail = stk_recorder_trail(&keeper->recorder);
    int64_t since_us = 0;

    report->audit_attributes = "";
    if (atomic_load(&keeper->has_audit_key)) {
        report->audit_spki =
            (struct stk_bytes){keeper->audit_key.spki, sizeof(keeper->audit_key.spki)};
        report->audit_attributes = keeper->audit_key.attributes;
    }
    report->audit_sealed = atomic_load(&keeper->sealer.sealed);
    if (trail == NULL)
        return;
    report->audit_unsealed = stk_trail_unsealed(trail, &since_us);
    report->audit_unsealed_since = since_us / 1000000;
}

/* What the token is and can do, with its wrapping key. */
enum stirkeep_status stk_op_token(struct stk_custody_thread *self,
                                  const struct stk_custody_order *order,
                                  struct stk_custody_answer *answer, struct stk_error *error)
{
    struct stk_keeper *keeper = self->keeper;
    const struct stk_token_info *info = stk_token_info(keeper->token);

    (void)order;
    (void)error;
    stk_recorder_try(&keeper->recorder); /* whoever looks is told how it is now */
    stk_keeper_find_audit_key(keeper);
    answer->has_token = true;
    answer->token =
        (struct stk_token_report){.label = info->label,
                                  .serial = info->serial,
                                  .model = info->model,
                                  .hardware = info->hardware,
                                  .seal_way = info->unwraps ? "token unwraps" : "keeper unwraps",
                                  .sign_way = info->copies ? "session copies" : "token objects",
                                  .signers = (uint32_t)keeper->signer_count,
                                  .wrapping_spki = stk_token_wrapping_spki(keeper->token),
                                  .signatures = atomic_load(&keeper->outbox.signatures),
                                  .audit_sequence = stk_recorder_sequence(&keeper->recorder),
                                  .audit_writable = stk_recorder_writable(&keeper->recorder),
                                  .counters = &self->counters};
    stk_tally_all(keeper, &self->counters);
    describe_seals(keeper, &answer->token);
    return STIRKEEP_OK;
}
