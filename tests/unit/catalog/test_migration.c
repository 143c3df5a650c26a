/* SPDX-License-Identifier: BSD-2-Clause */
#include "kill.h"
#include "version_1.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "catalog/db.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* What version 1 had, by its own columns: the same before and after. */
static const char *const kept[] = {
    "SELECT id, name, current FROM name ORDER BY id",
    "SELECT id, key_id, name, origin, state, attributes FROM key ORDER BY id",
    "SELECT id, name, number, key, state, activate_at, spc, subject, issuer, serial, fingerprint, "
    "x5u, not_before, not_after, created, created_by FROM generation ORDER BY id",
    "SELECT generation, position, der FROM chain ORDER BY generation, position",
    "SELECT id, name, key_id, source, state, generation, started FROM intent ORDER BY id",
    "SELECT * FROM act ORDER BY id",
    "SELECT * FROM sqlite_sequence ORDER BY name",
};

static char *kept_of(sqlite3 *db)
{
    return rows_of(db, kept, sizeof(kept) / sizeof(kept[0]));
}

/* The schema, the spelling of names left aside: a renamed table has quotes around its own. */
static char *schema_of(sqlite3 *db)
{
    static const char *const sql[] = {
        "SELECT type, name, tbl_name, replace(sql, '\"', '') FROM sqlite_schema ORDER BY name",
        "PRAGMA application_id", "PRAGMA user_version"};

    return rows_of(db, sql, sizeof(sql) / sizeof(sql[0]));
}

/* What version 1 had in the file; the schema is that of the version that it says. */
static char *kept_of_file(const char *path, int64_t *ret_version)
{
    sqlite3 *db = NULL;
    char *rows = NULL;
    char *schema = NULL;
    char *version_1 = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    *ret_version = number_of(db, "PRAGMA user_version");
    rows = kept_of(db);
    schema = schema_of(db);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    execute(db, version_1_schema);
    version_1 = schema_of(db);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    if ((strcmp(schema, version_1) == 0) != (*ret_version == 1))
        fail_msg("neither the one version nor the other: %s", schema);
    free(schema);
    free(version_1);
    return rows;
}

/* Put a catalog of version 1 in the place of the fixture's. */
static void put_version_1(struct fixture *fixture, const char *more)
{
    sqlite3 *db = NULL;

    fixture_close(fixture);
    (void)unlink(fixture->path);
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    execute(db, "PRAGMA journal_mode = WAL");
    execute(db, "PRAGMA foreign_keys = ON");
    execute(db, version_1_schema);
    execute(db, version_1_rows);
    if (more != NULL)
        execute(db, more);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The same, and what it holds. */
static char *make_version_1(struct fixture *fixture, const char *more)
{
    int64_t version = 0;

    put_version_1(fixture, more);
    return kept_of_file(fixture->path, &version);
}

static void expect_kept(struct fixture *fixture, const char *before)
{
    char *now = kept_of(fixture->catalog->db);

    assert_string_equal(now, before);
    free(now);
    assert_int_equal(number_of(fixture->catalog->db, "PRAGMA user_version"), 3);
    assert_int_equal(number_of(fixture->catalog->db, "PRAGMA foreign_keys"), 1);
    (void)fixture_check_sound(fixture);
}

static void every_row_of_version_1_is_kept(void **state)
{
    struct fixture *fixture = *state;
    char *before = make_version_1(fixture, NULL);

    fixture_open(fixture);
    expect_kept(fixture, before);
    assert_int_equal(fixture_check_sound(fixture), 7);
    free(before);
}

static void a_key_tells_when_its_first_generation_came(void **state)
{
    static const struct {
        int64_t id;
        int64_t created;
        int64_t created_by;
    } keys[] = {{1, 100, 10}, {2, 103, 13},         {4, 0, 0},
                {5, 104, 14}, {9, 105, 4294967294}, {10, 106, 16}};
    struct fixture *fixture = *state;
    char sql[100] = "";

    put_version_1(fixture, NULL);
    fixture_open(fixture);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        (void)snprintf(sql, sizeof(sql), "SELECT created FROM key WHERE id = %d", (int)keys[i].id);
        assert_int_equal(number_of(fixture->catalog->db, sql), keys[i].created);
        (void)snprintf(sql, sizeof(sql), "SELECT created_by FROM key WHERE id = %d",
                       (int)keys[i].id);
        assert_int_equal(number_of(fixture->catalog->db, sql), keys[i].created_by);
    }
}

