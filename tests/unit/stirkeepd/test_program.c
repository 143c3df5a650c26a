/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stirkeepd/program.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Which program a process runs: sleepers of all kinds, run from a directory of the test's own. */

struct bed {
    char directory[64];
    char program[128]; /* a copy of sleep(1) */
};

static void copy_sleep(const char *to)
{
    char command[2 * STK_EXECUTABLE_MAX + 64] = "";

    (void)snprintf(command, sizeof(command), "cp /bin/sleep '%s' && chmod 755 '%s'", to, to);
    assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
    struct bed *bed = calloc(1, sizeof(*bed));

    assert_non_null(bed);
    (void)snprintf(bed->directory, sizeof(bed->directory), "/tmp/stk-program-XXXXXX");
    assert_non_null(mkdtemp(bed->directory));
    assert_int_equal(chmod(bed->directory, 0755), 0);
    (void)snprintf(bed->program, sizeof(bed->program), "%s/sleeper", bed->directory);
    copy_sleep(bed->program);
    *state = bed;
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

static int teardown(void **state)
{
    struct bed *bed = *state;

    (void)nftw(bed->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(bed);
    return 0;
}

/* Run it, after `prepare` in the child; returns when the program has been reached (a close-on-exec
 * pipe says so), or 0 when it could not be. */
static pid_t run(const char *program, bool (*prepare)(const char *program), const char *argument)
{
    int done[2] = {-1, -1};
    char byte = 0;
    ssize_t got = 0;
    pid_t pid = 0;

    assert_int_equal(pipe2(done, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (prepare == NULL || prepare(argument))
            (void)execl(program, "sleeper", "60", NULL);
        (void)!write(done[1], "x", 1);
        _exit(1);
    }
    (void)close(done[1]);
    got = read(done[0], &byte, 1);
    (void)close(done[0]);
    if (got == 0)
        return pid;
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return 0;
}

static void end(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static struct stk_program find(pid_t pid)
{
    struct stk_program program = {.executable = "left over", .unit = "left over"};

    stk_program_find(pid, &program);
    return program;
}

static void a_program_is_known_by_its_path(void **state)
{
    const struct bed *bed = *state;
    pid_t pid = run(bed->program, NULL, NULL);

    assert_string_equal(find(pid).executable, bed->program);
    end(pid);
}

static void the_path_is_that_of_the_file_not_the_name_it_was_called_by(void **state)
{
    const struct bed *bed = *state;
    char link[160] = "";
    pid_t pid = 0;

    (void)snprintf(link, sizeof(link), "%s/other-name", bed->directory);
    assert_int_equal(symlink(bed->program, link), 0);
    pid = run(link, NULL, NULL);
    assert_string_equal(find(pid).executable, bed->program);
    end(pid);
}

static void one_that_has_ended_is_nobody(void **state)
{
    const struct bed *bed = *state;
    pid_t pid = run(bed->program, NULL, NULL);
    siginfo_t ended = {0};
    struct stk_program program = {0};

    (void)kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
    stk_program_find(pid, &program); /* a zombie */
    assert_string_equal(program.executable, "");
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    stk_program_find(pid, &program); /* and gone */
    assert_string_equal(program.executable, "");
    assert_string_equal(program.unit, "");
}

static void a_program_that_was_removed_or_replaced_has_no_path(void **state)
{
    const struct bed *bed = *state;
    pid_t pid = run(bed->program, NULL, NULL);

    assert_int_equal(unlink(bed->program), 0);
    assert_string_equal(find(pid).executable, "");
    copy_sleep(bed->program); /* as an upgrade does: another file by that name */
    assert_string_equal(find(pid).executable, "");
    end(pid);
}

/* The kernel tells a removed file's path with " (deleted)" behind it, which may be a name, too. */
static void a_file_called_deleted_is_not_taken_for_a_removed_one(void **state)
{
    const struct bed *bed = *state;
    char other[160] = "";
    pid_t pid = run(bed->program, NULL, NULL);

    assert_int_equal(unlink(bed->program), 0);
    (void)snprintf(other, sizeof(other), "%s (deleted)", bed->program);
    copy_sleep(other);
    assert_string_equal(find(pid).executable, "");
    end(pid);
}

static bool mount_over(const char *program)
{
    char other[160] = "";
    char map[64] = "";
    int fd = -1;
    uid_t uid = getuid();

    (void)snprintf(other, sizeof(other), "%s-evil", program);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    (void)snprintf(map, sizeof(map), "0 %u 1\n", (unsigned)uid);
    fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    (void)!write(fd, map, strlen(map));
    (void)close(fd);
    return mount(other, program, "", MS_BIND, NULL) == 0;
}

/* Everybody may make a mount namespace, in which any path leads to what they like. */
static void a_file_of_their_own_mounted_there_does_not_pass_for_the_program(void **state)
{
    const struct bed *bed = *state;
    char evil[160] = "";
    char path[64] = "";
    char seen[256] = "";
    pid_t pid = 0;

    (void)snprintf(evil, sizeof(evil), "%s-evil", bed->program);
    copy_sleep(evil);
    pid = run(bed->program, mount_over, bed->program);
    if (pid == 0) {
        print_message("# not here: no mount namespace\n");
        return;
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    assert_true(readlink(path, seen, sizeof(seen) - 1) > 0);
    assert_string_equal(seen, bed->program); /* what a path alone would say */
    assert_string_equal(find(pid).executable, "");
    end(pid);
}

static void a_path_with_a_newline_in_it_is_not_told(void **state)
{
    const struct bed *bed = *state;
    char path[160] = "";
    pid_t pid = 0;

    (void)snprintf(path, sizeof(path), "%s/new\nline", bed->directory);
    copy_sleep(path);
    pid = run(path, NULL, NULL);
    assert_string_equal(find(pid).executable, "");
    end(pid);
}

/* The longest path that a grant may name, and one more character. */
static void a_path_too_long_for_a_grant_is_not_told(void **state)
{
    const struct bed *bed = *state;
    char path[STK_EXECUTABLE_MAX + 2] = "";
    size_t length = strlen(bed->directory);

    memcpy(path, bed->directory, length);
    while (length < STK_EXECUTABLE_MAX - 150) { /* "/" and 100 characters */
        path[length++] = '/';
        memset(path + length, 'd', 100);
        length += 100;
        assert_int_equal(mkdir(path, 0755), 0);
    }
    path[length++] = '/';
    for (size_t target = STK_EXECUTABLE_MAX; target <= STK_EXECUTABLE_MAX + 1; target++) {
        pid_t pid = 0;

        memset(path + length, 'f', target - length);
        path[target] = '\0';
        copy_sleep(path);
        pid = run(path, NULL, NULL);
        assert_string_equal(find(pid).executable, target == STK_EXECUTABLE_MAX ? path : "");
        end(pid);
    }
}

static void what_is_no_process_is_nobody(void **state)
{
    static const pid_t pids[] = {0, -1, INT32_MAX};
    (void)state;

    for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
        struct stk_program program = {.executable = "left over"};

        stk_program_find(pids[i], &program);
        assert_string_equal(program.executable, "");
    }
}

/* As the porter is, an ordinary user's included: then /proc/self is root's. */
static void one_who_may_not_be_looked_into_still_sees_others(void **state)
{
    const struct bed *bed = *state;
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        pid_t pid = 0;
        bool good = false;

        if (geteuid() == 0 && (setgid(61009) != 0 || setuid(61009) != 0))
            _exit(2);
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        pid = run(bed->program, NULL, NULL);
        good = pid > 0 && strcmp(find(pid).executable, bed->program) == 0;
        end(pid);
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- units */

static void a_unit_is_the_first_thing_below_the_slices(void **state)
{
    static const struct {
        const char *text;
        const char *unit;
    } cases[] = {
        {"0::/system.slice/kamailio.service\n", "kamailio.service"},
        {"0::/system.slice/kamailio.service", "kamailio.service"},
        {"0::/kamailio.service\n", "kamailio.service"}, /* Slice=-.slice */
        {"0::/system.slice/system-kamailio.slice/kamailio@a.service\n", "kamailio@a.service"},
        {"0::/system.slice/kamailio.service/inner\n", "kamailio.service"},
        {"0::/system.slice/a.service/kamailio.service\n", "a.service"}, /* delegated */
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/kamailio.service\n",
         "user@1000.service"},
        {"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope"},
        {"0::/machine.slice/machine-x.scope/payload/system.slice/kamailio.service\n",
         "machine-x.scope"},
        {"0::/init.scope\n", "init.scope"},
        /* The old hierarchies: systemd's own counts, wherever it stands. */
        {"12:cpu,cpuacct:/evil.service\n1:name=systemd:/system.slice/k.service\n0::/"
         "other.service\n",
         "k.service"},
        {"0::/other.service\n1:name=systemd:/system.slice/k.service\n", "k.service"},
        {"12:memory:/evil.service\n0::/system.slice/k.service\n", "k.service"},
        {"5:name=elogind:/evil.service\n", ""},
        /* Names that systemd escapes. */
        {"0::/system.slice/_cgroup.service\n", "cgroup.service"},
        {"0::/system.slice/__x.service\n", "_x.service"},
        /* None. */
        {"0::/\n", ""},
        {"", ""},
        {"\n\n", ""},
        {"0::\n", ""},
        {"0::system.slice/k.service\n", ""},
        {"0::/..\n", ""},
        {"0::/../../system.slice/k.service\n", ""},
        {"0::/docker/0123456789abcdef\n", ""},
        {"0::/docker/k.service\n", ""},
        {"0::/system.slice\n", ""},
        {"0::/system.slice/\n", ""},
        {"0::/system.slice//k.service\n", ""},
        {"0::/system.slice/.service\n", ""},
        {"0::/system.slice/_.service\n", ""},
        {"0::/system.slice/k.service (deleted)\n", ""},
        {"0::/system.slice/k.socket\n", ""},
        {"0:memory:/k.service\n", ""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char unit[STK_UNIT_MAX + 1] = "left over";

        stk_program_unit(cases[i].text, unit);
        assert_string_equal(unit, cases[i].unit);
    }
}

static void a_unit_too_long_is_none(void **state)
{
    char text[STK_UNIT_MAX + 64] = "0::/system.slice/";
    char unit[STK_UNIT_MAX + 1] = "";
    size_t begin = strlen(text);
    (void)state;

    for (size_t length = STK_UNIT_MAX; length <= STK_UNIT_MAX + 1; length++) {
        memset(text + begin, 'u', length);
        memcpy(text + begin + length - 8, ".service\n", 10);
        stk_program_unit(text, unit);
        assert_int_equal(strlen(unit), length == STK_UNIT_MAX ? length : 0);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_is_known_by_its_path),
        TEST(the_path_is_that_of_the_file_not_the_name_it_was_called_by),
        TEST(one_that_has_ended_is_nobody),
        TEST(a_program_that_was_removed_or_replaced_has_no_path),
        TEST(a_file_called_deleted_is_not_taken_for_a_removed_one),
        TEST(a_file_of_their_own_mounted_there_does_not_pass_for_the_program),
        TEST(a_path_with_a_newline_in_it_is_not_told),
        TEST(a_path_too_long_for_a_grant_is_not_told),
        TEST(what_is_no_process_is_nobody),
        TEST(one_who_may_not_be_looked_into_still_sees_others),
        cmocka_unit_test(a_unit_is_the_first_thing_below_the_slices),
        cmocka_unit_test(a_unit_too_long_is_none),
    };

    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
