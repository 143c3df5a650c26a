/* SPDX-License-Identifier: BSD-2-Clause */
#include "kill.h"

#include "base/buffer.h"
#include "base/file.h"
#include "catalog/db.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Every call that changes something is one transaction. Each is made on the same catalog: killed at
 * every row that it changes, refused at its commit, and with an act that cannot be recorded; then it
 * must have done nothing at all.
 */

#define NOW 1750000000

static void add(struct fixture *fixture, const char *name, unsigned seed, int64_t activate_at)
{
    struct sample sample = {0};
    uint32_t number = 0;

    sample_make(&sample, name, seed);
    sample.about.activate_at = activate_at;
    assert_int_equal(stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL),
                     STIRKEEP_OK);
}

/* Something of each kind. */
static void build(struct fixture *fixture)
{
    struct stk_key_id made = key_of(5);
    struct stk_key_id dead = key_of(6);
    const struct stk_new_key key = {.name = "Alpha", .key_id = key_of(4), .attributes = "LOCAL=1"};
    bool stopped = false;

    add(fixture, "Alpha", 1, 0);
    add(fixture, "Alpha", 2, 0);
    add(fixture, "Alpha", 2, 2000000000);
    add(fixture, "Alpha", 3, 1900000000);
    assert_int_equal(stk_catalog_hold_key(fixture->catalog, &key, NULL), STIRKEEP_OK);
    assert_int_equal(stk_catalog_intent_key(
                         fixture->catalog,
                         fixture_intend(fixture, STK_INTENT_GENERATE, "Gamma", 500), &made, NULL),
                     STIRKEEP_OK);
    add(fixture, "Delta", 6, 0);
    add(fixture, "Delta", 6, 0);
    assert_int_equal(
        stk_catalog_condemn(fixture->catalog, "Delta", &dead, NOW, NULL, &stopped, NULL),
        STIRKEEP_OK);
    (void)fixture_intend(fixture, STK_INTENT_IMPORT, "Epsilon", 7);
    (void)fixture_intend(fixture, STK_INTENT_GENERATE, "Zeta", 501);
    (void)fixture_check_sound(fixture);
}

static struct stk_buffer image; /* of what was built: building it for each call takes long */

static void populate(struct fixture *fixture)
{
    char name[160] = "";

    if (image.length == 0) {
        build(fixture);
        fixture_close(fixture);
        assert_int_equal(stk_file_read(fixture->path, 1 << 24, &image, NULL), STIRKEEP_OK);
    }
    fixture_close(fixture);
    (void)snprintf(name, sizeof(name), "%s-wal", fixture->path);
    (void)unlink(name);
    kill_put_file(fixture->path, image.data, image.length);
    fixture_open(fixture);
}

static int free_image(void **state)
{
    (void)state;
    stk_buffer_free(&image);
    return 0;
}

static enum stirkeep_status do_intend(struct fixture *fixture, const struct stk_act *act)
{
    struct stk_key_id key_id = key_of(20);
    int64_t intent = 0;

    (void)act;
    return stk_catalog_intend(fixture->catalog, STK_INTENT_GENERATE, "Eta", &key_id, "", NOW,
                              &intent, NULL);
}

static enum stirkeep_status do_intent_key(struct fixture *fixture, const struct stk_act *act)
{
    struct stk_key_id key_id = key_of(20);

    (void)act;
    return stk_catalog_intent_key(fixture->catalog, fixture_intent(fixture, "Zeta").id, &key_id,
                                  NULL);
}

static enum stirkeep_status do_forget(struct fixture *fixture, const struct stk_act *act)
{
    (void)act;
    return stk_catalog_forget(fixture->catalog, fixture_intent(fixture, "Epsilon").id, NULL);
}

static enum stirkeep_status do_act(struct fixture *fixture, const struct stk_act *act)
{
    return stk_catalog_act(fixture->catalog, act, NULL);
}

static enum stirkeep_status do_act_done(struct fixture *fixture, const struct stk_act *act)
{
    (void)act;
    return stk_catalog_act_done(fixture->catalog, 2, NULL);
}

static enum stirkeep_status add_with(struct fixture *fixture, const struct stk_act *act,
                                     int64_t activate_at)
{
    struct sample sample = {0};
    uint32_t number = 0;

    sample_make(&sample, "Epsilon", 7);
    sample.about.activate_at = activate_at;
    sample.new_generation.act = act;
    sample.new_generation.intent = fixture_intent(fixture, "Epsilon").id;
    return stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL);
}

static enum stirkeep_status do_add(struct fixture *fixture, const struct stk_act *act)
{
    return add_with(fixture, act, 0);
}

static enum stirkeep_status do_stage(struct fixture *fixture, const struct stk_act *act)
{
    return add_with(fixture, act, 1900000000);
}

