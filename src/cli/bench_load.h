/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_BENCH_LOAD_H
#define STK_CLI_BENCH_LOAD_H

#include "base/histogram.h"
#include <stdbool.h>
#include <stddef.h>
#include <stirkeep/client.h>

/*
 * Load on a service, from some connections that one thread looks after. Either each of them keeps a
 * window of requests under way; or requests leave at set times, whatever became of those before
 * them, and a latency is counted from the time that was set. A service that stalls cannot hide by
 * keeping the next requests from being sent ("coordinated omission").
 */

#define STK_BENCH_WINDOW_MAX 1024
#define STK_BENCH_CONNECTIONS_MAX 1024 /* all threads' together */

struct stk_bench_load {
    /* given */
    const char *socket;
    const char *name;
    const char *orig;
    const char *dest;
    const char *attest;
    size_t connections;
    unsigned window;      /* on each of them */
    unsigned deadline_ms; /* of a request; 0: the service's */
    uint64_t every_ns;    /* between two requests of this thread; 0: windows */
    uint64_t begin_us;    /* CLOCK_MONOTONIC, when the first one leaves */
    uint64_t until_us;
    /* found; others may read the histograms meanwhile */
    struct stk_histogram served;       /* signatures ... */
    struct stk_histogram served_sent;  /* ... from when they were in fact asked for */
    struct stk_histogram refused;      /* and what came to none ... */
    struct stk_histogram refused_sent; /* ... from when it was in fact sent */
    uint64_t statuses[STIRKEEP_STATUS_COUNT];
    uint64_t unsent; /* that were due and never left */
    enum stirkeep_status first_failure;
    char first_message[256];
};

/* For pthread_create; `load` is a struct stk_bench_load. */
void *stk_bench_load_run(void *load);

#endif
