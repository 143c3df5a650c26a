/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/front.h"

#include "base/clock.h"

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static uint64_t first_of(const struct stk_connection_list *list)
{
    const struct stk_connection *connection = TAILQ_FIRST(list);

    return connection != NULL ? connection->wait_until_us : UINT64_MAX;
}

static uint64_t next_deadline(const struct stk_front *front)
{
    uint64_t next = stk_orders_next_deadline(front->orders);

    next = earlier(next, first_of(&front->waiting));
    next = earlier(next, first_of(&front->lingering));
    if (!TAILQ_EMPTY(&front->taking))
        next = earlier(next, TAILQ_FIRST(&front->taking)->taking_until_us);
    next = earlier(next, stk_program_next_deadline(front));
    if (front->counts_due_us != 0)
        next = earlier(next, front->counts_due_us);
    if (front->snapshot_again_us != 0)
        next = earlier(next, front->snapshot_again_us);
    if (front->accept_again_us != 0)
        next = earlier(next, front->accept_again_us);
    if (front->refusals.summary_due_us != 0)
        next = earlier(next, front->refusals.summary_due_us);
    if (front->drain_until_us != 0)
        next = earlier(next, front->drain_read_until_us > stk_clock_mono_us()
                                 ? front->drain_read_until_us
                                 : front->drain_until_us);
    return next;
}

void stk_timer_set(struct stk_front *front)
{
    uint64_t next = next_deadline(front);
    uint64_t now = 0;
    struct timeval after = {0};

    /* One that goes off too early costs less than moving it with every order. */
    if (next >= front->timer_at_us)
        return;
    now = stk_clock_mono_us();
    if (next > now) {
        after.tv_sec = (time_t)((next - now) / 1000000);
        after.tv_usec = (suseconds_t)((next - now) % 1000000);
    }
    if (event_add(&front->timer, &after) == 0)
        front->timer_at_us = next;
}

static void expire_orders(struct stk_front *front, uint64_t now)
{
    while (stk_orders_next_deadline(front->orders) <= now)
        stk_answer_expire(front, stk_orders_earliest(front->orders));
}

static void expire_list(struct stk_connection_list *list, uint64_t now)
{
    struct stk_connection *connection = NULL;

    while ((connection = TAILQ_FIRST(list)) != NULL && connection->wait_until_us <= now) {
        stk_connection_expire(connection);
        if (connection->wait != STK_WAIT_NONE && TAILQ_FIRST(list) == connection)
            stk_connection_wait(connection, STK_WAIT_NONE, 0);
    }
}

/* What they do not take is lost: there is no way to tell them. */
static void expire_readers(struct stk_front *front, uint64_t now)
{
    struct stk_connection *connection = NULL;

    while ((connection = TAILQ_FIRST(&front->taking)) != NULL &&
           connection->taking_until_us <= now) {
        stk_connection_forget_reader(connection);
        stk_connection_break(connection);
    }
}

static void expired(evutil_socket_t fd, short what, void *context)
{
    struct stk_front *front = context;
    uint64_t now = stk_clock_mono_us();
    (void)fd;
    (void)what;

    front->timer_at_us = UINT64_MAX;
    expire_orders(front, now);
    expire_list(&front->waiting, now);
    expire_list(&front->lingering, now);
    expire_readers(front, now);
    stk_program_expire(front, now);
    stk_counts_expire(front, now);
    if (front->snapshot_again_us != 0 && front->snapshot_again_us <= now) {
        front->snapshot_again_us = 0;
        front->snapshot_wanted = true;
    }
    if (front->accept_again_us != 0 && front->accept_again_us <= now && front->drain_until_us == 0)
        stk_listener_resume(front);
    if (front->refusals.summary_due_us != 0 && front->refusals.summary_due_us <= now)
        stk_refusals_summarise(&front->refusals, now, false);
}

bool stk_timer_start(struct stk_front *front)
{
    return evtimer_assign(&front->timer, front->base, expired, front) == 0;
}
