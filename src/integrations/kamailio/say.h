/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KAMAILIO_SAY_H
#define STK_KAMAILIO_SAY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Lines in Kamailio's log: on standard error where it logs there (-E, log_stderr), else by syslog
 * as it has been opened, with Kamailio's name and facility. Control characters become '?'. Calls may
 * fail thousands of times a second: after a first few lines there is one a second, which says how
 * many were left out.
 */
enum stk_kam_level { STK_KAM_LOG_ERROR = 3, STK_KAM_LOG_WARNING = 4, STK_KAM_LOG_INFO = 6 };

void stk_kam_say(enum stk_kam_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Of lines that may come often: so many may be written at once, and one more each second. */
#define STK_KAM_LINES_AT_ONCE 10

struct stk_kam_allowance {
    bool begun;
    unsigned left;
    uint64_t since_us;
    uint64_t left_out;
};

/* May one more be written at `now_us`? Then `*ret_left_out` is how many before it were not. */
bool stk_kam_allowance_take(struct stk_kam_allowance *allowance, uint64_t now_us,
                            uint64_t *ret_left_out);

#endif
