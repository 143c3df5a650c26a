/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "audit/line.h"
#include "faults.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(void **state)
{
    faults_reset();
    return scratch_set_up(state);
}

static int tear_down(void **state)
{
    faults_reset();
    return scratch_tear_down(state);
}

static void add_to_file(const char *path, const void *data, size_t length)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, length), length);
    (void)close(fd);
}

static void assert_file_holds(const char *path, const char *text)
{
    struct stk_buffer data = read_whole(path);

    assert_int_equal(stk_buffer_add(&data, "", 1), STIRKEEP_OK);
    if (strstr((const char *)data.data, text) == NULL)
        fail_msg("%s does not have %s", path, text);
    stk_buffer_free(&data);
}

static void assert_same_bytes(const char *path, const void *expected, size_t length)
{
    struct stk_buffer data = read_whole(path);

    assert_int_equal(data.length, length);
    assert_memory_equal(data.data, expected, length);
    stk_buffer_free(&data);
}

/* Two files after each other are one trail. */
static uint64_t records_in_both(const struct scratch *scratch, const char *first)
{
    char both[PATH_MAX + 8] = "";
    struct stk_buffer data = read_whole(first);
    struct stk_buffer second = read_whole(scratch->path);

    (void)snprintf(both, sizeof(both), "%s.both", scratch->path);
    assert_int_equal(stk_buffer_add(&data, second.data, second.length), STIRKEEP_OK);
    write_whole(both, data.data, data.length);
    stk_buffer_free(&data);
    stk_buffer_free(&second);
    return records_in(both);
}

static struct stk_trail *trail_with(const struct scratch *scratch, size_t records)
{
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);

    append_some(trail, 1, records);
    return trail;
}

/* ---- found at the start */

static void a_torn_last_line_is_kept_aside_and_recorded(void **state)
{
    static const char torn[] = "{\"seq\":4,\"time\":\"2026-11-25T20:0";
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    char aside[PATH_MAX] = "";
    struct stat about = {0};

    stk_trail_close(trail);
    add_to_file(scratch->path, torn, sizeof(torn) - 1);
    trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    append_some(trail, 4, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 5);
    assert_true(find_aside(scratch, "torn", aside));
    assert_non_null(strstr(aside, "audit.jsonl.torn-20261025T200624"));
    assert_same_bytes(aside, torn, sizeof(torn) - 1);
    assert_int_equal(stat(aside, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_file_holds(
        scratch->path,
        "{\"seq\":4,\"time\":\"2026-10-25T20:06:24.123456Z\",\"act\":\"cut\",\"outcome\":"
        "\"ok\",\"detail\":\"32 bytes that were no whole record were moved to "
        "audit.jsonl.torn-");
}

static void damaged_last_lines_are_kept_aside_however_many(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 300);
    struct stk_buffer data = {0};
    char aside[PATH_MAX] = "";
    size_t at = 0;

    stk_trail_close(trail);
    data = read_whole(scratch->path);
    for (size_t i = 0; i < 100; i++) /* the end of line 100 */
        at = (size_t)((uint8_t *)memchr(data.data + at, '\n', data.length - at) - data.data) + 1;
    for (size_t i = at; i < data.length; i += 97) /* every line after it */
        data.data[i] ^= 0x01;
    write_whole(scratch->path, data.data, data.length);
    trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    assert_int_equal(stk_trail_sequence(trail), 100);
    append_some(trail, 1, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 102);
    assert_true(find_aside(scratch, "torn", aside));
    assert_same_bytes(aside, data.data + at, data.length - at);
    stk_buffer_free(&data);
}

/* Some file systems leave zeros where data did not reach the disk before the power went. */
static void zeros_at_the_end_are_kept_aside(void **state)
{
    static const char zeros[70000];
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);

    stk_trail_close(trail);
    add_to_file(scratch->path, zeros, sizeof(zeros));
    trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    assert_int_equal(stk_trail_sequence(trail), 3);
    append_some(trail, 1, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 5);
}

