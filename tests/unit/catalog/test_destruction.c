/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "catalog/db.h"
#include <stdlib.h>
#include <string.h>

#define NOW FIXTURE_NOW

static enum stirkeep_status try_to_intend(struct fixture *fixture, enum stk_intent_kind kind,
                                          const char *name, unsigned seed)
{
    struct stk_key_id key_id = key_of(seed);
    int64_t intent = -5;
    enum stirkeep_status status = stk_catalog_intend(fixture->catalog, kind, name, &key_id, "", NOW,
                                                     &intent, &fixture->error);

    assert_true(status == STIRKEEP_OK || intent == -5);
    return status;
}

static bool condemn(struct fixture *fixture, const char *name, unsigned seed)
{
    struct stk_act act = {.act = "condemn", .outcome = "ok", .name = name, .detail = ""};
    struct stk_key_id key_id = key_of(seed);
    bool stopped = false;

    if (stk_catalog_condemn(fixture->catalog, name, seed != 0 ? &key_id : NULL, NOW, &act, &stopped,
                            &fixture->error) != STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
    (void)fixture_check_sound(fixture);
    return stopped;
}

static uint32_t destroyed(struct fixture *fixture, int64_t intent)
{
    struct stk_act act = {
        .act = "destroy", .outcome = "ok", .name = "x", .detail = "", .generation = 0};
    uint32_t generations = 99;

    if (stk_catalog_destroyed(fixture->catalog, intent, &act, &generations, &fixture->error) !=
        STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
    (void)fixture_check_sound(fixture);
    return generations;
}

static void condemning_a_name_stops_it_and_journals_each_of_its_keys(void **state)
{
    struct fixture *fixture = *state;
    struct stk_certificate certificate = {0};
    struct sample sample = {0};
    struct stk_intent intent = {0};
    struct stk_key_id key_id = {0};
    uint32_t number = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    (void)fixture_import(fixture, "Alpha", 2);
    sample_make(&sample, "Alpha", 3);
    sample.about.activate_at = 100;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OK);
    fixture_generate(fixture, "Alpha", 500, 4);
    (void)fixture_import(fixture, "Beta", 5);
    fixture_drop_acts(fixture);
    assert_true(condemn(fixture, "Alpha", 0));
    fixture_expect_act(fixture, "condemn", 2);
    assert_string_equal(fixture_generation(fixture, "Alpha", 1).state, "previous");
    assert_string_equal(fixture_generation(fixture, "Alpha", 2).state, "retired");
    assert_string_equal(fixture_generation(fixture, "Alpha", 3).state, "retired");
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_OK);
    assert_false(certificate.active);
    fixture_close(fixture);
    fixture_open(fixture);
    for (unsigned i = 1; i <= 4; i++) {
        key_id = key_of(i);
        assert_int_equal(stk_catalog_open_intent(fixture->catalog, intent.id, &intent, NULL),
                         STIRKEEP_OK);
        assert_int_equal(intent.kind, STK_INTENT_DESTROY);
        assert_string_equal(intent.name.text, "Alpha");
        assert_memory_equal(&intent.key_id, &key_id, sizeof(key_id));
    }
    assert_int_equal(stk_catalog_open_intent(fixture->catalog, intent.id, &intent, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    /* Again: nothing stops that had not stopped, and no second intent for a key. */
    assert_false(condemn(fixture, "Alpha", 0));
    assert_int_equal(number_of(fixture->catalog->db, "SELECT count(*) FROM intent"), 4);
}

static void condemning_one_key_stops_what_has_it_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned keys[] = {1, 2, 1, 2, 2};
    static const int64_t times[] = {0, 0, 100, 200, 300};
    static const char *const states[] = {"previous", "active", "staged", "staged", "staged"};

    for (size_t i = 0; i < 5; i++) {
        struct sample sample = {0};
        uint32_t number = 0;
        sample_make(&sample, "Alpha", keys[i]);
        sample.about.activate_at = times[i];
        assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                         STIRKEEP_OK);
    }
    fixture_drop_acts(fixture);
    assert_false(condemn(fixture, "Alpha", 1));
    fixture_expect_act(fixture, "condemn", 3);
    for (uint32_t i = 0; i < 5; i++)
        assert_string_equal(fixture_generation(fixture, "Alpha", i + 1).state,
                            i == 2 ? "retired" : states[i]);
    assert_true(condemn(fixture, "Alpha", 2));
    fixture_expect_act(fixture, "condemn", 2);
    for (uint32_t i = 1; i < 5; i++)
        assert_string_equal(fixture_generation(fixture, "Alpha", i + 1).state, "retired");
    assert_string_equal(fixture_generation(fixture, "Alpha", 1).state, "previous");
    assert_int_equal(number_of(fixture->catalog->db, "SELECT count(*) FROM intent"), 2);
}

