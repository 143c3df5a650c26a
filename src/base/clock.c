/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_us(clockid_t which)
{
    struct timespec now = {0};

    (void)clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t stk_clock_seconds(void)
{
    return read_us(CLOCK_REALTIME) / 1000000;
}

int64_t stk_clock_real_us(void)
{
    return read_us(CLOCK_REALTIME);
}

uint64_t stk_clock_mono_us(void)
{
    return (uint64_t)read_us(CLOCK_MONOTONIC);
}

uint64_t stk_clock_cpu_us(void)
{
    return (uint64_t)read_us(CLOCK_PROCESS_CPUTIME_ID);
}

void stk_clock_text(int64_t real_us, char ret_text[STK_TIME_TEXT])
{
    time_t seconds = (time_t)(real_us / 1000000);
    struct tm parts = {0};
    char date[24] = "";

    (void)gmtime_r(&seconds, &parts);
    (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(ret_text, STK_TIME_TEXT, "%.19s.%06uZ", date,
                   (unsigned)(real_us % 1000000) % 1000000U);
}

void stk_seconds_text(int64_t seconds, char ret_text[STK_SECONDS_TEXT])
{
    time_t time = (time_t)seconds;
    struct tm parts = {0};

    if (gmtime_r(&time, &parts) == NULL ||
        strftime(ret_text, STK_SECONDS_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        (void)snprintf(ret_text, STK_SECONDS_TEXT, "%lld", (long long)seconds);
}
