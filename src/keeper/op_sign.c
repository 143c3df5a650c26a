/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "keeper/headers.h"
#include "keeper/keeper.h"
#include "passport/passport.h"
#include "room/room.h"
#include <inttypes.h>
#include <string.h>

#define UUID_BYTES 16

/* What all orders of a batch share. */
struct batch {
    int64_t now; /* seconds since 1970 */
    uint8_t random[STK_BATCH_MAX][UUID_BYTES];
};

/* ---- compose and sign */

static enum stirkeep_status check_time(const struct stk_signer_thread *self,
                                       const struct batch *batch, const struct stk_order *order,
                                       struct stk_error *error)
{
    int64_t window = self->keeper->config->signing.iat_window_s;
    int64_t iat = order->claims.iat;

    if (order->deadline_us <= self->now_us)
        return stk_error_set(error, STIRKEEP_DEADLINE, "%s",
                             stirkeep_status_text(STIRKEEP_DEADLINE));
    if (iat != 0 && (iat < batch->now - window || iat > batch->now + window))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "iat: %" PRId64 " is more than %" PRId64 " s from now", iat, window);
    return STIRKEEP_OK;
}

static void complete_claims(struct stk_claims *claims, const struct batch *batch, size_t index)
{
    if (claims->iat == 0)
        claims->iat = batch->now;
    if (claims->ppt == STK_PPT_SHAKEN && claims->origid[0] == '\0')
        stk_uuid4(batch->random[index], claims->origid);
}

static enum stirkeep_status compose(struct stk_signer_thread *self, const struct stk_order *order,
                                    struct stk_buffer *out, struct stk_error *error)
{
    const char *header = NULL;
    size_t header_length = 0;
    enum stirkeep_status status =
        stk_headers_get(self->headers, &order->key_id, order->claims.ppt_text, order->x5u, &header,
                        &header_length, error);

    if (status != STIRKEEP_OK)
        return status;
    out->length = 0;
    status = stk_passport_input(header, header_length, &order->claims, out);
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "PASSporT: %s", stirkeep_status_text(status));
    return STIRKEEP_OK;
}

static enum stirkeep_status sign_digest(struct stk_signer_thread *self,
                                        const struct stk_order *order,
                                        const uint8_t digest[STK_DIGEST_LENGTH],
                                        uint8_t ret_signature[STK_SIGNATURE_LENGTH],
                                        struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (self->signer == NULL) {
        *error = self->keeper->locked;
        return STIRKEEP_TOKEN_LOCKED;
    }
    status = stk_signer_sign(self->signer, &order->key_id, digest, ret_signature, error);
    stk_watchdog_note(self->keeper, status, error);
    stk_watchdog_hold_back(self->keeper, status);
    return status;
}

static void take_times(struct stk_signer_thread *self, const struct stk_order *order, size_t index,
                       enum stirkeep_status status)
{
    uint64_t began_us = 0;

    if (status != STIRKEEP_OK) {
        self->now_us = stk_clock_mono_us();
        return;
    }
    stk_signer_times(self->signer, &began_us, &self->now_us);
    stk_tally_signature(&self->tally, order->asked_us, began_us, self->now_us);
    self->items[index].answer.token_us =
        (uint32_t)(self->now_us - began_us < UINT32_MAX ? self->now_us - began_us : UINT32_MAX);
}

static enum stirkeep_status sign(struct stk_signer_thread *self, const struct batch *batch,
                                 struct stk_order *order, size_t index)
{
    struct stk_sign_item *item = &self->items[index];
    uint8_t digest[STK_DIGEST_LENGTH];
    enum stirkeep_status status = check_time(self, batch, order, &item->error);

    if (status != STIRKEEP_OK)
        return status;
    complete_claims(&order->claims, batch, index);
    status = compose(self, order, &item->identity, &item->error);
    if (status != STIRKEEP_OK)
        return status;
    stk_sha256(item->identity.data, item->identity.length, digest);
    status = sign_digest(self, order, digest, item->signature, &item->error);
    take_times(self, order, index, status);
    if (status != STIRKEEP_OK)
        return status;
    /* Its x5u has passed stk_headers_get, as that of a compact one has, of which info alone is kept. */
    status = stk_passport_finish(item->signature, &order->claims, order->x5u, &item->identity,
                                 &item->answer.passport_length);
    if (status != STIRKEEP_OK)
        return stk_error_set(&item->error, status, "PASSporT: %s", stirkeep_status_text(status));
    return STIRKEEP_OK;
}