static void what_was_migrated_is_worked_on(void **state)
{
    struct fixture *fixture = *state;
    struct stk_intent intent = {0};
    struct stk_requested_key keys[2] = {0};
    struct stk_certificate certificate = {0};
    struct stk_certificate earlier = {0};
    struct stk_key_id none = {0};
    int64_t at = 0;
    size_t count = 0;
    bool stopped = false;
    uint32_t generations = 0;

    put_version_1(fixture, NULL);
    fixture_open(fixture);
    assert_int_equal(stk_catalog_open_intent(fixture->catalog, 0, &intent, NULL), STIRKEEP_OK);
    assert_int_equal(intent.id, 3);
    assert_int_equal(intent.kind, STK_INTENT_IMPORT);
    assert_string_equal(intent.source, "/tmp/key.pem");
    assert_memory_equal(&intent.ticket, &none, sizeof(none));
    assert_int_equal(stk_catalog_forget(fixture->catalog, 3, NULL), STIRKEEP_OK);
    assert_string_equal(fixture_generation(fixture, "Alpha", 2).numbers, "");
    assert_int_equal(first_staged(fixture->catalog, &certificate, &at, NULL), STIRKEEP_OK);
    assert_int_equal(certificate.generation, 3);
    assert_int_equal(at, 50);
    assert_int_equal(stk_catalog_activate(fixture->catalog, "Alpha", 3, NULL, NULL), STIRKEEP_OK);
    assert_int_equal(stk_catalog_earlier(fixture->catalog, "Alpha", &certificate, &earlier, NULL),
                     STIRKEEP_OK);
    assert_int_equal(earlier.generation, 2);
    assert_int_equal(
        stk_catalog_requested(fixture->catalog, "Gamma", &fixture->arena, keys, 2, &count, NULL),
        STIRKEEP_OK);
    assert_int_equal(count, 1);
    assert_int_equal(stk_catalog_condemn(fixture->catalog, "Delta", NULL, 5, NULL, &stopped, NULL),
                     STIRKEEP_OK);
    assert_true(stopped);
    intent = fixture_intent(fixture, "Delta");
    assert_true(intent.id > 40); /* also of one that is gone: an id never means another row */
    assert_int_equal(stk_catalog_destroyed(fixture->catalog, intent.id, NULL, &generations, NULL),
                     STIRKEEP_OK);
    assert_int_equal(generations, 1);
    assert_int_equal(fixture_import(fixture, "Alpha", 77), 4);
    (void)fixture_check_sound(fixture);
}

static void a_migrated_catalog_has_the_schema_of_a_new_one(void **state)
{
    struct fixture *fixture = *state;
    char *made = schema_of(fixture->catalog->db);
    char *migrated = NULL;

    put_version_1(fixture, NULL);
    fixture_open(fixture);
    migrated = schema_of(fixture->catalog->db);
    assert_string_equal(migrated, made);
    free(made);
    free(migrated);
}

static void opening_again_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct stk_buffer first = {0};
    struct stk_buffer second = {0};

    put_version_1(fixture, NULL);
    fixture_open(fixture);
    fixture_close(fixture);
    assert_int_equal(stk_file_read(fixture->path, 1 << 24, &first, NULL), STIRKEEP_OK);
    fixture_open(fixture);
    fixture_close(fixture);
    assert_int_equal(stk_file_read(fixture->path, 1 << 24, &second, NULL), STIRKEEP_OK);
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.data, second.data, first.length);
    stk_buffer_free(&first);
    stk_buffer_free(&second);
}

/* ---- cut off: the catalog opens its connection itself, so SQLite is asked to prepare it */

static void (*prepare_connection)(sqlite3 *db, int argument);
static int prepare_argument;

static int prepare(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    prepare_connection(db, prepare_argument);
    return SQLITE_OK;
}

static void with_connection(void (*how)(sqlite3 *, int), int argument)
{
    prepare_connection = how;
    prepare_argument = argument;
    assert_int_equal(sqlite3_auto_extension((void (*)(void))prepare), SQLITE_OK);
}

