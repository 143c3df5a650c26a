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

static void a_made_key_takes_the_place_of_its_ticket_in_the_journal(void **state)
{
    struct fixture *fixture = *state;
    struct stk_key_id ticket = key_of(500);
    struct stk_key_id key_id = key_of(1);
    struct stk_key_id other = key_of(2);
    struct stk_key_id none = {0};
    struct stk_intent read = {0};
    int64_t intent = fixture_intend(fixture, STK_INTENT_GENERATE, "Alpha", 500);
    int64_t import = fixture_intend(fixture, STK_INTENT_IMPORT, "Beta", 9);

    read = fixture_intent(fixture, "Alpha");
    assert_int_equal(read.kind, STK_INTENT_GENERATE);
    assert_memory_equal(&read.key_id, &ticket, sizeof(ticket));
    assert_memory_equal(&read.ticket, &none, sizeof(none));
    assert_int_equal(stk_catalog_intent_key(fixture->catalog, intent, &key_id, NULL), STIRKEEP_OK);
    fixture_close(fixture);
    fixture_open(fixture);
    read = fixture_intent(fixture, "Alpha");
    assert_int_equal(read.id, intent);
    assert_int_equal(read.kind, STK_INTENT_GENERATE);
    assert_memory_equal(&read.key_id, &key_id, sizeof(key_id));
    assert_memory_equal(&read.ticket, &ticket, sizeof(ticket));
    /* Once, of an intent that is there, and of none but a GENERATE. */
    assert_int_equal(stk_catalog_intent_key(fixture->catalog, intent, &other, NULL),
                     STIRKEEP_INTERNAL);
    assert_int_equal(stk_catalog_intent_key(fixture->catalog, import, &other, NULL),
                     STIRKEEP_INTERNAL);
    assert_int_equal(stk_catalog_intent_key(fixture->catalog, 4711, &other, NULL),
                     STIRKEEP_INTERNAL);
    read = fixture_intent(fixture, "Beta");
    assert_int_equal(read.kind, STK_INTENT_IMPORT);
    assert_memory_equal(&read.ticket, &none, sizeof(none));
}

static void a_made_key_that_somebody_else_is_bringing_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct stk_key_id key_id = key_of(1);
    int64_t intent = 0;

    (void)fixture_intend(fixture, STK_INTENT_IMPORT, "Beta", 1);
    intent = fixture_intend(fixture, STK_INTENT_GENERATE, "Alpha", 500);
    assert_int_equal(stk_catalog_intent_key(fixture->catalog, intent, &key_id, &fixture->error),
                     STIRKEEP_BUSY);
    assert_non_null(strstr(fixture->error.message, "Beta"));
}

static void while_anything_of_a_name_is_open_nothing_is_brought_to_it(void **state)
{
    struct fixture *fixture = *state;

    (void)fixture_intend(fixture, STK_INTENT_GENERATE, "Alpha", 500);
    assert_int_equal(try_to_intend(fixture, STK_INTENT_GENERATE, "Alpha", 501), STIRKEEP_BUSY);
    assert_int_equal(try_to_intend(fixture, STK_INTENT_IMPORT, "Alpha", 1), STIRKEEP_BUSY);
    assert_non_null(strstr(fixture->error.message, "Alpha: the making of a key"));
    (void)fixture_import(fixture, "Beta", 1);
    (void)condemn(fixture, "Beta", 1);
    assert_int_equal(try_to_intend(fixture, STK_INTENT_IMPORT, "Beta", 2), STIRKEEP_BUSY);
    assert_non_null(strstr(fixture->error.message, "destruction"));
    assert_int_equal(try_to_intend(fixture, STK_INTENT_GENERATE, "Beta", 501), STIRKEEP_BUSY);
    /* The same key under another name, too. */
    assert_int_equal(try_to_intend(fixture, STK_INTENT_IMPORT, "Gamma", 1), STIRKEEP_BUSY);
    assert_non_null(strstr(fixture->error.message, "Beta"));
    assert_int_equal(try_to_intend(fixture, STK_INTENT_IMPORT, "Gamma", 2), STIRKEEP_OK);
}

static void a_kind_that_was_never_written_is_not_believed(void **state)
{
    struct fixture *fixture = *state;
    struct stk_intent read = {.id = 7};
    sqlite3 *db = NULL;

    (void)fixture_intend(fixture, STK_INTENT_IMPORT, "Alpha", 1);
    fixture_close(fixture);
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    execute(db, "PRAGMA ignore_check_constraints = ON; UPDATE intent SET kind = 'imported'");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    fixture_open(fixture);
    assert_int_equal(stk_catalog_open_intent(fixture->catalog, 0, &read, &fixture->error),
                     STIRKEEP_STORAGE);
    assert_non_null(strstr(fixture->error.message, "never written"));
    assert_int_equal(read.id, 7);
    assert_int_equal(try_to_intend(fixture, STK_INTENT_IMPORT, "Alpha", 2), STIRKEEP_STORAGE);
}

