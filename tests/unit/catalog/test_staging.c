/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

/* Add what an import of `name` with key `seed` brings, staged for that time (0: not staged). */
static uint32_t stage(struct fixture *fixture, const char *name, unsigned seed, int64_t activate_at)
{
    struct sample sample = {0};
    uint32_t number = 0;

    sample_make(&sample, name, seed);
    sample.about.activate_at = activate_at;
    sample.act.act = "stage";
    if (stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error) !=
        STIRKEEP_OK)
        fail_msg("%s", fixture->error.message);
    return number;
}

static void expect_state(struct fixture *fixture, const char *name, uint32_t number,
                         const char *state, int64_t activate_at)
{
    struct stk_generation read = fixture_generation(fixture, name, number);

    assert_string_equal(read.state, state);
    assert_int_equal(read.activate_at, activate_at);
}

static void expect_current(struct fixture *fixture, const char *name, uint32_t number, bool active)
{
    struct stk_certificate certificate = {0};

    assert_int_equal(stk_catalog_certificate(fixture->catalog, name, &certificate, NULL),
                     STIRKEEP_OK);
    assert_int_equal(certificate.generation, number);
    assert_int_equal(certificate.active, active);
}

static void a_staged_generation_waits_beside_the_active_one(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "activate", .outcome = "ok", .name = "Alpha", .detail = ""};
    struct stk_generation listed[2] = {{0}};
    struct stk_certificate staged = {0};
    struct stk_key_id second = key_of(2);
    int64_t at = 0;
    size_t count = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    assert_int_equal(stage(fixture, "Alpha", 2, 1900000000), 2);
    expect_state(fixture, "Alpha", 1, "active", 0);
    expect_state(fixture, "Alpha", 2, "staged", 1900000000);
    expect_current(fixture, "Alpha", 1, true);
    assert_int_equal(
        stk_catalog_list(fixture->catalog, "", &fixture->arena, listed, 2, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 1);
    assert_int_equal(listed[0].generation, 1);
    assert_string_equal(listed[0].state, "active");
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(first_staged(fixture->catalog, &staged, &at, NULL), STIRKEEP_OK);
    assert_string_equal(staged.name.text, "Alpha");
    assert_int_equal(staged.generation, 2);
    assert_memory_equal(&staged.key_id, &second, sizeof(second));
    assert_false(staged.active);
    assert_int_equal(at, 1900000000);
    fixture_drop_acts(fixture);
    assert_int_equal(stk_catalog_activate(fixture->catalog, "Alpha", 2, &act, NULL), STIRKEEP_OK);
    fixture_expect_act(fixture, "activate", 2);
    expect_state(fixture, "Alpha", 1, "previous", 0);
    expect_state(fixture, "Alpha", 2, "active", 0);
    expect_current(fixture, "Alpha", 2, true);
    (void)fixture_check_sound(fixture);
    staged.generation = 99;
    assert_int_equal(first_staged(fixture->catalog, &staged, &at, NULL), STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(staged.generation, 99);
}

static void activating_again_is_told_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "activate", .outcome = "ok", .name = "Alpha", .detail = ""};
    static const uint32_t wrong[] = {1, 2, 3, 0, UINT32_MAX};
    char *before = NULL;
    char *after = NULL;

    (void)fixture_import(fixture, "Alpha", 1);
    (void)stage(fixture, "Alpha", 2, 5);
    assert_int_equal(stk_catalog_activate(fixture->catalog, "Alpha", 2, NULL, NULL), STIRKEEP_OK);
    before = fixture_dump(fixture);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(
            stk_catalog_activate(fixture->catalog, "Alpha", wrong[i], &act, &fixture->error),
            STIRKEEP_BUSY);
        assert_int_equal(
            stk_catalog_restage(fixture->catalog, "Alpha", wrong[i], 9, &act, &fixture->error),
            STIRKEEP_BUSY);
        assert_non_null(strstr(fixture->error.message, "staged"));
    }
    assert_int_equal(stk_catalog_activate(fixture->catalog, "Beta", 1, &act, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(stk_catalog_activate(fixture->catalog, "a b", 1, &act, NULL),
                     STIRKEEP_INVALID);
    assert_int_equal(stk_catalog_restage(fixture->catalog, "Beta", 1, 9, &act, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    assert_int_equal(stk_catalog_restage(fixture->catalog, NULL, 1, 9, &act, NULL),
                     STIRKEEP_INVALID);
    after = fixture_dump(fixture);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void the_first_time_comes_first_and_among_equal_ones_the_first_made(void **state)
{
    static const struct {
        const char *name;
        uint32_t number;
        int64_t at;
    } expected[] = {{"b", 1, 100}, {"a", 1, 200}, {"c", 1, 200}, {"a", 2, 200}, {"b", 2, 300}};
    struct fixture *fixture = *state;
    struct stk_certificate staged = {0};
    int64_t at = 0;

    (void)stage(fixture, "a", 1, 200);
    (void)stage(fixture, "b", 2, 100);
    (void)stage(fixture, "c", 3, 200);
    (void)stage(fixture, "b", 4, 300);
    (void)stage(fixture, "a", 5, 200);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(first_staged(fixture->catalog, &staged, &at, NULL), STIRKEEP_OK);
        assert_string_equal(staged.name.text, expected[i].name);
        assert_int_equal(staged.generation, expected[i].number);
        assert_int_equal(at, expected[i].at);
        assert_int_equal(
            stk_catalog_activate(fixture->catalog, staged.name.text, staged.generation, NULL, NULL),
            STIRKEEP_OK);
    }
    assert_int_equal(first_staged(fixture->catalog, &staged, &at, &fixture->error),
                     STIRKEEP_UNKNOWN_NAME);
    (void)fixture_check_sound(fixture);
}

static void a_name_with_nothing_but_a_staged_generation_is_seen_and_does_not_sign(void **state)
{
    struct fixture *fixture = *state;
    struct stk_certificate active = {0};
    struct stk_certificate earlier = {0};
    uint32_t names = 0;

    assert_int_equal(stage(fixture, "Alpha", 1, 100), 1);
    expect_current(fixture, "Alpha", 1, false);
    assert_int_equal(stage(fixture, "Alpha", 2, 50), 2);
    expect_current(fixture, "Alpha", 1, false);
    assert_int_equal(stk_catalog_count(fixture->catalog, &names, NULL), STIRKEEP_OK);
    assert_int_equal(names, 1);
    assert_int_equal(
        stk_catalog_earlier(fixture->catalog, "Alpha", &active, &earlier, &fixture->error),
        STIRKEEP_NOT_ACTIVE);
    assert_int_equal(stk_catalog_activate(fixture->catalog, "Alpha", 2, NULL, NULL), STIRKEEP_OK);
    expect_current(fixture, "Alpha", 2, true);
    expect_state(fixture, "Alpha", 1, "staged", 100);
    /* A staged one is nothing to roll back to, although it is before the active one. */
    assert_int_equal(
        stk_catalog_earlier(fixture->catalog, "Alpha", &active, &earlier, &fixture->error),
        STIRKEEP_CONFLICT);
    assert_int_equal(stk_catalog_roll_back(fixture->catalog, "Alpha", 2, 1, NULL, NULL),
                     STIRKEEP_BUSY);
    (void)fixture_check_sound(fixture);
}

static void what_is_staged_can_have_another_time(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "restage", .outcome = "ok", .name = "Alpha", .detail = ""};
    struct stk_certificate staged = {0};
    int64_t at = 0;

    (void)stage(fixture, "Alpha", 1, 100);
    (void)stage(fixture, "Beta", 2, 150);
    fixture_drop_acts(fixture);
    assert_int_equal(stk_catalog_restage(fixture->catalog, "Alpha", 1, 200, &act, NULL),
                     STIRKEEP_OK);
    fixture_expect_act(fixture, "restage", 1);
    expect_state(fixture, "Alpha", 1, "staged", 200);
    assert_int_equal(first_staged(fixture->catalog, &staged, &at, NULL), STIRKEEP_OK);
    assert_string_equal(staged.name.text, "Beta");
    assert_int_equal(stk_catalog_restage(fixture->catalog, "Alpha", 1, 0, &act, &fixture->error),
                     STIRKEEP_INVALID);
    assert_non_null(strstr(fixture->error.message, "activate_at"));
    assert_int_equal(stk_catalog_restage(fixture->catalog, "Alpha", 1, -1, &act, NULL),
                     STIRKEEP_INVALID);
    assert_int_equal(stk_catalog_restage(fixture->catalog, "Alpha", 1, INT64_MAX, NULL, NULL),
                     STIRKEEP_OK);
    expect_state(fixture, "Alpha", 1, "staged", INT64_MAX);
}

static void staging_before_1970_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = {0};
    uint32_t number = 0;

    sample_make(&sample, "Alpha", 1);
    sample.about.activate_at = -1;
    assert_int_equal(
        stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error),
        STIRKEEP_INVALID);
    assert_non_null(strstr(fixture->error.message, "activate_at"));
    assert_int_equal(fixture_check_sound(fixture), 0);
}