static void by_step(sqlite3 *db, int steps)
{
    kill_at_step(db, steps + 1);
}

static void by_statement(sqlite3 *db, int statement)
{
    kill_at_statement(db, statement);
}

static void by_row(sqlite3 *db, int row)
{
    kill_at_row(db, row);
}

static void by_commit(sqlite3 *db, int unused)
{
    (void)unused;
    kill_at_commit(db);
}

static void after_commit(sqlite3 *db, int unused)
{
    (void)unused;
    kill_after_commit(db);
}

/* Was the opening killed? */
static bool killed_opening(struct fixture *fixture, void (*how)(sqlite3 *, int), int argument)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        with_connection(how, argument);
        _exit(stk_catalog_open(fixture->path, &fixture->catalog, NULL) == STIRKEEP_OK ? 0 : 3);
    }
    return kill_happened(child);
}

static void expect_version(struct fixture *fixture, const char *before, int64_t version)
{
    int64_t found = 0;
    char *rows = kept_of_file(fixture->path, &found);

    assert_int_equal(found, version);
    assert_string_equal(rows, before);
    free(rows);
}

/* How often it was killed before it came through: version 1 each time, until the commit. */
static unsigned kill_at_each(struct fixture *fixture, void (*how)(sqlite3 *, int))
{
    char *before = make_version_1(fixture, NULL);
    unsigned kills = 0;

    for (int at = 0; killed_opening(fixture, how, at); at += 1 + at / 24) {
        int64_t version = 0;
        char *rows = kept_of_file(fixture->path, &version);
        assert_string_equal(rows, before);
        free(rows);
        kills++;
        if (version == 3)
            break;
    }
    fixture_open(fixture);
    expect_kept(fixture, before);
    free(before);
    return kills;
}

static void killed_anywhere_in_the_migration_it_is_the_one_version_or_the_other(void **state)
{
    struct fixture *fixture = *state;
    unsigned steps = kill_at_each(fixture, by_step);
    unsigned statements = kill_at_each(fixture, by_statement);
    unsigned rows = kill_at_each(fixture, by_row);

    print_message("# killed at %u steps, %u statements, %u rows\n", steps, statements, rows);
    assert_true(steps > 40);
    assert_true(statements > 25);
    assert_true(rows >= 6); /* keys at least */
}

static void killed_at_its_commit_it_is_version_1_and_after_it_the_new_one(void **state)
{
    struct fixture *fixture = *state;
    char *before = make_version_1(fixture, NULL);

    assert_true(killed_opening(fixture, by_commit, 0));
    expect_version(fixture, before, 1);
    assert_true(killed_opening(fixture, after_commit, 0));
    expect_version(fixture, before, 3);
    fixture_open(fixture);
    expect_kept(fixture, before);
    free(before);
}

/* A power cut may leave any prefix of what was not yet synced. */
static void a_log_cut_anywhere_holds_the_one_version_or_the_other(void **state)
{
    struct fixture *fixture = *state;
    char *before = make_version_1(fixture, NULL);
    struct stk_buffer database = {0};
    struct stk_buffer wal = {0};
    char wal_path[160] = "";
    char shm_path[160] = "";
    unsigned versions[4] = {0};

    (void)snprintf(wal_path, sizeof(wal_path), "%s-wal", fixture->path);
    (void)snprintf(shm_path, sizeof(shm_path), "%s-shm", fixture->path);
    assert_true(killed_opening(fixture, after_commit, 0));
    assert_int_equal(stk_file_read(fixture->path, 1 << 24, &database, NULL), STIRKEEP_OK);
    assert_int_equal(stk_file_read(wal_path, 1 << 24, &wal, NULL), STIRKEEP_OK);
    for (size_t part = 0; part <= 24; part++) {
        int64_t version = 0;
        char *rows = NULL;
        kill_put_file(fixture->path, database.data, database.length);
        kill_put_file(wal_path, wal.data, wal.length * part / 24);
        (void)unlink(shm_path);
        rows = kept_of_file(fixture->path, &version);
        assert_string_equal(rows, before);
        assert_true(version == 1 || version == 3);
        versions[version]++;
        free(rows);
        fixture_open(fixture);
        expect_kept(fixture, before);
        fixture_close(fixture);
    }
    assert_true(versions[1] > 0 && versions[3] > 0);
    stk_buffer_free(&database);
    stk_buffer_free(&wal);
    free(before);
}

