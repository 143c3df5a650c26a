/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* after those that it wants */
#include <cmocka.h>

static struct stk_bytes text(const char *what)
{
    return (struct stk_bytes){(const uint8_t *)what, strlen(what)};
}

static void rows_are_counted_each_by_itself(void **state)
{
    struct stk_tally tally = {.most = 1000};
    char name[16] = "";
    (void)state;

    for (int turn = 1; turn <= 3; turn++)
        for (int i = 0; i < 500; i++) {
            (void)snprintf(name, sizeof(name), "n%d", i);
            assert_true(stk_tally_add(&tally, text(name), i % 2, 2, turn * 100 + i));
        }
    assert_int_equal(tally.count, 500);
    for (int i = 0; i < 500; i++) {
        const struct stk_tally_row *row = NULL;

        (void)snprintf(name, sizeof(name), "n%d", i);
        row = stk_tally_find(&tally, text(name));
        assert_non_null(row);
        assert_int_equal(row->counts[i % 2], 6);
        assert_int_equal(row->counts[1 - i % 2], 0);
        assert_int_equal(row->first_us, 100 + i);
        assert_int_equal(row->last_us, 300 + i);
    }
    assert_null(stk_tally_find(&tally, text("n500")));
    assert_int_equal(stk_tally_total(&tally, 0), 1500);
    stk_tally_free(&tally);
}

static void who_comes_too_late_is_among_the_others_and_nothing_is_lost(void **state)
{
    struct stk_tally_budget budget = {.left = 5};
    struct stk_tally first = {.most = 3, .budget = &budget};
    struct stk_tally second = {.most = 100, .budget = &budget};
    char name[16] = "";
    (void)state;

    for (int i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        assert_true(stk_tally_add(&first, text(name), 0, 1, 0));
        assert_true(stk_tally_add(&second, text(name), 0, 1, 0));
    }
    assert_true(stk_tally_add(&first, text("n0"), 0, 1, 0));
    assert_int_equal(first.count + second.count, 5);
    assert_int_equal(budget.left, 0);
    assert_int_equal(stk_tally_total(&first, 0), 11);
    assert_int_equal(stk_tally_total(&second, 0), 10);
    assert_int_equal(stk_tally_find(&first, text("n0"))->counts[0], 2);
    stk_tally_free(&first);
    stk_tally_free(&second);
}

static void sorting_keeps_rows_findable(void **state)
{
    struct stk_tally tally = {.most = 100};
    (void)state;

    assert_true(stk_tally_add(&tally, text("b"), 0, 2, 0));
    assert_true(stk_tally_add(&tally, text("c"), 1, 9, 0));
    assert_true(stk_tally_add(&tally, text("a"), 2, 2, 0));
    stk_tally_sort_by_count(&tally);
    assert_string_equal(tally.rows[0].key, "c");
    assert_string_equal(tally.rows[1].key, "a");
    assert_int_equal(stk_tally_find(&tally, text("b"))->counts[0], 2);
    stk_tally_sort_by_key(&tally);
    assert_string_equal(tally.rows[0].key, "a");
    assert_true(stk_tally_add(&tally, text("c"), 1, 1, 0));
    assert_int_equal(tally.count, 3);
    stk_tally_free(&tally);
}

static void empty_and_long_texts_and_texts_with_nul_are_texts(void **state)
{
    uint8_t bytes[STK_TALLY_KEY_MAX + 40];
    struct stk_tally tally = {.most = 10};
    (void)state;

    memset(bytes, 'x', sizeof(bytes));
    assert_true(stk_tally_add(&tally, (struct stk_bytes){0}, 0, 1, 0));
    assert_true(stk_tally_add(&tally, (struct stk_bytes){bytes, sizeof(bytes)}, 0, 1, 0));
    assert_true(stk_tally_add(&tally, (struct stk_bytes){bytes, sizeof(bytes) - 9}, 0, 1, 0));
    assert_true(stk_tally_add(&tally, (struct stk_bytes){(const uint8_t *)"a\0b", 3}, 0, 1, 0));
    assert_true(stk_tally_add(&tally, (struct stk_bytes){(const uint8_t *)"a\0c", 3}, 0, 1, 0));
    assert_int_equal(tally.count, 4);
    assert_int_equal(stk_tally_find(&tally, (struct stk_bytes){0})->counts[0], 1);
    assert_int_equal(tally.rows[1].length, STK_TALLY_KEY_MAX);
    assert_int_equal(tally.rows[1].counts[0], 2);
    assert_string_equal(tally.rows[1].key + STK_TALLY_KEY_MAX - 3, "...");
    stk_tally_free(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_counted_each_by_itself),
        cmocka_unit_test(who_comes_too_late_is_among_the_others_and_nothing_is_lost),
        cmocka_unit_test(sorting_keeps_rows_findable),
        cmocka_unit_test(empty_and_long_texts_and_texts_with_nul_are_texts),
    };

    return cmocka_run_group_tests_name("cli tally", tests, NULL, NULL);
}