static void retiring_retires_what_is_staged_too(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "retire", .outcome = "ok", .name = "Alpha", .detail = ""};
    struct stk_certificate staged = {0};
    int64_t at = 0;
    uint32_t number = 0;

    (void)fixture_import(fixture, "Alpha", 1);
    (void)stage(fixture, "Alpha", 2, 100);
    (void)stage(fixture, "Alpha", 2, 200);
    (void)stage(fixture, "Beta", 3, 300);
    fixture_drop_acts(fixture);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", &act, &number, NULL),
                     STIRKEEP_OK);
    assert_int_equal(number, 1);
    fixture_expect_act(fixture, "retire", 1);
    for (uint32_t i = 1; i <= 3; i++)
        expect_state(fixture, "Alpha", i, "retired", 0);
    expect_current(fixture, "Alpha", 1, false);
    assert_int_equal(first_staged(fixture->catalog, &staged, &at, NULL), STIRKEEP_OK);
    assert_string_equal(staged.name.text, "Beta");
    assert_int_equal(stk_catalog_activate(fixture->catalog, "Alpha", 3, NULL, NULL), STIRKEEP_BUSY);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", &act, &number, &fixture->error),
                     STIRKEEP_NOT_ACTIVE);
    (void)fixture_check_sound(fixture);
}

