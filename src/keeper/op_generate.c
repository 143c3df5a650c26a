/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "base/encode.h"
#include "keeper/keeper.h"
#include <stdio.h>

#define TICKET_TEXT (sizeof("ticket ") + 2 * (size_t)STK_KEY_ID_LENGTH)

static void ticket_text(const struct stk_key_id *ticket, char ret_text[TICKET_TEXT])
{
    size_t length = (size_t)snprintf(ret_text, TICKET_TEXT, "ticket ");

    stk_hex_encode(ticket->bytes, sizeof(ticket->bytes), ret_text + length);
}

static enum stirkeep_status make(struct stk_custody_thread *self,
                                 const struct stk_custody_order *order, uint8_t **ret_spki,
                                 struct stk_error *error)
{
    uint8_t *spki = stk_arena_take(&self->arena, STK_TOKEN_SPKI_LENGTH);
    enum stirkeep_status status = STIRKEEP_OK;

    if (spki == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_token_generate(self->keeper->token, order->name.text, &order->ticket, spki, error);
    if (status == STIRKEEP_OK)
        *ret_spki = spki;
    return status;
}

/* Make a key pair on the token, or say which one was made under the ticket before. */
enum stirkeep_status stk_op_generate(struct stk_custody_thread *self,
                                     const struct stk_custody_order *order,
                                     struct stk_custody_answer *answer, struct stk_error *error)
{
    struct stk_keeper *keeper = self->keeper;
    char ticket[TICKET_TEXT] = "";
    struct stk_key_id key_id = {0};
    uint8_t *spki = NULL;
    struct stk_record record = {.act = "token-generate",
                                .outcome = STK_OUTCOME_BEGUN,
                                .name = order->name.text,
                                .detail = ticket};
    enum stirkeep_status status = STIRKEEP_OK;

    ticket_text(&order->ticket, ticket);
    status = stk_recorder_append(&keeper->recorder, &record, 1, error);
    if (status != STIRKEEP_OK)
        return status;
    status = make(self, order, &spki, error);
    record.outcome = stirkeep_status_name(status);
    if (status != STIRKEEP_OK) {
        record.reason = error->message;
        (void)stk_recorder_append(&keeper->recorder, &record, 1, NULL);
        return status;
    }
    stk_sha256(spki, STK_TOKEN_SPKI_LENGTH, key_id.bytes);
    record.key_id = &key_id;
    answer->has_spki = true;
    answer->spki = (struct stk_bytes){spki, STK_TOKEN_SPKI_LENGTH};
    return stk_recorder_append(&keeper->recorder, &record, 1, error);
}