static void a_requested_key_is_condemned_without_stopping_the_name(void **state)
{
    struct fixture *fixture = *state;
    struct stk_requested_key keys[2] = {0};
    struct stk_certificate certificate = {0};
    struct stk_name holder = {0};
    struct stk_key_id key_id = key_of(2);

    (void)fixture_import(fixture, "Alpha", 1);
    fixture_generate(fixture, "Alpha", 500, 2);
    fixture_drop_acts(fixture);
    assert_false(condemn(fixture, "Alpha", 2));
    fixture_expect_act(fixture, "condemn", 0);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_OK);
    assert_true(certificate.active);
    assert_int_equal(fixture_requested(fixture, "Alpha", keys, 2), 0); /* nothing to ask a CA for */
    assert_int_equal(stk_catalog_holder(fixture->catalog, &key_id, &holder, NULL), STIRKEEP_OK);
    assert_int_equal(destroyed(fixture, fixture_intent(fixture, "Alpha").id), 0);
    fixture_expect_act(fixture, "destroy", 0);
    assert_int_equal(stk_catalog_holder(fixture->catalog, &key_id, &holder, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(fixture_requested(fixture, "Alpha", keys, 2), 0);
}

static void condemning_what_is_not_held_or_is_on_its_way_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "condemn", .outcome = "ok", .name = "Alpha", .detail = ""};
    struct stk_key_id one = key_of(1);
    struct stk_key_id other = key_of(9);
    char *before = NULL;
    char *after = NULL;
    bool stopped = true;
    int64_t intent = 0;
    static const enum stk_intent_kind kinds[] = {STK_INTENT_IMPORT, STK_INTENT_GENERATE};

    (void)fixture_import(fixture, "Alpha", 1);
    (void)fixture_import(fixture, "Beta", 9);
    before = fixture_dump(fixture);
    assert_int_equal(
        stk_catalog_condemn(fixture->catalog, "Gamma", NULL, NOW, &act, &stopped, &fixture->error),
        STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(
        stk_catalog_condemn(fixture->catalog, "Al pha", NULL, NOW, &act, &stopped, NULL),
        STIRKEEP_INVALID);
    assert_int_equal(stk_catalog_condemn(fixture->catalog, "Alpha", &other, NOW, &act, &stopped,
                                         &fixture->error),
                     STIRKEEP_KEY_UNAVAILABLE);
    assert_non_null(strstr(fixture->error.message, "Alpha"));
    after = fixture_dump(fixture);
    assert_string_equal(after, before);
    free(before);
    free(after);
    for (size_t i = 0; i < 2; i++) {
        intent = fixture_intend(fixture, kinds[i], "Alpha", 50);
        assert_int_equal(stk_catalog_condemn(fixture->catalog, "Alpha", &one, NOW, &act, &stopped,
                                             &fixture->error),
                         STIRKEEP_BUSY);
        assert_int_equal(stk_catalog_forget(fixture->catalog, intent, NULL), STIRKEEP_OK);
    }
    /* Somebody brings this very key under another name: intake's business, but not ours to break. */
    intent = fixture_intend(fixture, STK_INTENT_IMPORT, "Gamma", 1);
    assert_int_equal(
        stk_catalog_condemn(fixture->catalog, "Alpha", NULL, NOW, &act, &stopped, &fixture->error),
        STIRKEEP_BUSY);
    assert_non_null(strstr(fixture->error.message, "Gamma"));
    assert_true(stopped);
    assert_int_equal(stk_catalog_forget(fixture->catalog, intent, NULL), STIRKEEP_OK);
    assert_string_equal(fixture_generation(fixture, "Alpha", 1).state, "active");
    assert_true(condemn(fixture, "Alpha", 1));
    (void)destroyed(fixture, fixture_intent(fixture, "Alpha").id);
    assert_int_equal(
        stk_catalog_condemn(fixture->catalog, "Alpha", NULL, NOW, &act, &stopped, &fixture->error),
        STIRKEEP_KEY_UNAVAILABLE);
    assert_int_equal(
        stk_catalog_condemn(fixture->catalog, "Alpha", &one, NOW, &act, &stopped, &fixture->error),
        STIRKEEP_KEY_UNAVAILABLE);
}

static void nothing_goes_back_to_a_condemned_key(void **state)
{
    struct fixture *fixture = *state;
    struct stk_certificate active = {0};
    struct stk_certificate earlier = {0};
    struct sample sample = {0};
    struct stk_new_key key = {.name = "Alpha", .key_id = key_of(2), .attributes = ""};
    uint32_t number = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    (void)fixture_import(fixture, "Alpha", 2);
    (void)fixture_import(fixture, "Alpha", 3);
    assert_false(condemn(fixture, "Alpha", 2));
    assert_int_equal(stk_catalog_earlier(fixture->catalog, "Alpha", &active, &earlier, NULL),
                     STIRKEEP_OK);
    assert_int_equal(earlier.generation, 1);
    assert_int_equal(stk_catalog_roll_back(fixture->catalog, "Alpha", 3, 2, NULL, &fixture->error),
                     STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &active, NULL),
                     STIRKEEP_OK);
    assert_int_equal(active.generation, 3);
    assert_true(active.active);
    sample_make(&sample, "Alpha", 2); /* a renewed certificate that was on its way */
    assert_int_equal(
        stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error),
        STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_BUSY);
    (void)destroyed(fixture, fixture_intent(fixture, "Alpha").id);
    assert_int_equal(stk_catalog_earlier(fixture->catalog, "Alpha", &active, &earlier, NULL),
                     STIRKEEP_OK);
    assert_int_equal(earlier.generation, 1);
    assert_int_equal(stk_catalog_roll_back(fixture->catalog, "Alpha", 3, 2, NULL, NULL),
                     STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_roll_back(fixture->catalog, "Alpha", 3, 1, NULL, NULL),
                     STIRKEEP_OK);
    (void)fixture_check_sound(fixture);
}

