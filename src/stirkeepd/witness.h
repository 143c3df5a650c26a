/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_STIRKEEPD_WITNESS_H
#define STK_STIRKEEPD_WITNESS_H

#include "config/config.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The trail's seals leave the keeper's hands: each goes to the log, is appended to a file that the
 * keeper cannot write, and given to a program of the administrator's. A disk that hangs and a
 * program that fails hold up nobody: a process of its own is at each of the two, one at a time, and
 * what it did not do is done again, in order. Times are microseconds of CLOCK_MONOTONIC.
 */

#define STK_WITNESS_WAITING 1000        /* lines; past it the oldest are lost, and told */
#define STK_WITNESS_TRY_MS 10000        /* for one try */
#define STK_WITNESS_AGAIN_MS 1000       /* after the first that failed; then doubled ... */
#define STK_WITNESS_AGAIN_LAST_MS 60000 /* ... up to this */

enum stk_witness_kind { STK_WITNESS_FILE, STK_WITNESS_COMMAND, STK_WITNESS_KINDS };

/* How far one of the two is. Lines have numbers from 0 on. */
struct stk_witness_way {
    uint64_t next;   /* the first line that it has not got */
    uint64_t until;  /* while somebody is at it: the first that he will not have given */
    pid_t pid;       /* 0: nobody is at it */
    uint64_t due_us; /* when he is killed, or it is tried again */
    unsigned again_ms;
    bool told; /* that it fails */
    bool told_lost;
    bool hurried; /* the service ends: a try that fails is the last one */
};

struct stk_witness {
    const char *file;    /* "": none */
    const char *command; /* "": none */
    char *lines[STK_WITNESS_WAITING];
    uint64_t count; /* of all lines so far */
    struct stk_witness_way ways[STK_WITNESS_KINDS];
};

/* The configuration has to live on. */
void stk_witness_init(struct stk_witness *witness, const struct stk_config *config);
/* Who is at it is killed. */
void stk_witness_free(struct stk_witness *witness);

/* A seal's line. False: it is none. */
bool stk_witness_take(struct stk_witness *witness, const char *line, uint64_t through);

/* A child was waited for: it may be one of these. */
void stk_witness_bury(struct stk_witness *witness, pid_t pid, int wait_status, uint64_t now_us);

/* Do what is due; when the next thing is (STK_DUE_NEVER). */
uint64_t stk_witness_tick(struct stk_witness *witness, uint64_t now_us);

/* The service ends: what waits to be tried again is tried now, once more. */
void stk_witness_hurry(struct stk_witness *witness);
/* Is nothing left to be done, or to be tried? */
bool stk_witness_is_done(const struct stk_witness *witness);

/* ---- witness_job.c: what the processes do */

/* A way that failed by itself: exit statuses of the one that appends. A lower one is an errno. */
#define STK_WITNESS_NOT_A_FILE 200
#define STK_WITNESS_NOT_OURS 201
#define STK_WITNESS_OPEN_TO_OTHERS 202

/* Is it a file whose lines nobody but root and we could change? 0, or which of these is wrong; and
 * that in words. */
struct stat;
int stk_witness_judge(const struct stat *about);
const char *stk_witness_fault(int fault);

/* Start one that appends `length` bytes of lines, or that runs the command with one line on its
 * standard input; -1 with errno. From a process with one thread. */
pid_t stk_witness_append(const char *path, const char *lines, size_t length);
pid_t stk_witness_run(const char *command, const char *line);

#endif
