/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_ORDERS_H
#define STK_FRONT_ORDERS_H

#include "base/buffer.h"
#include "base/limits.h"
#include "front/queue.h"
#include "policy/policy.h"
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

struct stk_batch;

/*
 * The orders that have no answer yet, sent to the keeper or waiting to be. An order keeps its
 * encoded bytes, so that it can be sent again to the keeper's successor. Slots and their buffers
 * are used again and again: no memory is asked for in the steady state. One thread.
 */
enum stk_slot_place {
    STK_SLOT_WAITS, /* in its connection's flow: the keeper was never told of it */
    STK_SLOT_AGAIN, /* to be sent (again) before all that wait */
    STK_SLOT_SENT
};

struct stk_slot {
    uint64_t id;         /* the order's; 0: free */
    uint64_t request_id; /* the client's */
    uint64_t deadline_us;
    uint64_t asked_us;          /* when the request came */
    uint64_t connection_serial; /* whose it is: a connection's place and serial number */
    uint32_t connection;
    uint32_t generation;   /* of the certificate */
    uint32_t tally_number; /* its name's number in the tally */
    uint32_t heap_place;
    enum stk_slot_place place;
    bool told;                    /* is sent, or was before, to a keeper that is gone */
    bool counts;                  /* that keeper may have signed it: whatever comes, it counts */
    struct stk_flow *flow;        /* while it waits: the connection's */
    struct stk_user *user;        /* whose it is */
    struct stk_name name;         /* of the certificate */
    struct stk_decision decision; /* as it was charged; the grant may be gone by now */
    struct stk_batch *batch;      /* NULL: a request of its own */
    uint32_t batch_place;
    size_t weight;   /* memory that its decoding takes at most */
    size_t promised; /* bytes that its answer takes at most */
    struct stk_buffer bytes;
    TAILQ_ENTRY(stk_slot) entry;
};

/* So many may be one user's: there is always room for another's. */
#define STK_ORDERS_OF_USER_MAX (STK_ORDERS_IN_FLIGHT_MAX - STK_ORDERS_IN_FLIGHT_MAX / 4)

struct stk_orders {
    struct stk_slot *slots;
    struct stk_slot **heap; /* by deadline, the earliest at 0 */
    size_t count;           /* in flight */
    size_t again_count;
    struct stk_queue queue; /* those that wait */
    uint64_t
        serial; /* of the last order; an id is a serial number with the slot's number below it */
    struct stk_slot_list free_slots;
    struct stk_slot_list again;
    struct stk_slot_list sent;
};

/* Serial numbers begin at `seed`, a random one: an answer to a former front's order has an id that
 * nobody knows. NULL: out of memory. */
struct stk_orders *stk_orders_new(uint64_t seed);
void stk_orders_free(struct stk_orders *orders);

/* A slot with an id of its own, which waits at the end of the flow. NULL: STK_ORDERS_IN_FLIGHT_MAX
 * are in flight, or STK_ORDERS_OF_USER_MAX of this user. The caller fills in the rest and `bytes`,
 * which is empty. */
struct stk_slot *stk_orders_take(struct stk_orders *orders, struct stk_flow *flow,
                                 uint64_t deadline_us);
void stk_orders_release(struct stk_orders *orders, struct stk_slot *slot);

/* One order's follows another's. */
uint64_t stk_order_serial(uint64_t id);

/* NULL when no order in flight has this id. */
struct stk_slot *stk_orders_find(const struct stk_orders *orders, uint64_t id);

/* How many are not sent, and which of them is the next one to be; NULL: none. */
size_t stk_orders_unsent(const struct stk_orders *orders);
struct stk_slot *stk_orders_next(const struct stk_orders *orders);

void stk_orders_mark_sent(struct stk_orders *orders, struct stk_slot *slot);
/* The one that was marked last was not sent after all: it is the next one. */
void stk_orders_take_back(struct stk_orders *orders, struct stk_slot *slot);
/* All that are sent are to be sent again, in the order of before. */
void stk_orders_unsend(struct stk_orders *orders);

/* The earliest deadline; UINT64_MAX when nothing is in flight. */
uint64_t stk_orders_next_deadline(const struct stk_orders *orders);
/* The order whose deadline comes first; NULL when nothing is in flight. */
struct stk_slot *stk_orders_earliest(const struct stk_orders *orders);

#endif
