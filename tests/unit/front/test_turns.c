/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/orders.h"
#include "front/pace.h"

/* ---- whose turn it is */

#define FLOWS 8

struct rig {
    struct stk_orders *orders;
    struct stk_flow flows[FLOWS];
};

static void open_flows(struct rig *rig, const uid_t uids[], size_t count)
{
    rig->orders = stk_orders_new(1);
    assert_non_null(rig->orders);
    for (size_t i = 0; i < count; i++)
        assert_true(stk_flow_open(&rig->orders->queue, uids[i], &rig->flows[i]));
}

static struct stk_slot *put(struct rig *rig, size_t flow)
{
    struct stk_slot *slot = stk_orders_take(rig->orders, &rig->flows[flow], 10);

    assert_non_null(slot);
    return slot;
}

static void put_many(struct rig *rig, size_t flow, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(rig, flow);
}

/* Send one; whose it is. */
static int serve(struct rig *rig)
{
    struct stk_slot *slot = stk_orders_next(rig->orders);

    if (slot == NULL)
        return -1;
    stk_orders_mark_sent(rig->orders, slot);
    return (int)(slot->flow - rig->flows);
}

static void expect_turns(struct rig *rig, const int expected[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(serve(rig), expected[i]);
}

static void who_floods_waits_for_it_alone(void **state)
{
    static const uid_t uids[] = {1, 2};
    struct rig rig;
    (void)state;

    open_flows(&rig, uids, 2);
    put_many(&rig, 0, 1000);
    put_many(&rig, 1, 2);
    expect_turns(&rig, (const int[]){0, 1, 0, 1, 0, 0}, 6);
    put(&rig, 1);
    assert_int_equal(stk_queue_ahead(&rig.orders->queue, &rig.flows[1]), 3);
    expect_turns(&rig, (const int[]){0, 1}, 2);
    stk_orders_free(rig.orders);
}

static void many_connections_of_one_user_have_one_users_turns(void **state)
{
    static const uid_t uids[] = {1, 1, 1, 2, 2};
    struct rig rig;
    (void)state;

    open_flows(&rig, uids, 5);
    for (size_t i = 0; i < 3; i++)
        put_many(&rig, i, 10);
    put_many(&rig, 3, 3);
    put_many(&rig, 4, 1);
    expect_turns(&rig, (const int[]){0, 3, 1, 4, 2, 3, 0, 3, 1, 2, 0}, 11);
    stk_orders_free(rig.orders);
}

/* What was put wherever, and taken out of the middle: all is served once. */
static void all_of_it_is_served_once(void **state)
{
    static const uid_t uids[FLOWS] = {1, 1, 1, 2, 2, 3, 4, 5};
    struct rig rig;
    unsigned seed = 1;
    size_t waiting = 0;
    (void)state;

    open_flows(&rig, uids, FLOWS);
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245U + 12345U;
        if ((seed >> 16) % 3 != 0 && waiting < 500) {
            put(&rig, (seed >> 20) % FLOWS);
            waiting++;
        } else if ((seed >> 18) % 4 == 0) {
            struct stk_flow *flow = &rig.flows[(seed >> 20) % FLOWS];

            if (flow->count > 0) {
                stk_orders_release(rig.orders, TAILQ_LAST(&flow->waiting, stk_slot_list));
                waiting--;
            }
        } else if (waiting > 0) {
            struct stk_slot *slot = stk_orders_next(rig.orders);

            stk_orders_mark_sent(rig.orders, slot);
            stk_orders_release(rig.orders, slot);
            waiting--;
        }
        assert_int_equal(stk_orders_unsent(rig.orders), waiting);
        assert_int_equal(stk_orders_next(rig.orders) == NULL, waiting == 0);
    }
    while (waiting-- > 0)
        assert_true(serve(&rig) >= 0);
    assert_int_equal(serve(&rig), -1);
    stk_orders_free(rig.orders);
}

static void what_did_not_leave_is_the_next_to_leave(void **state)
{
    static const uid_t uids[] = {1, 2};
    struct stk_slot *sent[3];
    struct rig rig;
    (void)state;

    open_flows(&rig, uids, 2);
    put_many(&rig, 0, 3);
    put_many(&rig, 1, 3);
    for (int i = 0; i < 3; i++) {
        sent[i] = stk_orders_next(rig.orders);
        stk_orders_mark_sent(rig.orders, sent[i]);
    }
    for (int i = 3; i-- > 0;)
        stk_orders_take_back(rig.orders, sent[i]);
    assert_int_equal(stk_orders_unsent(rig.orders), 6);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(stk_orders_next(rig.orders), sent[i]);
        stk_orders_mark_sent(rig.orders, sent[i]);
    }
    expect_turns(&rig, (const int[]){1, 0, 1, -1}, 4);
    stk_orders_free(rig.orders);
}

static void a_user_lasts_as_long_as_an_order_of_theirs(void **state)
{
    static const uid_t uids[] = {1};
    struct stk_slot *slot = NULL;
    struct rig rig;
    (void)state;

    open_flows(&rig, uids, 1);
    slot = put(&rig, 0);
    stk_orders_mark_sent(rig.orders, slot);
    stk_flow_close(&rig.orders->queue, &rig.flows[0]);
    assert_int_equal(slot->user->in_flight, 1);
    assert_true(stk_flow_open(&rig.orders->queue, 1, &rig.flows[1]));
    assert_ptr_equal(rig.flows[1].user, slot->user);
    stk_flow_close(&rig.orders->queue, &rig.flows[1]);
    stk_orders_release(rig.orders, slot);
    assert_true(TAILQ_EMPTY(&rig.orders->queue.users));
    stk_orders_free(rig.orders);
}

