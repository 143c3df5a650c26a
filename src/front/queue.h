/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_QUEUE_H
#define STK_FRONT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

/*
 * Where orders wait for the keeper, and whose turn it is: one user after the other, and of each user
 * one connection after the other, an order at a time. Who brings many waits for them; nobody else
 * does. Finding the next one takes no search. One thread.
 */
struct stk_slot;
TAILQ_HEAD(stk_slot_list, stk_slot);

/* A connection's orders that wait, in the order in which they came. */
struct stk_flow {
    struct stk_user *user;
    struct stk_slot_list waiting;
    uint32_t count;
    TAILQ_ENTRY(stk_flow) turn; /* while any wait */
};
TAILQ_HEAD(stk_flow_list, stk_flow);

/* A user with connections, or with orders in flight. */
struct stk_user {
    uid_t uid;
    uint32_t flow_count;        /* connections */
    uint32_t in_flight;         /* orders, waiting or sent */
    size_t owed;                /* bytes of answers; see connection.h */
    struct stk_flow_list turns; /* flows with orders that wait; the next one first */
    uint32_t turn_count;
    TAILQ_HEAD(, stk_connection) hungry; /* see connection.h */
    TAILQ_ENTRY(stk_user) hungry_entry;
    TAILQ_ENTRY(stk_user) entry;
    TAILQ_ENTRY(stk_user) turn;
};
TAILQ_HEAD(stk_user_list, stk_user);

struct stk_queue {
    struct stk_user_list users; /* all of them */
    struct stk_user_list turns; /* those with orders that wait; the next one first */
    uint32_t turn_count;
    size_t count; /* orders that wait */
};

void stk_queue_init(struct stk_queue *queue);
/* Nobody may use it any more. */
void stk_queue_clear(struct stk_queue *queue);

/* NO_MEMORY as false. A flow that was opened stays where it is until it is closed, which is when
 * nothing waits in it any more. */
bool stk_flow_open(struct stk_queue *queue, uid_t uid, struct stk_flow *flow);
void stk_flow_close(struct stk_queue *queue, struct stk_flow *flow);

/* Count an order of the user's in, and out. */
void stk_user_begin(struct stk_user *user);
void stk_user_end(struct stk_queue *queue, struct stk_user *user);

void stk_queue_put(struct stk_queue *queue, struct stk_flow *flow, struct stk_slot *slot);
void stk_queue_remove(struct stk_queue *queue, struct stk_flow *flow, struct stk_slot *slot);

/* Whose turn it is, NULL when nothing waits; and take it, after which others have theirs. */
struct stk_slot *stk_queue_next(const struct stk_queue *queue);
void stk_queue_take(struct stk_queue *queue, struct stk_slot *slot);

/* How many orders have their turn before the next one of this flow, while all that wait for theirs
 * bring more. */
size_t stk_queue_ahead(const struct stk_queue *queue, const struct stk_flow *flow);

#endif