static void a_held_key_waits_for_its_certificate_unseen_by_list_and_show(void **state)
{
    struct fixture *fixture = *state;
    struct stk_requested_key keys[4] = {0};
    struct stk_key_id key_id = key_of(1);
    struct stk_name holder = {0};
    struct stk_generation read = {0};
    struct stk_certificate certificate = {0};
    uint32_t number = 0;
    uint32_t names = 9;
    size_t count = 9;

    fixture_generate(fixture, "Alpha", 500, 1);
    fixture_expect_act(fixture, "generate", 0);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture_check_sound(fixture), 0);
    assert_int_equal(fixture_intent(fixture, "Alpha").id, 0);
    assert_int_equal(fixture_requested(fixture, "Alpha", keys, 4), 1);
    assert_memory_equal(&keys[0].key_id, &key_id, sizeof(key_id));
    assert_string_equal(keys[0].attributes, "LOCAL=1");
    assert_int_equal(keys[0].created, NOW + 1);
    assert_int_equal(keys[0].created_by, 1001);
    assert_int_equal(stk_catalog_holder(fixture->catalog, &key_id, &holder, NULL), STIRKEEP_OK);
    assert_string_equal(holder.text, "Alpha");
    assert_int_equal(
        stk_catalog_show(fixture->catalog, "Alpha", &fixture->arena, &read, 1, &count, NULL),
        STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(
        stk_catalog_list(fixture->catalog, "", &fixture->arena, &read, 1, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 0);
    assert_int_equal(stk_catalog_certificates(fixture->catalog, "", &certificate, 1, &count, NULL),
                     STIRKEEP_OK);
    assert_int_equal(count, 0);
    assert_int_equal(stk_catalog_count(fixture->catalog, &names, NULL), STIRKEEP_OK);
    assert_int_equal(names, 0);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", NULL, &number, NULL),
                     STIRKEEP_NOT_ACTIVE);
    assert_int_equal(stk_catalog_activate(fixture->catalog, "Alpha", 1, NULL, NULL), STIRKEEP_BUSY);
    assert_int_equal(
        stk_catalog_earlier(fixture->catalog, "Alpha", &certificate, &certificate, NULL),
        STIRKEEP_UNKNOWN_NAME);
}

static void a_certificate_makes_of_a_requested_key_a_generation_that_tells_its_origin(void **state)
{
    static const char *const said[] = {"imported", "generated", "sealed"};

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        struct fixture *fixture = *state;
        struct sample sample = {0};
        struct stk_requested_key keys[4] = {0};
        struct stk_generation read = {0};
        uint32_t number = 0;
        uint32_t names = 0;
        fixture_generate(fixture, "Alpha", 500, 1);
        sample_make(&sample, "Alpha", 1);
        sample.about.origin = said[i];
        sample.about.attributes = "LOCAL=1 SENSITIVE=1";
        assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                         STIRKEEP_OK);
        assert_int_equal(number, 1);
        assert_int_equal(fixture_requested(fixture, "Alpha", keys, 4), 0);
        read = fixture_generation(fixture, "Alpha", 1);
        assert_string_equal(read.origin, "generated");
        assert_string_equal(read.attributes, "LOCAL=1 SENSITIVE=1");
        assert_string_equal(read.state, "active");
        assert_int_equal(stk_catalog_count(fixture->catalog, &names, NULL), STIRKEEP_OK);
        assert_int_equal(names, 1);
        assert_int_equal(fixture_check_sound(fixture), 1);
        assert_int_equal(number_of(fixture->catalog->db, "SELECT created FROM key"), NOW + 1);
        (void)fixture_teardown(state);
        assert_int_equal(fixture_setup(state), 0);
    }
}

static void a_staged_certificate_for_a_requested_key_is_what_the_name_stands_for(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = {0};
    struct stk_certificate certificate = {0};
    uint32_t number = 0;

    fixture_generate(fixture, "Alpha", 500, 1);
    sample_make(&sample, "Alpha", 1);
    sample.about.activate_at = 100;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_catalog_certificate(fixture->catalog, "Alpha", &certificate, NULL),
                     STIRKEEP_OK);
    assert_int_equal(certificate.generation, 1);
    assert_false(certificate.active);
    assert_int_equal(fixture_check_sound(fixture), 1);
}

static void what_a_generation_brings_of_origin_and_numbers_reads_back(void **state)
{
    static const char *const origins[] = {"imported", "sealed", "generated"};
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < 3; i++) {
        struct sample sample = {0};
        struct stk_generation read = {0};
        uint32_t number = 0;
        sample_make(&sample, "Alpha", i);
        sample.about.origin = origins[i];
        sample.about.numbers = i == 1 ? "" : "12155550100 and 9 more";
        assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                         STIRKEEP_OK);
        read = fixture_generation(fixture, "Alpha", number);
        assert_string_equal(read.origin, origins[i]);
        assert_string_equal(read.numbers, sample.about.numbers);
        assert_int_equal(read.activate_at, 0);
    }
}

