/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *log_program = "stirkeep";
static bool log_to_journal;

void stk_log_open(const char *program)
{
    log_program = program;
    log_to_journal = getenv("JOURNAL_STREAM") != NULL;
}

void stk_log(enum stk_log_level level, const char *format, ...)
{
    char line[1024] = "";
    int start = log_to_journal ? snprintf(line, sizeof(line), "<%d>%s: ", (int)level, log_program)
                               : snprintf(line, sizeof(line), "%s: ", log_program);
    size_t length = (size_t)start;
    va_list arguments;
    int added = 0;

    va_start(arguments, format);
    added = vsnprintf(line + length, sizeof(line) - 1 - length, format, arguments);
    va_end(arguments);
    if (added > 0)
        length +=
            (size_t)added < sizeof(line) - 1 - length ? (size_t)added : sizeof(line) - 2 - length;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[length++] = '\n';
    (void)!write(STDERR_FILENO, line, length);
}
