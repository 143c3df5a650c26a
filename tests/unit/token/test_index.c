/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "token/index.h"
#include <stdlib.h>
#include <string.h>

static struct stk_index *begin(void)
{
    struct stk_index *index = NULL;

    assert_int_equal(stk_index_new(&index), STIRKEEP_OK);
    return index;
}

static struct stk_index *begin_complete(void)
{
    struct stk_index *index = begin();

    stk_index_walk_ended(index, stk_index_walk_begins(index), NULL, 0);
    return index;
}

static struct stk_key_id id_of(uint32_t number)
{
    struct stk_key_id key_id = {0};

    memcpy(key_id.bytes, &number, sizeof(number));
    return key_id;
}

static enum stk_index_answer look(struct stk_index *index, uint32_t number, size_t *ret_count,
                                  CK_OBJECT_HANDLE *ret_sum)
{
    struct stk_key_id key_id = id_of(number);
    struct stk_indexed_list list = {0};
    uint64_t noted = 0;
    enum stk_index_answer answer = stk_index_look(index, &key_id, &list, &noted);

    *ret_count = list.count;
    *ret_sum = 0;
    for (size_t i = 0; i < list.count; i++)
        *ret_sum += list.items[i].handle;
    stk_indexed_free(&list);
    return answer;
}

static void assert_known(struct stk_index *index, uint32_t number, size_t count,
                         CK_OBJECT_HANDLE sum)
{
    size_t found = 0;
    CK_OBJECT_HANDLE found_sum = 0;

    assert_int_equal(look(index, number, &found, &found_sum), STK_INDEX_KNOWN);
    assert_int_equal(found, count);
    assert_int_equal(found_sum, sum);
}

static void assert_answer(struct stk_index *index, uint32_t number, enum stk_index_answer answer)
{
    size_t found = 0;
    CK_OBJECT_HANDLE sum = 0;

    assert_int_equal(look(index, number, &found, &sum), answer);
    assert_int_equal(found, 0);
}

static void made(struct stk_index *index, uint32_t number, CK_OBJECT_HANDLE handle,
                 CK_OBJECT_CLASS class)
{
    struct stk_key_id key_id = id_of(number);

    stk_index_made(index, &key_id, (struct stk_indexed){handle, class});
}

static bool gone(struct stk_index *index, CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *ret_doomed)
{
    struct stk_key_id key_id = {0};

    *ret_doomed = CK_INVALID_HANDLE;
    return stk_index_gone(index, handle, &key_id, ret_doomed);
}

static void test_what_was_made_is_known_until_it_goes(void **state)
{
    struct stk_index *index = begin_complete();
    CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;

    (void)state;
    assert_answer(index, 1, STK_INDEX_NONE);
    made(index, 1, 100, CKO_PRIVATE_KEY);
    made(index, 1, 101, CKO_CERTIFICATE);
    made(index, 1, 101, CKO_CERTIFICATE); /* told twice */
    made(index, 2, 200, CKO_PRIVATE_KEY);
    assert_known(index, 1, 2, 201);
    assert_known(index, 2, 1, 200);
    assert_true(gone(index, 101, &doomed));
    assert_false(gone(index, 101, &doomed));
    assert_false(gone(index, 0, &doomed)); /* no place that is free has a handle */
    assert_known(index, 1, 1, 100);
    assert_true(gone(index, 100, &doomed));
    assert_answer(index, 1, STK_INDEX_NONE);
    assert_known(index, 2, 1, 200);
    stk_index_free(index);
}

