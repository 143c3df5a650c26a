/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"
#include "wire/codec_order.h"

#include <string.h>

/* May the certificate sign now? (RFC 8225 section 4.3, RFC 5280 section 4.1.2.5) */
static enum stirkeep_status check_held(const struct stk_held *held, const char *name,
                                       struct stk_error *error)
{
    int64_t now = stk_clock_seconds();

    if (held == NULL)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "certificate %s: not held", name);
    if (!held->active)
        return stk_error_set(error, STIRKEEP_NOT_ACTIVE,
                             "certificate %s: not active: it is retired, staged or destroyed",
                             name);
    if (now < held->not_before)
        return stk_error_set(error, STIRKEEP_CERT_NOT_YET_VALID, "certificate %s: not yet valid",
                             name);
    if (now > held->not_after)
        return stk_error_set(error, STIRKEEP_CERT_EXPIRED, "certificate %s: expired", name);
    return STIRKEEP_OK;
}

/* The certificate and the grant; policy first, so that nobody learns which names there are. */
static enum stirkeep_status decide(const struct stk_ask *ask, const struct stk_grant **ret_grant,
                                   const struct stk_held **ret_held, struct stk_error *error)
{
    struct stk_front *front = ask->connection->front;
    const char *name = ask->request->name.text;
    enum stirkeep_status status =
        stk_policy_decide(ask->connection->grants, name, &ask->request->claims, ret_grant, error);

    if (status != STIRKEEP_OK)
        return status;
    if (!stk_names_complete(front->names))
        return stk_error_set(error, STIRKEEP_UNAVAILABLE,
                             "the service is starting: its certificates are not known yet");
    *ret_held = stk_names_find(front->names, name);
    return check_held(*ret_held, name, error);
}

static uint64_t deadline_of(const struct stk_ask *ask)
{
    unsigned limit = ask->connection->front->config->signing.deadline_ms;
    unsigned wanted = ask->request->deadline_ms;

    if (wanted == 0 || wanted > limit)
        wanted = limit;
    return stk_clock_mono_us() + (uint64_t)wanted * 1000;
}

static enum stirkeep_status fill(const struct stk_ask *ask, const struct stk_grant *grant,
                                 const struct stk_held *held, struct stk_slot *slot)
{
    const struct stk_order order = {.id = slot->id,
                                    .key_id = held->key_id,
                                    .name = ask->request->name,
                                    .generation = held->generation,
                                    .x5u = held->x5u,
                                    .claims = ask->request->claims,
                                    .deadline_us = slot->deadline_us,
                                    .peer = ask->connection->peer,
                                    .grant = grant->name,
                                    .request_id = ask->request->id};

    slot->request_id = ask->request->id;
    slot->connection = ask->connection->place;
    slot->connection_serial = ask->connection->serial;
    slot->generation = held->generation;
    return stk_order_append(&order, &slot->bytes);
}

void stk_op_sign(const struct stk_ask *ask)
{
    struct stk_orders *orders = ask->connection->front->orders;
    const struct stk_grant *grant = NULL;
    const struct stk_held *held = NULL;
    struct stk_slot *slot = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = decide(ask, &grant, &held, &error);

    if (status != STIRKEEP_OK) {
        stk_refuse(ask, status, error.message);
        return;
    }
    slot = stk_orders_take(orders, ask->connection->peer.uid, deadline_of(ask));
    if (slot == NULL) {
        stk_refuse(ask, STIRKEEP_OVERLOADED, "too many requests are in flight");
        return;
    }
    if (fill(ask, grant, held, slot) != STIRKEEP_OK) {
        stk_orders_release(orders, slot);
        stk_refuse(ask, STIRKEEP_NO_MEMORY, "out of memory");
        return;
    }
    ask->connection->unanswered++;
}
