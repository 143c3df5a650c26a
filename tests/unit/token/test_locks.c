/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/locks.h"

#include "fixture.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define THREADS 4
#define TURNS 50000

struct shared {
    CK_C_INITIALIZE_ARGS calls;
    void *lock;
    unsigned long count; /* the lock's */
    atomic_uint inside;
    atomic_uint waiting;
    long pause_ns; /* that its holder sleeps in every 1,000th turn; the others get to sleep too */
};

static void rest(long ns)
{
    const struct timespec pause = {.tv_nsec = ns};

    (void)nanosleep(&pause, NULL);
}

static void *count_up(void *argument)
{
    struct shared *shared = argument;

    for (unsigned i = 0; i < TURNS; i++) {
        assert_int_equal(shared->calls.LockMutex(shared->lock), CKR_OK);
        assert_int_equal(atomic_fetch_add(&shared->inside, 1), 0);
        shared->count++;
        if (shared->pause_ns > 0 && i % 1000 == 0)
            rest(shared->pause_ns);
        (void)atomic_fetch_sub(&shared->inside, 1);
        assert_int_equal(shared->calls.UnlockMutex(shared->lock), CKR_OK);
    }
    return NULL;
}

static void count_together(long pause_ns)
{
    struct shared shared = {.calls = stk_locks_arguments(), .pause_ns = pause_ns};
    pthread_t threads[THREADS];

    assert_int_equal(shared.calls.CreateMutex(&shared.lock), CKR_OK);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &shared), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(shared.count, THREADS * TURNS);
    assert_int_equal(shared.calls.DestroyMutex(shared.lock), CKR_OK);
}

static void one_at_a_time(void **state)
{
    (void)state;
    count_together(0);
}

static void those_who_sleep_are_woken(void **state)
{
    (void)state;
    count_together(1000000);
}

static void *take_and_release(void *argument)
{
    struct shared *shared = argument;

    atomic_store(&shared->waiting, 1);
    assert_int_equal(shared->calls.LockMutex(shared->lock), CKR_OK);
    atomic_store(&shared->waiting, 2);
    assert_int_equal(shared->calls.UnlockMutex(shared->lock), CKR_OK);
    return NULL;
}

/* Held for much longer than anybody looks again. */
static void who_waits_goes_on_when_it_is_released_and_not_before(void **state)
{
    struct shared shared = {.calls = stk_locks_arguments()};
    pthread_t thread;
    (void)state;

    assert_int_equal(shared.calls.CreateMutex(&shared.lock), CKR_OK);
    assert_int_equal(shared.calls.LockMutex(shared.lock), CKR_OK);
    assert_int_equal(pthread_create(&thread, NULL, take_and_release, &shared), 0);
    while (atomic_load(&shared.waiting) == 0)
        rest(1000000);
    rest(50000000);
    assert_int_equal(atomic_load(&shared.waiting), 1);
    assert_int_equal(shared.calls.UnlockMutex(shared.lock), CKR_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&shared.waiting), 2);
    assert_int_equal(shared.calls.DestroyMutex(shared.lock), CKR_OK);
}

static void what_is_no_lock_is_refused(void **state)
{
    const CK_C_INITIALIZE_ARGS calls = stk_locks_arguments();
    (void)state;

    assert_int_equal(calls.CreateMutex(NULL), CKR_ARGUMENTS_BAD);
    assert_int_equal(calls.DestroyMutex(NULL), CKR_MUTEX_BAD);
    assert_int_equal(calls.LockMutex(NULL), CKR_MUTEX_BAD);
    assert_int_equal(calls.UnlockMutex(NULL), CKR_MUTEX_BAD);
    assert_int_equal(calls.flags, CKF_OS_LOCKING_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(those_who_sleep_are_woken),
        cmocka_unit_test(who_waits_goes_on_when_it_is_released_and_not_before),
        cmocka_unit_test(what_is_no_lock_is_refused),
    };

    return cmocka_run_group_tests_name("token locks", tests, NULL, NULL);
}
