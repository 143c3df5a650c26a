/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/time_text.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#define TIME_MAX 253402300799 /* 9999-12-31T23:59:59Z */
#define FORM "not a time like 2026-12-31T00:00:00Z, @1798675200, +7d, +2h or +30m"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* `digits` digits at `*at`, which moves behind them. */
static bool take_number(const char **at, int digits, int least, int most, int *ret_number)
{
    int number = 0;

    for (int i = 0; i < digits; i++) {
        if (!is_digit((*at)[i]))
            return false;
        number = number * 10 + ((*at)[i] - '0');
    }
    *at += digits;
    *ret_number = number;
    return number >= least && number <= most;
}

static bool take_char(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool take_offset(const char **at, int64_t *ret_seconds)
{
    bool minus = **at == '-';
    int hours = 0;
    int minutes = 0;

    *ret_seconds = 0;
    if (take_char(at, 'Z') || take_char(at, 'z'))
        return true;
    if (!take_char(at, '+') && !take_char(at, '-'))
        return false;
    if (!take_number(at, 2, 0, 23, &hours) || !take_char(at, ':') ||
        !take_number(at, 2, 0, 59, &minutes))
        return false;
    *ret_seconds = (minus ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

static bool take_date(const char **at, struct tm *parts)
{
    return take_number(at, 4, 1970, 9999, &parts->tm_year) && take_char(at, '-') &&
           take_number(at, 2, 1, 12, &parts->tm_mon) && take_char(at, '-') &&
           take_number(at, 2, 1, 31, &parts->tm_mday);
}

static bool take_clock(const char **at, struct tm *parts)
{
    return take_number(at, 2, 0, 23, &parts->tm_hour) && take_char(at, ':') &&
           take_number(at, 2, 0, 59, &parts->tm_min) && take_char(at, ':') &&
           take_number(at, 2, 0, 59, &parts->tm_sec);
}

static bool read_date(const char *text, int64_t *ret_seconds)
{
    const char *at = text;
    struct tm parts = {0};
    int64_t offset = 0;
    int day = 0;

    if (!take_date(&at, &parts) || (!take_char(&at, 'T') && !take_char(&at, 't')) ||
        !take_clock(&at, &parts) || !take_offset(&at, &offset) || *at != '\0')
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    day = parts.tm_mday;
    *ret_seconds = (int64_t)timegm(&parts) - offset;
    return parts.tm_mday == day; /* not one that the month does not have */
}

/* Digits to the end or to one letter; false past TIME_MAX. */
static bool read_count(const char **at, int64_t *ret_count)
{
    int64_t count = 0;

    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++) {
        count = count * 10 + (**at - '0');
        if (count > TIME_MAX)
            return false;
    }
    *ret_count = count;
    return true;
}

static bool read_from_now(const char *text, int64_t now, int64_t *ret_seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}};
    int64_t count = 0;

    if (!read_count(&text, &count) || text[0] == '\0' || text[1] != '\0')
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (text[0] == units[i].unit && count <= TIME_MAX / units[i].seconds) {
            *ret_seconds = now + count * units[i].seconds;
            return true;
        }
    return false;
}

enum stirkeep_status stk_time_parse(const char *text, int64_t now, int64_t *ret_seconds,
                                    struct stk_error *error)
{
    const char *at = text + 1;
    int64_t seconds = 0;
    bool known = false;

    if (text[0] == '@')
        known = read_count(&at, &seconds) && *at == '\0';
    else if (text[0] == '+')
        known = read_from_now(text + 1, now, &seconds);
    else
        known = read_date(text, &seconds);
    if (!known)
        return stk_error_set(error, STIRKEEP_INVALID, FORM);
    if (seconds <= 0 || seconds > TIME_MAX)
        return stk_error_set(error, STIRKEEP_INVALID, "a time outside of the years 1970 to 9999");
    *ret_seconds = seconds;
    return STIRKEEP_OK;
}
