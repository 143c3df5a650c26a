/* SPDX-License-Identifier: BSD-2-Clause */
#include "kill.h"

#include "base/buffer.h"
#include "base/file.h"
#include "catalog/db.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint32_t add_one(struct fixture *fixture, unsigned seed)
{
    struct sample sample = {0};
    char name[32] = "";
    struct stk_key_id key_id = key_of(seed);
    uint32_t number = 0;

    (void)snprintf(name, sizeof(name), "name-%u", seed);
    sample_make(&sample, name, seed);
    if (stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, name, &key_id, "/k", 5,
                           &sample.new_generation.intent, NULL) != STIRKEEP_OK ||
        stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL) != STIRKEEP_OK)
        _exit(5);
    return number;
}

static void import_for_ever(struct fixture *fixture, int acknowledge)
{
    for (unsigned i = 0;; i++) {
        (void)add_one(fixture, i);
        if (write(acknowledge, "", 1) != 1)
            _exit(6);
    }
}

static unsigned count_acts(struct fixture *fixture)
{
    struct stk_act act = {0};
    unsigned count = 0;

    stk_arena_reset(&fixture->arena);
    while (stk_catalog_next_act(fixture->catalog, &fixture->arena, &act, NULL) == STIRKEEP_OK) {
        assert_int_equal(stk_catalog_act_done(fixture->catalog, act.id, NULL), STIRKEEP_OK);
        stk_arena_reset(&fixture->arena);
        count++;
    }
    return count;
}

/* What a kill left must be whole imports, and at most one intent after them. */
static void check_after_crash(struct fixture *fixture, unsigned acknowledged)
{
    struct stk_intent intent = {0};
    struct stk_name holder = {0};
    unsigned generations = fixture_check_sound(fixture);

    assert_in_range(generations, acknowledged, acknowledged + 1);
    assert_int_equal(count_acts(fixture), generations);
    if (stk_catalog_open_intent(fixture->catalog, 0, &intent, NULL) == STIRKEEP_OK) {
        assert_int_equal(generations, acknowledged);
        assert_int_equal(stk_catalog_holder(fixture->catalog, &intent.key_id, &holder, NULL),
                         STIRKEEP_UNKNOWN_NAME);
        assert_int_equal(stk_catalog_open_intent(fixture->catalog, intent.id, &intent, NULL),
                         STIRKEEP_UNKNOWN_NAME);
    }
}

static void an_acknowledged_import_outlives_kill_at_any_moment(void **state)
{
    for (unsigned round = 0; round < 25; round++) {
        struct fixture *fixture = *state;
        unsigned acknowledged = 0;
        int ends[2] = {-1, -1};
        char byte = 0;
        pid_t child = 0;

        assert_int_equal(pipe(ends), 0);
        child = kill_start(fixture, import_for_ever, ends[1]);
        (void)close(ends[1]);
        assert_int_equal(read(ends[0], &byte, 1), 1);
        acknowledged = 1;
        (void)usleep(round * 337);
        assert_int_equal(kill(child, SIGKILL), 0);
        kill_await(child);
        while (read(ends[0], &byte, 1) == 1)
            acknowledged++;
        (void)close(ends[0]);
        fixture_open(fixture);
        check_after_crash(fixture, acknowledged);
        (void)fixture_teardown(state);
        assert_int_equal(fixture_setup(state), 0);
    }
}

static struct stk_new_generation *prepare(struct fixture *fixture)
{
    static struct sample sample;
    struct stk_key_id key_id = key_of(1);

    sample_make(&sample, "Alpha", 1);
    if (stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, "Alpha", &key_id, "/k", 5,
                           &sample.new_generation.intent, NULL) != STIRKEEP_OK)
        _exit(7);
    return &sample.new_generation;
}

static void add_and_die_at_row(struct fixture *fixture, int row)
{
    struct stk_new_generation *generation = prepare(fixture);
    uint32_t number = 0;

    kill_at_row(fixture->catalog->db, row);
    (void)stk_catalog_add(fixture->catalog, generation, &number, NULL);
}

static void add_and_die_at_commit(struct fixture *fixture, int unused)
{
    struct stk_new_generation *generation = prepare(fixture);
    uint32_t number = 0;

    (void)unused;
    kill_at_commit(fixture->catalog->db);
    (void)stk_catalog_add(fixture->catalog, generation, &number, NULL);
}

static void add_and_die_after_commit(struct fixture *fixture, int unused)
{
    struct stk_new_generation *generation = prepare(fixture);
    uint32_t number = 0;

    (void)unused;
    kill_after_commit(fixture->catalog->db);
    (void)stk_catalog_add(fixture->catalog, generation, &number, NULL);
}