static void do_order(struct stk_signer_thread *self, const struct batch *batch,
                     struct stk_order *order)
{
    struct stk_sign_item *item = &self->items[self->item_count];

    item->order = order;
    item->answer = (struct stk_answer){.id = order->id, .message = ""};
    item->answer.status = sign(self, batch, order, self->item_count++);
    if (item->answer.status != STIRKEEP_OK) {
        item->answer.message = item->error.message;
        return;
    }
    item->answer.identity = (const char *)item->identity.data;
    item->answer.identity_length = item->identity.length;
    item->answer.iat = order->claims.iat;
    memcpy(item->answer.origid, order->claims.origid, sizeof(item->answer.origid));
}

static void do_bad(struct stk_signer_thread *self, const struct stk_answer *bad)
{
    struct stk_sign_item *item = &self->items[self->item_count++];

    item->order = NULL;
    item->answer = *bad;
    if (item->answer.message == NULL)
        item->answer.message = "";
}

/* ---- answer */

/* As many answers to a message as it holds. */
static void answer_all(struct stk_signer_thread *self, struct stk_parcel *parcel)
{
    struct stk_buffer *out = &parcel->messages;
    size_t start = 0;

    for (size_t i = 0; i < self->item_count; i++) {
        const struct stk_answer *answer = &self->items[i].answer;
        size_t before = out->length;

        parcel->ids[parcel->id_count++] = answer->id;
        parcel->signatures += answer->status == STIRKEEP_OK;
        if (stk_answer_append(answer, out) == STIRKEEP_OK &&
            out->length - start > STK_LINK_MESSAGE_MAX) {
            parcel->ends[parcel->message_count++] = before;
            start = before;
        }
    }
    if (out->length > start)
        parcel->ends[parcel->message_count++] = out->length;
}

static void expect(const struct stk_signer_thread *self, const struct stk_front_orders *orders)
{
    const struct stk_key_id *key_ids[STK_BATCH_MAX];

    if (self->signer == NULL)
        return;
    for (size_t i = 0; i < orders->order_count; i++) {
        key_ids[i] = &orders->orders[i].key_id;
        stk_headers_expect_place(self->headers, key_ids[i], orders->orders[i].claims.ppt_text);
    }
    stk_signer_expect(self->signer, key_ids, orders->order_count);
    for (size_t i = 0; i < orders->order_count; i++)
        stk_headers_expect_text(self->headers, key_ids[i], orders->orders[i].claims.ppt_text);
    if (orders->order_count > 0)
        stk_signer_expect_next(self->signer, key_ids[0]);
}

void stk_sign_batch(struct stk_signer_thread *self, struct stk_bytes message)
{
    struct stk_front_orders orders = {0};
    struct stk_parcel *parcel = NULL;
    size_t bad_count = 0;
    struct stk_error error;
    struct batch batch;

    stk_arena_reset(&self->arena);
    self->item_count = 0;
    if (stk_front_orders_decode(message, &self->arena, &orders, self->bad, &bad_count, &error) !=
        STIRKEEP_OK) {
        /* Nobody can be answered: front's own time-outs do. */
        if (!atomic_exchange(&self->keeper->told_malformed, true))
            stk_log(STK_LOG_ERROR, "a message of front's was dropped: %s", error.message);
        return;
    }
    expect(self, &orders);
    batch.now = stk_clock_seconds();
    self->now_us = stk_clock_mono_us();
    stk_random(batch.random, orders.order_count > 0 ? sizeof(batch.random) : 0);
    for (size_t i = 0; i < orders.order_count && self->item_count < STK_BATCH_MAX; i++) {
        if (self->signer != NULL && i + 1 < orders.order_count)
            stk_signer_expect_next(self->signer, &orders.orders[i + 1].key_id);
        do_order(self, &batch, &orders.orders[i]);
    }
    for (size_t i = 0; i < bad_count && self->item_count < STK_BATCH_MAX; i++)
        do_bad(self, &self->bad[i]);
    parcel = stk_outbox_take(&self->keeper->outbox);
    if (parcel == NULL) {
        stk_log(STK_LOG_ERROR, "out of memory: %zu orders are not answered", self->item_count);
        return;
    }
    parcel->asked = message.length;
    answer_all(self, parcel);
    parcel->unrecorded = !stk_sign_record(self, &orders, &parcel->bodies);
    stk_outbox_put(&self->keeper->outbox, parcel);
}
