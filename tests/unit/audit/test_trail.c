/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

#include "base/clock.h"
#include "base/file.h"
#include "faults.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
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

static void pause_ms(long milliseconds)
{
    struct timespec pause = {.tv_nsec = milliseconds * 1000000};

    (void)nanosleep(&pause, NULL);
}

/* Until `*counter` reaches `least`, at most two seconds. */
static void wait_for(atomic_int *counter, int least)
{
    for (int i = 0; i < 400 && *counter < least; i++)
        pause_ms(5);
    assert_true(*counter >= least);
}

/* Until there was no sync for four times the interval. */
static int settled_syncs(void)
{
    int seen = -1;

    for (int i = 0; i < 20 && seen != faults.fdatasyncs; i++) {
        seen = faults.fdatasyncs;
        pause_ms(200);
    }
    return seen;
}

static void wait_for_writable(struct stk_trail *trail, bool writable)
{
    for (int i = 0; i < 400 && stk_trail_writable(trail) != writable; i++)
        pause_ms(5);
    assert_int_equal(stk_trail_writable(trail), writable);
}

static enum stirkeep_status append_one(struct stk_trail *trail, uint64_t request_id,
                                       struct stk_error *error)
{
    struct stk_record record = sign_record(request_id);

    return stk_trail_append(trail, &record, 1, NOW_US, error);
}

static void assert_refused(struct stk_trail *trail, const char *reason)
{
    struct stk_error error = {0};

    assert_int_equal(append_one(trail, 1, &error), STIRKEEP_AUDIT_UNAVAILABLE);
    assert_int_equal(error.status, STIRKEEP_AUDIT_UNAVAILABLE);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", error.message, reason);
    assert_false(stk_trail_writable(trail));
}

static void several_records_are_one_write(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_record records[16];
    struct stk_error error = {0};

    for (size_t i = 0; i < 16; i++)
        records[i] = sign_record(i);
    assert_int_equal(stk_trail_append(trail, records, 16, NOW_US, &error), STIRKEEP_OK);
    assert_int_equal(faults.writes, 1);
    assert_int_equal(stk_trail_sequence(trail), 16);
    assert_true(stk_trail_writable(trail));
    assert_int_equal(stk_trail_append(trail, records, 0, NOW_US, &error), STIRKEEP_OK);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 16);
}

/* The texts of each caller's are gone when its records are appended. */
static void records_of_several_callers_are_one_write_and_all_or_none(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_buffer bodies[3] = {{0}};
    const struct stk_buffer *const all[] = {&bodies[0], &bodies[1], &bodies[2]};
    struct stk_buffer whole = {0};
    struct stk_error error = {0};

    for (size_t i = 0; i < 6; i++) {
        char text[] = "the keeper";
        struct stk_record record = sign_record(i);

        record.detail = text;
        assert_int_equal(stk_trail_compose(&record, 1, &bodies[i % 2 * 2], &error), STIRKEEP_OK);
        memset(text, 'x', sizeof(text) - 1);
    }
    faults.write_errno = ENOSPC;
    faults.write_short = 1500; /* in the third of them */
    assert_int_equal(stk_trail_append_composed(trail, all, 3, NOW_US, &error),
                     STIRKEEP_AUDIT_UNAVAILABLE);
    assert_int_equal(stk_trail_sequence(trail), 0);
    faults_reset();
    assert_int_equal(stk_trail_append_composed(trail, all, 3, NOW_US, &error), STIRKEEP_OK);
    assert_int_equal(faults.writes, 1);
    assert_int_equal(stk_trail_sequence(trail), 6);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 6);
    whole = read_whole(scratch->path);
    assert_int_equal(stk_buffer_add(&whole, "", 1), STIRKEEP_OK);
    assert_non_null(strstr((const char *)whole.data, "the keeper"));
    assert_null(strstr((const char *)whole.data, "xxxx"));
    stk_buffer_free(&whole);
    for (size_t i = 0; i < 3; i++)
        stk_buffer_free(&bodies[i]);
}

