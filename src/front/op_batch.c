/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/batch.h"
#include "front/signing.h"

#include "passport/passport.h"
#include <string.h>

/* A batch that is being decided. A signing whose status is not OK is out of it. */
struct work {
    const struct stk_ask *ask;
    struct stk_signing *signings;
    size_t count;
    struct stk_batch *batch;
    struct stk_permit permits[STK_SIGNINGS_MAX];
    struct stk_slot *slots[STK_SIGNINGS_MAX];
};

/* One is refused. In a whole batch that refuses all of it: false. */
static bool refuse(struct work *work, size_t place, enum stirkeep_status status,
                   const char *message)
{
    const struct stk_response_result result = {.status = status, .message = message};
    struct stk_signing *signing = &work->signings[place];
    char reason[STK_ERROR_MAX] = "";

    stk_batch_reason(place, message, reason);
    if (work->batch->whole) {
        stk_refuse_signing(work->ask, signing, status, reason);
        return false;
    }
    stk_note_signing(work->ask, signing, status, reason);
    stk_batch_put(work->batch, place, &result);
    signing->status = status;
    return true;
}

static bool decide_all(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        struct stk_signing *signing = &work->signings[i];
        struct stk_error error = {0};
        enum stirkeep_status status = signing->status;
        const char *reason = signing->reason;

        if (status == STIRKEEP_OK) {
            status = stk_signing_decide(work->ask, signing, &work->permits[i], &error);
            reason = error.message;
        }
        if (status != STIRKEEP_OK && !refuse(work, i, status, reason))
            return false;
    }
    return true;
}

static bool answer_fits(const struct work *work)
{
    size_t identities = 0;

    for (size_t i = 0; i < work->count; i++)
        if (work->signings[i].status == STIRKEEP_OK)
            identities +=
                stk_passport_bound(&work->signings[i].claims, strlen(work->permits[i].held->x5u));
    if (stk_response_batch_bound(work->count, identities) <= STK_SIGN_MESSAGE_MAX)
        return true;
    stk_refuse(work->ask, STIRKEEP_TOO_LARGE,
               "batch: its answer could be longer than a message: ask for fewer at once");
    return false;
}

/* Give back what those before `end` were charged. */
static void refund_all(const struct work *work, size_t end)
{
    for (size_t i = 0; i < end; i++)
        if (work->signings[i].status == STIRKEEP_OK)
            stk_signing_refund(work->ask, &work->signings[i], &work->permits[i]);
}

static bool charge_all(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        struct stk_error error = {0};
        enum stirkeep_status status = work->signings[i].status;

        if (status != STIRKEEP_OK)
            continue;
        status = stk_signing_charge(work->ask, &work->signings[i], &work->permits[i], &error);
        if (status == STIRKEEP_OK || refuse(work, i, status, error.message))
            continue;
        refund_all(work, i);
        return false;
    }
    return true;
}

static void take_back(const struct work *work, size_t end)
{
    for (size_t i = 0; i < end; i++)
        stk_orders_release(work->ask->connection->front->orders, work->slots[i]);
}

/* Orders leave at the end of the turn: until then they can be taken back. */
static bool place_all(struct work *work)
{
    struct stk_batch *batch = work->batch;

    for (size_t i = 0; i < work->count; i++) {
        struct stk_signing *signing = &work->signings[i];
        struct stk_error error = {0};
        enum stirkeep_status status = signing->status;

        if (status != STIRKEEP_OK)
            continue;
        status = stk_signing_place(work->ask, signing, &work->permits[i], &work->slots[i], &error);
        if (status == STIRKEEP_OK) {
            work->slots[i]->batch = batch;
            work->slots[i]->batch_place = (uint32_t)i;
            batch->promised += work->slots[i]->promised;
            batch->held++;
            continue;
        }
        if (batch->whole) {
            take_back(work, i);
            refund_all(work, work->count);
        } else {
            stk_signing_refund(work->ask, signing, &work->permits[i]);
        }
        if (!refuse(work, i, status, error.message))
            return false;
    }
    return true;
}

void stk_op_batch(const struct stk_ask *ask)
{
    struct stk_connection *connection = ask->connection;
    struct work work = {
        .ask = ask, .signings = ask->request->signings, .count = ask->request->signing_count};

    work.batch = stk_batch_new(work.count, ask->request->whole);
    if (work.batch == NULL) {
        stk_refuse(ask, STIRKEEP_NO_MEMORY, "out of memory");
        return;
    }
    work.batch->request_id = ask->request->id;
    work.batch->connection = connection->place;
    work.batch->connection_serial = connection->serial;
    if (!decide_all(&work) || !answer_fits(&work) || !charge_all(&work) || !place_all(&work)) {
        stk_batch_free(work.batch);
        return;
    }
    work.batch->sent = work.batch->held;
    connection->unanswered += work.batch->sent;
    stk_owed_promise(connection, work.batch->promised);
    if (work.batch->held == 0)
        stk_answer_batch(connection->front, work.batch);
}
