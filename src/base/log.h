/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_LOG_H
#define STK_BASE_LOG_H

/*
 * The log of a program, on standard error: one line an event, for an operator. The audit trail is
 * not the log. Lines begin with journald's priority mark (sd-daemon(3)) where standard error is
 * the journal, else with nothing but the program's name. Control characters become '?'.
 */
enum stk_log_level { STK_LOG_ERROR = 3, STK_LOG_WARNING = 4, STK_LOG_INFO = 6 };

/* Before the first line; `program` must live on. */
void stk_log_open(const char *program);

/* Any thread; a line is one write. Where nobody reads, it is lost; the next one tells how many were. */
void stk_log(enum stk_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
