/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_STAGED_H
#define STK_INTAKE_STAGED_H

#include "catalog/catalog.h"
#include <event2/event_struct.h>

/*
 * Staged generations become active when their time has come, in the order of their times: the token
 * proves that the key signs, then one transaction. What cannot be done is put off, told once for
 * each reason, and tried again; its time stays what it was, so that it never takes the place of what
 * was to come after it. One thread.
 */

struct stk_intake;

#define STK_DEFERRED_MAX 64

/* A generation whose time has come, and that could not become active. */
struct stk_deferred {
    struct stk_name name; /* empty: none */
    uint32_t generation;
    uint64_t until_us; /* CLOCK_MONOTONIC */
    struct stk_error why;
};

struct stk_staged {
    struct event timer;
    bool proving;
    struct stk_staged_generation next; /* that is being proven */
    struct stk_deferred deferred[STK_DEFERRED_MAX];
};

bool stk_staged_start(struct stk_intake *intake);
/* Something was staged, or is no more: look what comes next. */
void stk_staged_look(struct stk_intake *intake);

#endif
