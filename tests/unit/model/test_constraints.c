/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/constraints.h"
#include <stdlib.h>
#include <string.h>

static const struct stk_number_range ranges[] = {{0x2000000000000010, 0x2000000000000019},
                                                 {0x3000000000000100, 0x3000000000000999}};
static const char *const include[] = {"attest", "confidence"};
static const char *const exclude[] = {"priority"};
static const char *const values[] = {"high", "", "medium"};
static const char *const one_value[] = {"A"};
static const struct stk_permitted permitted[] = {
    {"confidence", values, 3}, {"attest", one_value, 1}, {"nothing", NULL, 0}};

static struct stk_constraints whole(void)
{
    return (struct stk_constraints){.numbers_only = true,
                                    .ranges = ranges,
                                    .range_count = 2,
                                    .must_include = include,
                                    .must_include_count = 2,
                                    .permitted = permitted,
                                    .permitted_count = 3,
                                    .must_exclude = exclude,
                                    .must_exclude_count = 1};
}

static void assert_same_texts(const char *const *a, const char *const *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(a[i], b[i]);
        assert_ptr_not_equal(a[i], b[i]);
    }
}

static void assert_same(const struct stk_constraints *a, const struct stk_constraints *b)
{
    assert_int_equal(a->numbers_only, b->numbers_only);
    assert_int_equal(a->range_count, b->range_count);
    assert_memory_equal(a->ranges, b->ranges, b->range_count * sizeof(*b->ranges));
    assert_ptr_not_equal(a->ranges, b->ranges);
    assert_int_equal(a->must_include_count, b->must_include_count);
    assert_same_texts(a->must_include, b->must_include, b->must_include_count);
    assert_int_equal(a->must_exclude_count, b->must_exclude_count);
    assert_same_texts(a->must_exclude, b->must_exclude, b->must_exclude_count);
    assert_int_equal(a->permitted_count, b->permitted_count);
    for (size_t i = 0; i < b->permitted_count; i++) {
        assert_string_equal(a->permitted[i].claim, b->permitted[i].claim);
        assert_int_equal(a->permitted[i].count, b->permitted[i].count);
        assert_same_texts(a->permitted[i].values, b->permitted[i].values, b->permitted[i].count);
    }
}

static void constraints_that_constrain_nothing_are_told(void **state)
{
    struct stk_constraints constraints = {0};
    (void)state;

    assert_false(stk_constraints_any(NULL));
    assert_false(stk_constraints_any(&constraints));
    constraints.numbers_only = true; /* and no numbers: none may be signed */
    assert_true(stk_constraints_any(&constraints));
    constraints = (struct stk_constraints){.must_include = include, .must_include_count = 1};
    assert_true(stk_constraints_any(&constraints));
    constraints = (struct stk_constraints){.must_exclude = exclude, .must_exclude_count = 1};
    assert_true(stk_constraints_any(&constraints));
    constraints = (struct stk_constraints){.permitted = permitted, .permitted_count = 1};
    assert_true(stk_constraints_any(&constraints));
}

static void a_copy_shares_nothing_with_what_it_was_made_of(void **state)
{
    struct stk_constraints constraints = whole();
    struct stk_arena arena = {0};
    const struct stk_constraints *copy = NULL;
    (void)state;

    assert_int_equal(stk_arena_new(&arena, 4096), STIRKEEP_OK);
    copy = stk_constraints_copy(&constraints, &arena);
    assert_non_null(copy);
    assert_same(copy, &constraints);
    stk_arena_free(&arena);
}

static void a_clone_is_one_piece_of_the_heap(void **state)
{
    struct stk_constraints constraints = whole();
    struct stk_constraints none = {0};
    struct stk_constraints *clone = stk_constraints_clone(&constraints);
    (void)state;

    assert_non_null(clone);
    assert_same(clone, &constraints);
    free(clone); /* the address sanitizer sees whether that is all */
    clone = stk_constraints_clone(&none);
    assert_non_null(clone);
    assert_false(stk_constraints_any(clone));
    free(clone);
}

static void a_copy_without_room_is_none(void **state)
{
    struct stk_constraints constraints = whole();
    size_t capacity = 1;
    bool copied = false;
    (void)state;

    for (; !copied; capacity += 8) {
        struct stk_arena small = {0};

        assert_true(capacity < 4096);
        assert_int_equal(stk_arena_new(&small, capacity), STIRKEEP_OK);
        copied = stk_constraints_copy(&constraints, &small) != NULL;
        stk_arena_free(&small);
    }
    assert_true(capacity > sizeof(constraints) + sizeof(ranges) + sizeof(permitted));
}

static void the_largest_constraints_are_cloned(void **state)
{
    static struct stk_number_range many[STK_CONSTRAINT_RANGES_MAX];
    static struct stk_permitted lists[STK_CONSTRAINT_CLAIMS_MAX];
    static const char *texts[STK_CONSTRAINT_VALUES_MAX];
    static char text[STK_CONSTRAINT_TEXT_MAX + 1];
    struct stk_constraints constraints = {.ranges = many,
                                          .range_count = STK_CONSTRAINT_RANGES_MAX,
                                          .must_include = texts,
                                          .must_include_count = STK_CONSTRAINT_CLAIMS_MAX,
                                          .permitted = lists,
                                          .permitted_count = STK_CONSTRAINT_CLAIMS_MAX,
                                          .must_exclude = texts,
                                          .must_exclude_count = STK_CONSTRAINT_CLAIMS_MAX};
    struct stk_constraints *clone = NULL;
    (void)state;

    memset(text, 'x', STK_CONSTRAINT_TEXT_MAX);
    for (size_t i = 0; i < STK_CONSTRAINT_VALUES_MAX; i++)
        texts[i] = text;
    for (size_t i = 0; i < STK_CONSTRAINT_CLAIMS_MAX; i++)
        lists[i] = (struct stk_permitted){text, texts, STK_CONSTRAINT_VALUES_MAX};
    clone = stk_constraints_clone(&constraints);
    assert_non_null(clone);
    assert_same(clone, &constraints);
    free(clone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constraints_that_constrain_nothing_are_told),
        cmocka_unit_test(a_copy_shares_nothing_with_what_it_was_made_of),
        cmocka_unit_test(a_clone_is_one_piece_of_the_heap),
        cmocka_unit_test(a_copy_without_room_is_none),
        cmocka_unit_test(the_largest_constraints_are_cloned),
    };

    return cmocka_run_group_tests_name("constraints", tests, NULL, NULL);
}
