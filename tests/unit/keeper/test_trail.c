/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void expect_no_signature(struct run *run, const struct test_key *key)
{
    struct stk_order order = run_order(run, key);
    struct stk_answer answer = run_sign(run, &order);

    assert_int_equal(answer.status, STIRKEEP_AUDIT_UNAVAILABLE);
    assert_int_equal(answer.identity_length, 0);
    assert_int_equal(answer.passport_length, 0);
    assert_string_equal(answer.origid, "");
}

/* Within a second: a trail that cannot be opened is tried again every 100 ms. */
static void expect_recovery(struct run *run, const struct test_key *key)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    struct stk_order order = run_order(run, key);
    struct stk_answer answer = run_sign(run, &order);

    for (int i = 0; i < 20 && answer.status == STIRKEEP_AUDIT_UNAVAILABLE; i++) {
        (void)nanosleep(&pause, NULL);
        order = run_order(run, key);
        answer = run_sign(run, &order);
    }
    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_true(test_key_verifies(key, &answer));
}

/* A trail that cannot be opened is tried again every 100 ms. */
static void await_writable(struct run *run)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    struct stk_custody_order token = {.kind = STK_CUSTODY_TOKEN};

    for (int i = 0; i < 250 && !run_custody(run, &token).token.audit_writable; i++)
        (void)nanosleep(&pause, NULL);
    assert_true(run_custody(run, &token).token.audit_writable);
}

static void without_a_directory_for_the_trail_nothing_is_signed_until_there_is_one(void **state)
{
    struct run *run = *state;
    struct test_key key = test_key_make("Alpha");
    struct stk_custody_order token = {.kind = STK_CUSTODY_TOKEN};

    run_start(run, &(struct run_options){.audit_file = "later/audit.jsonl"});
    assert_int_equal(run_import_as(run, &key, &key).status, STIRKEEP_AUDIT_UNAVAILABLE);
    assert_int_equal(run_prove(run, &key.id).status, STIRKEEP_KEY_UNAVAILABLE);
    expect_no_signature(run, &key);
    assert_false(run_custody(run, &token).token.audit_writable);
    assert_int_equal(mkdir(run_path(run, "later"), 0700), 0);
    await_writable(run);
    assert_int_equal(run_import_as(run, &key, &key).status, STIRKEEP_OK);
    expect_recovery(run, &key);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(trail_count(run, "later/audit.jsonl", "\"seq\":1,", "\"act\":\"start\""), 1);
    assert_int_equal(trail_count(run, "later/audit.jsonl", "\"act\":\"stop\"", ""), 1);
    assert_true(trail_records(run, "later/audit.jsonl") >= 4);
    test_key_free(&key);
}

static void when_the_disk_is_full_nothing_is_signed_until_there_is_room(void **state)
{
    struct run *run = *state;
    struct rlimit tight = {0};
    struct rlimit before = {0};
    struct stat about = {0};
    struct test_key key = {0};
    struct stk_custody_order token = {.kind = STK_CUSTODY_TOKEN};
    size_t signed_before = 0;

    run_start(run, &(struct run_options){.audit_file = "full.jsonl", .audit_sync = "interval"});
    key = run_new_key(run, "Alpha");
    expect_recovery(run, &key);
    signed_before = trail_count(run, "full.jsonl", "\"act\":\"sign\"", "");
    assert_int_equal(stat(run_path(run, "full.jsonl"), &about), 0);
    /* Not even half a record more. */
    tight.rlim_cur = (rlim_t)about.st_size + 100;
    assert_int_equal(prlimit(run->pid, RLIMIT_FSIZE, NULL, &before), 0);
    tight.rlim_max = before.rlim_max;
    assert_int_equal(prlimit(run->pid, RLIMIT_FSIZE, &tight, NULL), 0);
    expect_no_signature(run, &key);
    expect_no_signature(run, &key);
    assert_false(run_custody(run, &token).token.audit_writable);
    assert_int_equal(run_destroy(run, &key.id).status, STIRKEEP_AUDIT_UNAVAILABLE);
    assert_int_equal(trail_count(run, "full.jsonl", "\"act\":\"sign\"", ""), signed_before);
    (void)trail_records(run, "full.jsonl");
    assert_int_equal(prlimit(run->pid, RLIMIT_FSIZE, &before, NULL), 0);
    expect_recovery(run, &key); /* which also shows that nothing was destroyed */
    assert_true(run_custody(run, &token).token.audit_writable);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(trail_count(run, "full.jsonl", "\"act\":\"sign\"", ""), signed_before + 1);
    (void)trail_records(run, "full.jsonl");
    test_key_free(&key);
}

