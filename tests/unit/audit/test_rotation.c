/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "steps.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const enum stk_trail_sync modes[] = {STK_TRAIL_NONE, STK_TRAIL_INTERVAL, STK_TRAIL_ALWAYS};
#define MODES 3

static int tear_down(void **state)
{
    (void)steps_over();
    return scratch_tear_down(state);
}

static void rotate(struct stk_trail *trail, const char *expected_end)
{
    struct stk_error error = {0};
    char name[PATH_MAX] = "";

    if (stk_trail_rotate(trail, NOW_US + 5000000, name, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_string_equal(strrchr(name, '/') + 1, expected_end);
    assert_int_equal(access(name, F_OK), 0);
}

static bool is_there(const struct scratch *scratch, const char *end)
{
    char name[PATH_MAX + 32] = "";

    (void)snprintf(name, sizeof(name), "%s%s", scratch->path, end);
    return access(name, F_OK) == 0;
}

static void assert_file_holds(const char *path, const char *text)
{
    struct stk_buffer data = read_whole(path);

    if (memmem(data.data, data.length, text, strlen(text)) == NULL)
        fail_msg("%s does not have %s", path, text);
    stk_buffer_free(&data);
}

static void a_rotated_trail_is_one_chain_over_its_files(void **state)
{
    for (size_t mode = 0; mode < MODES; mode++) {
        struct scratch *scratch = *state;
        struct stk_trail *trail = open_trail(scratch, modes[mode]);
        struct stk_verdict verdict = {0};
        struct stat about = {0};

        append_some(trail, 1, 3);
        rotate(trail, "audit.jsonl.000000000003");
        assert_int_equal(stat(scratch->path, &about), 0);
        assert_int_equal(about.st_mode & 07777, 0600);
        assert_int_equal(about.st_nlink, 1);
        assert_int_equal(stk_trail_sequence(trail), 4);
        append_some(trail, 4, 2);
        rotate(trail, "audit.jsonl.000000000006");
        append_some(trail, 7, 1);
        assert_true(stk_trail_writable(trail));
        stk_trail_close(trail);
        assert_file_holds(
            scratch->path,
            "{\"seq\":7,\"time\":\"2026-10-25T20:06:29.123456Z\",\"act\":\"continue\","
            "\"outcome\":\"ok\",\"detail\":\"rotated; the file before, "
            "audit.jsonl.000000000006, ended with record 6\"");
        trail = open_trail(scratch, modes[mode]);
        append_some(trail, 8, 1);
        stk_trail_close(trail);
        verdict = verdict_of(scratch, NULL);
        assert_int_equal(verdict.records, 9);
        assert_int_equal(verdict.files, 3);
        assert_false(is_there(scratch, ".next"));
        (void)scratch_tear_down(state);
        (void)scratch_set_up(state);
    }
}

static void the_extent_is_that_of_the_file_at_the_path(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct stat about = {0};
    uint64_t bytes = 77;
    int64_t begun = 77;

    stk_trail_extent(trail, &bytes, &begun);
    assert_int_equal(bytes, 0);
    assert_int_equal(begun, 0);
    append_some(trail, 1, 3);
    stk_trail_extent(trail, &bytes, &begun);
    assert_int_equal(stat(scratch->path, &about), 0);
    assert_int_equal(bytes, about.st_size);
    assert_int_equal(begun, NOW_US);
    stk_trail_close(trail);
    trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    stk_trail_extent(trail, &bytes, &begun);
    assert_int_equal(bytes, about.st_size);
    assert_int_equal(begun, NOW_US);
    rotate(trail, "audit.jsonl.000000000003");
    stk_trail_extent(trail, &bytes, &begun);
    assert_int_equal(stat(scratch->path, &about), 0);
    assert_int_equal(bytes, about.st_size);
    assert_int_equal(begun, NOW_US + 5000000);
    stk_trail_close(trail);
}

static void assert_not_rotated(struct stk_trail *trail, const char *reason)
{
    struct stk_error error = {0};
    char name[PATH_MAX] = "as it was";

    assert_int_equal(stk_trail_rotate(trail, NOW_US, name, &error), STIRKEEP_AUDIT_UNAVAILABLE);
    assert_int_equal(error.status, STIRKEEP_AUDIT_UNAVAILABLE);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", error.message, reason);
    assert_string_equal(name, "as it was");
}

static void an_empty_file_is_not_rotated(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);

    assert_not_rotated(trail, "it has no records");
    append_some(trail, 1, 1);
    rotate(trail, "audit.jsonl.000000000001");
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, NULL).records, 2);
}

