/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "keeper/compress.h"
#include "keeper/zstd_file.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char directory[64];

static const char *path_of(const char *name)
{
    static char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof(directory), "/tmp/stk-compress-XXXXXX");
    assert_non_null(mkdtemp(directory));
    return 0;
}

static int tear_down(void **state)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry = NULL;

    (void)state;
    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL)
        (void)unlinkat(dirfd(stream), entry->d_name, 0);
    (void)closedir(stream);
    assert_int_equal(rmdir(directory), 0);
    return 0;
}

/* Lines like a trail's; the seed makes each file another. */
static void write_lines(const char *name, unsigned seed, size_t lines)
{
    FILE *file = fopen(path_of(name), "we");

    assert_non_null(file);
    for (size_t i = 0; i < lines; i++)
        (void)fprintf(file, "{\"seq\":%zu,\"act\":\"sign\",\"orig\":\"%u\",\"x\":\"%08x\"}\n", i,
                      seed, (unsigned)(i * 2654435761U) ^ seed);
    assert_int_equal(fclose(file), 0);
}

static bool exists(const char *name)
{
    struct stat about = {0};

    return lstat(path_of(name), &about) == 0;
}

static void digest_of(const char *name, uint8_t ret_digest[STK_DIGEST_LENGTH])
{
    int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
    uint64_t size = 0;

    assert_true(fd >= 0);
    assert_true(stk_plain_digest(fd, ret_digest, &size));
    (void)close(fd);
}

static bool is_compressed(const char *name, const uint8_t expected[STK_DIGEST_LENGTH])
{
    int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint64_t size = 0;
    bool is = fd >= 0 && stk_zstd_read(fd, digest, &size) &&
              memcmp(digest, expected, sizeof(digest)) == 0;

    if (fd >= 0)
        (void)close(fd);
    return is;
}

static size_t compress(enum stirkeep_status expected)
{
    struct stk_error error = {0};
    char path[PATH_MAX] = "";
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    (void)snprintf(path, sizeof(path), "%s", path_of("audit.jsonl"));
    status = stk_compress_rotated(path, &count, &error);
    if (status != expected)
        fail_msg("%s", error.message);
    return count;
}

#define ONE "audit.jsonl.000000000100"
#define TWO "audit.jsonl.000000000200"

static void rotated_files_are_compressed_and_the_trail_is_not(void **state)
{
    uint8_t one[STK_DIGEST_LENGTH] = {0};
    uint8_t two[STK_DIGEST_LENGTH] = {0};
    struct stat about = {0};
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000001}};

    (void)state;
    write_lines("audit.jsonl", 0, 10);
    write_lines(ONE, 1, 50000);
    write_lines(TWO, 2, 1);
    digest_of(ONE, one);
    digest_of(TWO, two);
    assert_int_equal(utimensat(AT_FDCWD, path_of(ONE), times, 0), 0);
    assert_int_equal(compress(STIRKEEP_OK), 2);
    assert_false(exists(ONE) || exists(TWO));
    assert_true(is_compressed(ONE ".zst", one));
    assert_true(is_compressed(TWO ".zst", two));
    assert_true(exists("audit.jsonl"));
    assert_false(exists("audit.jsonl.zst"));
    assert_int_equal(stat(path_of(ONE ".zst"), &about), 0);
    assert_int_equal(about.st_mtim.tv_sec, 1000000001);
    assert_int_equal(about.st_mode & 07777, 0600);
    assert_true(about.st_size < 2000000);
    assert_int_equal(compress(STIRKEEP_OK), 0);
}

