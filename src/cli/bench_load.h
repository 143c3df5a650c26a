/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_BENCH_LOAD_H
#define STK_CLI_BENCH_LOAD_H

#include <stdint.h>
#include <stirkeep/client.h>

/* One connection under load, in a thread of its own. */

#define STK_BENCH_WINDOW_MAX 1024

/* Latencies in classes of 1/16 of a power of two microseconds: exact to about 6 %. */
#define STK_BENCH_CLASSES 512

struct stk_bench_load {
    /* given */
    const char *socket;
    const char *name;
    const char *orig;
    const char *dest;
    const char *attest;
    unsigned window;
    uint64_t until_us;
    /* found */
    uint64_t signatures;
    uint64_t failures;
    enum stirkeep_status first_failure;
    char first_message[256];
    uint64_t longest_us;
    uint64_t classes[STK_BENCH_CLASSES];
};

/* For pthread_create; `load` is a struct stk_bench_load. */
void *stk_bench_load_run(void *load);

/* The latency in microseconds that so many thousandths of all answers have at most. */
uint64_t stk_bench_latency(const uint64_t classes[STK_BENCH_CLASSES], uint64_t thousandths);

#endif
