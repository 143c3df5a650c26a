/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLIENT_AGAIN_H
#define STK_CLIENT_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

struct stirkeep_client;
struct stk_slot;

/*
 * What is asked again, within its deadline, so that a restart of the service, or of one of its rooms,
 * is a delay to callers and no failure. Signing may be done twice: the answer that comes counts, and
 * the service's trail has both.
 *
 *   the connection ends   everything under way is sent again on the next one (exchange.c)
 *   nobody listens        for so long after a connection was lost as the caller has patience, the next one is waited
 *                         for; later, or when there never was one, that is NOT_CONNECTED at once
 *   UNAVAILABLE           a room is starting: asked again after a moment
 */

#define STK_AGAIN_AWAIT_US                                                                         \
    5000000 /* so long a restart may take: who says nothing has that patience */
#define STK_AGAIN_FIRST_US 10000 /* after the first UNAVAILABLE; doubled ... */
#define STK_AGAIN_LAST_US 160000 /* ... up to this */

/* A connection is lost. */
void stk_again_lost(struct stirkeep_client *client);

/* Nobody listens: is that a restart? */
bool stk_again_is_awaited(const struct stirkeep_client *client, uint64_t now_us);

/* UNAVAILABLE was the answer to it. True: it stays under way, and will be asked again. */
bool stk_again_keep(struct stirkeep_client *client, struct stk_slot *slot, uint64_t now_us);

/* Everything under way is given to a new connection: nothing waits any more. */
void stk_again_sent_all(struct stirkeep_client *client);

/* Send what has waited long enough. */
void stk_again_send_due(struct stirkeep_client *client, uint64_t now_us);

#endif
