/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "stirkeepd/lives.h"
#include "stirkeepd/secret_file.h"
#include "stirkeepd/witness.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND ((uint64_t)1000000)
#define HEAD "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The clock is the test's, the processes are real. */
struct fixture {
    char directory[64];
    char file[96];
    char command[128];
    struct stk_config config;
    struct stk_witness witness;
    uint64_t now;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    (void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/stk-witness-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    (void)snprintf(fixture->file, sizeof(fixture->file), "%s/seals", fixture->directory);
    fixture->config.audit.witness = fixture->command + sizeof(fixture->command) - 1; /* "" */
    fixture->config.audit.witness_command = fixture->config.audit.witness;
    fixture->now = 1000 * SECOND;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128] = "";

    stk_witness_free(&fixture->witness);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    (void)snprintf(command, sizeof(command), "rm -rf %s", fixture->directory);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static void use(struct fixture *fixture, bool file, const char *command)
{
    if (file)
        fixture->config.audit.witness = fixture->file;
    if (command != NULL) {
        (void)snprintf(fixture->command, sizeof(fixture->command), "%s", command);
        fixture->config.audit.witness_command = fixture->command;
    }
    stk_witness_init(&fixture->witness, &fixture->config);
}

static const char *line(unsigned number)
{
    static char text[256];

    (void)snprintf(
        text, sizeof(text),
        "{\"seq\":%u,\"time\":\"t\",\"act\":\"seal\",\"head\":\"" HEAD "\",\"sum\":\"s\"}", number);
    return text;
}

static void take(struct fixture *fixture, unsigned number)
{
    assert_true(stk_witness_take(&fixture->witness, line(number), number));
}

/* Wait for whoever is at it, and bury him; then go on. False: nobody is. */
static bool let_one_end(struct fixture *fixture)
{
    int how = 0;
    pid_t pid = 0;

    (void)stk_witness_tick(&fixture->witness, fixture->now);
    pid = waitpid(-1, &how, 0);
    if (pid <= 0)
        return false;
    stk_witness_bury(&fixture->witness, pid, how, fixture->now);
    return true;
}

static void let_all_end(struct fixture *fixture)
{
    while (let_one_end(fixture))
        continue;
}

/* The numbers of the file's lines, as text: "1 2 3 "; "-" for a line that is none. */
static const char *numbers_in(const char *path)
{
    static char text[16384];
    struct stk_buffer data = {0};
    size_t length = 0;

    text[0] = '\0';
    if (stk_file_read(path, 1 << 20, &data, NULL) == STIRKEEP_OK &&
        stk_buffer_add(&data, "", 1) == STIRKEEP_OK) {
        char *rest = (char *)data.data;
        char *one = NULL;

        while ((one = strsep(&rest, "\n")) != NULL) {
            unsigned number = 0;

            if (one[0] == '\0' && rest == NULL)
                break;
            if (sscanf(one, "{\"seq\":%u,", &number) == 1 && one[strlen(one) - 1] == '}')
                length += (size_t)snprintf(text + length, sizeof(text) - length, "%u ", number);
            else
                length += (size_t)snprintf(text + length, sizeof(text) - length, "- ");
        }
    }
    stk_buffer_free(&data);
    return text;
}

/* ---- what a line is */

static void only_what_reads_like_a_seal_is_taken(void **state)
{
    static const char *const bad[] = {
        "",
        "hello",
        "{\"seq\":1,\"act\":\"sign\",\"head\":\"" HEAD "\"}",
        "{\"seq\":1,\"act\":\"seal\",\"head\":\"0123\"}",
        "{\"seq\":1,\"act\":\"seal\",\"head\":\"" HEAD "0\"}",
        "{\"seq\":1,\"act\":\"seal\",\"head\":\"" HEAD "\"}\n",
        "{\"seq\":1,\"act\":\"seal\",\"head\":\"" HEAD "\"}\n{\"seq\":2}",
        "{\"seq\":1,\"act\":\"seal\",\"x\":\"\x1b[31m\",\"head\":\"" HEAD "\"}",
        "{\"seq\":1,\"act\":\"seal\",\"head\":\"" HEAD "\"",
        "\"seq\":1,\"act\":\"seal\",\"head\":\"" HEAD "\"}",
    };
    struct fixture *fixture = *state;

    use(fixture, true, NULL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(stk_witness_take(&fixture->witness, bad[i], 1));
    assert_int_equal(fixture->witness.count, 0);
    take(fixture, 1);
    assert_int_equal(fixture->witness.count, 1);
}

static void without_a_witness_nothing_is_kept(void **state)
{
    struct fixture *fixture = *state;

    use(fixture, false, NULL);
    take(fixture, 1);
    assert_int_equal(stk_witness_tick(&fixture->witness, fixture->now), STK_DUE_NEVER);
    assert_true(stk_witness_is_done(&fixture->witness));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* ---- the file */

static void seals_are_appended_and_what_was_there_stays(void **state)
{
    struct fixture *fixture = *state;
    struct stat about = {0};

    use(fixture, true, NULL);
    take(fixture, 1);
    assert_false(stk_witness_is_done(&fixture->witness));
    let_all_end(fixture);
    assert_true(stk_witness_is_done(&fixture->witness));
    assert_string_equal(numbers_in(fixture->file), "1 ");
    assert_int_equal(stat(fixture->file, &about), 0);
    assert_int_equal(about.st_mode & 0777 & 022, 0);
    for (unsigned i = 2; i <= 50; i++)
        take(fixture, i);
    let_all_end(fixture);
    stk_witness_free(&fixture->witness);
    use(fixture, true, NULL);
    take(fixture, 51);
    let_all_end(fixture);
    assert_non_null(strstr(numbers_in(fixture->file), "1 2 3 4 "));
    assert_non_null(strstr(numbers_in(fixture->file), "49 50 51 "));
}

static void half_a_line_that_a_power_cut_left_spoils_no_other(void **state)
{
    struct fixture *fixture = *state;
    int fd = open(fixture->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, "{\"seq\":1,\"ti", 12), 12);
    (void)close(fd);
    use(fixture, true, NULL);
    take(fixture, 2);
    let_all_end(fixture);
    assert_string_equal(numbers_in(fixture->file), "- 2 ");
}

static void what_could_not_be_written_is_written_later_in_order(void **state)
{
    struct fixture *fixture = *state;
    uint64_t due = 0;

    assert_int_equal(mkdir(fixture->file, 0700), 0);
    use(fixture, true, NULL);
    take(fixture, 1);
    assert_true(let_one_end(fixture));
    take(fixture, 2);
    due = stk_witness_tick(&fixture->witness, fixture->now);
    assert_int_equal(due, fixture->now + STK_WITNESS_AGAIN_MS * 1000);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* not before */
    fixture->now = due;
    assert_true(let_one_end(fixture));
    due = stk_witness_tick(&fixture->witness, fixture->now);
    assert_int_equal(due, fixture->now + 2 * STK_WITNESS_AGAIN_MS * 1000);
    assert_int_equal(rmdir(fixture->file), 0);
    take(fixture, 3);
    fixture->now = due;
    let_all_end(fixture);
    assert_string_equal(numbers_in(fixture->file), "1 2 3 ");
    assert_int_equal(fixture->witness.ways[STK_WITNESS_FILE].again_ms, 0);
}

static void without_room_no_part_of_a_line_stays(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before = {0};
    struct rlimit tight = {.rlim_cur = 180};

    use(fixture, true, NULL);
    take(fixture, 1);
    let_all_end(fixture);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_max = before.rlim_max;
    take(fixture, 2);
    /* For who writes alone: what is logged here may go to a file, too. */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    (void)stk_witness_tick(&fixture->witness, fixture->now);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    let_all_end(fixture);
    assert_string_equal(numbers_in(fixture->file), "1 ");
    fixture->now += 2 * SECOND;
    let_all_end(fixture);
    assert_string_equal(numbers_in(fixture->file), "1 2 ");
}

static void a_file_that_others_may_write_is_no_witness(void **state)
{
    struct fixture *fixture = *state;
    int fd = open(fixture->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    (void)close(fd);
    assert_int_equal(chmod(fixture->file, 0620), 0);
    use(fixture, true, NULL);
    take(fixture, 1);
    let_all_end(fixture);
    assert_string_equal(numbers_in(fixture->file), "");
    assert_true(fixture->witness.ways[STK_WITNESS_FILE].told);
    /* Somebody else's file under another name. */
    assert_int_equal(chmod(fixture->file, 0600), 0);
    (void)snprintf(fixture->command, sizeof(fixture->command), "%s/other", fixture->directory);
    assert_int_equal(link(fixture->file, fixture->command), 0);
    fixture->now += 10 * SECOND;
    let_all_end(fixture);
    assert_string_equal(numbers_in(fixture->file), "");
    assert_int_equal(unlink(fixture->file), 0);
    assert_int_equal(symlink("elsewhere", fixture->file), 0);
    fixture->now += 10 * SECOND;
    let_all_end(fixture);
    assert_true(fixture->witness.ways[STK_WITNESS_FILE].told);
    assert_int_equal(unlink(fixture->file), 0);
    assert_int_equal(mkfifo(fixture->file, 0600), 0);
    fixture->now += 10 * SECOND;
    let_all_end(fixture);
    assert_true(fixture->witness.ways[STK_WITNESS_FILE].told);
}

static void the_oldest_of_too_many_are_lost_and_the_rest_are_in_order(void **state)
{
    struct fixture *fixture = *state;
    char expected[64] = "";

    assert_int_equal(mkdir(fixture->file, 0700), 0);
    use(fixture, true, NULL);
    take(fixture, 1);
    assert_true(let_one_end(fixture));
    for (unsigned i = 2; i <= STK_WITNESS_WAITING + 5; i++)
        take(fixture, i);
    assert_int_equal(rmdir(fixture->file), 0);
    fixture->now += 2 * SECOND;
    let_all_end(fixture);
    assert_int_equal(strncmp(numbers_in(fixture->file), "6 7 8 ", 6), 0);
    (void)snprintf(expected, sizeof(expected), " %d %d ", STK_WITNESS_WAITING + 4,
                   STK_WITNESS_WAITING + 5);
    assert_non_null(strstr(numbers_in(fixture->file), expected));
}

/* ---- the command */

static void a_command_gets_one_line_at_a_time_in_order(void **state)
{
    struct fixture *fixture = *state;
    char command[192] = "";

    (void)snprintf(command, sizeof(command), "/usr/bin/tee  -a %s", fixture->file);
    use(fixture, false, command);
    for (unsigned i = 1; i <= 5; i++)
        take(fixture, i);
    (void)stk_witness_tick(&fixture->witness, fixture->now);
    (void)stk_witness_tick(&fixture->witness, fixture->now);
    assert_true(let_one_end(fixture));
    assert_string_equal(numbers_in(fixture->file), "1 ");
    let_all_end(fixture);
    assert_string_equal(numbers_in(fixture->file), "1 2 3 4 5 ");
}

static void a_command_that_fails_gets_the_same_line_again(void **state)
{
    struct fixture *fixture = *state;
    char script[128] = "";
    char command[192] = "";
    FILE *file = NULL;

    /* Fails the first three times. */
    (void)snprintf(script, sizeof(script), "%s/script", fixture->directory);
    file = fopen(script, "we");
    assert_non_null(file);
    (void)fprintf(file,
                  "echo x >> %s/tries\n"
                  "[ $(wc -l < %s/tries) -gt 3 ] || exit 1\n"
                  "cat >> %s\n",
                  fixture->directory, fixture->directory, fixture->file);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(command, sizeof(command), "/bin/sh %s", script);
    use(fixture, false, command);
    take(fixture, 1);
    take(fixture, 2);
    for (int i = 0; i < 3; i++) {
        assert_true(let_one_end(fixture));
        assert_string_equal(numbers_in(fixture->file), "");
        fixture->now += 10 * SECOND;
    }
    let_all_end(fixture);
    assert_string_equal(numbers_in(fixture->file), "1 2 ");
}

static void a_command_that_does_not_end_is_killed_with_all_that_it_started(void **state)
{
    struct fixture *fixture = *state;
    uint64_t begun = stk_clock_mono_us();
    uint64_t due = 0;

    use(fixture, false, "/usr/bin/env sh -c sleep${IFS}60&sleep${IFS}60");
    take(fixture, 1);
    due = stk_witness_tick(&fixture->witness, fixture->now);
    assert_int_equal(due, fixture->now + STK_WITNESS_TRY_MS * 1000);
    (void)usleep(200000);
    fixture->now = due;
    assert_true(let_one_end(fixture));
    assert_true(stk_clock_mono_us() - begun < 5 * SECOND);
    assert_true(fixture->witness.ways[STK_WITNESS_COMMAND].told);
    assert_int_equal(fixture->witness.ways[STK_WITNESS_COMMAND].next, 0);
}

static void a_command_that_is_not_there_is_tried_again(void **state)
{
    struct fixture *fixture = *state;

    use(fixture, true, "/nowhere/to/be/found");
    take(fixture, 1);
    let_all_end(fixture);
    assert_true(fixture->witness.ways[STK_WITNESS_COMMAND].told);
    /* Which is nothing to the file. */
    assert_string_equal(numbers_in(fixture->file), "1 ");
    take(fixture, 2);
    let_all_end(fixture);
    assert_string_equal(numbers_in(fixture->file), "1 2 ");
}

static void a_command_has_no_descriptor_of_ours(void **state)
{
    struct fixture *fixture = *state;
    char command[192] = "";
    char script[128] = "";
    char text[256] = "";
    FILE *file = NULL;

    (void)snprintf(script, sizeof(script), "%s/script", fixture->directory);
    file = fopen(script, "we");
    (void)fprintf(file, "ls /proc/self/fd | tr '\\n' ' ' > %s\n", fixture->file);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(command, sizeof(command), "/bin/sh %s", script);
    use(fixture, false, command);
    /* One that is not close-on-exec. */
    assert_int_equal(dup2(STDERR_FILENO, 77), 77);
    take(fixture, 1);
    let_all_end(fixture);
    (void)close(77);
    file = fopen(fixture->file, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    (void)fclose(file);
    assert_string_equal(text, "0 1 2 3 "); /* 3: the directory itself */
}

/* ---- the end */

static void at_the_end_what_waits_is_tried_once_more(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mkdir(fixture->file, 0700), 0);
    use(fixture, true, NULL);
    take(fixture, 1);
    assert_true(let_one_end(fixture));
    take(fixture, 2);
    stk_witness_hurry(&fixture->witness);
    assert_false(stk_witness_is_done(&fixture->witness));
    assert_true(let_one_end(fixture)); /* fails again */
    assert_true(stk_witness_is_done(&fixture->witness));
    fixture->now += 100 * SECOND;
    assert_false(let_one_end(fixture));
}

static void at_the_end_what_can_be_written_is(void **state)
{
    struct fixture *fixture = *state;

    use(fixture, true, NULL);
    take(fixture, 1);
    stk_witness_hurry(&fixture->witness);
    assert_false(stk_witness_is_done(&fixture->witness));
    let_all_end(fixture);
    assert_true(stk_witness_is_done(&fixture->witness));
    assert_string_equal(numbers_in(fixture->file), "1 ");
}

/* ---- the key for numbers */

static void a_key_for_numbers_is_as_private_as_a_pin(void **state)
{
    struct fixture *fixture = *state;
    struct stk_error error = {0};
    int fd = open(fixture->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(stk_number_key_open(fixture->file, geteuid(), &fd, &error), STIRKEEP_CONFIG);
    assert_non_null(strstr(error.message, "empty"));
    assert_int_equal(write(fd, "0123456789abcdef0123456789abcdef", 32), 32);
    (void)close(fd);
    assert_int_equal(stk_number_key_open(fixture->file, geteuid(), &fd, &error), STIRKEEP_OK);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    (void)close(fd);
    assert_int_equal(chmod(fixture->file, 0640), 0);
    assert_int_equal(stk_number_key_open(fixture->file, geteuid(), &fd, &error), STIRKEEP_CONFIG);
    assert_non_null(strstr(error.message, "the key for numbers"));
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(stk_number_key_open("", geteuid(), &fd, &error), STIRKEEP_CONFIG);
    assert_non_null(strstr(error.message, "[audit] number-key is empty"));
    assert_int_equal(chmod(fixture->file, 0600), 0);
    (void)setenv("CREDENTIALS_DIRECTORY", fixture->directory, 1);
    assert_int_equal(stk_number_key_open("", geteuid(), &fd, &error), STIRKEEP_CONFIG);
    {
        char name[128] = "";

        (void)snprintf(name, sizeof(name), "%s/number-key", fixture->directory);
        assert_int_equal(rename(fixture->file, name), 0);
    }
    assert_int_equal(stk_number_key_open("", geteuid(), &fd, &error), STIRKEEP_OK);
    (void)close(fd);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_reads_like_a_seal_is_taken),
        TEST(without_a_witness_nothing_is_kept),
        TEST(seals_are_appended_and_what_was_there_stays),
        TEST(half_a_line_that_a_power_cut_left_spoils_no_other),
        TEST(what_could_not_be_written_is_written_later_in_order),
        TEST(without_room_no_part_of_a_line_stays),
        TEST(a_file_that_others_may_write_is_no_witness),
        TEST(the_oldest_of_too_many_are_lost_and_the_rest_are_in_order),
        TEST(a_command_gets_one_line_at_a_time_in_order),
        TEST(a_command_that_fails_gets_the_same_line_again),
        TEST(a_command_that_does_not_end_is_killed_with_all_that_it_started),
        TEST(a_command_that_is_not_there_is_tried_again),
        TEST(a_command_has_no_descriptor_of_ours),
        TEST(at_the_end_what_waits_is_tried_once_more),
        TEST(at_the_end_what_can_be_written_is),
        TEST(a_key_for_numbers_is_as_private_as_a_pin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