static void a_name_that_is_taken_is_not_taken_over(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    char name[PATH_MAX + 32] = "";
    struct stk_buffer data = {0};

    append_some(trail, 1, 3);
    (void)snprintf(name, sizeof(name), "%s.000000000003", scratch->path);
    write_whole(name, "another's", 9);
    assert_not_rotated(trail, "audit.jsonl.000000000003: File exists");
    assert_false(is_there(scratch, ".next"));
    data = read_whole(name);
    assert_int_equal(data.length, 9);
    stk_buffer_free(&data);
    assert_int_equal(unlink(name), 0);
    append_some(trail, 4, 1);
    rotate(trail, "audit.jsonl.000000000004");
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, NULL).records, 5);
}

/* What is noted about the trail at the same time stands in the new file's first record. */
static void a_note_that_waits_goes_with_the_continuation(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct stk_buffer data = {0};

    append_some(trail, 1, 3);
    stk_trail_close(trail);
    data = read_whole(scratch->path);
    assert_int_equal(stk_buffer_add_text(&data, "{\"seq\":4,\"ti"), STIRKEEP_OK);
    write_whole(scratch->path, data.data, data.length);
    stk_buffer_free(&data);
    trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    rotate(trail, "audit.jsonl.000000000003");
    append_some(trail, 4, 1);
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, NULL).records, 5);
    assert_file_holds(scratch->path,
                      "\"act\":\"continue\",\"outcome\":\"ok\",\"detail\":\"12 bytes that were no "
                      "whole record were moved to audit.jsonl.torn-");
    assert_file_holds(scratch->path, "; rotated; the file before, audit.jsonl.000000000003, ended "
                                     "with record 3\"");
}

static void a_file_that_was_taken_away_is_noticed_by_the_rotation(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    char name[PATH_MAX + 32] = "";

    append_some(trail, 1, 3);
    (void)snprintf(name, sizeof(name), "%s.000000000003", scratch->path);
    assert_int_equal(rename(scratch->path, name), 0);
    assert_not_rotated(trail, "it has no records"); /* a new one was begun */
    append_some(trail, 4, 1);
    rotate(trail, "audit.jsonl.000000000005");
    stk_trail_close(trail);
    assert_int_equal(verdict_of(scratch, NULL).records, 6);
}

/* ---- cut off at any moment */

static void rotate_in_child(const struct scratch *scratch, enum stk_trail_sync mode, int at)
{
    struct stk_trail *trail = open_trail(scratch, mode);
    struct stk_error error = {0};
    char name[PATH_MAX] = "";

    append_some(trail, 10, 2);
    steps_begin(STEPS_KILL, at);
    if (stk_trail_rotate(trail, NOW_US, name, &error) != STIRKEEP_OK)
        _exit(2);
    append_some(trail, 12, 1);
    (void)steps_over();
    _exit(0);
}

static void a_kill_at_any_step_leaves_one_chain(void **state)
{
    struct audit_key key = audit_key_make();
    (void)state;

    for (size_t mode = 0; mode < MODES; mode++) {
        bool killed = true;
        int at = 0;

        while (killed) {
            struct scratch *scratch = NULL;
            struct stk_trail *trail = NULL;
            struct stk_verdict verdict = {0};
            uint64_t before = 0;
            pid_t child = 0;
            int status = 0;

            at++;
            assert_int_equal(scratch_set_up((void **)&scratch), 0);
            trail = open_trail(scratch, modes[mode]);
            append_some(trail, 1, 5);
            stk_trail_close(trail);
            child = fork();
            if (child == 0)
                rotate_in_child(scratch, modes[mode], at);
            assert_int_equal(waitpid(child, &status, 0), child);
            killed = WIFSIGNALED(status);
            assert_true(killed || WEXITSTATUS(status) == 0);
            trail = open_trail(scratch, modes[mode]);
            before = stk_trail_sequence(trail);
            assert_in_range(before, 7, 9); /* 5 + 2, perhaps "continue" and one more */
            append_some(trail, 20, 1);
            assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
            (void)seal_trail(trail, &key, NULL);
            if (killed && before < 8)
                rotate(trail, "audit.jsonl.000000000009");
            stk_trail_close(trail);
            verdict = verdict_of(scratch, NULL);
            assert_int_equal(verdict.first, 1);
            assert_int_equal(verdict.records, before + (killed && before < 8 ? 3 : 2));
            assert_int_equal(verdict.files, 2);
            assert_false(is_there(scratch, ".next"));
            (void)scratch_tear_down((void **)&scratch);
        }
        assert_in_range(at, 12, 200);
    }
    audit_key_free(&key);
}