static enum stirkeep_status do_add_again(struct fixture *fixture, const struct stk_act *act)
{
    struct sample sample = {0};
    uint32_t number = 0;

    sample_make(&sample, "Alpha", 4); /* the certificate for the key that waits */
    sample.new_generation.act = act;
    return stk_catalog_add(fixture->catalog, &sample.new_generation, &number, NULL);
}

static enum stirkeep_status recover(struct fixture *fixture, const struct stk_act *act,
                                    const char *name, unsigned seed)
{
    struct sample sample = {0};
    uint32_t number = 0;

    sample_make(&sample, name, seed);
    sample.about.fingerprint = "of another one";
    sample.new_generation.act = act;
    return stk_catalog_recover(fixture->catalog, &sample.new_generation, true, &number, NULL);
}

static enum stirkeep_status do_recover(struct fixture *fixture, const struct stk_act *act)
{
    return recover(fixture, act, "Theta", 30);
}

static enum stirkeep_status do_recover_more(struct fixture *fixture, const struct stk_act *act)
{
    return recover(fixture, act, "Alpha", 1);
}

static enum stirkeep_status do_retire(struct fixture *fixture, const struct stk_act *act)
{
    uint32_t number = 0;

    return stk_catalog_retire(fixture->catalog, "Alpha", act, &number, NULL);
}

static enum stirkeep_status do_roll_back(struct fixture *fixture, const struct stk_act *act)
{
    return stk_catalog_roll_back(fixture->catalog, "Alpha", 2, 1, act, NULL);
}

static enum stirkeep_status do_activate(struct fixture *fixture, const struct stk_act *act)
{
    return stk_catalog_activate(fixture->catalog, "Alpha", 4, act, NULL);
}

static enum stirkeep_status do_restage(struct fixture *fixture, const struct stk_act *act)
{
    return stk_catalog_restage(fixture->catalog, "Alpha", 3, 1950000000, act, NULL);
}

static enum stirkeep_status do_hold_key(struct fixture *fixture, const struct stk_act *act)
{
    const struct stk_new_key key = {.name = "Gamma",
                                    .key_id = key_of(5),
                                    .attributes = "LOCAL=1",
                                    .intent = fixture_intent(fixture, "Gamma").id,
                                    .act = act};

    return stk_catalog_hold_key(fixture->catalog, &key, NULL);
}

static enum stirkeep_status do_condemn_all(struct fixture *fixture, const struct stk_act *act)
{
    bool stopped = false;

    return stk_catalog_condemn(fixture->catalog, "Alpha", NULL, NOW, act, &stopped, NULL);
}

static enum stirkeep_status do_condemn_one(struct fixture *fixture, const struct stk_act *act)
{
    struct stk_key_id key_id = key_of(2);
    bool stopped = false;

    return stk_catalog_condemn(fixture->catalog, "Alpha", &key_id, NOW, act, &stopped, NULL);
}

static enum stirkeep_status do_destroyed(struct fixture *fixture, const struct stk_act *act)
{
    uint32_t generations = 0;

    return stk_catalog_destroyed(fixture->catalog, fixture_intent(fixture, "Delta").id, act,
                                 &generations, NULL);
}

static const struct call {
    const char *name;
    enum stirkeep_status (*run)(struct fixture *fixture, const struct stk_act *act);
    int rows; /* that it changes */
    bool records;
} calls[] = {
    {"intend", do_intend, 1, false},
    {"intent_key", do_intent_key, 1, false},
    {"forget", do_forget, 1, false},
    {"act", do_act, 1, true},
    {"act_done", do_act_done, 1, false},
    /* name, key, generation, three of the chain, current, intent, act */
    {"add", do_add, 9, true},
    {"add, staged", do_stage, 9, true},
    /* key, the active one before, generation, three of the chain, current, act */
    {"add, another one", do_add_again, 8, true},
    /* name, key, generation, three of the chain, current, act */
    {"recover", do_recover, 8, true},
    {"recover, more", do_recover_more, 6, true}, /* key, generation, three of the chain, act */
    {"retire", do_retire, 4, true},              /* three generations, act */
    {"roll_back", do_roll_back, 4, true},        /* two generations, current, act */
    {"activate", do_activate, 4, true},          /* the same */
    {"restage", do_restage, 2, true},            /* generation, act */
    {"hold_key", do_hold_key, 4, true},          /* name, key, intent, act */
    {"condemn", do_condemn_all, 8, true},        /* three generations, four intents, act */
    {"condemn one", do_condemn_one, 4, true},    /* two generations, intent, act */
    {"destroyed", do_destroyed, 5, true},        /* key, two generations, intent, act */
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static const struct stk_act fine = {
    .act = "test", .outcome = "ok", .name = "Alpha", .detail = "of the test", .generation = 7};
static const struct call *under_test;

enum { AT_COMMIT = -1, AFTER_COMMIT = -2 };

static void run_and_die(struct fixture *fixture, int when)
{
    if (when == AT_COMMIT)
        kill_at_commit(fixture->catalog->db);
    else if (when == AFTER_COMMIT)
        kill_after_commit(fixture->catalog->db);
    else
        kill_at_row(fixture->catalog->db, when);
    _exit(under_test->run(fixture, &fine) == STIRKEEP_OK ? 0 : 9);
}

static void expect_unchanged(struct fixture *fixture, const char *before)
{
    char *now = fixture_dump(fixture);

    if (strcmp(now, before) != 0)
        fail_msg("%s changed half of it", under_test->name);
    free(now);
    (void)fixture_check_sound(fixture);
}

static void killed_anywhere_a_call_has_done_all_or_nothing(void **state)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct fixture *fixture = *state;
        char *before = NULL;
        char *after = NULL;
        under_test = &calls[i];
        populate(fixture);
        before = fixture_dump(fixture);
        for (int row = AT_COMMIT; row < under_test->rows; row++) {
            assert_true(kill_happened(kill_start(fixture, run_and_die, row)));
            fixture_open(fixture);
            expect_unchanged(fixture, before);
        }
        assert_true(kill_happened(kill_start(fixture, run_and_die, AFTER_COMMIT)));
        fixture_open(fixture);
        after = fixture_dump(fixture);
        assert_string_not_equal(after, before);
        (void)fixture_check_sound(fixture);
        free(before);
        free(after);
    }
}