static void expect_intent_alone(struct fixture *fixture)
{
    struct stk_intent intent = {0};

    fixture_open(fixture);
    assert_int_equal(fixture_check_sound(fixture), 0);
    assert_int_equal(count_acts(fixture), 0);
    assert_int_equal(stk_catalog_open_intent(fixture->catalog, 0, &intent, NULL), STIRKEEP_OK);
    assert_string_equal(intent.name.text, "Alpha");
    assert_int_equal(stk_catalog_forget(fixture->catalog, intent.id, NULL), STIRKEEP_OK);
}

static void killed_inside_a_transaction_nothing_of_it_is_there(void **state)
{
    struct fixture *fixture = *state;

    /* name, key, generation, three of the chain, current, intent, act */
    for (int row = 0; row < 9; row++) {
        kill_await(kill_start(fixture, add_and_die_at_row, row));
        expect_intent_alone(fixture);
    }
    kill_await(kill_start(fixture, add_and_die_at_commit, -1));
    expect_intent_alone(fixture);
}

static void killed_after_the_commit_all_of_it_is_there(void **state)
{
    struct fixture *fixture = *state;
    struct stk_intent intent = {0};

    kill_await(kill_start(fixture, add_and_die_after_commit, -1));
    fixture_open(fixture);
    assert_int_equal(fixture_check_sound(fixture), 1);
    assert_int_equal(count_acts(fixture), 1);
    assert_int_equal(stk_catalog_open_intent(fixture->catalog, 0, &intent, NULL),
                     STIRKEEP_UNKNOWN_NAME);
}

static void import_eight_and_die(struct fixture *fixture, int unused)
{
    (void)unused;
    for (unsigned i = 0; i < 8; i++)
        (void)add_one(fixture, i);
    (void)raise(SIGKILL);
}

/* A power cut may leave any prefix of what was not yet synced. */
static void a_log_cut_anywhere_holds_whole_imports(void **state)
{
    struct fixture *fixture = *state;
    struct stk_buffer database = {0};
    struct stk_buffer wal = {0};
    char wal_path[160] = "";
    char shm_path[160] = "";
    unsigned last = 0;

    (void)snprintf(wal_path, sizeof(wal_path), "%s-wal", fixture->path);
    (void)snprintf(shm_path, sizeof(shm_path), "%s-shm", fixture->path);
    kill_await(kill_start(fixture, import_eight_and_die, -1));
    assert_int_equal(stk_file_read(fixture->path, 1 << 24, &database, NULL), STIRKEEP_OK);
    assert_int_equal(stk_file_read(wal_path, 1 << 24, &wal, NULL), STIRKEEP_OK);
    assert_true(wal.length > 100000);
    for (size_t cut = 0; cut <= wal.length; cut += wal.length / 60 + 1) {
        unsigned generations = 0;
        kill_put_file(fixture->path, database.data, database.length);
        kill_put_file(wal_path, wal.data, cut);
        (void)unlink(shm_path);
        fixture_open(fixture);
        generations = fixture_check_sound(fixture);
        assert_in_range(generations, last, 8);
        check_after_crash(fixture, generations);
        last = generations;
        fixture_close(fixture);
    }
    assert_in_range(last, 7, 8);
    kill_put_file(fixture->path, database.data, database.length);
    kill_put_file(wal_path, wal.data, wal.length);
    fixture_open(fixture);
    assert_int_equal(fixture_check_sound(fixture), 8);
    stk_buffer_free(&database);
    stk_buffer_free(&wal);
}

static void die_while_creating(struct fixture *fixture, int unused)
{
    (void)unused;
    (void)fixture;
    (void)raise(SIGKILL);
}

static void a_catalog_whose_creation_was_cut_short_is_created(void **state)
{
    struct fixture *fixture = *state;
    char name[160] = "";
    sqlite3 *db = NULL;

    kill_await(kill_start(fixture, die_while_creating, -1));
    /* The moments before the schema is committed: an empty file; a file that is only WAL. */
    (void)snprintf(name, sizeof(name), "%s-wal", fixture->path);
    (void)unlink(name);
    (void)snprintf(name, sizeof(name), "%s-shm", fixture->path);
    (void)unlink(name);
    kill_put_file(fixture->path, "", 0);
    fixture_open(fixture);
    assert_int_equal(fixture_import(fixture, "Alpha", 1), 1);
    fixture_close(fixture);
    (void)unlink(fixture->path);
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    fixture_open(fixture);
    assert_int_equal(fixture_import(fixture, "Alpha", 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(an_acknowledged_import_outlives_kill_at_any_moment),
        TEST(killed_inside_a_transaction_nothing_of_it_is_there),
        TEST(killed_after_the_commit_all_of_it_is_there),
        TEST(a_log_cut_anywhere_holds_whole_imports),
        TEST(a_catalog_whose_creation_was_cut_short_is_created),
    };

    return cmocka_run_group_tests_name("catalog crash", tests, NULL, NULL);
}