static void a_destroyed_key_leaves_its_record_and_may_come_again(void **state)
{
    struct fixture *fixture = *state;
    struct stk_generation listed = {0};
    struct stk_certificate certificate = {0};
    struct stk_bytes chain[STK_CHAIN_MAX] = {{0}};
    int64_t intent = 0;
    size_t count = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    (void)fixture_import(fixture, "Alpha", 1);
    assert_true(condemn(fixture, "Alpha", 0));
    intent = fixture_intent(fixture, "Alpha").id;
    fixture_drop_acts(fixture);
    assert_int_equal(destroyed(fixture, intent), 2);
    fixture_expect_act(fixture, "destroy", 2);
    assert_int_equal(destroyed(fixture, intent), 0); /* again: nothing, and no second record */
    assert_int_equal(number_of(fixture->catalog->db, "SELECT count(*) FROM act"), 0);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(
        stk_catalog_list(fixture->catalog, "", &fixture->arena, &listed, 1, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 1);
    assert_int_equal(listed.generation, 2);
    assert_string_equal(listed.state, "destroyed");
    assert_string_equal(fixture_generation(fixture, "Alpha", 1).state, "destroyed");
    assert_int_equal(
        stk_catalog_chain(fixture->catalog, "Alpha", 1, &fixture->arena, chain, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_OK);
    assert_false(certificate.active);
    assert_int_equal(fixture_import(fixture, "Alpha", 1), 3);
    assert_string_equal(fixture_generation(fixture, "Alpha", 3).state, "active");
    assert_string_equal(fixture_generation(fixture, "Alpha", 2).state, "destroyed");
    assert_int_equal(
        stk_catalog_earlier(fixture->catalog, "Alpha", &certificate, &certificate, NULL),
        STIRKEEP_CONFLICT);
    (void)fixture_check_sound(fixture);
    /* And go again: the record of the first time stays out of it. */
    assert_true(condemn(fixture, "Alpha", 1));
    assert_int_equal(destroyed(fixture, fixture_intent(fixture, "Alpha").id), 1);
    assert_int_equal(fixture_import(fixture, "Beta", 1), 1); /* under another name, too */
    assert_int_equal(fixture_check_sound(fixture), 4);
}

static void the_end_of_a_key_is_told_only_of_a_destroy_intent(void **state)
{
    struct fixture *fixture = *state;
    uint32_t generations = 7;
    int64_t intent = fixture_intend(fixture, STK_INTENT_IMPORT, "Alpha", 1);

    assert_int_equal(
        stk_catalog_destroyed(fixture->catalog, intent, NULL, &generations, &fixture->error),
        STIRKEEP_INTERNAL);
    assert_int_equal(generations, 7);
    assert_int_equal(fixture_intent(fixture, "Alpha").id, intent);
    assert_int_equal(stk_catalog_destroyed(fixture->catalog, 4711, NULL, &generations, NULL),
                     STIRKEEP_OK);
    assert_int_equal(generations, 0);
}

static void a_full_journal_does_not_hold_up_the_end_of_a_key(void **state)
{
    struct fixture *fixture = *state;

    (void)fixture_import(fixture, "Alpha", 1);
    (void)fixture_import(fixture, "Alpha", 2);
    execute(fixture->catalog->db,
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1024) "
            "INSERT INTO intent (name, key_id, source, state, started) "
            "SELECT 'n' || i, randomblob(32), '', 'intent', 5 FROM n");
    assert_int_equal(try_to_intend(fixture, STK_INTENT_IMPORT, "Beta", 3), STIRKEEP_OVERLOADED);
    assert_true(condemn(fixture, "Alpha", 0));
    assert_int_equal(number_of(fixture->catalog->db, "SELECT count(*) FROM intent"), 1026);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(condemning_a_name_stops_it_and_journals_each_of_its_keys),
        TEST(condemning_one_key_stops_what_has_it_and_nothing_else),
        TEST(a_requested_key_is_condemned_without_stopping_the_name),
        TEST(condemning_what_is_not_held_or_is_on_its_way_is_refused),
        TEST(nothing_goes_back_to_a_condemned_key),
        TEST(a_destroyed_key_leaves_its_record_and_may_come_again),
        TEST(the_end_of_a_key_is_told_only_of_a_destroy_intent),
        TEST(a_full_journal_does_not_hold_up_the_end_of_a_key),
    };

    return cmocka_run_group_tests_name("catalog destruction", tests, NULL, NULL);
}
