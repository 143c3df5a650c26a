/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PKCS#11 module in front of another one, as slow as a network HSM: each C_Sign takes
 * STIRKEEP_SLOW_US microseconds from call to return, in which the other module makes the signature
 * and then nothing is done, and as many as there are sessions may do so at once.
 * STIRKEEP_SLOW_MODULE is the path of the other module.
 */
#include <dlfcn.h>
#include <errno.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static CK_FUNCTION_LIST *inner;
static CK_FUNCTION_LIST outer;
static long delay_us;

static void wait_after(struct timespec when)
{
    static _Thread_local int exact;

    if (!exact)
        (void)prctl(PR_SET_TIMERSLACK, 1UL);
    exact = 1;
    when.tv_sec += delay_us / 1000000;
    when.tv_nsec += delay_us % 1000000 * 1000;
    when.tv_sec += when.tv_nsec / 1000000000;
    when.tv_nsec %= 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        continue;
}

static CK_RV slow_sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_length,
                       CK_BYTE_PTR signature, CK_ULONG_PTR signature_length)
{
    struct timespec began = {0};
    CK_RV rv = CKR_OK;

    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    rv = inner->C_Sign(session, data, data_length, signature, signature_length);
    wait_after(began);
    return rv;
}

static CK_RV slow_function_list(CK_FUNCTION_LIST_PTR_PTR list)
{
    *list = &outer;
    return CKR_OK;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    const char *module = getenv("STIRKEEP_SLOW_MODULE");
    const char *delay = getenv("STIRKEEP_SLOW_US");
    CK_C_GetFunctionList theirs = NULL;
    void *library = NULL;

    if (inner == NULL) {
        library = module != NULL ? dlopen(module, RTLD_NOW | RTLD_LOCAL) : NULL;
        if (library != NULL)
            *(void **)&theirs = dlsym(library, "C_GetFunctionList");
        if (theirs == NULL || theirs(&inner) != CKR_OK)
            return CKR_GENERAL_ERROR;
        delay_us = delay != NULL ? strtol(delay, NULL, 10) : 5000;
        outer = *inner;
        outer.C_Sign = slow_sign;
        outer.C_GetFunctionList = slow_function_list;
    }
    return slow_function_list(list);
}