static int refuse(void *unused)
{
    (void)unused;
    return 1;
}

static void refuse_commit(sqlite3 *db, int unused)
{
    (void)unused;
    (void)sqlite3_commit_hook(db, refuse, NULL);
}

static void refuse_steps(sqlite3 *db, int steps)
{
    sqlite3_progress_handler(db, steps, refuse, NULL);
}

static void a_migration_that_fails_leaves_version_1_and_is_made_up_for(void **state)
{
    static const struct {
        void (*how)(sqlite3 *, int);
        int argument;
    } ways[] = {{refuse_commit, 0}, {refuse_steps, 30}, {refuse_steps, 60}, {refuse_steps, 90}};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct fixture *fixture = *state;
        char *before = make_version_1(fixture, NULL);
        with_connection(ways[i].how, ways[i].argument);
        assert_int_equal(stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error),
                         STIRKEEP_STORAGE);
        sqlite3_reset_auto_extension();
        assert_null(fixture->catalog);
        assert_non_null(strstr(fixture->error.message, fixture->path));
        expect_version(fixture, before, 1);
        fixture_open(fixture);
        expect_kept(fixture, before);
        free(before);
    }
}

static void a_disk_that_is_full_leaves_version_1_and_is_survived(void **state)
{
    struct fixture *fixture = *state;
    char *before = make_version_1(
        fixture, "WITH RECURSIVE n (i) AS (SELECT 11 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
                 "INSERT INTO key (id, key_id, name, origin, state, attributes) "
                 "SELECT i, randomblob(32), 1, 'imported', 'held', 'PRIVATE=1' FROM n");
    struct rlimit limit = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 300 * 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    status = stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(status, STIRKEEP_STORAGE);
    print_message("# %s\n", fixture->error.message);
    expect_version(fixture, before, 1);
    fixture_open(fixture);
    expect_kept(fixture, before);
    free(before);
}

static void a_row_that_refers_to_none_is_told_and_left_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    char *before =
        make_version_1(fixture, "PRAGMA foreign_keys = OFF; UPDATE key SET name = 99 WHERE id = 4");

    assert_int_equal(stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error),
                     STIRKEEP_STORAGE);
    assert_non_null(strstr(fixture->error.message, "table key"));
    assert_non_null(strstr(fixture->error.message, "restore a backup"));
    expect_version(fixture, before, 1);
    free(before);
}

static void what_only_says_that_it_is_version_1_is_refused(void **state)
{
    static const char *const edits[] = {
        "PRAGMA foreign_keys = OFF; DROP TABLE key",
        "ALTER TABLE generation ADD COLUMN numbers TEXT",
        "CREATE TABLE new_key (x)",
        "DROP INDEX intent_name",
    };

    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        struct fixture *fixture = *state;
        put_version_1(fixture, edits[i]);
        assert_int_equal(stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error),
                         STIRKEEP_STORAGE);
        assert_non_null(strstr(fixture->error.message, fixture->path));
        assert_null(fixture->catalog);
    }
}

static void an_empty_catalog_of_version_1_migrates(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *db = NULL;

    fixture_close(fixture);
    (void)unlink(fixture->path);
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    execute(db, version_1_schema);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    fixture_open(fixture);
    assert_int_equal(fixture_import(fixture, "Alpha", 1), 1);
    assert_int_equal(fixture_check_sound(fixture), 1);
}

/* ---- version 2: what version 3 is without its table of usage */

static void put_version_2(struct fixture *fixture)
{
    execute(fixture->catalog->db, "DROP TABLE usage");
    execute(fixture->catalog->db, "PRAGMA user_version = 2");
    fixture_close(fixture);
}

