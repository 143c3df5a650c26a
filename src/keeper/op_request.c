/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/csr.h"
#include "keeper/keeper.h"
#include <string.h>

static bool has_ticket(const struct stk_custody_order *order)
{
    static const struct stk_key_id none;

    return memcmp(&order->ticket, &none, sizeof(none)) != 0;
}

/* Composed here from what was said, never from bytes that somebody hands in to be signed. */
static enum stirkeep_status request(struct stk_custody_thread *self,
                                    const struct stk_custody_order *order,
                                    struct stk_bytes *ret_csr, struct stk_error *error)
{
    struct stk_token *token = self->keeper->token;
    struct stk_csr *csr = NULL;
    struct stk_buffer der = {0};
    uint8_t spki[STK_TOKEN_SPKI_LENGTH] = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    enum stirkeep_status status = stk_token_spki(token, &order->key_id, spki, error);

    if (status == STIRKEEP_OK)
        status = stk_csr_begin((struct stk_bytes){spki, sizeof(spki)}, order->spc, order->subject,
                               &csr, digest, error);
    if (status == STIRKEEP_OK)
        status = stk_token_sign(token, &order->key_id, digest, signature, error);
    if (status == STIRKEEP_OK)
        status = stk_csr_finish(csr, signature, &der, error);
    if (status == STIRKEEP_OK) {
        const char *copy = stk_arena_copy(&self->arena, der.data, der.length);

        if (copy == NULL)
            status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
        else
            *ret_csr = (struct stk_bytes){(const uint8_t *)copy, der.length};
    }
    stk_csr_free(csr);
    stk_buffer_free(&der);
    return status;
}

static enum stirkeep_status carry_out(struct stk_custody_thread *self,
                                      const struct stk_custody_order *order,
                                      struct stk_custody_answer *answer, struct stk_error *error)
{
    /* What is wrong with the words is said before the token is touched. */
    enum stirkeep_status status = stk_csr_check(order->spc, order->subject, error);

    if (status == STIRKEEP_OK && has_ticket(order)) {
        status = stk_token_adopt(self->keeper->token, &order->ticket, &order->key_id, error);
        stk_custody_forget(self->keeper, &order->key_id);
    }
    if (status == STIRKEEP_OK)
        status = stk_custody_prove(self, order, answer, error);
    if (status == STIRKEEP_OK)
        status = request(self, order, &answer->csr, error);
    return status;
}

/* Give a key made on the token its key id, prove it, and compose and sign a certificate request. */
enum stirkeep_status stk_op_request(struct stk_custody_thread *self,
                                    const struct stk_custody_order *order,
                                    struct stk_custody_answer *answer, struct stk_error *error)
{
    struct stk_keeper *keeper = self->keeper;
    struct stk_record record = {.act = "token-request",
                                .outcome = STK_OUTCOME_BEGUN,
                                .name = order->name.text,
                                .key_id = &order->key_id};
    enum stirkeep_status status = stk_recorder_append(&keeper->recorder, &record, 1, error);

    if (status != STIRKEEP_OK)
        return status;
    status = carry_out(self, order, answer, error);
    record.outcome = stirkeep_status_name(status);
    if (status != STIRKEEP_OK) {
        record.reason = error->message;
        (void)stk_recorder_append(&keeper->recorder, &record, 1, NULL);
        return status;
    }
    record.detail = answer->attributes;
    answer->has_request = true;
    return stk_recorder_append(&keeper->recorder, &record, 1, error);
}
