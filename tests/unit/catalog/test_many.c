/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/clock.h"
#include "catalog/db.h"
#include <stdio.h>
#include <string.h>

#define NAMES 10000
#define PAGE 256

/* Ten thousand imports in one transaction of the test's own: a sync for each would take minutes on
 * a disk, and is measured elsewhere. */
static void fill(struct fixture *fixture)
{
    static const char *const statements[] = {
        "PRAGMA foreign_keys = OFF",
        "BEGIN IMMEDIATE",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
        "INSERT INTO name (id, name, current) SELECT i, "
        "substr('aB-._x', 1 + i % 2, 1) || printf('%x', i * 7919 % 10007) || '-' || i, i FROM n",
        "INSERT INTO key (id, key_id, name, origin, state, attributes, created, created_by) SELECT "
        "id, "
        "randomblob(32), id, 'imported', 'held', 'PRIVATE=1', 3, 4 FROM name",
        "INSERT INTO generation (id, name, number, key, state, spc, subject, issuer, serial, "
        "fingerprint, x5u, not_before, not_after, created, created_by) SELECT id, id, 1, id, "
        "iif(id % 10 = 0, 'retired', 'active'), '709J', 'CN=SHAKEN 709J', 'CN=CA', '01', 'ff', "
        "'https://certs.example.com/' || name || '.pem', 1, 2, 3, 4 FROM name",
        "WITH p (i) AS (VALUES (0), (1), (2)) INSERT INTO chain (generation, position, der) "
        "SELECT id, i, randomblob(700) FROM generation, p",
        "COMMIT",
        "PRAGMA foreign_keys = ON",
    };

    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        if (sqlite3_exec(fixture->catalog->db, statements[i], NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", statements[i], sqlite3_errmsg(fixture->catalog->db));
    assert_int_equal(fixture_check_sound(fixture), NAMES);
}

static void ten_thousand_names_list_in_order_each_once_and_quickly(void **state)
{
    static struct stk_generation page[PAGE];
    static struct stk_certificate certificates[PAGE];
    struct fixture *fixture = *state;
    char after[STK_NAME_MAX + 1] = "";
    size_t total = 0;
    size_t count = 0;
    size_t inactive = 0;
    uint32_t names = 0;
    uint64_t began = 0;

    fill(fixture);
    began = stk_clock_mono_us();
    do {
        stk_arena_reset(&fixture->arena);
        assert_int_equal(
            stk_catalog_list(fixture->catalog, after, &fixture->arena, page, PAGE, &count, NULL),
            STIRKEEP_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(strcmp(i > 0 ? page[i - 1].name : after, page[i].name) < 0);
            inactive += strcmp(page[i].state, "retired") == 0;
        }
        if (count > 0)
            (void)snprintf(after, sizeof(after), "%s", page[count - 1].name);
        total += count;
    } while (count == PAGE);
    print_message("# list: %llu us\n", (unsigned long long)(stk_clock_mono_us() - began));
    assert_int_equal(total, NAMES);
    assert_int_equal(inactive, NAMES / 10);

    after[0] = '\0';
    total = 0;
    inactive = 0;
    do {
        assert_int_equal(
            stk_catalog_certificates(fixture->catalog, after, certificates, PAGE, &count, NULL),
            STIRKEEP_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(strcmp(i > 0 ? certificates[i - 1].name.text : after,
                               certificates[i].name.text) < 0);
            inactive += !certificates[i].active;
        }
        if (count > 0)
            (void)snprintf(after, sizeof(after), "%s", certificates[count - 1].name.text);
        total += count;
    } while (count == PAGE);
    print_message("# both: %llu us\n", (unsigned long long)(stk_clock_mono_us() - began));
    assert_true(stk_clock_mono_us() - began < 1000000);
    assert_int_equal(total, NAMES);
    assert_int_equal(inactive, NAMES / 10);
    assert_int_equal(stk_catalog_count(fixture->catalog, &names, NULL), STIRKEEP_OK);
    assert_int_equal(names, NAMES);

    began = stk_clock_mono_us();
    assert_int_equal(fixture_import(fixture, "one-more", 1), 1);
    fixture_close(fixture);
    fixture_open(fixture);
    print_message("# import, close, open: %llu us\n",
                  (unsigned long long)(stk_clock_mono_us() - began));
    assert_true(stk_clock_mono_us() - began < 1000000);
}

static void past_the_limits_nothing_is_taken_and_it_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct stk_act act = {.act = "import", .outcome = "invalid", .name = "", .detail = ""};
    struct sample sample = {0};
    struct stk_key_id key_id = key_of(9);
    int64_t intent = 0;
    uint32_t number = 0;
    char sql[400] = "";

    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                   "INSERT INTO intent (name, key_id, source, state, started) "
                   "SELECT 'n' || i, randomblob(32), '', 'intent', 5 FROM n",
                   STK_INTENTS_MAX);
    assert_int_equal(sqlite3_exec(fixture->catalog->db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "Alpha", &key_id, "",
                                        5, &intent, &fixture->error),
                     STIRKEEP_OVERLOADED);
    sample_make(&sample, "Alpha", 1);
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OK);
    (void)snprintf(sql, sizeof(sql), "UPDATE generation SET number = %d", STK_GENERATIONS_MAX);
    assert_int_equal(sqlite3_exec(fixture->catalog->db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(
        stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error),
        STIRKEEP_TOO_LARGE);
    assert_int_equal(stk_catalog_act(fixture->catalog, &act, NULL), STIRKEEP_OK);
    assert_int_equal(sqlite3_exec(fixture->catalog->db,
                                  "UPDATE act SET id = 100000 WHERE id = "
                                  "(SELECT max(id) FROM act)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(stk_catalog_act(fixture->catalog, &act, &fixture->error), STIRKEEP_OVERLOADED);
    assert_non_null(strstr(fixture->error.message, "audit trail"));
    sample_make(&sample, "Beta", 2);
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OVERLOADED);
}

static void a_hundred_thousand_names_are_all_that_it_holds(void **state)
{
    struct fixture *fixture = *state;
    struct sample sample = {0};
    uint32_t number = 0;
    char sql[400] = "";

    (void)fixture_import(fixture, "Alpha", 1);
    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                   "INSERT INTO name (name) SELECT 'n' || i FROM n",
                   STK_NAMES_MAX - 1);
    assert_int_equal(sqlite3_exec(fixture->catalog->db, sql, NULL, NULL, NULL), SQLITE_OK);
    sample_make(&sample, "Beta", 2);
    assert_int_equal(
        stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error),
        STIRKEEP_TOO_LARGE);
    assert_int_equal(fixture_import(fixture, "Alpha", 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(ten_thousand_names_list_in_order_each_once_and_quickly),
        TEST(past_the_limits_nothing_is_taken_and_it_says_so),
        TEST(a_hundred_thousand_names_are_all_that_it_holds),
    };

    return cmocka_run_group_tests_name("catalog of many", tests, NULL, NULL);
}