static void what_only_the_trail_may_say_is_not_composed(void **state)
{
    const struct stk_record records[] = {{.act = "sign", .outcome = "ok"},
                                         {.act = "cut", .outcome = "ok"}};
    struct stk_buffer bodies = {0};
    struct stk_error error = {0};
    (void)state;

    assert_int_equal(stk_trail_compose(records, 2, &bodies, &error), STIRKEEP_INVALID);
    assert_int_equal(bodies.length, 0);
    stk_buffer_free(&bodies);
}

static void the_file_is_its_owners_alone(void **state)
{
    struct scratch *scratch = *state;
    mode_t before = umask(0);
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct stat about = {0};

    (void)umask(before);
    assert_int_equal(stat(scratch->path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    stk_trail_close(trail);
}

/* Bytes that this process has read so far, proc(5). */
static unsigned long long bytes_read(void)
{
    FILE *io = fopen("/proc/self/io", "re");
    unsigned long long bytes = 0;

    assert_non_null(io);
    assert_int_equal(fscanf(io, "rchar: %llu", &bytes), 1);
    (void)fclose(io);
    return bytes;
}

static void the_chain_goes_on_after_a_restart_with_only_what_is_unsealed_read(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct audit_key key = audit_key_make();
    struct stk_record records[100];
    struct stk_error error = {0};
    unsigned long long before = 0;

    for (size_t i = 0; i < 100; i++)
        records[i] = sign_record(i);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(stk_trail_append(trail, records, 100, NOW_US, &error), STIRKEEP_OK);
    (void)seal_trail(trail, &key, NULL);
    append_some(trail, 1, 9);
    stk_trail_close(trail);
    before = bytes_read();
    trail = open_trail(scratch, STK_TRAIL_NONE);
    assert_int_equal(stk_trail_sequence(trail), 5010);
    assert_true(bytes_read() - before < 160000); /* of three million */
    append_some(trail, 1, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 5011);
    audit_key_free(&key);
}

static void a_second_writer_is_refused(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_trail *second = NULL;
    struct stk_error error = {0};

    assert_int_equal(stk_trail_open(scratch->path, STK_TRAIL_NONE, NOW_US, &second, &error),
                     STIRKEEP_BUSY);
    assert_null(second);
    assert_non_null(strstr(error.message, "another process writes it"));
    stk_trail_close(trail);
    trail = open_trail(scratch, STK_TRAIL_NONE);
    stk_trail_close(trail);
}

static void assert_not_opened(const char *path, const char *reason)
{
    struct stk_trail *trail = NULL;
    struct stk_error error = {0};

    assert_int_equal(stk_trail_open(path, STK_TRAIL_INTERVAL, NOW_US, &trail, &error),
                     STIRKEEP_AUDIT_UNAVAILABLE);
    assert_null(trail);
    if (strstr(error.message, reason) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", error.message, reason);
}

static void what_is_not_the_keepers_own_plain_file_is_refused_untouched(void **state)
{
    struct scratch *scratch = *state;
    char other[PATH_MAX + 8] = "";

    (void)snprintf(other, sizeof(other), "%s.other", scratch->path);
    write_whole(other, "", 0);
    assert_int_equal(symlink(other, scratch->path), 0);
    assert_not_opened(scratch->path, "symbolic link");
    (void)unlink(scratch->path);
    assert_int_equal(link(other, scratch->path), 0);
    assert_not_opened(scratch->path, "has 2 names");
    (void)unlink(other);
    assert_int_equal(chmod(scratch->path, 0620), 0);
    assert_not_opened(scratch->path, "may be written by others (mode 0620)");
    (void)unlink(scratch->path);
    assert_int_equal(mkfifo(scratch->path, 0600), 0);
    assert_not_opened(scratch->path, "not a regular file");
    assert_not_opened(scratch->directory, "Is a directory");
    assert_not_opened("audit.jsonl", "not an absolute path");
    (void)snprintf(other, sizeof(other), "%s/none/audit.jsonl", scratch->directory);
    assert_not_opened(other, "No such file or directory");
}

static void another_kind_of_file_is_refused_untouched(void **state)
{
    static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n";
    struct scratch *scratch = *state;
    struct stk_buffer data = {0};

    write_whole(scratch->path, passwd, sizeof(passwd) - 1);
    assert_not_opened(scratch->path, "not an audit trail");
    data = read_whole(scratch->path);
    assert_int_equal(data.length, sizeof(passwd) - 1);
    assert_memory_equal(data.data, passwd, data.length);
    stk_buffer_free(&data);
}

/* A full disk, by the limit that the kernel itself enforces: a short write, then EFBIG. */
static void a_full_disk_leaves_nothing_of_the_batch_and_the_trail_goes_on(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct rlimit before = {0};
    struct rlimit limit = {0};
    struct stk_record records[16];
    struct stk_error error = {0};
    struct stat about = {0};

    for (size_t i = 0; i < 16; i++)
        records[i] = sign_record(i);
    append_some(trail, 1, 2);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(stat(scratch->path, &about), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){(rlim_t)about.st_size + 1000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(stk_trail_append(trail, records, 16, NOW_US, &error),
                         STIRKEEP_AUDIT_UNAVAILABLE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(strstr(error.message, "audit.jsonl: cannot be written: File too large"));
    assert_false(stk_trail_writable(trail));
    assert_int_equal(stk_trail_sequence(trail), 2);
    assert_int_equal(records_in(scratch->path), 2);
    assert_int_equal(stk_trail_append(trail, records, 16, NOW_US, &error), STIRKEEP_OK);
    assert_true(stk_trail_writable(trail));
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 18);
}

static void a_trail_that_cannot_be_cut_back_is_mended_at_the_next_try(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);
    struct stk_error error = {0};
    uint64_t records = 0;
    char aside[PATH_MAX] = "";

    append_some(trail, 1, 3);
    faults.write_errno = ENOSPC;
    faults.write_short = 100;
    faults.ftruncate_errno = EIO;
    assert_refused(trail, "cannot be written: No space left on device");
    faults.write_errno = 0;
    assert_refused(trail, "cannot be cut back: Input/output error");
    assert_int_equal(verify_path(scratch->path, &records, &error), STIRKEEP_NOT_VERIFIED);
    faults.ftruncate_errno = 0;
    append_some(trail, 2, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 4);
    assert_false(find_aside(scratch, "torn", aside)); /* it was our own, never answered */
}

static void interval_syncs_soon_and_once_for_many(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    const uint64_t began = stk_clock_mono_us();
    int before = faults.fdatasyncs;

    append_some(trail, 1, 200);
    wait_for(&faults.fdatasyncs, before + 1);
    assert_in_range(faults.fdatasyncs, before + 1,
                    before + 1 + (stk_clock_mono_us() - began) / 50000);
    before = settled_syncs();
    pause_ms(200);
    assert_int_equal(faults.fdatasyncs, before); /* nothing new: no sync */
    stk_trail_close(trail);
}

static void none_never_syncs_while_it_runs(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_NONE);

    append_some(trail, 1, 10);
    pause_ms(120);
    assert_int_equal(faults.fdatasyncs, 0);
    stk_trail_close(trail);
}

static void a_sync_that_fails_closes_the_trail_until_one_succeeds(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    int before = 0;

    faults.fdatasync_errno = EIO;
    before = faults.fdatasyncs;
    append_some(trail, 1, 5);
    wait_for(&faults.fdatasyncs, before + 1);
    wait_for_writable(trail, false);
    assert_refused(trail, "cannot be synced: Input/output error");
    wait_for(&faults.fdatasyncs, before + 3); /* tried again by itself */
    assert_refused(trail, "cannot be synced: Input/output error");
    faults.writes = 0;
    faults.fdatasync_errno = 0;
    before = faults.fdatasyncs;
    wait_for(&faults.fdatasyncs, before + 1);
    wait_for_writable(trail, true);
    append_some(trail, 6, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 6); /* those that were answered are all there */
}

static void a_sync_that_is_waited_for_has_been_done_when_it_returns(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    int before = faults.fdatasyncs;

    append_some(trail, 1, 5);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
    assert_int_equal(faults.fdatasyncs, before + 1);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK); /* nothing new: no sync */
    assert_int_equal(faults.fdatasyncs, before + 1);
    stk_trail_close(trail);
    trail = open_trail(scratch, STK_TRAIL_NONE);
    append_some(trail, 6, 1);
    before = faults.fdatasyncs;
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK); /* it is not wanted */
    assert_int_equal(faults.fdatasyncs, before);
    stk_trail_close(trail);
}

