/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_BENCH_VERDICT_H
#define STK_CLI_BENCH_VERDICT_H

#include "cli/bench_load.h"
#include "wire/codec_admin.h"

/* What kept a service from signing more, from what it says of itself before and after a load. */

enum stk_bench_limit {
    STK_LIMIT_NONE,     /* what was asked for was served, and there was more to be had */
    STK_LIMIT_CLIENT,   /* too few requests under way to use up anything */
    STK_LIMIT_TOKEN,    /* its sessions were at work nearly all of the time */
    STK_LIMIT_CPU,      /* the processors were */
    STK_LIMIT_AUDIT,    /* signatures waited for the trail */
    STK_LIMIT_POLICY,   /* rates and quotas */
    STK_LIMIT_OVERLOAD, /* requests were refused, or not signed in time */
    STK_LIMIT_REFUSED,  /* all of them, for another reason */
    STK_LIMIT_UNKNOWN   /* the service was not asked, as that takes an administrator */
};

/* The service at one moment. */
struct stk_bench_moment {
    bool known; /* the rest is */
    struct stk_keeper_counters keeper;
    struct stk_room_use front;
    struct stk_room_use intake;
    uint64_t own_cpu_us;    /* this process's */
    uint64_t machine_ticks; /* of /proc/stat, over all processors: all ... */
    uint64_t machine_idle;  /* ... and those with nothing to do */
    uint64_t at_us;
};

struct stk_bench_figures {
    double seconds;
    unsigned cores;
    double machine; /* 0 to 1: how much of all processors' time was used, by anybody */
    double front;   /* processors used, on average */
    double keeper;
    double intake;
    double client;
    double others; /* everybody else on the machine */
    size_t signers;
    double sessions; /* 0 to 1: how much of the sessions' time was spent in the token */
    struct stk_histogram queue;
    struct stk_histogram token;
    struct stk_histogram audit;
};

/* `service` may be NULL. */
void stk_bench_look(const struct stk_service_status *service, struct stk_bench_moment *ret_moment);

/* False: it is not known, or a room was started anew in between. */
bool stk_bench_compare(const struct stk_bench_moment *before, const struct stk_bench_moment *after,
                       struct stk_bench_figures *ret_figures);

/* `figures`: NULL when not known. */
enum stk_bench_limit stk_bench_judge(const struct stk_bench_load *total,
                                     const struct stk_bench_figures *figures);

/* "token-bound" */
const char *stk_bench_limit_name(enum stk_bench_limit limit);
/* What it means and what would help. */
const char *stk_bench_limit_text(enum stk_bench_limit limit);

#endif
