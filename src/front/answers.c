/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include "front/batch.h"

/* Who asked, if still there. */
static struct stk_connection *owner_of(const struct stk_front *front, uint32_t place,
                                       uint64_t serial)
{
    struct stk_connection *connection = front->connections[place];

    return connection != NULL && connection->serial == serial &&
                   connection->state != STK_CONNECTION_BROKEN
               ? connection
               : NULL;
}

void stk_answer_batch(struct stk_front *front, struct stk_batch *batch)
{
    struct stk_connection *connection =
        owner_of(front, batch->connection, batch->connection_serial);
    enum stirkeep_status status = STIRKEEP_OK;

    if (connection != NULL) {
        connection->unanswered -= batch->sent;
        stk_owed_fulfil(connection, batch->promised);
        status = stk_batch_encode(batch, &connection->out);
        if (status == STIRKEEP_TOO_LARGE)
            stk_output_error(connection, batch->request_id, status,
                             "batch: its answer is longer than a message");
        else
            stk_output_done(connection, status);
    }
    stk_batch_free(batch);
}

static void answer_one(struct stk_front *front, const struct stk_slot *slot,
                       const struct stk_response_result *result)
{
    struct stk_connection *connection = owner_of(front, slot->connection, slot->connection_serial);

    if (connection == NULL)
        return;
    connection->unanswered--;
    stk_owed_fulfil(connection, slot->promised);
    if (result->status == STIRKEEP_OK)
        stk_output_done(connection, stk_response_encode_signed(slot->request_id, &result->signed_,
                                                               &connection->out));
    else
        stk_output_error(connection, slot->request_id, result->status, result->message);
}

static void answer(struct stk_front *front, struct stk_slot *slot,
                   const struct stk_response_result *result)
{
    struct stk_batch *batch = slot->batch;

    stk_tally_answer(&front->tally, result->status, slot->tally_number, slot->asked_us);
    if (batch == NULL) {
        answer_one(front, slot, result);
    } else {
        stk_batch_put(batch, slot->batch_place, result);
        if (--batch->held == 0)
            stk_answer_batch(front, batch);
    }
    stk_orders_release(front->orders, slot);
}

/*
 * The keeper had it, and did not sign it. It had its turn, and most of what fails is a record in the
 * trail: so it stays charged to the rate. The day's quota is of signatures, and is given back for
 * what is the service's fault; for what only who asked can better it is not, or a request with no
 * time to be signed would fill the trail for nothing.
 */
static void settle_unsigned(struct stk_front *front, const struct stk_decision *decision,
                            const struct stk_name *name, enum stirkeep_status status)
{
    switch (status) {
    case STIRKEEP_DEADLINE:
    case STIRKEEP_INVALID:
    case STIRKEEP_MALFORMED:
    case STIRKEEP_TOO_LARGE:
        break;
    default:
        stk_counts_refund_quota(front, decision, name, stk_clock_mono_us(), stk_clock_seconds());
    }
}

/* Answered at its deadline, or by the keeper before; or a former front's. */
static void deliver_late(struct stk_front *front, const struct stk_answer *said)
{
    const struct stk_late_order *order = stk_late_take(front->late, said->id);

    if (order != NULL && said->status != STIRKEEP_OK)
        settle_unsigned(front, &order->decision, &order->name, said->status);
}

void stk_answer_deliver(struct stk_front *front, const struct stk_answer *said)
{
    struct stk_slot *slot = stk_orders_find(front->orders, said->id);
    struct stk_response_result result = {.status = said->status, .message = said->message};

    if (slot == NULL) {
        deliver_late(front, said);
        return;
    }
    if (said->status == STIRKEEP_OK)
        result.signed_ = (struct stk_response_signed){
            .identity = {(const uint8_t *)said->identity, said->identity_length},
            .passport_length = said->passport_length,
            .generation = slot->generation,
            .iat = said->iat,
            .origid = said->origid,
            .attest = stk_attest_text(slot->decision.attest)};
    else if (!slot->counts)
        settle_unsigned(front, &slot->decision, &slot->name, said->status);
    answer(front, slot, &result);
}

void stk_answer_expire(struct stk_front *front, struct stk_slot *slot)
{
    struct stk_response_result result = {.status = STIRKEEP_DEADLINE,
                                         .message = stirkeep_status_text(STIRKEEP_DEADLINE)};

    if (!front->keeper_up) {
        result.status = STIRKEEP_UNAVAILABLE;
        result.message = "the keeper, which has the token, is starting: try again";
    }
    if (slot->told && !slot->counts)
        stk_late_keep(front->late, slot);
    else if (!slot->told)
        stk_counts_refund(front, &slot->decision, &slot->name, stk_clock_mono_us(),
                          stk_clock_seconds());
    answer(front, slot, &result);
}

void stk_answer_forget(struct stk_front *front, struct stk_flow *flow)
{
    uint64_t now_us = flow->count > 0 ? stk_clock_mono_us() : 0;
    int64_t now_s = flow->count > 0 ? stk_clock_seconds() : 0;
    struct stk_slot *slot = NULL;

    while ((slot = TAILQ_FIRST(&flow->waiting)) != NULL) {
        struct stk_batch *batch = slot->batch;

        stk_counts_refund(front, &slot->decision, &slot->name, now_us, now_s);
        if (batch != NULL && --batch->held == 0)
            stk_batch_free(batch);
        stk_orders_release(front->orders, slot);
    }
}

void stk_answer_nobody(struct stk_front *front)
{
    for (size_t i = 0; i < STK_ORDERS_IN_FLIGHT_MAX; i++) {
        struct stk_batch *batch = front->orders->slots[i].batch;

        if (front->orders->slots[i].id != 0 && batch != NULL && --batch->held == 0)
            stk_batch_free(batch);
    }
}
