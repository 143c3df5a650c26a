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
    assert_true(stk_clock_mono_us() - began < 1000000 * PATIENCE);
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
    assert_true(stk_clock_mono_us() - began < 1000000 * PATIENCE);
}

/* What looking for a few rows of many costs: steps of scans, and sorts. */
static void expect_found(struct fixture *fixture, enum stk_sql sql, int steps)
{
    sqlite3_stmt *statement = fixture->catalog->statements[sql];
    int scanned = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    int sorted = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_SORT, 0);

    assert_true(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_RUN, 0) > 0);
    /* The generations of one name are brought into another order than they lie in. */
    if (scanned > steps || sorted > (sql == STK_SQL_SHOW ? 1 : 0))
        fail_msg("%s: %d steps, %d sorts", stk_sql_text(sql), scanned, sorted);
}

/* Ninety generations under each of a thousand names, three of them staged, and a few more keys. */
static void fill_generations(struct fixture *fixture)
{
    sqlite3 *db = fixture->catalog->db;

    execute(db, "PRAGMA foreign_keys = OFF; BEGIN");
    execute(db, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
                "INSERT INTO name (id, name, current) SELECT i, 'n' || i, i * 90 FROM n");
    execute(db, "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 93000) "
                "INSERT INTO key (id, key_id, name, origin, state, attributes, created, created_by)"
                " SELECT i + 1, randomblob(32), i / 93 + 1, 'imported', 'held', '', 1, 1 FROM n "
                "WHERE i < 93000");
    execute(db,
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90000) "
            "INSERT INTO generation (id, name, number, key, state, activate_at, spc, subject, "
            "issuer, serial, fingerprint, x5u, not_before, not_after, created, created_by) "
            "SELECT i, (i - 1) / 90 + 1, (i - 1) % 90 + 1, (i - 1) / 90 * 93 + (i - 1) % 90 + 1, "
            "CASE WHEN i % 90 = 0 THEN 'active' WHEN i % 90 <= 3 THEN 'staged' ELSE 'previous' END,"
            "iif(i % 90 BETWEEN 1 AND 3, 1000000 + i * 7919 % 100003, NULL), '709J', 'CN=S', "
            "'CN=CA', '01', 'ff', '', 1, i, 3, 4 FROM n");
    execute(db, "WITH p (i) AS (VALUES (0), (1), (2)) INSERT INTO chain (generation, position, "
                "der) SELECT id, i, x'30' FROM generation, p");
    execute(db, "COMMIT; PRAGMA foreign_keys = ON");
    assert_int_equal(fixture_check_sound(fixture), 90000);
}

static void what_is_due_is_found_without_looking_through_all(void **state)
{
    struct fixture *fixture = *state;
    struct stk_certificate found[8] = {0};
    struct stk_requested_key keys[8] = {0};
    struct stk_generation shown[8] = {{0}};
    struct stk_key_id key_id = key_of(1);
    struct stk_intent intent = {0};
    struct stk_name holder = {0};
    int64_t at = 0;
    uint32_t number = 0;
    uint32_t total = 0;
    size_t count = 0;
    bool stopped = false;
    uint64_t began = 0;

    fill_generations(fixture);
    fixture_close(fixture);
    fixture_open(fixture);
    began = stk_clock_mono_us();
    assert_int_equal(first_staged(fixture->catalog, &found[0], &at, NULL), STIRKEEP_OK);
    expect_found(fixture, STK_SQL_GENERATION_NEXT_STAGED, 1);
    assert_int_equal(at,
                     number_of(fixture->catalog->db, "SELECT min(activate_at) FROM generation"));
    assert_int_equal(
        stk_catalog_activate(fixture->catalog, found[0].name.text, found[0].generation, NULL, NULL),
        STIRKEEP_OK);
    expect_found(fixture, STK_SQL_GENERATION_ACTIVATE, 0);
    expect_found(fixture, STK_SQL_GENERATION_DEMOTE, 0);
    assert_int_equal(
        stk_catalog_expiring(fixture->catalog, 180, 900, found, 8, &count, &total, NULL),
        STIRKEEP_OK);
    expect_found(fixture, STK_SQL_GENERATION_EXPIRING, 0);
    expect_found(fixture, STK_SQL_GENERATION_EXPIRING_COUNT, 0);
    assert_in_range(total, 7, 8);
    assert_int_equal(
        stk_catalog_requested(fixture->catalog, "n500", &fixture->arena, keys, 8, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 3);
    expect_found(fixture, STK_SQL_KEY_REQUESTED, 0);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "n501", NULL, &number, NULL),
                     STIRKEEP_OK);
    expect_found(fixture, STK_SQL_GENERATION_RETIRE_ACTIVE, 0);
    expect_found(fixture, STK_SQL_GENERATION_RETIRE_STAGED, 0);
    assert_int_equal(
        stk_catalog_show(fixture->catalog, "n502", &fixture->arena, shown, 8, &count, NULL),
        STIRKEEP_OK);
    expect_found(fixture, STK_SQL_SHOW, 0);
    assert_int_equal(
        stk_catalog_condemn(fixture->catalog, "n502", &shown[0].key_id, 5, NULL, &stopped, NULL),
        STIRKEEP_OK);
    assert_true(stopped);
    expect_found(fixture, STK_SQL_KEY_OF_NAME, 0);
    expect_found(fixture, STK_SQL_INTENT_OF_HELD_KEYS, 0);
    expect_found(fixture, STK_SQL_INTENT_DESTROY_KEYS, 0);
    intent = fixture_intent(fixture, "n502");
    assert_int_equal(stk_catalog_destroyed(fixture->catalog, intent.id, NULL, &number, NULL),
                     STIRKEEP_OK);
    assert_int_equal(number, 1);
    expect_found(fixture, STK_SQL_KEY_DESTROY, 0);
    expect_found(fixture, STK_SQL_GENERATION_DESTROY, 0);
    assert_int_equal(stk_catalog_earlier(fixture->catalog, "n503", &found[0], &found[1], NULL),
                     STIRKEEP_OK);
    expect_found(fixture, STK_SQL_GENERATION_EARLIER, 0);
    assert_int_equal(stk_catalog_holder(fixture->catalog, &key_id, &holder, NULL),
                     STIRKEEP_UNKNOWN_NAME);
    expect_found(fixture, STK_SQL_KEY_FIND, 0);
    assert_int_equal(fixture_import(fixture, "n504", 1), 91);
    expect_found(fixture, STK_SQL_INTENT_OF_NAME, 0);
    expect_found(fixture, STK_SQL_INTENT_OF_KEY, 0);
    expect_found(fixture, STK_SQL_GENERATION_LAST, 0);
    began = stk_clock_mono_us() - began;
    print_message("# all of it: %llu us\n", (unsigned long long)began);
    assert_true(began < 1000000 * PATIENCE);
    (void)fixture_check_sound(fixture);
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
        TEST(what_is_due_is_found_without_looking_through_all),
        TEST(past_the_limits_nothing_is_taken_and_it_says_so),
        TEST(a_hundred_thousand_names_are_all_that_it_holds),
    };

    return cmocka_run_group_tests_name("catalog of many", tests, NULL, NULL);
}
