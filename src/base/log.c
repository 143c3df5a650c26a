/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_MS 50 /* with who reads the log; none once a line was lost */

static const char *log_program = "stirkeep";
static bool log_to_journal;
static atomic_uint log_lost;

void stk_log_open(const char *program)
{
    log_program = program;
    log_to_journal = getenv("JOURNAL_STREAM") != NULL;
}

/* A reader who hangs must not stop a program that signs: a pipe with room takes a whole line. */
static bool has_room(void)
{
    struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
    int wait_ms = atomic_load(&log_lost) == 0 ? PATIENCE_MS : 0;
    int ready = poll(&output, 1, wait_ms);

    return ready > 0 || (ready < 0 && poll(&output, 1, 0) > 0); /* a signal came between */
}

static void tell_lost(void)
{
    char line[128] = "";
    unsigned lost = atomic_exchange(&log_lost, 0);
    int length = snprintf(line, sizeof(line), "%s%s: %u lines were lost: nobody read the log\n",
                          log_to_journal ? "<4>" : "", log_program, lost);

    if (lost > 0)
        (void)!write(STDERR_FILENO, line, (size_t)length);
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
    if (!has_room()) {
        atomic_fetch_add(&log_lost, 1);
        return;
    }
    tell_lost();
    (void)!write(STDERR_FILENO, line, length);
}