static void a_directory_that_goes_away_stops_the_signing_until_it_is_back(void **state)
{
    struct run *run = *state;
    struct test_key key = {0};
    char away[128] = "";

    assert_int_equal(mkdir(run_path(run, "logs"), 0700), 0);
    run_start(run, &(struct run_options){.audit_file = "logs/audit.jsonl"});
    key = run_new_key(run, "Alpha");
    expect_recovery(run, &key);
    (void)snprintf(away, sizeof(away), "%s", run_path(run, "away"));
    assert_int_equal(rename(run_path(run, "logs"), away), 0);
    expect_no_signature(run, &key);
    assert_int_equal(rename(away, run_path(run, "logs")), 0);
    expect_recovery(run, &key);
    assert_int_equal(run_drain(run), 0);
    assert_true(trail_records(run, "logs/audit.jsonl") >= 4);
    test_key_free(&key);
}

/* Rights of a directory do not bind root, for whom it is only the file that others may write. */
static void a_trail_that_may_not_be_used_is_not_written(void **state)
{
    struct run *run = *state;
    struct test_key key = test_key_make("Alpha");
    int fd = -1;

    assert_int_equal(mkdir(run_path(run, "closed"), 0700), 0);
    if (geteuid() == 0) {
        fd = open(run_path(run, "closed/audit.jsonl"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(fchmod(fd, 0666), 0);
        assert_int_equal(close(fd), 0);
    } else {
        assert_int_equal(chmod(run_path(run, "closed"), 0500), 0);
    }
    run_start(run, &(struct run_options){.audit_file = "closed/audit.jsonl"});
    expect_no_signature(run, &key);
    if (geteuid() == 0)
        assert_int_equal(chmod(run_path(run, "closed/audit.jsonl"), 0600), 0);
    else
        assert_int_equal(chmod(run_path(run, "closed"), 0700), 0);
    await_writable(run);
    assert_int_equal(run_import_as(run, &key, &key).status, STIRKEEP_OK);
    expect_recovery(run, &key);
    assert_int_equal(run_drain(run), 0);
    (void)trail_records(run, "closed/audit.jsonl");
    test_key_free(&key);
}

static void a_trail_goes_on_after_kill_minus_nine(void **state)
{
    struct run *run = *state;
    struct run_options options = {.audit_file = "killed.jsonl", .audit_sync = "always"};
    struct test_key key = {0};

    run_start(run, &options);
    key = run_new_key(run, "Alpha");
    expect_recovery(run, &key);
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(run_wait(run), -1);
    run_start(run, &options);
    expect_recovery(run, &key);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(trail_count(run, "killed.jsonl", "\"act\":\"start\"", ""), 2);
    assert_int_equal(trail_count(run, "killed.jsonl", "\"act\":\"stop\"", ""), 1);
    assert_int_equal(trail_count(run, "killed.jsonl", "\"act\":\"sign\",\"outcome\":\"ok\"", ""),
                     2);
    /* And seals, of which the killed one has made one or none. */
    assert_int_equal(trail_records(run, "killed.jsonl"),
                     7 + trail_count(run, "killed.jsonl", "\"act\":\"seal\"", ""));
    test_key_free(&key);
}

static void a_torn_record_is_put_aside_and_said_so(void **state)
{
    struct run *run = *state;
    struct run_options options = {.audit_file = "torn.jsonl"};
    struct test_key key = {0};
    FILE *file = NULL;

    run_start(run, &options);
    key = run_new_key(run, "Alpha");
    assert_int_equal(run_drain(run), 0);
    file = fopen(run_path(run, "torn.jsonl"), "ae");
    assert_non_null(file);
    (void)fprintf(file, "{\"seq\":4,\"time\":\"2026-");
    assert_int_equal(fclose(file), 0);
    run_start(run, &options);
    expect_recovery(run, &key);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(trail_count(run, "torn.jsonl", "\"act\":\"cut\"", "torn.jsonl.torn-"), 1);
    (void)trail_records(run, "torn.jsonl");
    test_key_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            without_a_directory_for_the_trail_nothing_is_signed_until_there_is_one, run_clean_up),
        cmocka_unit_test_teardown(when_the_disk_is_full_nothing_is_signed_until_there_is_room,
                                  run_clean_up),
        cmocka_unit_test_teardown(a_directory_that_goes_away_stops_the_signing_until_it_is_back,
                                  run_clean_up),
        cmocka_unit_test_teardown(a_trail_that_may_not_be_used_is_not_written, run_clean_up),
        cmocka_unit_test_teardown(a_trail_goes_on_after_kill_minus_nine, run_clean_up),
        cmocka_unit_test_teardown(a_torn_record_is_put_aside_and_said_so, run_clean_up),
    };

    run_require_softhsm();
    return cmocka_run_group_tests(tests, run_set_up, run_tear_down);
}
