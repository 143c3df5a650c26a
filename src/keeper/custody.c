/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"
#include "keeper/keeper.h"
#include "model/proof.h"
#include "room/room.h"

#define ANSWER_WAIT_MS 1000 /* for an intake that does not read */

static const struct {
    stk_custody_op *run;
    bool needs_token;
} operations[] = {
    [STK_CUSTODY_TOKEN] = {stk_op_token, true},
    [STK_CUSTODY_IMPORT] = {stk_op_import, true},
    [STK_CUSTODY_PROVE] = {stk_op_prove, true},
    [STK_CUSTODY_DESTROY] = {stk_op_destroy, true},
    [STK_CUSTODY_RECORD] = {stk_op_record, false},
    [STK_CUSTODY_GENERATE] = {stk_op_generate, true},
    [STK_CUSTODY_REQUEST] = {stk_op_request, true},
    [STK_CUSTODY_EXAMINE] = {stk_op_examine, true},
    [STK_CUSTODY_INVENTORY] = {stk_op_inventory, true},
};

void stk_custody_forget(struct stk_keeper *keeper, const struct stk_key_id *key_id)
{
    for (size_t i = 0; i < keeper->signer_count; i++)
        if (keeper->signers[i].signer != NULL)
            stk_signer_forget(keeper->signers[i].signer, key_id);
}

enum stirkeep_status stk_custody_prove(struct stk_custody_thread *self,
                                       const struct stk_custody_order *order,
                                       struct stk_custody_answer *answer, struct stk_error *error)
{
    struct stk_token *token = self->keeper->token;
    uint8_t digest[STK_DIGEST_LENGTH];
    enum stirkeep_status status = STIRKEEP_OK;

    stk_proof_digest(order->challenge, digest);
    status = stk_token_sign(token, &order->key_id, digest, answer->signature, error);
    if (status == STIRKEEP_OK)
        status = stk_token_attributes(token, &order->key_id, self->attributes, error);
    if (status != STIRKEEP_OK)
        return status;
    answer->has_proof = true;
    answer->attributes = self->attributes;
    return STIRKEEP_OK;
}

static enum stirkeep_status run(struct stk_custody_thread *self,
                                const struct stk_custody_order *order,
                                struct stk_custody_answer *answer, struct stk_error *error)
{
    if ((size_t)order->kind >= sizeof(operations) / sizeof(operations[0]))
        return stk_error_set(error, STIRKEEP_UNSUPPORTED, "order of an unknown kind");
    if (operations[order->kind].needs_token && self->keeper->token == NULL) {
        *error = self->keeper->locked;
        return STIRKEEP_TOKEN_LOCKED;
    }
    return operations[order->kind].run(self, order, answer, error);
}

void stk_custody_message(struct stk_custody_thread *self, struct stk_bytes message)
{
    struct stk_custody_order order = {0};
    struct stk_custody_answer answer = {0};
    struct stk_error error = {0};

    stk_arena_reset(&self->arena);
    answer.status = stk_custody_order_decode(message, &self->arena, &order, &error);
    if (answer.status != STIRKEEP_OK && order.id == 0) {
        stk_log(STK_LOG_ERROR, "an order of intake's was dropped: %s", error.message);
        return;
    }
    if (answer.status == STIRKEEP_OK)
        answer.status = run(self, &order, &answer, &error);
    stk_watchdog_hold_back(self->keeper, answer.status);
    if (answer.status != STIRKEEP_OK) /* and with nothing that was found before it failed */
        answer = (struct stk_custody_answer){.status = answer.status};
    answer.id = order.id;
    answer.message = answer.status == STIRKEEP_OK ? "" : error.message;
    self->out.length = 0;
    if (stk_custody_answer_encode(&answer, &self->out) == STIRKEEP_OK)
        (void)stk_link_send(STK_FD_KEEPER_INTAKE, self->out.data, self->out.length, ANSWER_WAIT_MS,
                            NULL);
}
