/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/signing.h"

#include "passport/passport.h"
#include "wire/codec_order.h"
#include <string.h>

/*
 * What decoding an order may take of the keeper's memory, by its length. JSON takes most: a value
 * for every two characters.
 */
#define WEIGHT_OF_BYTE 4
#define WEIGHT_OF_JSON_BYTE (sizeof(struct stk_json) / 2)

#define BESIDE_IDENTITY_MAX (STK_ERROR_MAX + 128) /* in an answer, or instead of one */

/* ---- usage */

enum stirkeep_status stk_signing_charge(const struct stk_ask *ask,
                                        const struct stk_signing *signing,
                                        struct stk_permit *permit, struct stk_error *error)
{
    struct stk_front *front = ask->connection->front;
    const struct stk_question question = {signing->name.text, &signing->claims, signing->is_input};
    enum stirkeep_status status =
        stk_usage_charge(front->usage, front->config->policy, ask->connection->grants, &question, 1,
                         ask->mono_us, ask->real_s, &permit->decision, error);

    if (status == STIRKEEP_OK)
        stk_counts_touch(front, ask->mono_us);
    return status;
}

void stk_signing_refund(const struct stk_ask *ask, const struct stk_signing *signing,
                        const struct stk_permit *permit)
{
    stk_counts_refund(ask->connection->front, &permit->decision, &signing->name, ask->mono_us,
                      ask->real_s);
}

/* ---- orders */

static uint64_t deadline_of(const struct stk_ask *ask)
{
    unsigned limit = ask->connection->front->config->signing.deadline_ms;
    unsigned wanted = ask->request->deadline_ms;

    if (wanted == 0 || wanted > limit)
        wanted = limit;
    return ask->mono_us + (uint64_t)wanted * 1000;
}

/*
 * An order that would come to its deadline while it waits is refused at once: who asked can go
 * elsewhere, and what the others ask for is not signed late for it. Half of the time is left for what
 * no estimate knows: others whose turn comes first, and a token that becomes slower.
 */
static enum stirkeep_status check_wait(const struct stk_ask *ask, uint64_t deadline_us,
                                       struct stk_error *error)
{
    const struct stk_front *front = ask->connection->front;
    const struct stk_orders *orders = front->orders;
    size_t unsent = stk_orders_unsent(orders);
    size_t sent = orders->count - unsent;
    size_t ahead = 0;
    uint64_t wait_us = 0;

    if (unsent < stk_pace_room(&front->pace, sent)) /* it leaves with this turn */
        return STIRKEEP_OK;
    ahead = sent + orders->again_count + stk_queue_ahead(&orders->queue, &ask->connection->flow);
    wait_us = stk_pace_wait_us(&front->pace, ahead + 1, ask->mono_us);
    if (wait_us <= (deadline_us - ask->mono_us) / 2)
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_OVERLOADED,
                         "so many requests are in flight that it would come to its deadline");
}

static size_t weigh(const struct stk_claims *claims, size_t length)
{
    bool has_json = claims->other != NULL || claims->rcd_jcd != NULL;

    return length * (has_json ? WEIGHT_OF_BYTE + WEIGHT_OF_JSON_BYTE : WEIGHT_OF_BYTE);
}

static enum stirkeep_status fill(const struct stk_ask *ask, const struct stk_signing *signing,
                                 const struct stk_permit *permit, struct stk_slot *slot)
{
    const struct stk_decision *decision = &permit->decision;
    struct stk_held *held = permit->held;
    struct stk_order order = {.id = slot->id,
                              .key_id = held->key_id,
                              .name = signing->name,
                              .generation = held->generation,
                              .x5u = held->x5u,
                              .claims = signing->claims,
                              .attest_asked = decision->lowered ? signing->claims.attest : 0,
                              .deadline_us = slot->deadline_us,
                              .asked_us = ask->mono_us,
                              .peer = ask->connection->peer,
                              .executable = ask->connection->executable,
                              .grant = decision->grant->name,
                              .request_id = ask->request->id};
    enum stirkeep_status status = STIRKEEP_OK;

    order.claims.attest = decision->attest;
    slot->request_id = ask->request->id;
    slot->asked_us = ask->mono_us;
    slot->connection = ask->connection->place;
    slot->connection_serial = ask->connection->serial;
    slot->generation = held->generation;
    if (held->tally_number == 0)
        held->tally_number = stk_tally_number(&ask->connection->front->tally, signing->name.text);
    slot->tally_number = held->tally_number;
    slot->name = signing->name;
    slot->decision = *decision;
    status = stk_order_append(&order, &slot->bytes);
    slot->weight = weigh(&order.claims, slot->bytes.length);
    slot->promised = stk_passport_bound(&order.claims, strlen(held->x5u)) + BESIDE_IDENTITY_MAX;
    if (status == STIRKEEP_OK && slot->bytes.length > STK_LINK_MESSAGE_MAX)
        return STIRKEEP_TOO_LARGE;
    return status;
}

enum stirkeep_status stk_signing_place(const struct stk_ask *ask, const struct stk_signing *signing,
                                       const struct stk_permit *permit, struct stk_slot **ret_slot,
                                       struct stk_error *error)
{
    struct stk_orders *orders = ask->connection->front->orders;
    uint64_t deadline_us = deadline_of(ask);
    struct stk_slot *slot = NULL;
    enum stirkeep_status status = check_wait(ask, deadline_us, error);

    if (status != STIRKEEP_OK)
        return status;
    slot = stk_orders_take(orders, &ask->connection->flow, deadline_us);
    if (slot == NULL)
        return stk_error_set(error, STIRKEEP_OVERLOADED, "too many requests are in flight");
    status = fill(ask, signing, permit, slot);
    if (status != STIRKEEP_OK) {
        stk_orders_release(orders, slot);
        return stk_error_set(error, status, "order: %s", stirkeep_status_text(status));
    }
    *ret_slot = slot;
    return STIRKEEP_OK;
}
