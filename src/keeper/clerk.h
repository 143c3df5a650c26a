/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_CLERK_H
#define STK_KEEPER_CLERK_H

#include "keeper/recorder.h"

/*
 * Records what happens to the service itself (a room died, the token is lost), for threads that must
 * not wait for a disk: they note it, and a thread of the clerk's writes it down as soon as the trail
 * can be written.
 */
#define STK_CLERK_MAX 32 /* that wait; past it, the newest ones are lost, and their number told */

struct stk_happening {
    const char *act; /* a constant */
    enum stirkeep_status outcome;
    struct stk_key_id key_id; /* zero: none */
    char text[STK_ERROR_MAX]; /* the detail; the reason when the outcome is not OK */
};

struct stk_clerk {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stk_happening waiting[STK_CLERK_MAX];
    size_t count; /* the first one is perhaps just being written */
    uint32_t lost;
};

void stk_clerk_init(struct stk_clerk *clerk);

/* Any thread. A text that is too long is cut. `key_id` may be NULL. */
void stk_clerk_note(struct stk_clerk *clerk, const char *act, enum stirkeep_status outcome,
                    const struct stk_key_id *key_id, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Wait until all that was noted is written down, at most so long. */
bool stk_clerk_settle(struct stk_clerk *clerk, unsigned wait_ms);

/* The next one, to be written; waits for it. */
void stk_clerk_next(struct stk_clerk *clerk, struct stk_happening *ret_happening,
                    uint32_t *ret_lost);
/* It, and that so many were lost, is written. */
void stk_clerk_done(struct stk_clerk *clerk, uint32_t lost);

#endif