static void retiring_where_nothing_is_active_tells_the_newest_staged_one(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "retire", .outcome = "ok", .name = "Alpha", .detail = ""};
    uint32_t number = 0;

    (void)stage(fixture, "Alpha", 1, 100);
    (void)stage(fixture, "Alpha", 2, 100);
    fixture_drop_acts(fixture);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", &act, &number, NULL),
                     STIRKEEP_OK);
    assert_int_equal(number, 2);
    fixture_expect_act(fixture, "retire", 2);
    expect_state(fixture, "Alpha", 1, "retired", 0);
    /* What comes after a retirement can be staged again. */
    assert_int_equal(stage(fixture, "Alpha", 2, 300), 3);
    expect_current(fixture, "Alpha", 1, false);
    assert_int_equal(stk_catalog_activate(fixture->catalog, "Alpha", 3, NULL, NULL), STIRKEEP_OK);
    expect_current(fixture, "Alpha", 3, true);
    (void)fixture_check_sound(fixture);
}

static void a_staged_time_that_was_never_written_is_not_believed(void **state)
{
    struct fixture *fixture = *state;
    struct stk_certificate staged = {0};
    int64_t at = 7;

    (void)stage(fixture, "Alpha", 1, 100);
    fixture_close(fixture);
    {
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
        execute(db, "UPDATE generation SET activate_at = NULL");
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
    }
    fixture_open(fixture);
    assert_int_equal(first_staged(fixture->catalog, &staged, &at, &fixture->error),
                     STIRKEEP_STORAGE);
    assert_non_null(strstr(fixture->error.message, "never written"));
    assert_int_equal(at, 7);
}

static void import_until(struct fixture *fixture, const char *name, unsigned seed,
                         int64_t not_after)
{
    struct sample sample = {0};
    uint32_t number = 0;

    sample_make(&sample, name, seed);
    sample.about.not_after = not_after;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OK);
}

