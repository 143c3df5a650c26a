/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_COMPLETION_H
#define STK_CLI_COMPLETION_H

#include "cli/verb.h"

/* What a shell offers where a value is to stand, by what the help calls it. */
enum stk_completes {
    STK_COMPLETES_NOTHING,
    STK_COMPLETES_FILES,       /* "FILE" */
    STK_COMPLETES_DIRECTORIES, /* "DIR" */
    STK_COMPLETES_NAMES,       /* "NAME": certificates' names, asked of the service */
    STK_COMPLETES_WORDS        /* "strict|test": one of these */
};
enum stk_completes stk_completes(const char *value);

/* Print the completions of all verbs for that shell. */
void stk_completion_bash(void);
void stk_completion_zsh(void);

/* The lines that both have: asking the service for names, within half a second. */
extern const char stk_completion_names[];

#endif
