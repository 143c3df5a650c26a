/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_CALLS_H
#define STK_INTAKE_CALLS_H

#include "wire/codec_order.h"
#include <event2/event_struct.h>
#include <sys/queue.h>

/*
 * Orders to the keeper, one at a time in the order of asking; none while it is down. When the keeper
 * gets a successor, the order under way is sent again: all of them may be carried out twice. One
 * thread.
 */

struct stk_intake;

/* `status` is the keeper's, or UNAVAILABLE when there was no answer in time; `error` says why it is
 * not OK. `answer` is NULL without an answer, and gone after the callback. */
typedef void stk_call_done(void *context, enum stirkeep_status status,
                           const struct stk_custody_answer *answer, const struct stk_error *error);

struct stk_call {
    struct stk_intake *intake;
    uint64_t id;
    struct stk_buffer bytes;
    stk_call_done *done;
    void *context;
    struct event timer;
    TAILQ_ENTRY(stk_call) entry;
};

struct stk_calls {
    TAILQ_HEAD(stk_call_list, stk_call) queue; /* the first one is under way */
    uint64_t last_id; /* from a random start: an answer to a former intake's order is recognised */
    struct event readable;
    struct event writable;
    bool sent; /* the first one */
};

bool stk_calls_start(struct stk_intake *intake);
void stk_calls_stop(struct stk_intake *intake);

/* Ask the keeper; order->id is chosen here. `done` is called exactly once, never before this
 * returns. */
void stk_call(struct stk_intake *intake, struct stk_custody_order *order, unsigned timeout_ms,
              stk_call_done *done, void *context);

/* The keeper has a successor. */
void stk_calls_again(struct stk_intake *intake);
bool stk_calls_idle(const struct stk_intake *intake);

#endif