static void expiring_active_generations_come_soonest_first(void **state)
{
    struct fixture *fixture = *state;
    struct stk_certificate found[8] = {0};
    uint32_t total = 0;
    uint32_t retired = 0;
    size_t count = 0;

    import_until(fixture, "late", 1, 400);
    import_until(fixture, "soon", 2, 200);
    import_until(fixture, "renewed", 3, 250);
    import_until(fixture, "renewed", 3, 900);
    import_until(fixture, "retired", 4, 250);
    import_until(fixture, "first", 5, 100);
    import_until(fixture, "same", 6, 200);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "retired", NULL, &retired, NULL),
                     STIRKEEP_OK);
    assert_int_equal(
        stk_catalog_expiring(fixture->catalog, 100, 400, found, 8, &count, &total, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 3);
    assert_int_equal(total, 3);
    assert_string_equal(found[0].name.text, "first");
    assert_string_equal(found[1].name.text, "soon");
    assert_string_equal(found[2].name.text, "same");
    assert_int_equal(found[2].not_after, 200);
    assert_true(found[2].active);
    /* `from` is in, `until` is not. */
    assert_int_equal(
        stk_catalog_expiring(fixture->catalog, 101, 401, found, 8, &count, &total, NULL),
        STIRKEEP_OK);
    assert_int_equal(total, 3);
    assert_string_equal(found[2].name.text, "late");
    assert_int_equal(stk_catalog_expiring(fixture->catalog, INT64_MIN, INT64_MAX, found, 2, &count,
                                          &total, NULL),
                     STIRKEEP_OK);
    assert_int_equal(count, 2);
    assert_int_equal(total, 5);
    assert_int_equal(
        stk_catalog_expiring(fixture->catalog, INT64_MIN, INT64_MAX, NULL, 0, &count, &total, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 0);
    assert_int_equal(total, 5);
    assert_int_equal(
        stk_catalog_expiring(fixture->catalog, 400, 100, found, 8, &count, &total, NULL),
        STIRKEEP_OK);
    assert_int_equal(count + total, 0);
}

static void import_from(struct fixture *fixture, const char *name, unsigned seed,
                        int64_t not_before)
{
    struct sample sample = {0};
    uint32_t number = 0;

    sample_make(&sample, name, seed);
    sample.about.not_before = not_before;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OK);
}

static void active_generations_that_are_not_valid_yet_come_soonest_first(void **state)
{
    struct fixture *fixture = *state;
    struct stk_certificate found[8] = {0};
    uint32_t total = 0;
    uint32_t retired = 0;
    size_t count = 0;

    import_from(fixture, "late", 1, 400);
    import_from(fixture, "soon", 2, 201);
    import_from(fixture, "now", 3, 200);
    import_from(fixture, "retired", 4, 300);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "retired", NULL, &retired, NULL),
                     STIRKEEP_OK);
    assert_int_equal(stk_catalog_early(fixture->catalog, 200, found, 8, &count, &total, NULL),
                     STIRKEEP_OK);
    assert_int_equal(count, 2);
    assert_int_equal(total, 2);
    assert_string_equal(found[0].name.text, "soon");
    assert_string_equal(found[1].name.text, "late");
    assert_int_equal(stk_catalog_early(fixture->catalog, 0, found, 1, &count, &total, NULL),
                     STIRKEEP_OK);
    assert_int_equal(count, 1);
    assert_int_equal(total, 3);
    assert_string_equal(found[0].name.text, "now");
    assert_int_equal(stk_catalog_early(fixture->catalog, 400, found, 8, &count, &total, NULL),
                     STIRKEEP_OK);
    assert_int_equal(count + total, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(a_staged_generation_waits_beside_the_active_one),
        TEST(activating_again_is_told_and_changes_nothing),
        TEST(the_first_time_comes_first_and_among_equal_ones_the_first_made),
        TEST(a_name_with_nothing_but_a_staged_generation_is_seen_and_does_not_sign),
        TEST(what_is_staged_can_have_another_time),
        TEST(staging_before_1970_is_refused),
        TEST(retiring_retires_what_is_staged_too),
        TEST(retiring_where_nothing_is_active_tells_the_newest_staged_one),
        TEST(a_staged_time_that_was_never_written_is_not_believed),
        TEST(expiring_active_generations_come_soonest_first),
        TEST(active_generations_that_are_not_valid_yet_come_soonest_first),
    };

    return cmocka_run_group_tests_name("catalog staging", tests, NULL, NULL);
}