static void names_of_others_are_left_alone(void **state)
{
    static const char *const names[] = {
        "audit.jsonl.00000000010",
        "audit.jsonl.00000000010a",
        "audit.jsonl.torn-20260101",
        "audit.jsonl.foreign-1",
        "audit.jsonl.1",
        "audit.jsonl-000000000100",
        "other.jsonl.000000000100",
        "audit.jsonl.000000000000000000100",
        "audit.jsonl.000000000100.bak",
        "audit.jsonl.next",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        write_lines(names[i], (unsigned)i, 5);
    assert_int_equal(compress(STIRKEEP_OK), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_true(exists(names[i]));
}

static void what_is_no_plain_file_of_its_own_is_left_alone(void **state)
{
    char from[PATH_MAX] = "";

    (void)state;
    write_lines("audit.jsonl", 0, 10);
    (void)snprintf(from, sizeof(from), "%s", path_of("audit.jsonl"));
    assert_int_equal(link(from, path_of(ONE)), 0); /* in the middle of a rotation */
    assert_int_equal(symlink(from, path_of(TWO)), 0);
    assert_int_equal(mkdir(path_of("audit.jsonl.000000000300"), 0700), 0);
    assert_int_equal(mkfifo(path_of("audit.jsonl.000000000400"), 0600), 0);
    assert_int_equal(compress(STIRKEEP_OK), 0);
    assert_true(exists(ONE) && exists(TWO));
    assert_int_equal(rmdir(path_of("audit.jsonl.000000000300")), 0);
}

static void what_a_kill_left_is_finished(void **state)
{
    uint8_t one[STK_DIGEST_LENGTH] = {0};
    uint8_t two[STK_DIGEST_LENGTH] = {0};

    (void)state;
    /* In the middle of writing. */
    write_lines(ONE, 1, 5000);
    digest_of(ONE, one);
    write_lines(ONE ".zst.tmp", 9, 7);
    assert_int_equal(compress(STIRKEEP_OK), 1);
    assert_false(exists(ONE ".zst.tmp"));
    assert_true(is_compressed(ONE ".zst", one));
    /* Before the plain one was removed. */
    write_lines(ONE, 1, 5000);
    assert_int_equal(compress(STIRKEEP_OK), 1);
    assert_false(exists(ONE));
    assert_true(is_compressed(ONE ".zst", one));
    /* A name that is on the disk before what it names was. */
    write_lines(TWO, 2, 5000);
    digest_of(TWO, two);
    write_lines(TWO ".zst", 3, 2);
    assert_int_equal(compress(STIRKEEP_OK), 1);
    assert_true(is_compressed(TWO ".zst", two));
    /* A copy of another file. */
    write_lines(TWO, 2, 5001);
    digest_of(TWO, two);
    assert_int_equal(compress(STIRKEEP_OK), 1);
    assert_true(is_compressed(TWO ".zst", two));
}

static void a_torn_copy_is_told_from_a_whole_one(void **state)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct stat about = {0};

    (void)state;
    write_lines(ONE, 1, 5000);
    digest_of(ONE, digest);
    assert_int_equal(compress(STIRKEEP_OK), 1);
    assert_int_equal(stat(path_of(ONE ".zst"), &about), 0);
    for (off_t size = about.st_size - 1; size >= 0; size -= 1 + about.st_size / 40) {
        assert_int_equal(truncate(path_of(ONE ".zst"), size), 0);
        assert_false(is_compressed(ONE ".zst", digest));
    }
}

static void without_room_both_wait(void **state)
{
    struct rlimit before = {0};
    struct rlimit tight = {.rlim_cur = 1000};
    uint8_t one[STK_DIGEST_LENGTH] = {0};

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    write_lines(ONE, 1, 50000);
    digest_of(ONE, one);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    assert_int_equal(compress(STIRKEEP_STORAGE), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(exists(ONE));
    assert_false(exists(ONE ".zst") || exists(ONE ".zst.tmp"));
    assert_int_equal(compress(STIRKEEP_OK), 1);
    assert_true(is_compressed(ONE ".zst", one));
}

static void one_that_fails_does_not_hold_up_the_others(void **state)
{
    (void)state;
    write_lines(ONE, 1, 500);
    write_lines(TWO, 2, 500);
    assert_int_equal(mkdir(path_of(ONE ".zst"), 0700), 0);
    assert_int_equal(compress(STIRKEEP_STORAGE), 1);
    assert_true(exists(ONE));
    assert_false(exists(TWO) || exists(ONE ".zst.tmp"));
    assert_int_equal(rmdir(path_of(ONE ".zst")), 0);
    assert_int_equal(compress(STIRKEEP_OK), 1);
}

#define FILES 6
#define KILLS 40

static void killed_at_any_moment_one_whole_copy_is_left(void **state)
{
    uint8_t digests[FILES][STK_DIGEST_LENGTH] = {{0}};
    char names[FILES][48] = {{0}};
    char copy[64] = "";
    size_t cut_off = 0;

    (void)state;
    for (size_t i = 0; i < FILES; i++)
        (void)snprintf(names[i], sizeof(names[i]), "audit.jsonl.%012zu", i + 1);
    for (unsigned kill_number = 0; kill_number < KILLS; kill_number++) {
        const struct timespec pause = {.tv_nsec = 1000L * (1 + 700L * kill_number)};
        pid_t child = 0;
        int how = 0;

        for (size_t i = 0; i < FILES; i++) {
            (void)unlink(path_of(strcat(strcpy(copy, names[i]), ".zst")));
            write_lines(names[i], (unsigned)i + kill_number, 4000);
            digest_of(names[i], digests[i]);
        }
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)compress(STIRKEEP_OK);
            _exit(0);
        }
        (void)nanosleep(&pause, NULL);
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &how, 0), child);
        cut_off += WIFSIGNALED(how) ? 1 : 0;
        for (size_t i = 0; i < FILES; i++) {
            (void)strcat(strcpy(copy, names[i]), ".zst");
            if (!exists(names[i]))
                assert_true(is_compressed(copy, digests[i]));
        }
        (void)compress(STIRKEEP_OK);
        for (size_t i = 0; i < FILES; i++) {
            (void)strcat(strcpy(copy, names[i]), ".zst");
            assert_false(exists(names[i]));
            assert_true(is_compressed(copy, digests[i]));
        }
    }
    assert_true(cut_off > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rotated_files_are_compressed_and_the_trail_is_not),
        TEST(names_of_others_are_left_alone),
        TEST(what_is_no_plain_file_of_its_own_is_left_alone),
        TEST(what_a_kill_left_is_finished),
        TEST(a_torn_copy_is_told_from_a_whole_one),
        TEST(without_room_both_wait),
        TEST(one_that_fails_does_not_hold_up_the_others),
        TEST(killed_at_any_moment_one_whole_copy_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
