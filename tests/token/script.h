/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_TOKEN_SCRIPT_H
#define STK_TEST_TOKEN_SCRIPT_H

#include <p11-kit/pkcs11.h>
#include <stdint.h>

/* What the wrapping module is to do, as README.md writes it. Any thread. */

enum function {
#define FUNCTION(name, session, parameters, arguments) NUMBER_##name,
#include "functions.h"
#undef FUNCTION
    NUMBER_C_GetFunctionList,
    FUNCTION_COUNT
};

/* Whose calls a rule counts. */
enum whose { WHOSE_ANY, WHOSE_WRITER, WHOSE_READER, WHOSE_COUNT };

enum action {
    ACTION_NONE,
    ACTION_RETURN,   /* `rv`, without the call */
    ACTION_LOSE,     /* `rv`, after the call */
    ACTION_SLEEP,    /* so many milliseconds, and then the call */
    ACTION_HANG,     /* for ever */
    ACTION_CRASH,    /* the process */
    ACTION_WRONG,    /* signature */
    ACTION_SHORT,    /* likewise */
    ACTION_EMPTY,    /* likewise */
    ACTION_LOGOUT,   /* before the call */
    ACTION_SESSIONS, /* all closed before the call */
    ACTION_COUNT
};

/* One call's lot. */
struct turn {
    uint64_t delay_us;
    enum action action;
    CK_RV rv;
};

/* Either may be NULL: no script, no counting. */
void script_open(const char *script, const char *counts);
/* Count one call. `is_writer` tells of its session, and is asked only when a rule wants to know it. */
void script_turn(enum function function, int (*is_writer)(CK_SESSION_HANDLE),
                 CK_SESSION_HANDLE session, struct turn *ret_turn);

#endif
