/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_SCAN_H
#define STK_AUDIT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reading the parts of a line that have a fixed form, from left to right. What is taken is moved
 * over; after a false the place is undefined. Any thread.
 */
struct stk_scan {
    const char *at;
    const char *end;
};

/* Exactly these bytes (a string literal). */
#define STK_SCAN_IS(scan, literal) stk_scan_bytes((scan), (literal), sizeof(literal) - 1)
bool stk_scan_bytes(struct stk_scan *scan, const char *bytes, size_t length);

/* A number from 1 as it is written: no sign, no leading zero, at most 19 digits. */
bool stk_scan_number(struct stk_scan *scan, uint64_t *ret_number);

/* Exactly `length` bytes as lower-case hex digits. */
bool stk_scan_hex(struct stk_scan *scan, uint8_t *ret_data, size_t length);

/* A time as stk_clock_text (base/clock.h) writes it, "2026-11-25T20:06:24.123456Z", as
 * microseconds since 1970. */
#define STK_SCAN_TIME_LENGTH 27
bool stk_scan_time(struct stk_scan *scan, int64_t *ret_real_us);

#endif