static void each_call_changes_the_rows_that_are_killed_at_and_no_more(void **state)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct fixture *fixture = *state;
        under_test = &calls[i];
        populate(fixture);
        assert_false(kill_happened(kill_start(fixture, run_and_die, under_test->rows)));
        fixture_open(fixture);
        (void)fixture_check_sound(fixture);
    }
}

static int refuse(void *unused)
{
    (void)unused;
    return 1;
}

static void a_commit_that_fails_undoes_the_call_and_the_next_one_succeeds(void **state)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct fixture *fixture = *state;
        char *before = NULL;
        under_test = &calls[i];
        populate(fixture);
        before = fixture_dump(fixture);
        (void)sqlite3_commit_hook(fixture->catalog->db, refuse, NULL);
        assert_int_equal(under_test->run(fixture, &fine), STIRKEEP_STORAGE);
        (void)sqlite3_commit_hook(fixture->catalog->db, NULL, NULL);
        expect_unchanged(fixture, before);
        assert_int_equal(under_test->run(fixture, &fine), STIRKEEP_OK);
        (void)fixture_check_sound(fixture);
        free(before);
    }
}

static void what_cannot_be_recorded_is_not_done(void **state)
{
    static const struct stk_act bad = {.act = "test", .outcome = "ok", .name = "", .detail = NULL};
    struct fixture *fixture = *state;
    char *before = NULL;

    populate(fixture);
    before = fixture_dump(fixture);
    for (size_t i = 0; i < CALLS; i++) {
        under_test = &calls[i];
        if (!under_test->records)
            continue;
        assert_int_equal(under_test->run(fixture, &bad), STIRKEEP_INVALID);
        expect_unchanged(fixture, before);
    }
    free(before);
    /* Nor when the trail has not been written for long. */
    execute(fixture->catalog->db,
            "UPDATE act SET id = 99999 + (SELECT min(id) FROM act) WHERE id = "
            "(SELECT max(id) FROM act)");
    before = fixture_dump(fixture);
    for (size_t i = 0; i < CALLS; i++) {
        under_test = &calls[i];
        if (!under_test->records)
            continue;
        assert_int_equal(under_test->run(fixture, &fine), STIRKEEP_OVERLOADED);
        expect_unchanged(fixture, before);
    }
    free(before);
}

static void a_call_without_an_act_records_none(void **state)
{
    for (size_t i = 0; i < CALLS; i++) {
        struct fixture *fixture = *state;
        int64_t before = 0;
        under_test = &calls[i];
        if (!under_test->records || under_test->run == do_act)
            continue;
        populate(fixture);
        before = number_of(fixture->catalog->db, "SELECT count(*) FROM act");
        assert_int_equal(under_test->run(fixture, NULL), STIRKEEP_OK);
        assert_int_equal(number_of(fixture->catalog->db, "SELECT count(*) FROM act"), before);
        (void)fixture_check_sound(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(killed_anywhere_a_call_has_done_all_or_nothing),
        TEST(each_call_changes_the_rows_that_are_killed_at_and_no_more),
        TEST(a_commit_that_fails_undoes_the_call_and_the_next_one_succeeds),
        TEST(what_cannot_be_recorded_is_not_done),
        TEST(a_call_without_an_act_records_none),
    };

    return cmocka_run_group_tests_name("catalog whole", tests, NULL, free_image);
}
