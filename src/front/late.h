/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_LATE_H
#define STK_FRONT_LATE_H

#include "front/orders.h"

/*
 * Orders that came to their deadline at the keeper. Who asked was answered, but whether the day's
 * quota is charged is not decided yet: a signature that comes after all is in the trail and counts,
 * and so does what fails for want of time; a fault of the service's does not. The latest STK_LATE_MAX
 * are remembered; those before them stay charged. One thread.
 */
#define STK_LATE_MAX STK_ORDERS_IN_FLIGHT_MAX

struct stk_late_order {
    uint64_t id; /* the order's; 0: none */
    struct stk_name name;
    struct stk_decision decision; /* as it was charged */
};

struct stk_late {
    struct stk_late_order orders[STK_LATE_MAX]; /* by serial number */
    size_t count;
};

/* It is released, but its answer may still come. */
void stk_late_keep(struct stk_late *late, const struct stk_slot *slot);
/* Its answer came: NULL when it is not remembered; else valid until the next call. */
const struct stk_late_order *stk_late_take(struct stk_late *late, uint64_t id);
/* The keeper is gone, and what it had may be signed: all of it counts. */
void stk_late_forget(struct stk_late *late);

#endif