static void a_sync_that_is_waited_for_and_fails_is_told_and_made_up_for(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct stk_error error = {0};

    append_some(trail, 1, 5);
    faults.fdatasync_errno = EIO;
    assert_int_equal(stk_trail_sync(trail, &error), STIRKEEP_AUDIT_UNAVAILABLE);
    assert_non_null(strstr(error.message, "cannot be synced: Input/output error"));
    assert_false(stk_trail_writable(trail));
    assert_refused(trail, "cannot be synced: Input/output error");
    faults.fdatasync_errno = 0;
    wait_for_writable(trail, true);
    assert_int_equal(stk_trail_sync(trail, NULL), STIRKEEP_OK);
    append_some(trail, 6, 1);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 6); /* none was lost, none is there twice */
}

static void *wait_for_sync(void *argument)
{
    return stk_trail_sync(argument, NULL) == STIRKEEP_OK ? argument : NULL;
}

static void one_sync_serves_all_that_wait_for_it(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    pthread_t threads[8];
    int before = faults.fdatasyncs;

    append_some(trail, 1, 1);
    faults.fdatasync_ms = 100;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_sync, trail), 0);
    for (size_t i = 0; i < 8; i++) {
        void *result = NULL;

        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, trail);
    }
    assert_int_equal(faults.fdatasyncs, before + 1);
    faults.fdatasync_ms = 0;
    stk_trail_close(trail);
}

