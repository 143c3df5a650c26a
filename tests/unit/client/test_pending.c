/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/pending.h"

static struct stk_slot *add(struct stk_pending *pending, uint64_t deadline_us, uint64_t tag)
{
    struct stk_slot *slot = NULL;

    assert_int_equal(stk_pending_take(pending, &slot), STIRKEEP_OK);
    slot->deadline_us = deadline_us;
    slot->tag = tag;
    stk_pending_wait(pending, slot);
    return slot;
}

static void a_request_is_found_by_its_id_until_it_is_released(void **state)
{
    struct stk_pending pending = {0};
    struct stk_slot *slot = NULL;
    uint64_t id = 0;
    (void)state;

    stk_pending_start(&pending);
    slot = add(&pending, 100, 1);
    id = slot->id;
    assert_int_not_equal(id, 0);
    assert_ptr_equal(stk_pending_find(&pending, id), slot);
    assert_null(stk_pending_find(&pending, id + STK_UNDER_WAY_MAX));
    assert_null(stk_pending_find(&pending, 0));
    assert_null(stk_pending_find(&pending, UINT64_MAX));
    stk_pending_release(&pending, slot);
    assert_null(stk_pending_find(&pending, id));
    assert_int_equal(pending.count, 0);
    /* The slot is used again under another id: a late answer to the old one finds nothing. */
    slot = add(&pending, 100, 2);
    assert_int_not_equal(slot->id, id);
    assert_null(stk_pending_find(&pending, id));
    stk_pending_free(&pending);
}

static void exactly_as_many_as_the_limit_are_under_way(void **state)
{
    struct stk_pending pending = {0};
    struct stk_slot *slot = NULL;
    (void)state;

    stk_pending_start(&pending);
    for (uint64_t i = 0; i < STK_UNDER_WAY_MAX; i++)
        (void)add(&pending, 100, i);
    assert_int_equal(stk_pending_take(&pending, &slot), STIRKEEP_OVERLOADED);
    assert_null(slot);
    stk_pending_release(&pending, stk_pending_first(&pending));
    assert_int_equal(stk_pending_take(&pending, &slot), STIRKEEP_OK);
    stk_pending_free(&pending);
}

static void waiting_ones_keep_the_order_of_submission(void **state)
{
    struct stk_pending pending = {0};
    uint64_t ids[50] = {0};
    uint64_t expected = 0;
    (void)state;

    stk_pending_start(&pending);
    for (uint64_t i = 0; i < 50; i++)
        ids[i] = add(&pending, 100, i)->id;
    for (uint64_t i = 0; i < 50; i += 2)
        stk_pending_release(&pending, stk_pending_find(&pending, ids[i]));
    for (uint64_t i = 50; i < 60; i++)
        (void)add(&pending, 100, i);
    for (const struct stk_slot *slot = stk_pending_first(&pending); slot != NULL;
         slot = stk_pending_next(&pending, slot)) {
        assert_true(slot->tag >= expected);
        expected = slot->tag + 1;
    }
    assert_int_equal(expected, 60);
    assert_int_equal(pending.count, 35);
    stk_pending_free(&pending);
}

static void only_those_past_their_deadline_expire(void **state)
{
    struct stk_pending pending = {0};
    uint64_t early = 0;
    (void)state;

    stk_pending_start(&pending);
    (void)add(&pending, 300, 3);
    early = add(&pending, 100, 1)->id;
    (void)add(&pending, 200, 2);
    assert_false(stk_pending_expire(&pending, 99));
    assert_true(stk_pending_expire(&pending, 200));
    assert_int_equal(stk_pending_failed(&pending)->tag, 1);
    assert_int_equal(stk_pending_failed(&pending)->failure, STIRKEEP_TIMEOUT);
    assert_null(stk_pending_find(&pending, early));
    stk_pending_release(&pending, stk_pending_failed(&pending));
    assert_int_equal(stk_pending_failed(&pending)->tag, 2);
    stk_pending_release(&pending, stk_pending_failed(&pending));
    assert_null(stk_pending_failed(&pending));
    assert_int_equal(pending.earliest_us, 300);
    assert_false(stk_pending_expire(&pending, 299));
    assert_true(stk_pending_expire(&pending, UINT64_MAX));
    assert_int_equal(pending.count, 1); /* expired, not yet fetched */
    stk_pending_forget(&pending);
    assert_int_equal(pending.count, 0);
    stk_pending_free(&pending);
}

static void a_large_request_gives_its_memory_back_and_a_small_one_keeps_it(void **state)
{
    struct stk_pending pending = {0};
    struct stk_slot *slot = NULL;
    (void)state;

    stk_pending_start(&pending);
    slot = add(&pending, 100, 1);
    assert_int_equal(stk_buffer_reserve(&slot->frame, 300), STIRKEEP_OK);
    stk_pending_release(&pending, slot);
    slot = add(&pending, 100, 1);
    assert_true(slot->frame.capacity >= 300);
    assert_int_equal(stk_buffer_reserve(&slot->frame, 60000), STIRKEEP_OK);
    stk_pending_release(&pending, slot);
    slot = add(&pending, 100, 1);
    assert_int_equal(slot->frame.capacity, 0);
    assert_int_equal(stk_buffer_reserve(&slot->frame, 70000), STIRKEEP_TOO_LARGE);
    stk_pending_free(&pending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_found_by_its_id_until_it_is_released),
        cmocka_unit_test(exactly_as_many_as_the_limit_are_under_way),
        cmocka_unit_test(waiting_ones_keep_the_order_of_submission),
        cmocka_unit_test(only_those_past_their_deadline_expire),
        cmocka_unit_test(a_large_request_gives_its_memory_back_and_a_small_one_keeps_it),
    };
    return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
