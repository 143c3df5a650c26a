/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_STAGED_H
#define STK_INTAKE_STAGED_H

#include "base/error.h"
#include "model/certificate.h"
#include <event2/event_struct.h>

/*
 * Staged generations become active when their time has come, one after the other: the token proves
 * that the key signs, then one transaction. What cannot be done is put off, told once for each
 * reason, and tried again. One thread.
 */

struct stk_intake;

struct stk_staged {
    struct event timer;
    bool proving;
    struct stk_certificate certificate; /* the next one, or the one that is being proven */
    struct stk_name told_name;          /* what was said last, and of which name */
    struct stk_error told;
};

bool stk_staged_start(struct stk_intake *intake);
/* Something was staged, or is no more: look what comes next. */
void stk_staged_look(struct stk_intake *intake);

#endif
