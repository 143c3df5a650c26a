/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/scan.h"

#include <string.h>
#include <time.h>

#define NUMBER_DIGITS 19 /* fits uint64_t whatever the digits */

static size_t left(const struct stk_scan *scan)
{
    return (size_t)(scan->end - scan->at);
}

bool stk_scan_bytes(struct stk_scan *scan, const char *bytes, size_t length)
{
    if (left(scan) < length || memcmp(scan->at, bytes, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool stk_scan_number(struct stk_scan *scan, uint64_t *ret_number)
{
    const char *start = scan->at;
    uint64_t number = 0;

    for (; scan->at < scan->end && is_digit(*scan->at); scan->at++) {
        if (scan->at - start == NUMBER_DIGITS)
            return false;
        number = number * 10 + (uint64_t)(*scan->at - '0');
    }
    *ret_number = number;
    return scan->at > start && *start != '0';
}

/* One more than a digit is worth; 0: it is none. A table, because branches on digests are guesses:
 * with it verifying is half as fast again. */
static const uint8_t worth[UINT8_MAX + 1] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

/* Past 15 for what is no digit. */
static uint8_t nibble(char c)
{
    return (uint8_t)(worth[(uint8_t)c] - 1);
}

bool stk_scan_hex(struct stk_scan *scan, uint8_t *ret_data, size_t length)
{
    uint8_t all = 0;

    if (left(scan) < 2 * length)
        return false;
    for (size_t i = 0; i < length; i++) {
        uint8_t high = nibble(scan->at[2 * i]);
        uint8_t low = nibble(scan->at[2 * i + 1]);

        all |= high | low;
        ret_data[i] = (uint8_t)(high << 4 | (low & 15));
    }
    scan->at += 2 * length;
    return all < 16;
}

/* `digits` digits, and behind them `after`. */
static bool part(struct stk_scan *scan, int digits, char after, int *ret_number)
{
    int number = 0;

    for (int i = 0; i < digits; i++) {
        if (!is_digit(*scan->at))
            return false;
        number = number * 10 + (*scan->at++ - '0');
    }
    *ret_number = number;
    return *scan->at++ == after;
}

bool stk_scan_time(struct stk_scan *scan, int64_t *ret_real_us)
{
    struct tm parts = {0};
    int us = 0;

    if (left(scan) < STK_SCAN_TIME_LENGTH || !part(scan, 4, '-', &parts.tm_year) ||
        !part(scan, 2, '-', &parts.tm_mon) || !part(scan, 2, 'T', &parts.tm_mday) ||
        !part(scan, 2, ':', &parts.tm_hour) || !part(scan, 2, ':', &parts.tm_min) ||
        !part(scan, 2, '.', &parts.tm_sec) || !part(scan, 6, 'Z', &us))
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *ret_real_us = (int64_t)timegm(&parts) * 1000000 + us;
    return true;
}