/* The kernel may drop pages that it could not write: what is read then is not what was written. */
static void records_that_the_disk_lost_keep_the_trail_closed(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    int before = 0;
    int fd = -1;

    faults.fdatasync_errno = EIO;
    before = faults.fdatasyncs;
    append_some(trail, 1, 5);
    wait_for(&faults.fdatasyncs, before + 1);
    wait_for_writable(trail, false);
    fd = open(scratch->path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "\0\0\0\0", 4, 700), 4);
    (void)close(fd);
    faults.fdatasync_errno = 0;
    pause_ms(250);
    assert_refused(trail, "cannot be synced: Bad message");
    stk_trail_close(trail);
}

struct writer {
    struct stk_trail *trail;
    size_t count;
    size_t written;
    size_t refused;
};

static void *write_many(void *argument)
{
    struct writer *writer = argument;

    for (size_t i = 0; i < writer->count; i++) {
        struct stk_error error = {0};
        if (append_one(writer->trail, i, &error) == STIRKEEP_OK)
            writer->written++;
        else
            writer->refused++;
    }
    return NULL;
}

#define WRITERS 8

static void run_writers(struct stk_trail *trail, size_t count, struct writer writers[WRITERS])
{
    pthread_t threads[WRITERS];

    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.trail = trail, .count = count};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++)
        (void)pthread_join(threads[i], NULL);
}

static void threads_append_to_one_chain(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_INTERVAL);
    struct writer writers[WRITERS];

    run_writers(trail, 500, writers);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), WRITERS * 500);
}

