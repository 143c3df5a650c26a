/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/digest.h"
#include "base/log.h"
#include "room/room.h"
#include <stdlib.h>

/* Send the first one, unless it is sent. Not to a keeper that is down: it would be carried out twice,
 * for stk_calls_again sends it once more. */
static void pump(struct stk_intake *intake)
{
    struct stk_calls *calls = &intake->calls;
    struct stk_call *call = TAILQ_FIRST(&calls->queue);
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (call == NULL || calls->sent || !intake->keeper_up)
        return;
    status = stk_link_send(STK_FD_INTAKE_KEEPER, call->bytes.data, call->bytes.length, 0, &error);
    if (status == STIRKEEP_OK)
        calls->sent = true;
    else if (status == STIRKEEP_UNAVAILABLE)
        (void)event_add(&calls->writable, NULL);
    else
        stk_log(STK_LOG_ERROR, "keeper: %s", error.message);
}

/* Take a call out and tell its owner; the next one is sent. */
static void finish(struct stk_call *call, enum stirkeep_status status,
                   const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_intake *intake = call->intake;
    struct stk_calls *calls = &intake->calls;

    if (call == TAILQ_FIRST(&calls->queue))
        calls->sent = false;
    TAILQ_REMOVE(&calls->queue, call, entry);
    (void)event_del(&call->timer);
    call->done(call->context, status, answer, error);
    stk_buffer_free(&call->bytes);
    free(call);
    pump(intake);
    stk_intake_drain_check(intake);
}

static void expired(evutil_socket_t fd, short what, void *context)
{
    struct stk_error error = {0};
    (void)fd;
    (void)what;

    (void)stk_error_set(&error, STIRKEEP_UNAVAILABLE,
                        "the keeper, which has the token, gives no answer: try again");
    finish(context, STIRKEEP_UNAVAILABLE, NULL, &error);
}

static void take_answer(struct stk_intake *intake, const struct stk_custody_answer *answer)
{
    struct stk_call *call = TAILQ_FIRST(&intake->calls.queue);
    struct stk_error error = {0};

    if (call == NULL || call->id != answer->id)
        return; /* to an order that was given up, or sent twice */
    if (answer->status != STIRKEEP_OK)
        (void)stk_error_set(&error, answer->status, "%s",
                            answer->message[0] != '\0' ? answer->message
                                                       : stirkeep_status_text(answer->status));
    finish(call, answer->status, answer, &error);
}

static void readable(evutil_socket_t fd, short what, void *context)
{
    struct stk_intake *intake = context;
    struct stk_custody_answer answer = {0};
    struct stk_error error = {0};
    size_t length = 0;
    (void)what;

    if (stk_link_receive(fd, 0, intake->message, &length, NULL) != STIRKEEP_OK)
        return;
    stk_arena_reset(&intake->arena);
    if (stk_custody_answer_decode((struct stk_bytes){intake->message, length}, &intake->arena,
                                  &answer, &error) == STIRKEEP_OK)
        take_answer(intake, &answer);
    else
        stk_log(STK_LOG_ERROR, "an answer of the keeper's was dropped: %s", error.message);
}

static void writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    pump(context);
}

bool stk_calls_start(struct stk_intake *intake)
{
    struct stk_calls *calls = &intake->calls;

    TAILQ_INIT(&calls->queue);
    stk_random(&calls->last_id, sizeof(calls->last_id));
    return event_assign(&calls->readable, intake->base, STK_FD_INTAKE_KEEPER, EV_READ | EV_PERSIST,
                        readable, intake) == 0 &&
           event_assign(&calls->writable, intake->base, STK_FD_INTAKE_KEEPER, EV_WRITE, writable,
                        intake) == 0 &&
           event_add(&calls->readable, NULL) == 0;
}

void stk_calls_stop(struct stk_intake *intake)
{
    struct stk_call *call = NULL;

    while ((call = TAILQ_FIRST(&intake->calls.queue)) != NULL) {
        TAILQ_REMOVE(&intake->calls.queue, call, entry);
        (void)event_del(&call->timer);
        stk_buffer_free(&call->bytes);
        free(call);
    }
}

void stk_call(struct stk_intake *intake, struct stk_custody_order *order, unsigned timeout_ms,
              stk_call_done *done, void *context)
{
    struct stk_call *call = calloc(1, sizeof(*call));

    order->id = ++intake->calls.last_id;
    if (call == NULL || stk_custody_order_encode(order, &call->bytes) != STIRKEEP_OK ||
        evtimer_assign(&call->timer, intake->base, expired, call) != 0) {
        stk_log(STK_LOG_ERROR, "out of memory");
        abort(); /* the journal takes it from here */
    }
    call->intake = intake;
    call->id = order->id;
    call->done = done;
    call->context = context;
    TAILQ_INSERT_TAIL(&intake->calls.queue, call, entry);
    stk_intake_timer(&call->timer, timeout_ms);
    pump(intake);
}

void stk_calls_again(struct stk_intake *intake)
{
    intake->calls.sent = false;
    pump(intake);
}

bool stk_calls_idle(const struct stk_intake *intake)
{
    return TAILQ_EMPTY(&intake->calls.queue);
}