static void requested_keys_come_newest_first_and_no_more_than_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct stk_requested_key keys[3] = {0};
    struct stk_arena small = {0};
    size_t count = 9;

    for (unsigned i = 1; i <= 4; i++)
        fixture_generate(fixture, "Alpha", 500 + i, i);
    fixture_generate(fixture, "Beta", 600, 9);
    (void)fixture_import(fixture, "Alpha", 10);
    assert_int_equal(fixture_requested(fixture, "Alpha", keys, 3), 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(keys[i].created_by, 1004 - i);
    assert_int_equal(fixture_requested(fixture, "Alpha", NULL, 0), 0);
    assert_int_equal(fixture_requested(fixture, "Nobody", keys, 3), 0);
    assert_int_equal(
        stk_catalog_requested(fixture->catalog, "../x", &fixture->arena, keys, 3, &count, NULL),
        STIRKEEP_INVALID);
    assert_int_equal(stk_arena_new(&small, 4), STIRKEEP_OK);
    assert_int_equal(
        stk_catalog_requested(fixture->catalog, "Alpha", &small, keys, 3, &count, NULL),
        STIRKEEP_TOO_LARGE);
    assert_int_equal(count, 9);
    stk_arena_free(&small);
}

static void a_key_is_held_once_and_under_its_own_intent(void **state)
{
    struct fixture *fixture = *state;
    struct stk_requested_key keys[4] = {0};
    struct stk_new_key key = {.name = "Beta", .key_id = key_of(1), .attributes = "A", .created = 5};
    int64_t intent = 0;
    char *before = NULL;
    char *after = NULL;

    fixture_generate(fixture, "Alpha", 500, 1);
    before = fixture_dump(fixture);
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, &fixture->error),
                     STIRKEEP_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "Alpha"));
    key.name = "A/b";
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_INVALID);
    key.name = "Beta";
    key.attributes = NULL;
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, &fixture->error),
                     STIRKEEP_INVALID);
    assert_non_null(strstr(fixture->error.message, "attributes"));
    after = fixture_dump(fixture);
    assert_string_equal(after, before);
    free(before);
    free(after);
    /* A ticket, another kind, another name: not what was intended. */
    key.attributes = "B";
    key.key_id = key_of(2);
    key.intent = 4711;
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_INTERNAL);
    key.intent = fixture_intend(fixture, STK_INTENT_IMPORT, "Beta", 2);
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_INTERNAL);
    intent = fixture_intend(fixture, STK_INTENT_GENERATE, "Gamma", 501);
    key = (struct stk_new_key){
        .name = "Delta", .key_id = key_of(3), .attributes = "", .intent = intent};
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_INTERNAL);
    key.name = "Gamma";
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_INTERNAL);
    assert_int_equal(stk_catalog_intent_key(fixture->catalog, intent, &key.key_id, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_OK);
    /* Found on the token again: no intent, no second row, what was read back last. */
    key.intent = 0;
    key.attributes = "C";
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_OK);
    assert_int_equal(fixture_requested(fixture, "Gamma", keys, 4), 1);
    assert_string_equal(keys[0].attributes, "C");
}

static void an_import_does_not_end_the_intent_of_a_generation(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = {0};
    uint32_t number = 0;

    sample_make(&sample, "Alpha", 1);
    sample.new_generation.intent = fixture_intend(fixture, STK_INTENT_GENERATE, "Alpha", 1);
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_INTERNAL);
    assert_int_equal(fixture_check_sound(fixture), 0);
}

static void a_name_takes_no_more_keys_than_generations(void **state)
{
    struct fixture *fixture = *state;
    struct stk_new_key key = {.name = "Alpha", .key_id = key_of(2), .attributes = ""};

    fixture_generate(fixture, "Alpha", 500, 1);
    execute(fixture->catalog->db,
            "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
            "INSERT INTO key (key_id, name, origin, state, attributes, created, created_by) "
            "SELECT randomblob(32), 1, 'generated', 'destroyed', '', 1, 1 FROM n");
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, &fixture->error),
                     STIRKEEP_TOO_LARGE);
    key.name = "Beta";
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_OK);
    execute(fixture->catalog->db,
            "WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
            "INSERT INTO name (name) SELECT 'n' || i FROM n");
    key = (struct stk_new_key){.name = "Gamma", .key_id = key_of(3), .attributes = ""};
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, &fixture->error),
                     STIRKEEP_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(a_made_key_takes_the_place_of_its_ticket_in_the_journal),
        TEST(a_made_key_that_somebody_else_is_bringing_is_told),
        TEST(while_anything_of_a_name_is_open_nothing_is_brought_to_it),
        TEST(a_kind_that_was_never_written_is_not_believed),
        TEST(a_held_key_waits_for_its_certificate_unseen_by_list_and_show),
        TEST(a_certificate_makes_of_a_requested_key_a_generation_that_tells_its_origin),
        TEST(a_staged_certificate_for_a_requested_key_is_what_the_name_stands_for),
        TEST(what_a_generation_brings_of_origin_and_numbers_reads_back),
        TEST(requested_keys_come_newest_first_and_no_more_than_asked_for),
        TEST(a_key_is_held_once_and_under_its_own_intent),
        TEST(an_import_does_not_end_the_intent_of_a_generation),
        TEST(a_name_takes_no_more_keys_than_generations),
    };

    return cmocka_run_group_tests_name("catalog keys", tests, NULL, NULL);
}
