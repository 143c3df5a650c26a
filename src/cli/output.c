/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONTINUATION_FIRST 0x80
#define CONTINUATION_LAST 0xbf

/* Bytes of the UTF-8 character at `at` (RFC 3629 section 4); 0: there is none. */
static size_t character_length(const unsigned char *at)
{
    unsigned char least = CONTINUATION_FIRST;
    unsigned char most = CONTINUATION_LAST;
    size_t length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    if (at[0] == 0xe0)
        least = 0xa0;
    else if (at[0] == 0xed)
        most = 0x9f;
    else if (at[0] == 0xf0)
        least = 0x90;
    else if (at[0] == 0xf4)
        most = 0x8f;
    if (at[1] < least || at[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (at[i] < CONTINUATION_FIRST || at[i] > CONTINUATION_LAST)
            return 0;
    return length;
}

/* Control characters (C0, DEL, C1), ends of lines, and what changes the direction of writing. */
static bool steers(const unsigned char *at, size_t length)
{
    if (length == 1)
        return at[0] < 0x20 || at[0] == 0x7f;
    if (length == 2)
        return at[0] == 0xc2 && at[1] < 0xa0;
    if (length == 3 && at[0] == 0xe2 && at[1] == 0x80)
        return at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xa8 && at[2] <= 0xae);
    return length == 3 && at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9;
}

/* So many bytes may be shown as they are; 0: the first one may not. */
static size_t harmless(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = character_length(at);

    return steers(at, length) ? 0 : length;
}

static void make_safe(char *text)
{
    while (*text != '\0') {
        size_t length = harmless(text);

        if (length == 0)
            *text = '?';
        text += length > 0 ? length : 1;
    }
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
    while (*text != '\0') {
        size_t length = harmless(text);

        if (length == 0)
            (void)putchar('?');
        else
            (void)fwrite(text, 1, length, stdout);
        text += length > 0 ? length : 1;
    }
}

void stk_print_field(const char *label, const char *text)
{
    if (text == NULL)
        return;
    (void)printf("%-14s ", label);
    stk_print_safe(text);
    (void)putchar('\n');
}

int64_t stk_days_left(int64_t end, int64_t now)
{
    const int64_t day = 24 * 60 * 60;
    int64_t left = 0;

    if (__builtin_sub_overflow(end, now, &left))
        return end > now ? INT64_MAX / day : INT64_MIN / day;
    return left / day - (left % day < 0 ? 1 : 0);
}

const char *stk_days_mark(int64_t end, int64_t now)
{
    int64_t days = stk_days_left(end, now);

    if (days >= 30)
        return "";
    if (days >= 14)
        return " !";
    return days >= 7 ? " !!" : " !!!";
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
    char *text = value != NULL
                     ? json_dumps(value, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY)
                     : NULL;
    bool done = text != NULL;

    json_decref(value);
    if (done)
        (void)puts(text);
    else
        stk_complain("output", "out of memory");
    free(text);
    return done;
}