static void a_call_that_fails_at_any_step_leaves_one_chain_that_goes_on(void **state)
{
    (void)state;
    for (size_t mode = 0; mode < MODES; mode++) {
        bool reached = true;
        int at = 0;

        while (reached) {
            struct scratch *scratch = NULL;
            struct stk_trail *trail = NULL;
            struct stk_verdict verdict = {0};
            struct stk_error error = {0};
            struct stk_record record = sign_record(7);
            char name[PATH_MAX] = "";
            uint64_t before = 0;
            enum stirkeep_status status = STIRKEEP_OK;

            at++;
            assert_int_equal(scratch_set_up((void **)&scratch), 0);
            trail = open_trail(scratch, modes[mode]);
            append_some(trail, 1, 5);
            steps_begin(STEPS_FAIL, at);
            status = stk_trail_rotate(trail, NOW_US, name, &error);
            reached = steps_over() >= at;
            assert_true(status == STIRKEEP_OK || status == STIRKEEP_AUDIT_UNAVAILABLE);
            if (status != STIRKEEP_OK)
                assert_true(strlen(error.message) > 0);
            for (int i = 0; i < 400 && status != STIRKEEP_OK; i++) {
                status = stk_trail_append(trail, &record, 1, NOW_US, &error);
                if (status != STIRKEEP_OK)
                    (void)usleep(5000);
            }
            assert_int_equal(status, STIRKEEP_OK);
            append_some(trail, 6, 2);
            if (stk_trail_rotate(trail, NOW_US, name, &error) != STIRKEEP_OK)
                fail_msg("step %d: %s", at, error.message);
            append_some(trail, 8, 1);
            before = stk_trail_sequence(trail);
            stk_trail_close(trail);
            verdict = verdict_of(scratch, NULL);
            assert_int_equal(verdict.first, 1);
            assert_int_equal(verdict.records, before);
            assert_false(is_there(scratch, ".next"));
            (void)scratch_tear_down((void **)&scratch);
        }
        assert_in_range(at, 12, 200);
    }
}

static void a_second_name_that_no_rotation_gave_is_not_taken_away(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct stk_error error = {0};
    char name[PATH_MAX + 32] = "";

    append_some(trail, 1, 3);
    stk_trail_close(trail);
    (void)snprintf(name, sizeof(name), "%s.000000000002", scratch->path);
    assert_int_equal(link(scratch->path, name), 0);
    assert_int_equal(stk_trail_open(scratch->path, STK_TRAIL_INTERVAL, NOW_US, &trail, &error),
                     STIRKEEP_AUDIT_UNAVAILABLE);
    assert_non_null(strstr(error.message, "has 2 names"));
    assert_int_equal(access(name, F_OK), 0);
    assert_int_equal(unlink(name), 0);
    trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    stk_trail_close(trail);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rotated_trail_is_one_chain_over_its_files),
        TEST(the_extent_is_that_of_the_file_at_the_path),
        TEST(an_empty_file_is_not_rotated),
        TEST(a_name_that_is_taken_is_not_taken_over),
        TEST(a_note_that_waits_goes_with_the_continuation),
        TEST(a_file_that_was_taken_away_is_noticed_by_the_rotation),
        TEST(a_kill_at_any_step_leaves_one_chain),
        TEST(a_call_that_fails_at_any_step_leaves_one_chain_that_goes_on),
        TEST(a_second_name_that_no_rotation_gave_is_not_taken_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
