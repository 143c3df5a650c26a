/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CONFIG_INI_LINES_H
#define STK_CONFIG_INI_LINES_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

/*
 * inih with line numbers, and strict where it is silent: what it would cut, skip or guess
 * (overlong lines, text behind a section's ']', control characters, a line that is nothing) is an
 * error. A line ends with LF or CRLF; a byte order mark at the start is skipped; ';' and '#' begin
 * a comment at a line's start, " ;" begins one anywhere. An indented line after a value that ends with
 * a comma goes on with it; elsewhere indentation means nothing.
 */
#define STK_INI_LINE_MAX 196 /* characters of a line: inih's 200 less its line ends and '\0' */

struct stk_ini_events {
    void *context;
    enum stirkeep_status (*section)(void *context, const char *name, unsigned line,
                                    struct stk_error *error);
    /* `more`: a line that goes on with the key above */
    enum stirkeep_status (*value)(void *context, const char *key, const char *value, bool more,
                                  unsigned line, struct stk_error *error);
};

/* Stops at the first event that fails, or at the first bad line (CONFIG). `*ret_line` is that line,
 * or the number of lines; `*ret_own`: it is the line itself that is bad. */
enum stirkeep_status stk_ini_read(const char *text, size_t length,
                                  const struct stk_ini_events *events, unsigned *ret_line,
                                  bool *ret_own, struct stk_error *error);

#endif
