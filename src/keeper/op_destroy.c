/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/keeper.h"

/* Destroy a key and its certificates on the token, and prove it. */
enum stirkeep_status stk_op_destroy(struct stk_custody_thread *self,
                                    const struct stk_custody_order *order,
                                    struct stk_custody_answer *answer, struct stk_error *error)
{
    struct stk_keeper *keeper = self->keeper;
    struct stk_record record = {
        .act = "token-destroy", .outcome = STK_OUTCOME_BEGUN, .key_id = &order->key_id};
    enum stirkeep_status status = stk_recorder_append(&keeper->recorder, &record, 1, error);

    if (status != STIRKEEP_OK)
        return status;
    /* Before as well: a signer that meets a copy that is gone has to open its session anew. */
    stk_custody_forget(keeper, &order->key_id);
    status = stk_token_destroy(keeper->token, &order->key_id, &self->destroyed, error);
    stk_custody_forget(keeper, &order->key_id);
    record.outcome = stirkeep_status_name(status);
    if (status == STIRKEEP_OK) {
        record.detail = self->destroyed.proof;
        answer->has_destroyed = true;
        answer->objects = self->destroyed.objects;
        answer->proof = self->destroyed.proof;
    } else {
        record.reason = error->message;
    }
    /* Destroyed is destroyed, even if the record fails now: the answer is about the key. */
    (void)stk_recorder_append(&keeper->recorder, &record, 1, NULL);
    return status;
}