static void test_before_a_walk_it_claims_to_know_nothing(void **state)
{
    struct stk_index *index = begin();
    struct stk_key_id key_id = id_of(1);
    struct stk_indexed found[] = {{100, CKO_PRIVATE_KEY}, {101, CKO_CERTIFICATE}};
    uint64_t begun = 0;

    (void)state;
    assert_false(stk_index_is_complete(index));
    assert_answer(index, 1, STK_INDEX_ASK);
    made(index, 1, 100, CKO_PRIVATE_KEY); /* there may have been more before */
    assert_answer(index, 1, STK_INDEX_ASK);
    begun = stk_index_search_begins(index, &key_id);
    assert_int_equal(
        stk_index_search_ended(index, &key_id, begun, &(struct stk_indexed_list){found, 2}),
        CK_INVALID_HANDLE);
    assert_known(index, 1, 2, 201);
    begun = stk_index_search_begins(index, &key_id);
    (void)stk_index_search_ended(index, &key_id, begun, &(struct stk_indexed_list){NULL, 0});
    assert_answer(index, 1, STK_INDEX_ASK);
    stk_index_free(index);
}

static void test_an_object_that_is_renamed_changes_its_key(void **state)
{
    struct stk_index *index = begin_complete();
    struct stk_key_id second = id_of(2);

    (void)state;
    made(index, 1, 100, CKO_PUBLIC_KEY);
    made(index, 1, 101, CKO_PRIVATE_KEY);
    stk_index_renamed(index, 100, &second);
    assert_known(index, 1, 1, 101);
    assert_known(index, 2, 1, 100);
    stk_index_renamed(index, 100, &second); /* again */
    assert_known(index, 2, 1, 100);
    stk_index_renamed(index, 101, &second);
    assert_answer(index, 1, STK_INDEX_NONE);
    assert_known(index, 2, 2, 201);
    stk_index_renamed(index, 999, &second); /* of which class? */
    assert_answer(index, 2, STK_INDEX_ASK);
    stk_index_free(index);
}

static void test_what_failed_half_way_is_searched_for(void **state)
{
    struct stk_index *index = begin_complete();
    struct stk_key_id first = id_of(1);
    struct stk_key_id second = id_of(2);

    (void)state;
    made(index, 1, 100, CKO_PRIVATE_KEY);
    stk_index_doubt(index, &second);
    assert_answer(index, 2, STK_INDEX_ASK);
    stk_index_doubt_object(index, 100, &second);
    assert_answer(index, 1, STK_INDEX_ASK);
    made(index, 1, 101, CKO_CERTIFICATE); /* settles nothing */
    assert_answer(index, 1, STK_INDEX_ASK);
    (void)stk_index_search_ended(index, &first, stk_index_search_begins(index, &first),
                                 &(struct stk_indexed_list){NULL, 0});
    assert_answer(index, 1, STK_INDEX_NONE);
    stk_index_free(index);
}

/* A search lists what there is; before it has read all of that, another object is made. */
static void test_a_search_does_not_undo_what_came_meanwhile(void **state)
{
    struct stk_index *index = begin_complete();
    struct stk_key_id key_id = id_of(1);
    struct stk_indexed found[] = {{100, CKO_PRIVATE_KEY}};
    CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;
    uint64_t begun = 0;

    (void)state;
    begun = stk_index_search_begins(index, &key_id);
    made(index, 1, 101, CKO_CERTIFICATE);
    (void)stk_index_search_ended(index, &key_id, begun, &(struct stk_indexed_list){found, 1});
    assert_answer(index, 1, STK_INDEX_ASK);
    begun = stk_index_search_begins(index, &key_id);
    assert_true(gone(index, 101, &doomed));
    (void)stk_index_search_ended(index, &key_id, begun, &(struct stk_indexed_list){found, 1});
    assert_answer(index, 1, STK_INDEX_ASK);
    begun = stk_index_search_begins(index, &key_id);
    (void)stk_index_search_ended(index, &key_id, begun, &(struct stk_indexed_list){found, 1});
    assert_known(index, 1, 1, 100);
    stk_index_free(index);
}

