/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/unsealed.h"
#include <string.h>

static void add(struct stk_unsealed *unsealed, uint64_t from, uint64_t through)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};

    for (uint64_t at = from; at <= through; at++) {
        memcpy(digest, &at, sizeof(at));
        stk_unsealed_add(unsealed, at, digest, false, (int64_t)(NOW_US + at));
    }
}

static void assert_holds(const struct stk_unsealed *unsealed, uint64_t first, uint64_t last)
{
    const struct stk_window *window = &unsealed->window;

    assert_int_equal(window->count, last - first + 1);
    assert_int_equal(window->first, first);
    assert_null(stk_window_at(window, first - 1));
    assert_null(stk_window_at(window, last + 1));
    for (uint64_t at = first; at <= last; at += 1 + (last - first) / 1000) {
        const struct stk_window_entry *entry = stk_window_at(window, at);

        assert_non_null(entry);
        assert_memory_equal(entry->digest, &at, sizeof(at));
    }
}

static size_t blocks_of(const struct stk_window *window)
{
    size_t blocks = 0;

    for (size_t i = 0; i < window->slots; i++)
        blocks += window->blocks[i] != NULL;
    return blocks;
}

static void assert_count(const struct stk_unsealed *unsealed, uint64_t count, uint64_t oldest)
{
    int64_t since = 0;

    assert_int_equal(stk_unsealed_count(unsealed, &since), count);
    assert_int_equal(since, oldest == 0 ? 0 : (int64_t)(NOW_US + oldest));
}

static void records_come_at_the_end_and_go_at_both(void **state)
{
    struct stk_unsealed unsealed;
    (void)state;

    assert_true(stk_unsealed_make(&unsealed));
    assert_count(&unsealed, 0, 0);
    add(&unsealed, 5000, 20000);
    assert_holds(&unsealed, 5000, 20000);
    assert_count(&unsealed, 15001, 5000);
    stk_unsealed_sealed(&unsealed, 11111);
    assert_holds(&unsealed, 11112, 20000);
    assert_count(&unsealed, 8889, 11112);
    stk_unsealed_take_back(&unsealed, 15000);
    assert_holds(&unsealed, 11112, 15000);
    stk_unsealed_take_back(&unsealed, 15000); /* nothing */
    stk_unsealed_take_back(&unsealed, 99999);
    stk_unsealed_sealed(&unsealed, 11111);
    assert_holds(&unsealed, 11112, 15000);
    assert_count(&unsealed, 3889, 11112);
    add(&unsealed, 15001, 15001);
    assert_holds(&unsealed, 11112, 15001);
    stk_unsealed_take_back(&unsealed, 100);
    assert_count(&unsealed, 0, 0);
    assert_int_equal(blocks_of(&unsealed.window), 0);
    add(&unsealed, 101, 103);
    assert_holds(&unsealed, 101, 103);
    stk_unsealed_sealed(&unsealed, 103);
    assert_count(&unsealed, 0, 0);
    assert_int_equal(blocks_of(&unsealed.window), 0);
    add(&unsealed, 104, 104);
    assert_holds(&unsealed, 104, 104);
    stk_unsealed_free(&unsealed);
}

static void when_it_is_full_the_oldest_leave_the_tree_and_still_count(void **state)
{
    struct stk_unsealed unsealed;
    uint64_t first = 0;
    (void)state;

    assert_true(stk_unsealed_make(&unsealed));
    add(&unsealed, 100, 99 + STK_SEAL_RECORDS_MAX);
    assert_holds(&unsealed, 100, 99 + STK_SEAL_RECORDS_MAX);
    assert_int_equal(unsealed.left, 0);
    add(&unsealed, 100 + STK_SEAL_RECORDS_MAX, 9999 + STK_SEAL_RECORDS_MAX);
    first = unsealed.window.first;
    assert_in_range(first, 9900, 9900 + STK_WINDOW_BLOCK);
    assert_holds(&unsealed, first, 9999 + STK_SEAL_RECORDS_MAX);
    assert_count(&unsealed, STK_SEAL_RECORDS_MAX + 9900, 100);
    assert_in_range(blocks_of(&unsealed.window), 1, STK_SEAL_RECORDS_MAX / STK_WINDOW_BLOCK + 1);
    stk_unsealed_sealed(&unsealed, 9000 + STK_SEAL_RECORDS_MAX);
    assert_count(&unsealed, 999, 9001 + STK_SEAL_RECORDS_MAX);
    stk_unsealed_free(&unsealed);
}

static void what_leaves_counts_until_the_next_seal(void **state)
{
    struct stk_unsealed unsealed;
    (void)state;

    assert_true(stk_unsealed_make(&unsealed));
    add(&unsealed, 1, 10);
    stk_unsealed_leave(&unsealed);
    assert_count(&unsealed, 10, 1);
    assert_false(stk_unsealed_is_due(&unsealed, 10)); /* no tree without a record */
    add(&unsealed, 11, 12);
    assert_count(&unsealed, 12, 1);
    assert_true(stk_unsealed_is_due(&unsealed, 11));
    assert_holds(&unsealed, 11, 12);
    stk_unsealed_sealed(&unsealed, 11);
    assert_count(&unsealed, 1, 12);
    stk_unsealed_free(&unsealed);
}

static void seals_alone_are_nothing_to_seal(void **state)
{
    static const uint8_t digest[STK_DIGEST_LENGTH];
    struct stk_unsealed unsealed;
    (void)state;

    assert_true(stk_unsealed_make(&unsealed));
    stk_unsealed_add(&unsealed, 1, digest, true, NOW_US);
    stk_unsealed_add(&unsealed, 2, digest, true, NOW_US);
    assert_count(&unsealed, 0, 0);
    assert_false(stk_unsealed_is_due(&unsealed, 2));
    add(&unsealed, 3, 3);
    assert_count(&unsealed, 1, 3);
    assert_false(stk_unsealed_is_due(&unsealed, 2)); /* it is not on disk yet */
    assert_true(stk_unsealed_is_due(&unsealed, 3));
    stk_unsealed_free(&unsealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_at_the_end_and_go_at_both),
        cmocka_unit_test(when_it_is_full_the_oldest_leave_the_tree_and_still_count),
        cmocka_unit_test(what_leaves_counts_until_the_next_seal),
        cmocka_unit_test(seals_alone_are_nothing_to_seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
