/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/file.h"
#include "catalog/db.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static mode_t mode_of(const char *path, const char *suffix)
{
    struct stat about = {0};
    char name[200] = "";

    (void)snprintf(name, sizeof(name), "%s%s", path, suffix);
    assert_int_equal(stat(name, &about), 0);
    return about.st_mode & 07777;
}

static void all_its_files_are_private_whatever_the_umask(void **state)
{
    static const mode_t masks[] = {0, 022, 0277, 0777};
    struct fixture *fixture = *state;
    mode_t before = umask(0);

    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        (void)umask(masks[i]);
        (void)snprintf(fixture->path, sizeof(fixture->path), "%s/mask-%zu.db", fixture->directory,
                       i);
        fixture_close(fixture);
        fixture_open(fixture);
        (void)fixture_import(fixture, "Alpha", 1);
        assert_int_equal(mode_of(fixture->path, ""), 0600);
        assert_int_equal(mode_of(fixture->path, ".lock"), 0600);
        assert_int_equal(mode_of(fixture->path, "-wal"), 0600);
        assert_int_equal(mode_of(fixture->path, "-shm"), 0600);
    }
    (void)umask(before);
    fixture_close(fixture);
    assert_int_equal(chmod(fixture->path, 0666), 0);
    fixture_open(fixture);
    assert_int_equal(mode_of(fixture->path, ""), 0600);
}

static void a_second_process_is_told_that_it_is_busy(void **state)
{
    struct fixture *fixture = *state;
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct stk_catalog *other = NULL;
        struct stk_error error = {0};
        enum stirkeep_status got = stk_catalog_open(fixture->path, &other, &error);
        _exit(got == STIRKEEP_BUSY && other == NULL && strstr(error.message, ".lock") != NULL ? 0
                                                                                              : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)fixture_import(fixture, "Alpha", 1); /* the first one was not disturbed */
    fixture_close(fixture);
    fixture_open(fixture);
}

static void a_killed_process_leaves_no_lock_behind(void **state)
{
    struct fixture *fixture = *state;
    int ends[2] = {-1, -1};
    char byte = 0;
    pid_t child = 0;

    fixture_close(fixture);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        struct stk_catalog *other = NULL;
        if (stk_catalog_open(fixture->path, &other, NULL) == STIRKEEP_OK)
            (void)!write(ends[1], "", 1);
        (void)pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(stk_catalog_open(fixture->path, &fixture->catalog, NULL), STIRKEEP_BUSY);
    assert_null(fixture->catalog);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ends[0]);
    (void)close(ends[1]);
    fixture_open(fixture);
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *db = NULL;

    (void)fixture_import(fixture, "Alpha", 1);
    fixture_close(fixture);
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 4", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error),
                     STIRKEEP_UNSUPPORTED);
    assert_non_null(strstr(fixture->error.message, "newer"));
    assert_non_null(strstr(fixture->error.message, fixture->path));
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    fixture_open(fixture);
    assert_int_equal(fixture_check_sound(fixture), 1);
}

static void another_programs_database_is_not_taken_over(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *db = NULL;

    fixture_close(fixture);
    (void)unlink(fixture->path);
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE mine (x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error),
                     STIRKEEP_STORAGE);
    assert_non_null(strstr(fixture->error.message, "not a stirkeep catalog"));
}

static void what_is_no_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char other[128] = "";

    fixture_close(fixture);
    (void)snprintf(other, sizeof(other), "%s/other.db", fixture->directory);
    assert_int_equal(rename(fixture->path, other), 0);
    assert_int_equal(symlink(other, fixture->path), 0);
    assert_int_equal(stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error),
                     STIRKEEP_STORAGE);
    assert_non_null(strstr(fixture->error.message, "symbolic link"));
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_int_equal(stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error),
                     STIRKEEP_STORAGE);
    assert_int_equal(stk_catalog_open("/nowhere/at/all.db", &fixture->catalog, &fixture->error),
                     STIRKEEP_STORAGE);
    assert_non_null(strstr(fixture->error.message, strerror(ENOENT)));
    assert_null(fixture->catalog);
}

static void overwrite(const char *path, off_t from, off_t to)
{
    int fd = open(path, O_WRONLY);
    char junk[512] = "";

    memset(junk, 0xa5, sizeof(junk));
    assert_true(fd >= 0);
    for (off_t at = from; at < to; at += (off_t)sizeof(junk))
        assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
    (void)close(fd);
}

