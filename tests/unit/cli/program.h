/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_CLI_PROGRAM_H
#define STK_TEST_CLI_PROGRAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those that it wants */
#include <cmocka.h>

#include <limits.h>
#include <stdbool.h>

/* The real program, run as a user would, in a directory of the test's own. */

/* What a run left behind. */
struct ran {
    int status; /* exit status; 128 + signal when one ended it */
    char out[128 * 1024];
    char err[4096];
};

/* The program's path: the test's first argument. */
void program_set(const char *path);

/*
 * Run it with `words` (ends with NULL) and `input` on standard input (NULL: empty), without a
 * terminal. It must end within 20 s. The result belongs to program.c until the next run.
 */
const struct ran *program_run(const char *input, const char *const *words);
#define program(input, ...) program_run(input, (const char *const[]){__VA_ARGS__, NULL})

/* The next run's standard output goes to this descriptor. */
void program_output(int fd);

/* It failed with this status and one line on standard error that has all these texts in it. */
void program_failed(const struct ran *ran, int status, const char *const *texts);
#define failed(ran, status, ...)                                                                   \
    program_failed(ran, status, (const char *const[]){__VA_ARGS__, NULL})

/* It ended with 0, silent on standard error. */
void program_done(const struct ran *ran);

/* cmocka set-up and tear-down: a directory, and sockets in it where nobody listens as the
 * environment's. */
int place_set_up(void **state);
int place_tear_down(void **state);

/* A path in it. One of 16 texts, used in turns. */
const char *place(const char *name);

void place_write(const char *name, const void *data, size_t length);
void place_text(const char *name, const char *text);
bool place_has(const char *name);

/* The whole file as text; one of 16 buffers, used in turns. */
const char *place_read(const char *name);

#endif
