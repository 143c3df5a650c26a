/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_IMPORT_H
#define STK_INTAKE_IMPORT_H

#include "cert/cert.h"
#include "intake/connection.h"
#include <sys/queue.h>

/* An import under way: what its steps share. */
struct stk_import {
    struct stk_task *task;
    struct stk_chain *chain;
    struct stk_leaf leaf; /* texts in the task's arena */
    char x5u[STK_X5U_MAX + 1];
    uint8_t challenge[STK_CHALLENGE_LENGTH];
    int64_t intent; /* 0: none open */
    bool held;      /* all that is asked for is the active generation of this name already */
    uint32_t generation;
    char attributes[STK_ATTRIBUTES_MAX + 1];
    struct stk_error reason; /* while it is cleaned up: why */
    TAILQ_ENTRY(stk_import) entry;
};

TAILQ_HEAD(stk_import_list, stk_import);

/* Is the chain fit to sign with, and the key free for this name? Fills in the import; with OK the
 * intent is committed. */
enum stirkeep_status stk_import_check(struct stk_import *import, struct stk_error *error);

/* Free those that are under way. For the end of the program, before their tasks; their intents are
 * the next intake's. */
void stk_imports_free(struct stk_import_list *imports);

/* Is the intent one of an import that goes on? */
bool stk_import_owns(const struct stk_import_list *imports, int64_t intent);

#endif
