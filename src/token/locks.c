/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/locks.h"

#include "base/fetch.h"
#include "token/footprint.h"
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOOKS 200 /* at a lock that is held, before its waiter sleeps: some microseconds */

enum { FREE, HELD, AWAITED /* held, and perhaps somebody sleeps */ };

/* Two threads with a lock each do not disturb each other. */
union lock {
    atomic_uint state;
    char alone[STK_CACHE_LINE];
};

static CK_RV create(void **ret_lock)
{
    union lock *lock = NULL;

    if (ret_lock == NULL)
        return CKR_ARGUMENTS_BAD;
    lock = aligned_alloc(STK_CACHE_LINE, sizeof(*lock));
    if (lock == NULL)
        return CKR_HOST_MEMORY;
    atomic_init(&lock->state, FREE);
    stk_footprint_note(lock, sizeof(lock->state));
    *ret_lock = lock;
    return CKR_OK;
}

static CK_RV destroy(void *held)
{
    if (held == NULL)
        return CKR_MUTEX_BAD;
    free(held);
    return CKR_OK;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool takes(union lock *lock)
{
    unsigned expected = FREE;

    return atomic_compare_exchange_strong_explicit(&lock->state, &expected, HELD,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void wait_for(union lock *lock)
{
    for (int i = 0; i < LOOKS; i++) {
        relax();
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == FREE && takes(lock))
            return;
    }
    while (atomic_exchange_explicit(&lock->state, AWAITED, memory_order_acquire) != FREE)
        (void)syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, AWAITED, NULL, NULL, 0);
}

static CK_RV take(void *held)
{
    union lock *lock = held;

    if (lock == NULL)
        return CKR_MUTEX_BAD;
    if (!takes(lock))
        wait_for(lock);
    return CKR_OK;
}

static CK_RV release(void *held)
{
    union lock *lock = held;

    if (lock == NULL)
        return CKR_MUTEX_BAD;
    if (atomic_exchange_explicit(&lock->state, FREE, memory_order_release) == AWAITED)
        (void)syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return CKR_OK;
}

CK_C_INITIALIZE_ARGS stk_locks_arguments(void)
{
    return (CK_C_INITIALIZE_ARGS){.CreateMutex = create,
                                  .DestroyMutex = destroy,
                                  .LockMutex = take,
                                  .UnlockMutex = release,
                                  .flags = CKF_OS_LOCKING_OK};
}