/* ---- how fast the keeper is */

static struct stk_pace told(unsigned signers, uint32_t token_us, int answers)
{
    struct stk_pace pace;

    stk_pace_init(&pace, signers, false);
    for (int i = 0; i < answers; i++)
        stk_pace_answer(&pace, token_us);
    return pace;
}

static void a_slow_token_is_given_one_order_at_a_time_and_a_fast_one_many(void **state)
{
    struct stk_pace slow = told(64, 5000, 1);
    struct stk_pace fast = told(2, 30, 1);
    struct stk_pace unknown = told(2, 0, 1);
    (void)state;

    assert_int_equal(stk_pace_message(&slow), 1);
    assert_int_equal(stk_pace_room(&slow, 0), 64 + 32 + STK_PACE_SPARE);
    assert_int_equal(stk_pace_room(&slow, 1000), 0);
    assert_int_equal(stk_pace_message(&fast), STK_BATCH_MAX);
    assert_int_equal(stk_pace_message(&unknown), STK_BATCH_MAX);
    assert_int_equal(stk_pace_room(&unknown, 1000), STK_ORDERS_IN_FLIGHT_MAX - 1000);
}

static void a_few_that_were_kept_waiting_do_not_make_a_token_slow(void **state)
{
    struct stk_pace pace = told(2, 30, 100);
    (void)state;

    for (int i = 0; i < 1000; i++)
        stk_pace_answer(&pace, i % 5 == 0 ? 100000 : 30);
    assert_int_equal(stk_pace_message(&pace), STK_BATCH_MAX);
    for (int i = 0; i < 100; i++)
        stk_pace_answer(&pace, 5000);
    assert_int_equal(stk_pace_message(&pace), 1);
    for (int i = 0; i < 100; i++)
        stk_pace_answer(&pace, 30);
    assert_int_equal(stk_pace_message(&pace), STK_BATCH_MAX);
}

/* An answer comes every `gap_us` for so long, while the keeper has `sent` orders. */
static void answered(struct stk_pace *pace, size_t sent, unsigned gap_us, uint64_t from_us,
                     uint64_t for_us)
{
    for (uint64_t now = from_us; now < from_us + for_us; now += gap_us) {
        stk_pace_answer(pace, gap_us * pace->signers);
        stk_pace_turn(pace, sent, now);
    }
}

/* One in 100 us, while it has all that it takes. */
static void run(struct stk_pace *pace, uint64_t from_us, uint64_t for_us)
{
    answered(pace, 10000, 100, from_us, for_us);
}

static void waiting_is_told_by_what_was_answered_lately(void **state)
{
    struct stk_pace pace = told(64, 5000, 1);
    uint64_t wait_us = 0;
    (void)state;

    assert_int_equal(stk_pace_wait_us(&pace, 128, 1), 10000); /* before anything is measured */
    run(&pace, 1000, 1000000);
    wait_us = stk_pace_wait_us(&pace, 100, 1001000);
    assert_in_range(wait_us, 9500, 10500);
    /* It stands still. */
    assert_true(stk_pace_wait_us(&pace, 100, 2001000) > 100000);
    /* Its rest is no measure of it. */
    stk_pace_turn(&pace, 0, 2001000);
    wait_us = stk_pace_wait_us(&pace, 100, 9001000);
    assert_in_range(wait_us, 9500, 10500);
    stk_pace_break(&pace);
    run(&pace, 10000000, 1000000);
    assert_in_range(stk_pace_wait_us(&pace, 100, 11000000), 9500, 10500);
}

/* What was measured at a slow token is not held against a fast one. */
static void with_less_than_it_takes_it_is_at_least_as_fast_as_its_answers(void **state)
{
    struct stk_pace pace = told(2, 10000, 1);
    (void)state;

    answered(&pace, 10000, 5000, 1000, 2000000);
    assert_in_range(stk_pace_wait_us(&pace, 100, 2001000), 450000, 550000);
    answered(&pace, 1, 10000, 2001000, 2000000); /* few ask: that says nothing */
    assert_in_range(stk_pace_wait_us(&pace, 100, 4001000), 450000, 550000);
    answered(&pace, 100, 50, 4001000, 500000);
    assert_true(stk_pace_wait_us(&pace, 100, 4501000) < 6000);
    answered(&pace, 1, 10000, 4501000, 1000000);
    assert_true(stk_pace_wait_us(&pace, 100, 5501000) < 6000);
}

static void nothing_is_known_of_a_keeper_that_has_not_answered(void **state)
{
    struct stk_pace pace = told(2, 0, 0);
    (void)state;

    assert_int_equal(stk_pace_wait_us(&pace, 1000, 5), 0);
    assert_true(stk_pace_room(&pace, 0) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_floods_waits_for_it_alone),
        cmocka_unit_test(many_connections_of_one_user_have_one_users_turns),
        cmocka_unit_test(all_of_it_is_served_once),
        cmocka_unit_test(what_did_not_leave_is_the_next_to_leave),
        cmocka_unit_test(a_user_lasts_as_long_as_an_order_of_theirs),
        cmocka_unit_test(a_slow_token_is_given_one_order_at_a_time_and_a_fast_one_many),
        cmocka_unit_test(a_few_that_were_kept_waiting_do_not_make_a_token_slow),
        cmocka_unit_test(waiting_is_told_by_what_was_answered_lately),
        cmocka_unit_test(with_less_than_it_takes_it_is_at_least_as_fast_as_its_answers),
        cmocka_unit_test(nothing_is_known_of_a_keeper_that_has_not_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
