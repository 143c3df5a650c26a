/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"

static uint64_t total_of_signatures(const struct stk_keeper *keeper)
{
    uint64_t total = 0;

    for (size_t i = 0; i < keeper->signer_count; i++)
        total += atomic_load_explicit(&keeper->signers[i].signatures, memory_order_relaxed);
    return total;
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
                                  .signatures = total_of_signatures(keeper),
                                  .audit_sequence = stk_recorder_sequence(&keeper->recorder),
                                  .audit_writable = stk_recorder_writable(&keeper->recorder)};
    return STIRKEEP_OK;
}