static void test_a_walk_does_not_undo_what_came_meanwhile(void **state)
{
    struct stk_index *index = begin_complete();
    struct stk_index_walked walked[] = {{id_of(1), {100, CKO_PRIVATE_KEY}},
                                        {id_of(2), {200, CKO_PRIVATE_KEY}},
                                        {id_of(3), {300, CKO_PRIVATE_KEY}}};
    CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;
    uint64_t begun = 0;

    (void)state;
    made(index, 1, 99, CKO_PRIVATE_KEY); /* its handle has changed */
    made(index, 2, 200, CKO_PRIVATE_KEY);
    made(index, 4, 400, CKO_PRIVATE_KEY); /* it has vanished */
    begun = stk_index_walk_begins(index);
    made(index, 5, 500, CKO_PRIVATE_KEY);
    assert_true(gone(index, 200, &doomed));
    stk_index_walk_ended(index, begun, walked, 3);
    assert_known(index, 1, 1, 100);
    assert_known(index, 3, 1, 300);
    assert_answer(index, 4, STK_INDEX_NONE);
    assert_answer(index, 5, STK_INDEX_ASK);
    /* It went while it was walked over: whoever takes the handle finds out. */
    assert_known(index, 2, 1, 200);
    stk_index_free(index);
}

/* Against an array of who has which handle, over many steps. */
static void test_the_index_knows_what_a_simple_one_would(void **state)
{
    enum { KEYS = 40, HANDLES = 200, STEPS = 20000 };
    struct stk_index *index = begin_complete();
    uint32_t owner[HANDLES] = {0};
    uint32_t seed = 1;

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        uint32_t handle = 0;
        uint32_t key = 0;
        size_t count = 0;
        CK_OBJECT_HANDLE sum = 0;
        CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;

        seed = seed * 1103515245 + 12345;
        handle = (seed >> 16) % (HANDLES - 1) + 1;
        key = (seed >> 8) % KEYS + 1;
        if (owner[handle] == 0) {
            made(index, key, handle, CKO_CERTIFICATE);
            owner[handle] = key;
        } else if ((seed >> 4) % 2 == 0) {
            struct stk_key_id key_id = id_of(key);

            stk_index_renamed(index, handle, &key_id);
            owner[handle] = key;
        } else {
            assert_true(gone(index, handle, &doomed));
            owner[handle] = 0;
        }
        for (uint32_t i = 1; i < HANDLES; i++)
            if (owner[i] == key) {
                count++;
                sum += i;
            }
        if (count == 0)
            assert_answer(index, key, STK_INDEX_NONE);
        else
            assert_known(index, key, count, sum);
    }
    stk_index_free(index);
}

static void test_past_its_limit_it_stops_claiming_to_know_all(void **state)
{
    struct stk_index *index = begin_complete();

    (void)state;
    for (uint32_t i = 1; i <= STK_INDEX_KEYS_MAX; i++)
        made(index, i, i, CKO_PRIVATE_KEY);
    assert_true(stk_index_is_complete(index));
    made(index, STK_INDEX_KEYS_MAX + 1, STK_INDEX_KEYS_MAX + 1, CKO_PRIVATE_KEY);
    assert_false(stk_index_is_complete(index));
    assert_answer(index, STK_INDEX_KEYS_MAX + 1, STK_INDEX_ASK);
    assert_known(index, STK_INDEX_KEYS_MAX, 1, STK_INDEX_KEYS_MAX);
    stk_index_free(index);
}

static void test_a_public_key_is_kept_as_long_as_nothing_of_the_key_goes(void **state)
{
    struct stk_index *index = begin_complete();
    struct stk_key_id key_id = id_of(1);
    uint8_t point[STK_INDEX_POINT] = {1, 2, 3};
    uint8_t back[STK_INDEX_POINT] = {0};
    CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;

    (void)state;
    stk_index_keep_point(index, &key_id, point); /* of a key that is not there */
    assert_false(stk_index_point(index, &key_id, back));
    made(index, 1, 100, CKO_PRIVATE_KEY);
    made(index, 1, 101, CKO_CERTIFICATE);
    stk_index_keep_point(index, &key_id, point);
    assert_true(stk_index_point(index, &key_id, back));
    assert_memory_equal(back, point, sizeof(point));
    assert_true(gone(index, 101, &doomed));
    assert_false(stk_index_point(index, &key_id, back));
    stk_index_free(index);
}

static const struct stk_footprint nowhere;