static void every_row_of_version_2_is_kept(void **state)
{
    struct fixture *fixture = *state;
    char *schema = schema_of(fixture->catalog->db);
    char *before = NULL;
    char *now = NULL;

    (void)fixture_import(fixture, "Alpha", 1);
    (void)fixture_import(fixture, "Alpha", 2);
    (void)fixture_import(fixture, "Beta", 3);
    (void)fixture_intend(fixture, STK_INTENT_IMPORT, "Gamma", 4);
    before = fixture_dump(fixture);
    put_version_2(fixture);
    fixture_open(fixture);
    now = fixture_dump(fixture);
    assert_string_equal(now, before);
    free(now);
    now = schema_of(fixture->catalog->db);
    assert_string_equal(now, schema);
    assert_int_equal(number_of(fixture->catalog->db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(fixture_check_sound(fixture), 3);
    free(before);
    free(now);
    free(schema);
}

static void killed_anywhere_version_2_is_the_one_version_or_the_other(void **state)
{
    static void (*const ways[])(sqlite3 *, int) = {by_step, by_statement, by_commit, after_commit};
    struct fixture *fixture = *state;
    unsigned kills = 0;
    char *before = NULL;

    (void)fixture_import(fixture, "Alpha", 1);
    before = fixture_dump(fixture);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        put_version_2(fixture);
        for (int at = 0; killed_opening(fixture, ways[i], at) && at < 400; at++) {
            int64_t version = 0;

            free(kept_of_file(fixture->path, &version));
            assert_true(version == 2 || version == 3);
            kills++;
            if (version == 3 || ways[i] == by_commit)
                break;
        }
        fixture_open(fixture);
        assert_int_equal(number_of(fixture->catalog->db, "PRAGMA user_version"), 3);
        {
            char *now = fixture_dump(fixture);

            assert_string_equal(now, before);
            free(now);
        }
    }
    print_message("# killed %u times\n", kills);
    assert_true(kills > 20);
    free(before);
}

static void ten_thousand_names_migrate_quickly(void **state)
{
    struct fixture *fixture = *state;
    uint64_t began = 0;
    char *before = make_version_1(
        fixture,
        "PRAGMA foreign_keys = OFF; BEGIN;"
        "WITH RECURSIVE n (i) AS (SELECT 11 UNION ALL SELECT i + 1 FROM n WHERE i < 10010) "
        "INSERT INTO name (id, name, current) SELECT i, 'n' || i, i FROM n;"
        "INSERT INTO key (id, key_id, name, origin, state, attributes) SELECT id, randomblob(32), "
        "id, 'imported', 'held', 'PRIVATE=1' FROM name WHERE id > 10;"
        "INSERT INTO generation (id, name, number, key, state, spc, subject, issuer, serial, "
        "fingerprint, x5u, not_before, not_after, created, created_by) SELECT id, id, 1, id, "
        "'active', '709J', 'CN=S', 'CN=CA', '01', 'ff', 'https://x', 1, 2, 3, 4 FROM name "
        "WHERE id > 10;"
        "INSERT INTO chain (generation, position, der) SELECT generation.id, p.column1, "
        "randomblob(700) FROM generation, (VALUES (0), (1), (2)) AS p WHERE generation.id > 10;"
        "COMMIT");

    began = stk_clock_mono_us();
    fixture_open(fixture);
    began = stk_clock_mono_us() - began;
    print_message("# migrated in %llu us\n", (unsigned long long)began);
    assert_true(began < 2000000);
    expect_kept(fixture, before);
    free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(every_row_of_version_1_is_kept),
        TEST(a_key_tells_when_its_first_generation_came),
        TEST(what_was_migrated_is_worked_on),
        TEST(a_migrated_catalog_has_the_schema_of_a_new_one),
        TEST(opening_again_changes_nothing),
        TEST(killed_anywhere_in_the_migration_it_is_the_one_version_or_the_other),
        TEST(killed_at_its_commit_it_is_version_1_and_after_it_the_new_one),
        TEST(a_log_cut_anywhere_holds_the_one_version_or_the_other),
        TEST(a_migration_that_fails_leaves_version_1_and_is_made_up_for),
        TEST(a_disk_that_is_full_leaves_version_1_and_is_survived),
        TEST(a_row_that_refers_to_none_is_told_and_left_as_it_was),
        TEST(what_only_says_that_it_is_version_1_is_refused),
        TEST(an_empty_catalog_of_version_1_migrates),
        TEST(every_row_of_version_2_is_kept),
        TEST(killed_anywhere_version_2_is_the_one_version_or_the_other),
        TEST(ten_thousand_names_migrate_quickly),
    };

    return cmocka_run_group_tests_name("catalog migration", tests, NULL, NULL);
}
