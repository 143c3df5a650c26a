/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"

/* Destroy a key and its certificates on the token. */
enum stirkeep_status stk_op_destroy(struct stk_custody_thread *self,
                                    const struct stk_custody_order *order,
                                    struct stk_custody_answer *answer, struct stk_error *error)
{
    struct stk_keeper *keeper = self->keeper;
    struct stk_record record = {
        .act = "token-destroy", .outcome = STK_OUTCOME_BEGUN, .key_id = &order->key_id};
    enum stirkeep_status status = stk_recorder_append(&keeper->recorder, &record, 1, error);

    (void)answer;
    if (status != STIRKEEP_OK)
        return status;
    status = stk_token_destroy(keeper->token, &order->key_id, error);
    stk_custody_forget(keeper, &order->key_id);
    record.outcome = stirkeep_status_name(status);
    record.reason = status == STIRKEEP_OK ? NULL : error->message;
    /* Destroyed is destroyed, even if the record fails now: the answer is about the key. */
    (void)stk_recorder_append(&keeper->recorder, &record, 1, NULL);
    return status;
}
