/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_REFUSALS_H
#define STK_FRONT_REFUSALS_H

#include "base/buffer.h"
#include "model/order.h"
#include <stdbool.h>

/*
 * Refusals on their way to the audit trail. Nobody may fill the disk by asking for what they may
 * not have: each user has STK_REFUSAL_BURST records at once and STK_REFUSAL_INTERVAL_US for each
 * one after that; what is past it is counted, and told as `suppressed` in the user's next record or
 * in one of its own. One thread.
 */
#define STK_REFUSAL_BURST 100
#define STK_REFUSAL_INTERVAL_US 50000
#define STK_REFUSAL_USERS 64           /* remembered one by one */
#define STK_REFUSAL_SUMMARY_US 1000000 /* how long a count may wait for the next record */

struct stk_refusal_user {
    bool used;
    struct stk_peer peer;
    enum stirkeep_status status; /* of the last one suppressed */
    uint32_t suppressed;
    uint64_t paid_until_us; /* when all records so far would be within the rate */
};

struct stk_refusals {
    struct stk_refusal_user users[STK_REFUSAL_USERS];
    uint32_t forgotten;                        /* suppressed ones of users no longer remembered */
    uint64_t total;                            /* all refusals, recorded or not */
    uint64_t by_status[STIRKEEP_STATUS_COUNT]; /* which of them are what */
    struct stk_buffer message;                 /* at most STK_BATCH_MAX records, not yet sent */
    size_t message_count;
    uint64_t summary_due_us; /* 0: nothing to summarise */
};

/* Note one. Recorded when the user's rate and the message have room for it, else counted. */
void stk_refusals_note(struct stk_refusals *refusals, const struct stk_refusal *refusal,
                       uint64_t now_us);

/* Records for counts that have waited long enough; with `all`, for every count (at the end). */
void stk_refusals_summarise(struct stk_refusals *refusals, uint64_t now_us, bool all);

/* The message was sent. */
void stk_refusals_sent(struct stk_refusals *refusals);

void stk_refusals_clear(struct stk_refusals *refusals);

#endif