static void always_syncs_before_it_returns_and_once_for_all_that_wait(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_ALWAYS);
    struct writer writers[WRITERS];
    int before = faults.fdatasyncs;

    append_some(trail, 1, 3);
    assert_int_equal(faults.fdatasyncs, before + 3);
    faults.fdatasync_ms = 5;
    before = faults.fdatasyncs;
    run_writers(trail, 20, writers);
    assert_true(faults.fdatasyncs - before < WRITERS * 20 / 2);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 3 + WRITERS * 20);
}

static void always_takes_back_what_could_not_be_synced(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_ALWAYS);

    append_some(trail, 1, 2);
    faults.fdatasync_errno = EIO;
    assert_refused(trail, "cannot be synced: Input/output error");
    assert_int_equal(records_in(scratch->path), 2);
    faults.fdatasync_errno = 0;
    append_some(trail, 3, 1);
    assert_int_equal(stk_trail_sequence(trail), 3);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), 3);
}

static void *break_the_disk_now_and_then(void *argument)
{
    atomic_bool *stop = argument;

    while (!*stop) {
        pause_ms(7);
        faults.fdatasync_errno = faults.fdatasync_errno == 0 ? EIO : 0;
    }
    faults.fdatasync_errno = 0;
    return NULL;
}

/* Whoever was told "written" is in the file, nobody else is. */
static void always_tells_each_of_many_the_truth_when_syncs_fail(void **state)
{
    struct scratch *scratch = *state;
    struct stk_trail *trail = open_trail(scratch, STK_TRAIL_ALWAYS);
    struct writer writers[WRITERS];
    atomic_bool stop = false;
    pthread_t breaker;
    size_t written = 0;
    size_t refused = 0;

    faults.fdatasync_ms = 2;
    assert_int_equal(pthread_create(&breaker, NULL, break_the_disk_now_and_then, &stop), 0);
    run_writers(trail, 40, writers);
    stop = true;
    (void)pthread_join(breaker, NULL);
    for (size_t i = 0; i < WRITERS; i++) {
        written += writers[i].written;
        refused += writers[i].refused;
    }
    assert_true(refused > 0);
    assert_int_equal(written + refused, WRITERS * 40);
    assert_int_equal(stk_trail_sequence(trail), written);
    stk_trail_close(trail);
    assert_int_equal(records_in(scratch->path), written);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(several_records_are_one_write),
        TEST(records_of_several_callers_are_one_write_and_all_or_none),
        TEST(what_only_the_trail_may_say_is_not_composed),
        TEST(the_file_is_its_owners_alone),
        TEST(the_chain_goes_on_after_a_restart_with_only_what_is_unsealed_read),
        TEST(a_second_writer_is_refused),
        TEST(what_is_not_the_keepers_own_plain_file_is_refused_untouched),
        TEST(another_kind_of_file_is_refused_untouched),
        TEST(a_full_disk_leaves_nothing_of_the_batch_and_the_trail_goes_on),
        TEST(a_trail_that_cannot_be_cut_back_is_mended_at_the_next_try),
        TEST(interval_syncs_soon_and_once_for_many),
        TEST(none_never_syncs_while_it_runs),
        TEST(a_sync_that_fails_closes_the_trail_until_one_succeeds),
        TEST(a_sync_that_is_waited_for_has_been_done_when_it_returns),
        TEST(a_sync_that_is_waited_for_and_fails_is_told_and_made_up_for),
        TEST(one_sync_serves_all_that_wait_for_it),
        TEST(records_that_the_disk_lost_keep_the_trail_closed),
        TEST(threads_append_to_one_chain),
        TEST(always_syncs_before_it_returns_and_once_for_all_that_wait),
        TEST(always_takes_back_what_could_not_be_synced),
        TEST(always_tells_each_of_many_the_truth_when_syncs_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
