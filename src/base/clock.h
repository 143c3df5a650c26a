/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_CLOCK_H
#define STK_BASE_CLOCK_H

#include <stdint.h>

/* Programs ask the time and pass it on; the domain folders never ask. Any thread. */

/* Seconds since 1970 (CLOCK_REALTIME). */
int64_t stk_clock_seconds(void);

/* Microseconds since 1970 (CLOCK_REALTIME). */
int64_t stk_clock_real_us(void);

/* Microseconds of CLOCK_MONOTONIC, the same in all processes of a host. */
uint64_t stk_clock_mono_us(void);

/* Microseconds of processor time that this process has used. */
uint64_t stk_clock_cpu_us(void);

/* "2026-11-25T20:06:24.123456Z" (RFC 3339) with '\0'. */
#define STK_TIME_TEXT 32
void stk_clock_text(int64_t real_us, char ret_text[STK_TIME_TEXT]);

/* Seconds since 1970 as "2026-11-25T20:06:24Z". */
#define STK_SECONDS_TEXT 32
void stk_seconds_text(int64_t seconds, char ret_text[STK_SECONDS_TEXT]);

#endif
