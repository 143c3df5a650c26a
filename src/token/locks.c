/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/locks.h"

#include "base/fetch.h"
#include <pthread.h>
#include <stdlib.h>

/* Two threads with a lock each do not disturb each other. */
union lock {
    pthread_mutex_t mutex;
    char alone[STK_CACHE_LINE];
};

static CK_RV create(void **ret_lock)
{
    pthread_mutexattr_t attributes;
    union lock *lock = NULL;

    if (ret_lock == NULL)
        return CKR_ARGUMENTS_BAD;
    lock = aligned_alloc(STK_CACHE_LINE, sizeof(*lock));
    if (lock == NULL)
        return CKR_HOST_MEMORY;
    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
    (void)pthread_mutex_init(&lock->mutex, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    *ret_lock = lock;
    return CKR_OK;
}

static CK_RV destroy(void *held)
{
    union lock *lock = held;

    if (lock == NULL)
        return CKR_MUTEX_BAD;
    (void)pthread_mutex_destroy(&lock->mutex);
    free(lock);
    return CKR_OK;
}

static CK_RV take(void *held)
{
    union lock *lock = held;

    return lock != NULL && pthread_mutex_lock(&lock->mutex) == 0 ? CKR_OK : CKR_MUTEX_BAD;
}

static CK_RV release(void *held)
{
    union lock *lock = held;

    return lock != NULL && pthread_mutex_unlock(&lock->mutex) == 0 ? CKR_OK : CKR_MUTEX_BAD;
}

CK_C_INITIALIZE_ARGS stk_locks_arguments(void)
{
    return (CK_C_INITIALIZE_ARGS){.CreateMutex = create,
                                  .DestroyMutex = destroy,
                                  .LockMutex = take,
                                  .UnlockMutex = release,
                                  .flags = CKF_OS_LOCKING_OK};
}
