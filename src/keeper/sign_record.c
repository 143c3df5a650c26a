/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "keeper/keeper.h"
#include <stdio.h>

/* The numbers and then the URIs in one list, as the PASSporT has them. */
static void list_dest(const struct stk_claims *claims, struct stk_sign_item *item,
                      struct stk_record *record)
{
    size_t count = 0;

    for (size_t i = 0; i < claims->dest_tn_count && count < STK_DEST_MAX; i++)
        item->dest[count++] = claims->dest_tn[i];
    for (size_t i = 0; i < claims->dest_uri_count && count < STK_DEST_MAX; i++)
        item->dest[count++] = claims->dest_uri[i];
    record->dest = item->dest;
    record->dest_count = count;
}

/* On whose behalf, when the caller is somebody else's: that is the number the signer answers for. */
static void name_diverting(const struct stk_claims *claims, struct stk_sign_item *item,
                           struct stk_record *record)
{
    const char *party = claims->div_tn != NULL ? claims->div_tn : claims->div_uri;

    if (party == NULL)
        return;
    (void)snprintf(item->detail, sizeof(item->detail), STK_DIVERTING "%s", party);
    record->detail = item->detail;
}

static void describe(struct stk_sign_item *item, struct stk_record *record)
{
    const struct stk_order *order = item->order;
    const struct stk_claims *claims = &order->claims;

    record->name = order->name.text;
    record->generation = order->generation;
    record->key_id = &order->key_id;
    record->ppt = claims->ppt == STK_PPT_BASE ? stk_ppt_name(claims->ppt) : claims->ppt_text;
    record->orig = claims->orig_tn != NULL ? claims->orig_tn : claims->orig_uri;
    list_dest(claims, item, record);
    item->attest[0] = claims->attest;
    record->attest = item->attest;
    item->attest_asked[0] = order->attest_asked;
    record->attest_asked = item->attest_asked;
    name_diverting(claims, item, record);
    record->origid = claims->origid;
    record->iat = claims->iat;
    record->peer = &order->peer;
    record->executable = order->executable;
    record->grant = order->grant;
    record->request_id = order->request_id;
}

static void record_item(struct stk_signer_thread *self, struct stk_sign_item *item)
{
    struct stk_record *record = &self->records[self->record_count++];
    bool good = item->answer.status == STIRKEEP_OK;

    if (good)
        stk_sha256(item->signature, sizeof(item->signature), item->signature_digest);
    *record = (struct stk_record){.act = "sign",
                                  .outcome = stirkeep_status_name(item->answer.status),
                                  .reason = good ? NULL : item->answer.message,
                                  .signature_digest = good ? item->signature_digest : NULL};
    if (item->order != NULL)
        describe(item, record);
}

static void record_refusal(struct stk_signer_thread *self, const struct stk_refusal *refusal)
{
    bool has_dest = refusal->dest[0] != '\0';

    self->records[self->record_count++] =
        (struct stk_record){.act = "refuse",
                            .outcome = stirkeep_status_name(refusal->status),
                            .reason = refusal->reason,
                            .name = refusal->name,
                            .ppt = refusal->ppt,
                            .orig = refusal->orig,
                            .dest = has_dest ? &refusal->dest : NULL,
                            .dest_count = has_dest ? 1 : 0,
                            .attest = refusal->attest,
                            .origid = refusal->origid,
                            .peer = &refusal->peer,
                            .executable = refusal->executable,
                            .request_id = refusal->request_id,
                            .suppressed = refusal->suppressed};
}

static void hide_numbers(struct stk_signer_thread *self)
{
    const struct stk_number_key *key = self->keeper->number_key;

    for (size_t i = 0; key != NULL && i < self->record_count; i++)
        stk_record_hide(key, &self->hidden[i], &self->records[i]);
}

bool stk_sign_record(struct stk_signer_thread *self, const struct stk_front_orders *orders,
                     struct stk_buffer *bodies)
{
    const size_t room = sizeof(self->records) / sizeof(self->records[0]);
    enum stirkeep_status status = STIRKEEP_OK;
    size_t refusal = 0;

    self->record_count = 0;
    for (size_t i = 0; i < self->item_count; i++)
        record_item(self, &self->items[i]);
    do {
        while (refusal < orders->refusal_count && self->record_count < room)
            record_refusal(self, &orders->refusals[refusal++]);
        hide_numbers(self);
        status = stk_trail_compose(self->records, self->record_count, bodies, NULL);
        self->record_count = 0;
    } while (refusal < orders->refusal_count && status == STIRKEEP_OK);
    return status == STIRKEEP_OK;
}
