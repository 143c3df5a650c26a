/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

#include "base/file.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* New files: whole or not there. */

#define CONTENT "something that is public\n"

static char directory[] = "/tmp/stirkeep-file-XXXXXX";
static char path[64];

static const struct stk_bytes content = {(const uint8_t *)CONTENT, sizeof(CONTENT) - 1};

static int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/new", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path) == 0 || errno == ENOENT ? 0 : -1;
}

static void assert_content(const char *expected)
{
    struct stk_buffer data = {0};

    assert_int_equal(stk_file_read(path, 4096, &data, NULL), STIRKEEP_OK);
    assert_int_equal(data.length, strlen(expected));
    assert_memory_equal(data.data, expected, data.length);
    stk_buffer_free(&data);
}

static void assert_nothing_there(void)
{
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(errno, ENOENT);
}

static void a_new_file_is_written_for_all_to_read(void **state)
{
    mode_t before = umask(022);
    struct stat about = {0};

    (void)state;
    assert_int_equal(stk_file_write_new(path, content, NULL), STIRKEEP_OK);
    (void)umask(before);
    assert_content(CONTENT);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0644);
    assert_int_equal(about.st_nlink, 1);
}

static void one_that_is_there_stays_as_it_is(void **state)
{
    static const struct stk_bytes other = {(const uint8_t *)"other", 5};
    struct stk_error error = {0};

    (void)state;
    assert_int_equal(stk_file_write_new(path, content, NULL), STIRKEEP_OK);
    assert_int_equal(stk_file_write_new(path, other, &error), STIRKEEP_IO);
    assert_non_null(strstr(error.message, path));
    assert_non_null(strstr(error.message, strerror(EEXIST)));
    assert_content(CONTENT);
}

static void a_link_that_leads_nowhere_is_not_followed(void **state)
{
    (void)state;
    assert_int_equal(symlink("nowhere", path), 0);
    assert_int_equal(stk_file_write_new(path, content, NULL), STIRKEEP_IO);
    assert_int_equal(access(path, F_OK), -1);
}

static void without_its_directory_it_says_so(void **state)
{
    char deep[128] = "";
    struct stk_error error = {0};

    (void)state;
    (void)snprintf(deep, sizeof(deep), "%s/nowhere/new", directory);
    assert_int_equal(stk_file_write_new(deep, content, &error), STIRKEEP_IO);
    assert_non_null(strstr(error.message, strerror(ENOENT)));
}

/* Nothing can grow past `bytes`. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {0};

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_write_that_fails_leaves_nothing(void **state)
{
    struct stk_error error = {0};

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_files(4);
    assert_int_equal(stk_file_write_new(path, content, &error), STIRKEEP_IO);
    limit_files(RLIM_INFINITY);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_nothing_there();
}

static void killed_in_the_middle_of_writing_it_leaves_nothing_and_can_be_done_again(void **state)
{
    pid_t child = fork();
    int status = 0;

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0};

        /* The first write that makes a file grow kills. */
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)setrlimit(RLIMIT_FSIZE, &none);
        (void)stk_file_write_new(path, content, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXFSZ);
    assert_nothing_there();
    assert_int_equal(stk_file_write_new(path, content, NULL), STIRKEEP_OK);
    assert_content(CONTENT);
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_is_written_for_all_to_read),
        TEST(one_that_is_there_stays_as_it_is),
        TEST(a_link_that_leads_nowhere_is_not_followed),
        TEST(without_its_directory_it_says_so),
        TEST(a_write_that_fails_leaves_nothing),
        TEST(killed_in_the_middle_of_writing_it_leaves_nothing_and_can_be_done_again),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
