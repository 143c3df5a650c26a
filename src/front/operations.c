/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"

void stk_refusal_note(struct stk_front *front, const struct stk_refusal *refusal)
{
    if (front->refusals.message_count == STK_BATCH_MAX)
        stk_link_keeper_flush_refusals(front);
    stk_refusals_note(&front->refusals, refusal, stk_clock_mono_us());
}

static void note(struct stk_connection *connection, uint64_t request_id,
                 const struct stk_request_sketch *sketch, enum stirkeep_status status,
                 const char *reason)
{
    const struct stk_refusal refusal = {.status = status,
                                        .reason = reason,
                                        .name = sketch->name,
                                        .ppt = sketch->ppt,
                                        .orig = sketch->orig,
                                        .dest = sketch->dest,
                                        .attest = sketch->attest,
                                        .origid = sketch->origid,
                                        .peer = connection->peer,
                                        .executable = connection->executable,
                                        .request_id = request_id};

    stk_refusal_note(connection->front, &refusal);
}

void stk_refusal_of_connection(struct stk_connection *connection, enum stirkeep_status status,
                               const char *reason)
{
    const struct stk_request_sketch nothing = {"", "", "", "", "", ""};

    note(connection, 0, &nothing, status, reason);
}

void stk_refuse(const struct stk_ask *ask, enum stirkeep_status status, const char *message)
{
    note(ask->connection, ask->request->id, ask->sketch, status, message);
    stk_output_error(ask->connection, ask->request->id, status, message);
}

void stk_note_signing(const struct stk_ask *ask, const struct stk_signing *signing,
                      enum stirkeep_status status, const char *reason)
{
    note(ask->connection, ask->request->id, &signing->sketch, status, reason);
}

void stk_refuse_signing(const struct stk_ask *ask, const struct stk_signing *signing,
                        enum stirkeep_status status, const char *message)
{
    stk_note_signing(ask, signing, status, message);
    stk_output_error(ask->connection, ask->request->id, status, message);
}

const char *stk_attest_text(char attest)
{
    switch (attest) {
    case 'A':
        return "A";
    case 'B':
        return "B";
    case 'C':
        return "C";
    default:
        return "";
    }
}

void stk_operation_run(struct stk_connection *connection, struct stk_bytes message)
{
    struct stk_front *front = connection->front;
    struct stk_request request = {0};
    struct stk_request_sketch sketch = {0};
    struct stk_error error = {0};
    const struct stk_ask ask = {connection,          &request,           &sketch, message.length,
                                stk_clock_mono_us(), stk_clock_seconds()};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_arena_reset(&front->arena);
    stk_arena_reset(&front->work);
    status = stk_request_decode(message, &front->arena, &request, &sketch, &error);
    if (status != STIRKEEP_OK) {
        stk_refuse(&ask, status, error.message);
        return;
    }
    switch (request.kind) {
    case STK_REQUEST_SIGN:
        stk_op_sign(&ask);
        break;
    case STK_REQUEST_BATCH:
        stk_op_batch(&ask);
        break;
    case STK_REQUEST_LIST:
        stk_op_list(&ask);
        break;
    case STK_REQUEST_PING:
        stk_op_ping(&ask);
        break;
    }
}