static void a_damaged_file_is_told_with_sqlites_reason(void **state)
{
    struct fixture *fixture = *state;
    struct stat about = {0};
    struct stk_certificate certificates[20] = {0};
    size_t count = 0;
    char name[16] = "";

    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof(name), "n%u", i);
        (void)fixture_import(fixture, name, i);
    }
    fixture_close(fixture);
    assert_int_equal(stat(fixture->path, &about), 0);
    overwrite(fixture->path, 8192, about.st_size);
    if (stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error) == STIRKEEP_OK)
        assert_int_equal(stk_catalog_certificates(fixture->catalog, "", certificates, 20, &count,
                                                  &fixture->error),
                         STIRKEEP_STORAGE);
    assert_int_equal(fixture->error.status, STIRKEEP_STORAGE);
    assert_non_null(strstr(fixture->error.message, "malformed"));
    fixture_close(fixture);
    overwrite(fixture->path, 0, 4096);
    assert_int_equal(stk_catalog_open(fixture->path, &fixture->catalog, &fixture->error),
                     STIRKEEP_STORAGE);
    assert_non_null(strstr(fixture->error.message, "not a database"));
}

static void a_row_that_was_never_written_so_is_not_believed(void **state)
{
    static const char *const edits[] = {
        "UPDATE name SET name = 'x' || char(0) || 'y'",
        "UPDATE generation SET x5u = hex(zeroblob(400))",
        "UPDATE key SET key_id = x'00'",
        "UPDATE generation SET number = 5000000000",
    };
    struct fixture *fixture = *state;
    struct stk_certificate certificate = {0};
    size_t count = 0;

    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        sqlite3 *db = fixture->catalog->db;
        (void)fixture_import(fixture, "Alpha", 1);
        assert_int_equal(sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, edits[i], NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(stk_catalog_certificates(fixture->catalog, "", &certificate, 1, &count,
                                                  &fixture->error),
                         STIRKEEP_STORAGE);
        assert_non_null(strstr(fixture->error.message, "never written"));
        (void)fixture_teardown(state);
        assert_int_equal(fixture_setup(state), 0);
        fixture = *state;
    }
}

/* Import names until the disk is full; how many there are then. */
static unsigned import_until_full(struct fixture *fixture, unsigned first)
{
    struct stk_intent intent = {0};
    char name[32] = "";

    for (unsigned i = first; i < first + 5000; i++) {
        struct sample sample = {0};
        struct stk_key_id key_id = key_of(i);
        uint32_t number = 0;
        enum stirkeep_status status = STIRKEEP_OK;
        (void)snprintf(name, sizeof(name), "name-%u", i);
        sample_make(&sample, name, i);
        status = stk_catalog_intend(fixture->catalog, STK_INTENT_IMPORT, name, &key_id, "", 5,
                                    &sample.new_generation.intent, &fixture->error);
        if (status == STIRKEEP_OK)
            status =
                stk_catalog_add(fixture->catalog, &sample.new_generation, &number, &fixture->error);
        if (status == STIRKEEP_OK)
            continue;
        assert_int_equal(status, STIRKEEP_STORAGE);
        assert_non_null(strstr(fixture->error.message, fixture->path));
        if (stk_catalog_open_intent(fixture->catalog, 0, &intent, NULL) == STIRKEEP_OK)
            assert_string_equal(intent.name.text, name); /* as before the call that failed */
        return i;
    }
    fail_msg("the disk never got full");
    return 0;
}

static void a_full_disk_undoes_the_call_and_is_survived(struct fixture *fixture, unsigned names,
                                                        void (*make_room)(struct fixture *))
{
    struct stk_intent intent = {0};
    char name[32] = "";
    uint32_t count = 0;

    assert_true(names > 0);
    assert_int_equal(stk_catalog_count(fixture->catalog, &count, &fixture->error), STIRKEEP_OK);
    assert_int_equal(count, names);
    make_room(fixture);
    if (stk_catalog_open_intent(fixture->catalog, 0, &intent, NULL) == STIRKEEP_OK)
        assert_int_equal(stk_catalog_forget(fixture->catalog, intent.id, NULL), STIRKEEP_OK);
    (void)snprintf(name, sizeof(name), "name-%u", names);
    assert_int_equal(fixture_import(fixture, name, names), 1);
    assert_int_equal(fixture_check_sound(fixture), names + 1);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture_check_sound(fixture), names + 1);
}

