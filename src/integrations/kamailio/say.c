/* SPDX-License-Identifier: BSD-2-Clause */
#include "integrations/kamailio/say.h"

#include "base/clock.h"
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX 1024
#define SECOND_US 1000000

bool stk_kam_allowance_take(struct stk_kam_allowance *allowance, uint64_t now_us,
                            uint64_t *ret_left_out)
{
    uint64_t seconds = 0;

    if (!allowance->begun)
        *allowance = (struct stk_kam_allowance){
            .begun = true, .left = STK_KAM_LINES_AT_ONCE, .since_us = now_us};
    seconds = (now_us - allowance->since_us) / SECOND_US;
    allowance->since_us += seconds * SECOND_US;
    allowance->left = seconds < STK_KAM_LINES_AT_ONCE - allowance->left
                          ? allowance->left + (unsigned)seconds
                          : STK_KAM_LINES_AT_ONCE;
    if (allowance->left == 0) {
        allowance->left_out++;
        return false;
    }
    allowance->left--;
    *ret_left_out = allowance->left_out;
    allowance->left_out = 0;
    return true;
}

static bool on_standard_error(void)
{
    /* Kamailio's own setting; where there is no Kamailio, a test looks at standard error. */
    const int *log_stderr = dlsym(RTLD_DEFAULT, "log_stderr");

    return log_stderr == NULL || *log_stderr != 0;
}

static const char *level_name(enum stk_kam_level level)
{
    switch (level) {
    case STK_KAM_LOG_ERROR:
        return "ERROR";
    case STK_KAM_LOG_WARNING:
        return "WARNING";
    case STK_KAM_LOG_INFO:
        return "INFO";
    }
    return "";
}

static void put(enum stk_kam_level level, const char *text)
{
    char line[LINE_MAX + 64];
    int length = 0;

    if (!on_standard_error()) {
        syslog((int)level, "%s: secsipid_stirkeep: %s", level_name(level), text);
        return;
    }
    length = snprintf(line, sizeof(line), "(%d) %s: secsipid_stirkeep: %s\n", (int)getpid(),
                      level_name(level), text);
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
        return; /* nobody reads: there is no other place to say so */
}

void stk_kam_say(enum stk_kam_level level, const char *format, ...)
{
    static struct stk_kam_allowance of_errors;
    static struct stk_kam_allowance of_others; /* what ends a time of errors is not lost in them */
    char text[LINE_MAX];
    uint64_t left_out = 0;
    size_t length = 0;
    va_list arguments;

    if (!stk_kam_allowance_take(level == STK_KAM_LOG_ERROR ? &of_errors : &of_others,
                                stk_clock_mono_us(), &left_out))
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    length = strlen(text);
    if (left_out > 0)
        (void)snprintf(text + length, sizeof(text) - length, " (%llu lines before it left out)",
                       (unsigned long long)left_out);
    put(level, text);
}
