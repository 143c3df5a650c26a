/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

/* With its inside. */
#include "../../../src/cli/bench_load.c"

static void each_latency_is_within_a_sixteenth_of_its_class(void **state)
{
    (void)state;
    for (uint64_t us = 0; us < 3000000; us += 1 + us / 1000) {
        uint64_t end = end_of(class_of(us));

        assert_true(end >= us);
        assert_true(end - us <= us / 16);
    }
}

static void classes_follow_one_another_without_a_gap(void **state)
{
    (void)state;
    for (unsigned class = 0; class + 1 < STK_BENCH_CLASSES; class ++) {
        assert_int_equal(class_of(end_of(class)), class);
        assert_int_equal(class_of(end_of(class) + 1), class + 1);
    }
    assert_int_equal(class_of(UINT64_MAX), STK_BENCH_CLASSES - 1);
}

static void percentiles_are_what_they_are_called(void **state)
{
    uint64_t classes[STK_BENCH_CLASSES] = {0};
    (void)state;

    assert_int_equal(stk_bench_latency(classes, 500), 0);
    classes[class_of(10)] = 98;
    classes[class_of(1000)] = 1;
    classes[class_of(50000)] = 1;
    assert_int_equal(stk_bench_latency(classes, 500), 10);
    assert_int_equal(stk_bench_latency(classes, 980), 10);
    assert_int_equal(stk_bench_latency(classes, 990), end_of(class_of(1000)));
    assert_int_equal(stk_bench_latency(classes, 1000), end_of(class_of(50000)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_latency_is_within_a_sixteenth_of_its_class),
        cmocka_unit_test(classes_follow_one_another_without_a_gap),
        cmocka_unit_test(percentiles_are_what_they_are_called),
    };

    return cmocka_run_group_tests_name("cli latency", tests, NULL, NULL);
}
