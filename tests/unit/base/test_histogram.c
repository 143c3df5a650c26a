/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

#include "base/histogram.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

static void each_time_is_within_a_sixteenth_of_its_class(void **state)
{
    (void)state;
    for (uint64_t us = 0; us < 3000000; us += 1 + us / 1000) {
        uint64_t end = stk_histogram_class_end(stk_histogram_class(us));

        assert_true(end >= us);
        assert_true(end - us <= us / 16);
    }
}

static void classes_follow_one_another_without_a_gap(void **state)
{
    (void)state;
    for (unsigned place = 0; place + 1 < STK_HISTOGRAM_CLASSES; place++) {
        uint64_t end = stk_histogram_class_end(place);

        assert_int_equal(stk_histogram_class(end), place);
        assert_int_equal(stk_histogram_class(end + 1), place + 1);
    }
    assert_int_equal(stk_histogram_class(UINT64_MAX), STK_HISTOGRAM_CLASSES - 1);
}

static void percentiles_are_what_they_are_called(void **state)
{
    struct stk_histogram histogram = {0};
    (void)state;

    assert_int_equal(stk_histogram_at(&histogram, 500), 0);
    stk_histogram_add(&histogram, 10, 98);
    stk_histogram_add(&histogram, 1000, 1);
    stk_histogram_add(&histogram, 50000, 1);
    assert_int_equal(stk_histogram_count(&histogram), 100);
    assert_int_equal(histogram.sum, 98 * 10 + 1000 + 50000);
    assert_int_equal(stk_histogram_at(&histogram, 500), 10);
    assert_int_equal(stk_histogram_at(&histogram, 980), 10);
    assert_int_equal(stk_histogram_at(&histogram, 990),
                     stk_histogram_class_end(stk_histogram_class(1000)));
    /* The last class ends where the longest one was. */
    assert_int_equal(stk_histogram_at(&histogram, 1000), 50000);
    assert_int_equal(histogram.longest, 50000);
}

static void what_came_since_is_told_apart_and_a_new_beginning_is_seen(void **state)
{
    struct stk_histogram before = {0};
    struct stk_histogram now = {0};
    struct stk_histogram since = {0};
    (void)state;

    stk_histogram_add(&before, 5, 10);
    now = before;
    stk_histogram_add(&now, 7, 3);
    stk_histogram_since(&now, &before, &since);
    assert_int_equal(stk_histogram_count(&since), 3);
    assert_int_equal(since.sum, 21);
    now = (struct stk_histogram){0}; /* the room was started anew */
    stk_histogram_add(&now, 9, 2);
    stk_histogram_since(&now, &before, &since);
    assert_int_equal(stk_histogram_count(&since), 2);
    assert_int_equal(since.sum, 18);
}

static atomic_bool ended;

static void *read_meanwhile(void *argument)
{
    const struct stk_histogram *histogram = argument;
    uint64_t last = 0;

    while (!atomic_load(&ended)) {
        struct stk_histogram copy = {0};
        uint64_t count = 0;

        stk_histogram_merge(&copy, histogram);
        count = stk_histogram_count(&copy);
        if (count < last)
            return argument;
        last = count;
    }
    return NULL;
}

static void whoever_reads_while_another_adds_never_sees_it_shrink(void **state)
{
    static struct stk_histogram histogram;
    pthread_t reader;
    void *failed = NULL;
    (void)state;

    assert_int_equal(pthread_create(&reader, NULL, read_meanwhile, &histogram), 0);
    for (uint64_t i = 0; i < 1000000; i++)
        stk_histogram_add(&histogram, i % 5000, 1);
    atomic_store(&ended, true);
    assert_int_equal(pthread_join(reader, &failed), 0);
    assert_null(failed);
    assert_int_equal(stk_histogram_count(&histogram), 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_time_is_within_a_sixteenth_of_its_class),
        cmocka_unit_test(classes_follow_one_another_without_a_gap),
        cmocka_unit_test(percentiles_are_what_they_are_called),
        cmocka_unit_test(what_came_since_is_told_apart_and_a_new_beginning_is_seen),
        cmocka_unit_test(whoever_reads_while_another_adds_never_sees_it_shrink),
    };

    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
