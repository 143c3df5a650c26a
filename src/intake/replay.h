/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_REPLAY_H
#define STK_INTAKE_REPLAY_H

#include "catalog/catalog.h"
#include <event2/event_struct.h>
#include <sys/queue.h>

/*
 * Intents that nobody finishes any more: a former intake was killed, or the keeper gave no answer.
 * What an import or a generation may have left on the token is destroyed, unless the catalog holds
 * the key; what was to be destroyed is. One at a time, in a thread of callbacks.
 */

struct stk_intake;

/* Somebody in this process finishes this intent: the replay keeps off. */
struct stk_claim {
    int64_t intent; /* 0: none */
    TAILQ_ENTRY(stk_claim) entry;
};

TAILQ_HEAD(stk_claim_list, stk_claim);

void stk_claim_take(struct stk_intake *intake, struct stk_claim *claim, int64_t intent);
/* OK when there is none. */
void stk_claim_drop(struct stk_intake *intake, struct stk_claim *claim);

struct stk_replay {
    struct stk_claim_list claims;
    unsigned destroying; /* operations that destroy: they finish the DESTROY intents themselves */
    bool running;
    bool put_off;         /* one that could not be undone is behind it */
    struct stk_error why; /* why that is left; its status is OK when nothing is */
    int64_t after;
    struct stk_intent intent; /* under way */
    struct event again;
};

bool stk_replay_start(struct stk_intake *intake);
/* Undo those that are there now, unless that goes on already. */
void stk_replay_run(struct stk_intake *intake);

#endif