static void a_trail_whose_very_first_line_is_torn_begins_anew(void **state)
{
    static const char *const torn[] = {"{", "{\"seq\"", "{\"seq\":1,\"time\":\"2026"};
    static const char zeros[500];
    struct scratch *scratch = *state;

    for (size_t i = 0; i < 4; i++) {
        struct stk_trail *trail = NULL;

        write_whole(scratch->path, i < 3 ? torn[i] : zeros, i < 3 ? strlen(torn[i]) : 500);
        trail = open_trail(scratch, STK_TRAIL_NONE);
        append_some(trail, 1, 1);
        stk_trail_close(trail);
        assert_int_equal(records_in(scratch->path), 2);
        assert_file_holds(scratch->path, "\"act\":\"cut\"");
        (void)scratch_tear_down(state);
        (void)scratch_set_up(state);
        scratch = *state;
    }
}

static void a_torn_end_that_cannot_be_kept_is_not_cut(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    struct stk_error error = {0};
    struct stat before = {0};
    struct stat after = {0};
    char aside[PATH_MAX] = "";

    stk_trail_close(trail);
    add_to_file(scratch->path, "{\"seq\":4", 8);
    assert_int_equal(stat(scratch->path, &before), 0);
    faults.write_errno = ENOSPC;
    assert_int_equal(stk_trail_open(scratch->path, STK_TRAIL_INTERVAL, NOW_US, &trail, &error),
                     STIRKEEP_AUDIT_UNAVAILABLE);
    assert_non_null(strstr(error.message, "No space left on device"));
    assert_int_equal(stat(scratch->path, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_false(find_aside(scratch, "torn", aside));
    faults.write_errno = 0;
    faults.ftruncate_errno = EIO;
    assert_int_equal(stk_trail_open(scratch->path, STK_TRAIL_INTERVAL, NOW_US, &trail, &error),
                     STIRKEEP_AUDIT_UNAVAILABLE);
    assert_false(find_aside(scratch, "torn", aside)); /* no pile of copies at every try */
}

static void write_until_killed(const char *path, int64_t now_us)
{
    struct stk_trail *trail = NULL;
    struct stk_record records[7];

    for (size_t i = 0; i < 7; i++)
        records[i] = sign_record(i);
    if (stk_trail_open(path, STK_TRAIL_INTERVAL, now_us, &trail, NULL) != STIRKEEP_OK)
        _exit(1);
    for (;;)
        if (stk_trail_append(trail, records, 7, now_us, NULL) != STIRKEEP_OK)
            _exit(2);
}

static off_t size_of(const char *path)
{
    struct stat about = {0};

    return stat(path, &about) == 0 ? about.st_size : 0;
}

static void a_killed_writer_leaves_a_trail_that_goes_on(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = NULL;

    for (int i = 0; i < 10; i++) {
        off_t before = size_of(scratch->path);
        pid_t child = fork();
        int status = 0;

        if (child == 0)
            write_until_killed(scratch->path, NOW_US + i * 1000000LL); /* time goes on */
        for (int tries = 0; tries < 10000 && size_of(scratch->path) <= before; tries++)
            (void)usleep(1000);
        (void)usleep((useconds_t)(1700 * i));
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
    }
    trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    append_some(trail, 1, 1);
    assert_true(stk_trail_sequence(trail) > 10);
    stk_trail_close(trail);
    (void)records_in(scratch->path);
}

/* ---- found while running */

static void a_removed_file_is_begun_anew_and_the_first_record_says_so(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    struct stk_buffer old = read_whole(scratch->path);
    struct stat about = {0};

    assert_int_equal(unlink(scratch->path), 0);
    append_some(trail, 4, 2);
    assert_true(stk_trail_writable(trail));
    assert_int_equal(stk_trail_sequence(trail), 6);
    stk_trail_close(trail);
    assert_int_equal(stat(scratch->path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_int_equal(records_in(scratch->path), 3);
    assert_file_holds(
        scratch->path,
        "{\"seq\":4,\"time\":\"2026-10-25T20:06:24.123456Z\",\"act\":\"continue\","
        "\"outcome\":\"ok\",\"detail\":\"the file was removed; it ended with record 3\"");
    stk_buffer_free(&old);
}

static void a_renamed_file_and_the_next_are_one_trail(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    char rotated[PATH_MAX + 8] = "";

    (void)snprintf(rotated, sizeof(rotated), "%s.1", scratch->path);
    assert_int_equal(rename(scratch->path, rotated), 0);
    append_some(trail, 4, 2);
    stk_trail_close(trail);
    trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    append_some(trail, 6, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(rotated), 3);
    assert_int_equal(records_in(scratch->path), 4);
    assert_int_equal(records_in_both(scratch, rotated), 7);
}

/* logrotate with "create": an empty file is there already. */
static void an_empty_file_in_its_place_is_used(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    char rotated[PATH_MAX + 8] = "";
    char aside[PATH_MAX] = "";

    (void)snprintf(rotated, sizeof(rotated), "%s.1", scratch->path);
    assert_int_equal(rename(scratch->path, rotated), 0);
    write_whole(scratch->path, "", 0);
    append_some(trail, 4, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in_both(scratch, rotated), 5);
    assert_false(find_aside(scratch, "foreign", aside));
}

/* logrotate with "copytruncate". */
static void a_file_cut_to_nothing_goes_on_with_the_chain(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    struct stk_buffer data = read_whole(scratch->path);
    char copy[PATH_MAX + 8] = "";

    (void)snprintf(copy, sizeof(copy), "%s.1", scratch->path);
    write_whole(copy, data.data, data.length);
    stk_buffer_free(&data);
    assert_int_equal(truncate(scratch->path, 0), 0);
    append_some(trail, 4, 1);
    stk_trail_close(trail);
    assert_file_holds(scratch->path, "the file was cut; it ended with record 3");
    assert_int_equal(records_in_both(scratch, copy), 5);
}

static void another_file_in_its_place_is_put_aside(void **state)
{
    static const char text[] = "not a trail at all\n";
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    char aside[PATH_MAX] = "";

    assert_int_equal(unlink(scratch->path), 0);
    write_whole(scratch->path, text, sizeof(text) - 1);
    append_some(trail, 4, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 2);
    assert_true(find_aside(scratch, "foreign", aside));
    assert_same_bytes(aside, text, sizeof(text) - 1);
    assert_file_holds(scratch->path, "the file was replaced; it ended with record 3; a file that "
                                     "did not end with it was put aside as audit.jsonl.foreign-");
}

/* An old copy put back over the trail: a whole trail, but not this one's continuation. */
static void an_older_copy_in_its_place_is_put_aside(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    struct stk_buffer old = read_whole(scratch->path);
    char aside[PATH_MAX] = "";

    append_some(trail, 4, 3);
    write_whole(scratch->path, old.data, old.length); /* the same inode, shorter */
    append_some(trail, 7, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 2);
    assert_file_holds(scratch->path, "the file was cut; it ended with record 6");
    assert_true(find_aside(scratch, "foreign", aside));
    assert_same_bytes(aside, old.data, old.length);
    stk_buffer_free(&old);
}

static void bytes_that_another_added_are_kept_aside(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    char aside[PATH_MAX] = "";

    add_to_file(scratch->path, "echo was here\n", 14);
    append_some(trail, 4, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 5);
    assert_true(find_aside(scratch, "torn", aside));
    assert_same_bytes(aside, "echo was here\n", 14);
}

static void a_link_in_its_place_is_not_followed(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    struct stk_record record = sign_record(4);
    struct stk_error error = {0};
    char target[PATH_MAX + 8] = "";

    (void)snprintf(target, sizeof(target), "%s.1", scratch->path);
    assert_int_equal(rename(scratch->path, target), 0);
    assert_int_equal(symlink(target, scratch->path), 0);
    assert_int_equal(stk_trail_append(trail, &record, 1, NOW_US, &error),
                     STIRKEEP_AUDIT_UNAVAILABLE);
    assert_non_null(strstr(error.message, "is a symbolic link"));
    assert_int_equal(records_in(target), 3);
    assert_int_equal(unlink(scratch->path), 0);
    append_some(trail, 4, 1); /* and it goes on when the link is gone */
    stk_trail_close(trail);
    assert_int_equal(records_in_both(scratch, target), 5);
}

/* Removed after it was looked at and before the write: the lines would be nowhere. */
static void records_written_to_a_file_just_removed_are_written_again(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);

    faults.path = scratch->path;
    faults.unlink_at_write = true;
    append_some(trail, 4, 1);
    assert_int_equal(stk_trail_sequence(trail), 5);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 2);
    assert_file_holds(scratch->path, "\"request_id\":\"4\"");
    assert_file_holds(scratch->path, "it ended with record 3");
}

/* A new file whose first write fails: "continue" must still be its first record. */
static void the_first_record_says_so_even_when_it_fails_at_first(void **state)
{
    static const enum stk_trail_sync modes[] = {STK_TRAIL_INTERVAL, STK_TRAIL_ALWAYS};
    struct scratch *scratch = *state;

    for (size_t i = 0; i < 2; i++) {
        struct stk_trail *trail = open_trail(scratch, modes[i]);
        struct stk_record record = sign_record(4);

        append_some(trail, 1, 3);
        assert_int_equal(unlink(scratch->path), 0);
        faults.write_errno = ENOSPC;
        faults.write_short = 50;
        assert_int_equal(stk_trail_append(trail, &record, 1, NOW_US, NULL),
                         STIRKEEP_AUDIT_UNAVAILABLE);
        faults.write_errno = 0;
        if (modes[i] == STK_TRAIL_ALWAYS) {
            faults.fdatasync_errno = EIO;
            assert_int_equal(stk_trail_append(trail, &record, 1, NOW_US, NULL),
                             STIRKEEP_AUDIT_UNAVAILABLE);
            faults.fdatasync_errno = 0;
        }
        append_some(trail, 4, 1);
        stk_trail_close(trail);
        assert_int_equal(records_in(scratch->path), 2);
        assert_file_holds(scratch->path, "{\"seq\":4,");
        assert_int_equal(unlink(scratch->path), 0);
    }
}

/* The one line in the middle of a file that says "continue" excuses no gap. */
static void only_a_first_line_may_continue(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = trail_with(scratch, 3);
    struct stk_buffer data = read_whole(scratch->path);
    struct stk_buffer second = {0};
    struct stk_error error = {0};
    uint64_t records = 0;

    append_some(trail, 4, 1);
    assert_int_equal(unlink(scratch->path), 0);
    append_some(trail, 5, 1);
    stk_trail_close(trail);
    second = read_whole(scratch->path); /* goes on from record 4, which `data` does not have */
    assert_int_equal(stk_buffer_add(&data, second.data, second.length), STIRKEEP_OK);
    write_whole(scratch->path, data.data, data.length);
    assert_int_equal(verify_path(scratch->path, &records, &error), STIRKEEP_NOT_VERIFIED);
    assert_non_null(strstr(error.message, "line 4 (record 5): its number does not follow"));
    stk_buffer_free(&data);
    stk_buffer_free(&second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_torn_last_line_is_kept_aside_and_recorded),
        TEST(damaged_last_lines_are_kept_aside_however_many),
        TEST(zeros_at_the_end_are_kept_aside),
        TEST(a_trail_whose_very_first_line_is_torn_begins_anew),
        TEST(a_torn_end_that_cannot_be_kept_is_not_cut),
        TEST(a_killed_writer_leaves_a_trail_that_goes_on),
        TEST(a_removed_file_is_begun_anew_and_the_first_record_says_so),
        TEST(a_renamed_file_and_the_next_are_one_trail),
        TEST(an_empty_file_in_its_place_is_used),
        TEST(a_file_cut_to_nothing_goes_on_with_the_chain),
        TEST(another_file_in_its_place_is_put_aside),
        TEST(an_older_copy_in_its_place_is_put_aside),
        TEST(bytes_that_another_added_are_kept_aside),
        TEST(a_link_in_its_place_is_not_followed),
        TEST(records_written_to_a_file_just_removed_are_written_again),
        TEST(the_first_record_says_so_even_when_it_fails_at_first),
        TEST(only_a_first_line_may_continue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