static void remove_ballast(struct fixture *fixture)
{
    char name[160] = "";

    (void)snprintf(name, sizeof(name), "%s/ballast", fixture->directory);
    assert_int_equal(unlink(name), 0);
}

/* Who moves the file away writes nothing to it any more: what is answered as done would be gone. */
static void a_file_that_was_moved_or_replaced_is_read_and_not_written(void **state)
{
    struct fixture *fixture = *state;
    struct stk_error error = {0};
    uint32_t number = 0;
    uint32_t names = 0;
    char aside[220] = "";

    (void)fixture_import(fixture, "Alpha", 1);
    assert_int_equal(stk_catalog_in_place(fixture->catalog, NULL), STIRKEEP_OK);
    (void)snprintf(aside, sizeof(aside), "%s.aside", fixture->path);
    assert_int_equal(rename(fixture->path, aside), 0);
    for (int replaced = 0; replaced < 2; replaced++) {
        assert_int_equal(stk_catalog_in_place(fixture->catalog, &error), STIRKEEP_STORAGE);
        assert_non_null(strstr(error.message, fixture->path));
        assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", NULL, &number, &error),
                         STIRKEEP_STORAGE);
        assert_int_equal(stk_catalog_count(fixture->catalog, &names, NULL), STIRKEEP_OK);
        assert_int_equal(names, 1);
        if (replaced == 0)
            assert_int_equal(close(open(fixture->path, O_CREAT | O_EXCL | O_CLOEXEC, 0600)), 0);
    }
    assert_int_equal(rename(aside, fixture->path), 0);
    assert_int_equal(stk_catalog_in_place(fixture->catalog, NULL), STIRKEEP_OK);
    assert_int_equal(stk_catalog_retire(fixture->catalog, "Alpha", NULL, &number, NULL),
                     STIRKEEP_OK);
}

static void a_full_file_system_is_told_and_survived(void **state)
{
    struct fixture *fixture = *state;
    char name[160] = "";
    unsigned names = 0;

    fixture_close(fixture);
    if (mount("tmpfs", fixture->directory, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=700") !=
        0) {
        print_message("# this machine or user mounts nothing: the next test stands for it\n");
        return;
    }
    (void)snprintf(name, sizeof(name), "%s/ballast", fixture->directory);
    fixture_open(fixture);
    {
        static char block[256 * 1024];
        int fd = open(name, O_WRONLY | O_CREAT, 0600);
        assert_true(stk_file_write_all(fd, block, sizeof(block)));
        (void)close(fd);
    }
    names = import_until_full(fixture, 0);
    assert_true(strstr(fixture->error.message, "full") != NULL ||
                strstr(fixture->error.message, strerror(ENOSPC)) != NULL);
    a_full_disk_undoes_the_call_and_is_survived(fixture, names, remove_ballast);
    fixture_close(fixture);
    assert_int_equal(umount(fixture->directory), 0);
}

static void lift_limit(struct fixture *fixture)
{
    struct rlimit limit = {0};

    (void)fixture;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_file_that_may_not_grow_is_told_and_survived(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit = {0};
    unsigned names = 0;

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 512 * 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    names = import_until_full(fixture, 0);
    a_full_disk_undoes_the_call_and_is_survived(fixture, names, lift_limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
        TEST(all_its_files_are_private_whatever_the_umask),
        TEST(a_second_process_is_told_that_it_is_busy),
        TEST(a_killed_process_leaves_no_lock_behind),
        TEST(a_newer_schema_is_refused_and_left_alone),
        TEST(another_programs_database_is_not_taken_over),
        TEST(what_is_no_file_is_refused),
        TEST(a_damaged_file_is_told_with_sqlites_reason),
        TEST(a_row_that_was_never_written_so_is_not_believed),
        TEST(a_file_that_was_moved_or_replaced_is_read_and_not_written),
        TEST(a_full_file_system_is_told_and_survived),
        TEST(a_file_that_may_not_grow_is_told_and_survived),
    };

    return cmocka_run_group_tests_name("catalog storage", tests, NULL, NULL);
}