static void test_a_copy_lasts_as_long_as_somebody_holds_it(void **state)
{
    struct stk_index *index = begin_complete();
    struct stk_key_id key_id = id_of(1);
    struct stk_index_copy *copy = NULL;
    CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;

    (void)state;
    assert_null(stk_index_copy_share(index, &key_id, 1000, &nowhere)); /* the key has gone */
    made(index, 1, 100, CKO_PRIVATE_KEY);
    assert_null(stk_index_copy_take(index, &key_id));
    copy = stk_index_copy_share(index, &key_id, 1000, &nowhere);
    assert_non_null(copy);
    assert_null(stk_index_copy_share(index, &key_id, 1001, &nowhere)); /* one is enough */
    assert_ptr_equal(stk_index_copy_take(index, &key_id), copy);
    assert_int_equal(stk_index_copy_release(index, &key_id, copy, false), CK_INVALID_HANDLE);
    assert_int_equal(stk_index_copy_release(index, &key_id, copy, false), CK_INVALID_HANDLE);
    assert_ptr_equal(stk_index_copy_take(index, &key_id),
                     copy); /* nobody had it, and it is there */
    assert_true(gone(index, 100, &doomed));
    assert_int_equal(doomed, CK_INVALID_HANDLE); /* it is held */
    assert_null(stk_index_copy_take(index, &key_id));
    made(index, 1, 101, CKO_PRIVATE_KEY);
    assert_null(stk_index_copy_take(index, &key_id));
    assert_int_equal(stk_index_copy_release(index, &key_id, copy, false), 1000);

    copy = stk_index_copy_share(index, &key_id, 1001, &nowhere);
    assert_int_equal(stk_index_copy_release(index, &key_id, copy, false), CK_INVALID_HANDLE);
    assert_true(gone(index, 101, &doomed));
    assert_int_equal(doomed, 1001); /* it is not */
    stk_index_free(index);
}

static void test_a_copy_that_is_of_no_use_is_taken_by_nobody_else(void **state)
{
    struct stk_index *index = begin_complete();
    struct stk_key_id key_id = id_of(1);
    struct stk_index_copy *copy = NULL;
    struct stk_index_copy *other = NULL;

    (void)state;
    made(index, 1, 100, CKO_PRIVATE_KEY);
    copy = stk_index_copy_share(index, &key_id, 1000, &nowhere);
    assert_ptr_equal(stk_index_copy_take(index, &key_id), copy);
    assert_int_equal(stk_index_copy_release(index, &key_id, copy, true), CK_INVALID_HANDLE);
    assert_null(stk_index_copy_take(index, &key_id));
    other = stk_index_copy_share(index, &key_id, 1001, &nowhere);
    assert_non_null(other);
    /* The other holder says so too: it means the first one. */
    assert_int_equal(stk_index_copy_release(index, &key_id, copy, true), 1000);
    assert_ptr_equal(stk_index_copy_take(index, &key_id), other);
    assert_int_equal(stk_index_copy_release(index, &key_id, other, false), CK_INVALID_HANDLE);
    assert_int_equal(stk_index_copy_release(index, &key_id, other, true), 1001);
    stk_index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_made_is_known_until_it_goes),
        cmocka_unit_test(test_before_a_walk_it_claims_to_know_nothing),
        cmocka_unit_test(test_an_object_that_is_renamed_changes_its_key),
        cmocka_unit_test(test_what_failed_half_way_is_searched_for),
        cmocka_unit_test(test_a_search_does_not_undo_what_came_meanwhile),
        cmocka_unit_test(test_a_walk_does_not_undo_what_came_meanwhile),
        cmocka_unit_test(test_the_index_knows_what_a_simple_one_would),
        cmocka_unit_test(test_past_its_limit_it_stops_claiming_to_know_all),
        cmocka_unit_test(test_a_public_key_is_kept_as_long_as_nothing_of_the_key_goes),
        cmocka_unit_test(test_a_copy_lasts_as_long_as_somebody_holds_it),
        cmocka_unit_test(test_a_copy_that_is_of_no_use_is_taken_by_nobody_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
