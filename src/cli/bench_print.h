/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_BENCH_PRINT_H
#define STK_CLI_BENCH_PRINT_H

#include "cli/bench_verdict.h"
#include <jansson.h>

/* What came of a bench. */
struct stk_bench_result {
    const struct stk_bench_load *total;
    double seconds; /* from the first request to the last answer */
    size_t connections;
    unsigned window;
    double rate; /* that was asked for; 0: as much as can be had */
    enum stk_bench_limit limit;
    const struct stk_bench_figures *figures; /* NULL: not known */
};

json_t *stk_bench_json(const struct stk_bench_result *result);
void stk_bench_print(const struct stk_bench_result *result);

#endif
