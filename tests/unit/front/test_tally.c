/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters by themselves: nothing is lost, whatever is asked of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/tally.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bed {
    struct stk_tally tally;
    struct stk_front_counters counters;
};

static struct bed *bed_new(void)
{
    struct bed *bed = calloc(1, sizeof(*bed));

    assert_non_null(bed);
    stk_tally_start(&bed->tally, 1);
    return bed;
}

static void bed_free(struct bed *bed)
{
    stk_tally_clear(&bed->tally);
    free(bed);
}

static void answers_by_names_add_up_to_those_served(void **state)
{
    struct bed *bed = bed_new();
    uint64_t listed = 0;
    (void)state;

    for (unsigned i = 0; i < 3000; i++) {
        char name[STK_NAME_MAX + 1] = "";

        (void)snprintf(name, sizeof(name), "name%u", i % 1000);
        for (unsigned j = 0; j <= i % 1000 / 100; j++)
            stk_tally_answer(&bed->tally, STIRKEEP_OK, stk_tally_number(&bed->tally, name), 100);
    }
    stk_tally_sent(&bed->tally, 150);
    stk_tally_report(&bed->tally, &bed->counters);
    assert_int_equal(stk_histogram_count(&bed->counters.served), 3 * 100 * 55);
    assert_int_equal(bed->counters.names_used, 1000);
    assert_int_equal(bed->counters.name_count, STK_NAME_COUNTS_MAX);
    for (size_t i = 0; i < bed->counters.name_count; i++) {
        assert_int_equal(bed->counters.names[i].signatures, 30); /* the hundred most used ones */
        listed += bed->counters.names[i].signatures;
    }
    assert_int_equal(listed + bed->counters.other_signatures, 3 * 100 * 55);
    bed_free(bed);
}

static void the_most_used_name_comes_first(void **state)
{
    static const char *const names[] = {"b", "a", "b", "c", "c", "c"};
    struct bed *bed = bed_new();
    (void)state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        stk_tally_answer(&bed->tally, STIRKEEP_OK, stk_tally_number(&bed->tally, names[i]), 1);
    stk_tally_report(&bed->tally, &bed->counters);
    assert_int_equal(bed->counters.name_count, 3);
    assert_string_equal(bed->counters.names[0].name, "c");
    assert_string_equal(bed->counters.names[1].name, "b");
    assert_string_equal(bed->counters.names[2].name, "a");
    assert_int_equal(bed->counters.other_signatures, 0);
    bed_free(bed);
}

static void what_failed_is_told_by_its_status_and_serves_nobody(void **state)
{
    struct bed *bed = bed_new();
    const uint32_t number = stk_tally_number(&bed->tally, "a");
    (void)state;

    stk_tally_answer(&bed->tally, STIRKEEP_DEADLINE, number, 1);
    stk_tally_answer(&bed->tally, STIRKEEP_DEADLINE, number, 1);
    stk_tally_answer(&bed->tally, STIRKEEP_TOKEN_ERROR, number, 1);
    stk_tally_sent(&bed->tally, 2);
    stk_tally_report(&bed->tally, &bed->counters);
    assert_int_equal(bed->counters.failed[STIRKEEP_DEADLINE], 2);
    assert_int_equal(bed->counters.failed[STIRKEEP_TOKEN_ERROR], 1);
    assert_int_equal(stk_histogram_count(&bed->counters.served), 0);
    assert_int_equal(bed->counters.names_used, 0);
    bed_free(bed);
}

static void more_answers_in_a_turn_than_there_is_room_for_are_all_counted(void **state)
{
    struct bed *bed = bed_new();
    const uint32_t number = stk_tally_number(&bed->tally, "a");
    (void)state;

    for (unsigned i = 0; i < 3 * STK_TALLY_ANSWERED_MAX + 5; i++)
        stk_tally_answer(&bed->tally, STIRKEEP_OK, number, 0);
    stk_tally_sent(&bed->tally, 10);
    stk_tally_report(&bed->tally, &bed->counters);
    assert_int_equal(stk_histogram_count(&bed->counters.served), 3 * STK_TALLY_ANSWERED_MAX + 5);
    bed_free(bed);
}

static void a_name_keeps_its_number(void **state)
{
    struct bed *bed = bed_new();
    uint32_t first[1000] = {0};
    (void)state;

    for (unsigned i = 0; i < 2000; i++) {
        char name[STK_NAME_MAX + 1] = "";
        uint32_t number = 0;

        (void)snprintf(name, sizeof(name), "name%u", i % 1000);
        number = stk_tally_number(&bed->tally, name);
        assert_int_not_equal(number, 0);
        if (i < 1000)
            first[i] = number;
        else
            assert_int_equal(number, first[i % 1000]);
    }
    for (unsigned i = 0; i < 999; i++)
        assert_int_not_equal(first[i], first[i + 1]);
    bed_free(bed);
}

static void what_has_no_number_is_counted_with_the_others(void **state)
{
    struct bed *bed = bed_new();
    (void)state;

    stk_tally_answer(&bed->tally, STIRKEEP_OK, 0, 1);
    stk_tally_report(&bed->tally, &bed->counters);
    assert_int_equal(bed->counters.other_signatures, 1);
    assert_int_equal(bed->counters.name_count, 0);
    bed_free(bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_by_names_add_up_to_those_served),
        cmocka_unit_test(the_most_used_name_comes_first),
        cmocka_unit_test(what_failed_is_told_by_its_status_and_serves_nobody),
        cmocka_unit_test(a_name_keeps_its_number),
        cmocka_unit_test(what_has_no_number_is_counted_with_the_others),
        cmocka_unit_test(more_answers_in_a_turn_than_there_is_room_for_are_all_counted),
    };

    return cmocka_run_group_tests_name("front tally", tests, NULL, NULL);
}
