/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PKCS#11 module in front of the one that STIRKEEP_WRAP_MODULE names. It hands every call on, and
 * does beside it what the script says: see README.md.
 */
#include "script.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static CK_FUNCTION_LIST *inner;
static CK_FUNCTION_LIST outer;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- what is done beside a call */

/* Without a lock: as many as there are threads may wait at once. */
static void wait_us(uint64_t us)
{
    static _Thread_local int exact;
    const struct timespec delay = {.tv_sec = (time_t)(us / 1000000),
                                   .tv_nsec = (long)(us % 1000000) * 1000};

    if (us == 0)
        return;
    if (!exact)
        (void)prctl(PR_SET_TIMERSLACK, 1UL);
    exact = 1;
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &delay, NULL);
}

static int is_writer(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info = {0};

    return inner->C_GetSessionInfo(session, &info) == CKR_OK && (info.flags & CKF_RW_SESSION) != 0;
}

static void forget_sessions(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info = {0};

    if (inner->C_GetSessionInfo(session, &info) == CKR_OK)
        (void)inner->C_CloseAllSessions(info.slotID);
}

/* False: the call does not get there, and returns `turn->rv`. */
static int begin(enum function function, CK_SESSION_HANDLE session, struct turn *turn)
{
    script_turn(function, is_writer, session, turn);
    wait_us(turn->delay_us);
    switch (turn->action) {
    case ACTION_RETURN:
        return 0;
    case ACTION_SLEEP:
        wait_us(turn->rv * 1000);
        break;
    case ACTION_HANG:
        for (;;)
            (void)pause();
    case ACTION_CRASH:
        (void)signal(SIGSEGV, SIG_DFL);
        (void)raise(SIGSEGV);
        _exit(1);
    case ACTION_LOGOUT:
        (void)inner->C_Logout(session);
        break;
    case ACTION_SESSIONS:
        forget_sessions(session);
        break;
    default:
        break;
    }
    return 1;
}

static CK_RV end(const struct turn *turn, CK_RV rv)
{
    return turn->action == ACTION_LOSE ? turn->rv : rv;
}

/* ---- the calls */

#define FUNCTION(name, session, parameters, arguments)                                             \
    static CK_RV handed_##name parameters                                                          \
    {                                                                                              \
        struct turn turn = {0};                                                                    \
                                                                                                   \
        return begin(NUMBER_##name, session, &turn) ? end(&turn, inner->name arguments) : turn.rv; \
    }
#include "functions.h"
#undef FUNCTION

/* Also what is signed may be wrong. */
static CK_RV handed_sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_length,
                         CK_BYTE *signature, CK_ULONG *length)
{
    struct turn turn = {0};
    CK_RV rv = CKR_OK;

    if (!begin(NUMBER_C_Sign, session, &turn))
        return turn.rv;
    rv = inner->C_Sign(session, data, data_length, signature, length);
    if (rv == CKR_OK && signature != NULL && *length > 0) {
        if (turn.action == ACTION_WRONG)
            signature[*length - 1] ^= 1;
        if (turn.action == ACTION_SHORT)
            (*length)--;
        if (turn.action == ACTION_EMPTY)
            *length = 0;
    }
    return end(&turn, rv);
}

static CK_RV handed_function_list(CK_FUNCTION_LIST **list)
{
    struct turn turn = {0};

    if (!begin(NUMBER_C_GetFunctionList, 0, &turn))
        return turn.rv;
    *list = &outer;
    return end(&turn, CKR_OK);
}

/* ---- the module */

static void load(void)
{
    const char *module = getenv("STIRKEEP_WRAP_MODULE");
    CK_C_GetFunctionList theirs = NULL;
    CK_FUNCTION_LIST *found = NULL;
    void *library = module != NULL ? dlopen(module, RTLD_NOW | RTLD_LOCAL) : NULL;

    if (library != NULL)
        *(void **)&theirs = dlsym(library, "C_GetFunctionList");
    if (theirs == NULL || theirs(&found) != CKR_OK)
        return;
    script_open(getenv("STIRKEEP_WRAP_SCRIPT"), getenv("STIRKEEP_WRAP_COUNTS"));
    outer.version = found->version;
    outer.C_GetFunctionList = handed_function_list;
#define FUNCTION(name, session, parameters, arguments) outer.name = handed_##name;
#include "functions.h"
#undef FUNCTION
    outer.C_Sign = handed_sign;
    inner = found;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    (void)pthread_once(&once, load);
    return inner != NULL ? handed_function_list(list) : CKR_GENERAL_ERROR;
}
