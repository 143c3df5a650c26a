/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/awake.h"

#include <sched.h>

/* Waits from 1000 on until something comes `after` us later; how often it was looked for. */
static unsigned looks(struct stk_awake *awake, uint64_t after)
{
    unsigned count = 0;
    uint64_t now = 1000;

    while (now < 1000 + after && stk_awake_stays(awake, true, now)) {
        count++;
        now += 10;
    }
    assert_false(stk_awake_stays(awake, false, 1000 + after));
    return count;
}

static void what_came_soon_is_looked_for_the_next_time(void **state)
{
    struct stk_awake awake = {.able = true};

    (void)state;
    assert_int_equal(looks(&awake, 50), 0); /* nothing is known of it yet */
    assert_int_equal(looks(&awake, 50), 5);
    assert_int_equal(looks(&awake, 50), 5);
}

static void what_takes_long_is_looked_for_once_and_then_slept_for(void **state)
{
    struct stk_awake awake = {.able = true, .worth = true};

    (void)state;
    assert_int_equal(looks(&awake, 5000), STK_AWAKE_US / 10);
    assert_int_equal(looks(&awake, 5000), 0);
    assert_int_equal(looks(&awake, STK_AWAKE_US), 0);
    assert_int_equal(looks(&awake, STK_AWAKE_US - 1), 0);
    assert_int_equal(looks(&awake, 50), 5);
}

static void one_processor_is_left_to_who_has_something_to_do(void **state)
{
    struct stk_awake awake = {.worth = true};
    cpu_set_t all;
    cpu_set_t one;

    (void)state;
    assert_int_equal(looks(&awake, 50), 0);
    assert_int_equal(looks(&awake, 50), 0);
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    stk_awake_init(&awake, 1);
    assert_false(awake.able);
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
    stk_awake_init(&awake, 1);
    assert_int_equal(awake.able, CPU_COUNT(&all) > 1);
    stk_awake_init(&awake, (size_t)CPU_COUNT(&all) + 1);
    assert_int_equal(awake.able, CPU_COUNT(&all) > 1);
    stk_awake_init(&awake, (size_t)CPU_COUNT(&all) + 2);
    assert_false(awake.able);
}

static void nothing_that_came_without_a_wait_counts(void **state)
{
    struct stk_awake awake = {.able = true};

    (void)state;
    assert_false(stk_awake_stays(&awake, false, 7));
    assert_false(awake.worth);
    assert_int_equal(looks(&awake, 50), 0);
    assert_false(stk_awake_stays(&awake, false, 9000));
    assert_true(awake.worth);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_soon_is_looked_for_the_next_time),
        cmocka_unit_test(what_takes_long_is_looked_for_once_and_then_slept_for),
        cmocka_unit_test(one_processor_is_left_to_who_has_something_to_do),
        cmocka_unit_test(nothing_that_came_without_a_wait_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
