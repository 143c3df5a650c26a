/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* C0, DEL, and what looks like C1 to a terminal that reads UTF-8 (C2 80 - C2 9F). */
static bool steers(const unsigned char *at)
{
    return *at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f);
}

static void make_safe(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++)
        if (steers(at))
            *at = '?';
}

void stk_complain(const char *thing, const char *format, ...)
{
    char reason[1024] = "";
    char line[1400] = "";
    size_t length = strlen(thing);
    va_list arguments;
    bool named = false;

    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    named = strncmp(reason, thing, length) == 0 && strncmp(reason + length, ": ", 2) == 0;
    (void)snprintf(line, sizeof(line) - 1, "stirkeep: %.300s%s%s", named ? "" : thing,
                   named ? "" : ": ", reason);
    make_safe(line);
    line[strlen(line)] = '\n';
    /* In one piece, so that lines of several commands do not mix. */
    (void)!write(STDERR_FILENO, line, strlen(line));
}

void stk_print_safe(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
        (void)putchar(steers(at) ? '?' : *at);
}

void stk_print_field(const char *label, const char *text)
{
    if (text == NULL)
        return;
    (void)printf("%-14s ", label);
    stk_print_safe(text);
    (void)putchar('\n');
}

void stk_seconds_text(int64_t seconds, char ret_text[STK_SECONDS_TEXT])
{
    time_t time = (time_t)seconds;
    struct tm parts = {0};

    if (gmtime_r(&time, &parts) == NULL ||
        strftime(ret_text, STK_SECONDS_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        (void)snprintf(ret_text, STK_SECONDS_TEXT, "%lld", (long long)seconds);
}

int64_t stk_days_left(int64_t end, int64_t now)
{
    const int64_t day = 24 * 60 * 60;
    int64_t left = 0;

    if (__builtin_sub_overflow(end, now, &left))
        return end > now ? INT64_MAX / day : INT64_MIN / day;
    return left / day - (left % day < 0 ? 1 : 0);
}

json_t *stk_json_text(const char *text)
{
    json_t *value = json_string(text);
    char *copy = NULL;

    if (value != NULL || (copy = strdup(text)) == NULL)
        return value;
    for (unsigned char *at = (unsigned char *)copy; *at != '\0'; at++)
        if (*at >= 0x80)
            *at = '?';
    value = json_string(copy);
    free(copy);
    return value;
}

json_t *stk_json_seconds(int64_t seconds)
{
    char text[STK_SECONDS_TEXT] = "";

    stk_seconds_text(seconds, text);
    return json_string(text);
}

bool stk_json_print(json_t *value)
{
    char *text = value != NULL ? json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY) : NULL;
    bool done = text != NULL;

    json_decref(value);
    if (done)
        (void)puts(text);
    else
        stk_complain("output", "out of memory");
    free(text);
    return done;
}
