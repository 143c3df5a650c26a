/* SPDX-License-Identifier: BSD-2-Clause */
#include "locked.h"

#include "lockdown/rights.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 61001

/* A line of /proc/self/status as a hexadecimal number. */
static uint64_t own(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256] = "";
    uint64_t value = UINT64_MAX;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            value = strtoull(line + strlen(name) + 1, NULL, 16);
    if (file != NULL)
        (void)fclose(file);
    return value;
}

static long without_capabilities(void)
{
    if (!stk_lockdown_no_capabilities())
        return -1;
    errno = EPERM;
    return own("CapPrm") == 0 && own("CapEff") == 0 && own("CapInh") == 0 && own("CapAmb") == 0
               ? 0
               : -1;
}

static void a_room_has_no_capabilities(void **state)
{
    (void)state;
    assert_int_equal(locked_child(without_capabilities), 0);
}

static long never_root_again(void)
{
    if (!stk_lockdown_forget_root() || setresuid(NOBODY, NOBODY, NOBODY) != 0)
        return -1;
    errno = EPERM;
    return own("CapBnd") == 0 && own("CapPrm") == 0 && own("CapEff") == 0 ? 0 : -1;
}

static void what_root_gave_up_for_a_room_no_program_brings_back(void **state)
{
    (void)state;
    if (geteuid() != 0 || prctl(PR_CAPBSET_READ, CAP_SETPCAP, 0, 0, 0) != 1) {
        print_message("only root can give it up\n");
        return;
    }
    assert_int_equal(locked_child(never_root_again), 0);
}

static long as_porter(void)
{
    const uint64_t others = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_NET_ADMIN | 1ULL << CAP_SYS_MODULE |
                            1ULL << CAP_SYS_RAWIO | 1ULL << CAP_SYS_BOOT | 1ULL << CAP_NET_RAW;

    if (!stk_rights_of_porter())
        return -1;
    errno = EPERM;
    if ((own("CapBnd") & others) != 0 && geteuid() == 0)
        return -1;
    return (own("CapEff") & others) == 0 && (own("CapPrm") & others) == 0 ? 0 : -1;
}

static void stirkeepd_keeps_what_its_work_takes(void **state)
{
    (void)state;
    assert_int_equal(locked_child(as_porter), 0);
}

/* ---- front's limits */

static void *do_nothing(void *context)
{
    return context;
}

static long start_a_thread(void)
{
    pthread_t thread;

    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        return 0;
    if (!stk_rights_of_front())
        return 0;
    errno = pthread_create(&thread, NULL, do_nothing, NULL);
    return errno == 0 ? 0 : -1;
}

static void front_starts_nothing(void **state)
{
    (void)state;
    assert_int_equal(locked_child(start_a_thread), EAGAIN);
}

/* As the kernel has it: sanitizers make mlock do nothing. */
static long lock_memory(void)
{
    static char page[4096];

    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        return 0;
    return stk_rights_of_front() ? syscall(SYS_mlock, page, sizeof(page)) : 0;
}

/* stirkeepd lifts the limit for the keeper, and rooms inherit it. */
static void front_locks_no_memory(void **state)
{
    (void)state;
    assert_int_equal(locked_child(lock_memory), EPERM);
}

static long grow_a_file(const char *path)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    if (!stk_rights_of_front())
        return 0;
    return write(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), "x", 1);
}

static char scratch[64];

static long grow_with_a_pipe_for_a_log(void)
{
    int ends[2] = {-1, -1};

    return pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0 ? grow_a_file(scratch) : 0;
}

static long grow_with_a_file_for_a_log(void)
{
    return dup2(open(scratch, O_WRONLY | O_CREAT, 0600), STDERR_FILENO) >= 0 ? grow_a_file(scratch)
                                                                             : -1;
}

static void front_makes_no_file_grow_but_its_log(void **state)
{
    (void)state;
    (void)snprintf(scratch, sizeof(scratch), "/tmp/stk-rights-%d", (int)getpid());
    assert_int_equal(locked_child(grow_with_a_pipe_for_a_log), EFBIG);
    assert_int_equal(locked_child(grow_with_a_file_for_a_log), 0);
    (void)unlink(scratch);
}

/* ---- what is told of it */

static void an_open_process_is_told_as_one(void **state)
{
    char text[STK_LOCKDOWN_TEXT] = "";

    (void)state;
    assert_false(stk_lockdown_describe((int)getpid(), "open landlock 0", text));
    assert_non_null(strstr(text, "system calls not filtered, no Landlock"));
    assert_false(stk_lockdown_describe((int)getpid(), "", text));
    assert_non_null(strstr(text, "system calls not filtered, no Landlock"));
    /* One that says it has a filter, and the kernel does not know of it. */
    (void)stk_lockdown_describe((int)getpid(), "filtered landlock 3", text);
    if (own("Seccomp") == 0)
        assert_non_null(strstr(text, "system calls not filtered, Landlock 3"));
}

static void a_process_that_is_gone_is_not_known(void **state)
{
    char text[STK_LOCKDOWN_TEXT] = "";

    (void)state;
    assert_false(stk_lockdown_describe(0x7fffffff, "filtered landlock 7", text));
    assert_non_null(strstr(text, "not known"));
}

/* Here the child is looked at from outside, as stirkeepd does. */
static void a_locked_process_is_told_as_one(void **state)
{
    static const struct stk_access nothing[1];
    const struct locked as = {STK_ROOM_FRONT, STK_KEEPER_STRICT, nothing, 0, false};
    char text[STK_LOCKDOWN_TEXT] = "";
    char word = 0;
    int ends[2] = {-1, -1};
    int back[2] = {-1, -1};
    pid_t child = 0;

    (void)state;
    if (STK_LOCKDOWN_RELAXED)
        return;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pipe(back), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)stk_lockdown_no_capabilities();
        locked_enter(&as);
        (void)!write(ends[1], "x", 1);
        (void)!read(back[0], &word, 1);
        _exit(0);
    }
    assert_int_equal(read(ends[0], &word, 1), 1);
    assert_true(stk_lockdown_describe((int)child, "filtered landlock 3", text));
    assert_string_equal(text, "system calls filtered, Landlock 3, no new privileges, "
                              "no capabilities");
    /* It may have nothing to say. */
    assert_false(stk_lockdown_describe((int)child, "nonsense", text));
    assert_non_null(strstr(text, "system calls not filtered, no Landlock"));
    /* A container's filter is not ours. */
    assert_false(stk_lockdown_describe((int)child, "open landlock 3", text));
    assert_non_null(strstr(text, "system calls not filtered, Landlock 3"));
    assert_true(stk_lockdown_describe((int)child, "filtered porter", text));
    assert_string_equal(text, "system calls filtered, no new privileges, no capabilities");
    assert_int_equal(write(back[1], "x", 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_has_no_capabilities),
        cmocka_unit_test(what_root_gave_up_for_a_room_no_program_brings_back),
        cmocka_unit_test(stirkeepd_keeps_what_its_work_takes),
        cmocka_unit_test(front_starts_nothing),
        cmocka_unit_test(front_locks_no_memory),
        cmocka_unit_test(front_makes_no_file_grow_but_its_log),
        cmocka_unit_test(an_open_process_is_told_as_one),
        cmocka_unit_test(a_process_that_is_gone_is_not_known),
        cmocka_unit_test(a_locked_process_is_told_as_one),
    };

    return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
