/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/process.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_right(void)
{
    return stk_process_id() == (pid_t)syscall(SYS_getpid);
}

/* Of a child, in which `other` should be no process's number. */
static int judge(pid_t other)
{
    return stk_process_id() != other && is_right() && is_right() ? 0 : 1;
}

static void is_what_the_kernel_says_each_time(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(is_right());
}

static void await_good(pid_t child)
{
    int how = 0;

    assert_true(child > 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void is_anothers_in_a_child_and_in_its_child(void **state)
{
    pid_t mine = stk_process_id();
    pid_t child = fork();
    (void)state;

    if (child == 0) {
        int how = 0;
        pid_t its = 0;

        if (judge(mine) != 0 || (its = fork()) < 0)
            _exit(1);
        if (its == 0)
            _exit(judge(getppid()));
        _exit(waitpid(its, &how, 0) == its && how == 0 ? 0 : 1);
    }
    await_good(child);
    assert_int_equal(stk_process_id(), mine);
}

/* A child that no library heard of. */
static void is_anothers_in_a_child_by_the_bare_system_call(void **state)
{
    pid_t mine = stk_process_id();
    pid_t child = (pid_t)syscall(SYS_clone, (unsigned long)SIGCHLD, NULL, NULL, NULL, 0UL);
    (void)state;

    if (child == 0)
        _exit(judge(mine));
    await_good(child);
}

static void *ask(void *good)
{
    *(bool *)good = is_right();
    return NULL;
}

static void is_the_same_in_all_threads(void **state)
{
    pthread_t threads[8];
    bool good[8] = {false};
    (void)state;

    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &good[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(good[i]);
    }
}

/* ---- slices */

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

static struct attributes attributes_now(void)
{
    struct attributes now = {0};

    assert_int_equal(syscall(SYS_sched_getattr, 0, &now, sizeof(now), 0), 0);
    return now;
}

/* Linux 6.12 was the first to keep it. */
static bool keeps_slices(void)
{
    struct utsname system = {0};
    int major = 0;
    int minor = 0;

    assert_int_equal(uname(&system), 0);
    assert_int_equal(sscanf(system.release, "%d.%d", &major, &minor), 2);
    return major > 6 || (major == 6 && minor >= 12);
}

static void *tell_runtime(void *ret_runtime_ns)
{
    *(uint64_t *)ret_runtime_ns = attributes_now().runtime_ns;
    return NULL;
}

static void a_slice_is_all_that_changes_and_threads_have_it_too(void **state)
{
    const struct attributes before = attributes_now();
    struct attributes now = {0};
    uint64_t of_thread_ns = 0;
    pthread_t thread = 0;
    (void)state;

    stk_process_slice(STK_SLICE_LONG_US);
    now = attributes_now();
    assert_int_equal(pthread_create(&thread, NULL, tell_runtime, &of_thread_ns), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(now.policy, before.policy);
    assert_int_equal(now.nice, before.nice);
    if (keeps_slices() && now.policy == SCHED_OTHER) {
        assert_int_equal(now.runtime_ns, STK_SLICE_LONG_US * 1000);
        assert_int_equal(of_thread_ns, now.runtime_ns);
    }
    stk_process_slice(0);
    assert_int_equal(attributes_now().runtime_ns, before.runtime_ns);
}

/* ---- going first, in a child */

/* What is wrong, if anything. */
static int go_first_from(int nice)
{
    int now = 0;

    if (setpriority(PRIO_PROCESS, 0, nice) != 0)
        return 0; /* not for us to raise it */
    stk_process_go_first(true);
    now = attributes_now().nice;
    if (now != nice && now != -5)
        return 1;
    if (now == nice && nice > -5 && setpriority(PRIO_PROCESS, 0, -5) == 0)
        return 2; /* it could have */
    stk_process_go_first(false);
    if (attributes_now().nice < 0)
        return 3;
    return now <= 0 || attributes_now().nice == now ? 0 : 4;
}

static void who_may_goes_first_and_who_does_not_is_as_others(void **state)
{
    static const int nices[] = {-20, -6, -5, -1, 0, 1, 19};
    (void)state;

    if (attributes_now().policy != SCHED_OTHER)
        return; /* the others keep no nice values */
    for (size_t i = 0; i < sizeof(nices) / sizeof(nices[0]); i++) {
        const pid_t child = fork();
        int how = 0;

        if (child == 0)
            _exit(go_first_from(nices[i]));
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_int_equal(how, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_the_kernel_says_each_time),
        cmocka_unit_test(is_anothers_in_a_child_and_in_its_child),
        cmocka_unit_test(is_anothers_in_a_child_by_the_bare_system_call),
        cmocka_unit_test(is_the_same_in_all_threads),
        cmocka_unit_test(who_may_goes_first_and_who_does_not_is_as_others),
        cmocka_unit_test(a_slice_is_all_that_changes_and_threads_have_it_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
