/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_ERROR_H
#define STK_BASE_ERROR_H

#include "base/limits.h"
#include <stirkeep/status.h>

/* What an operator or a client must read: a status, and one line that names the thing and why. */
struct stk_error {
    enum stirkeep_status status;
    char message[STK_ERROR_MAX];
};

/*
 * Fill in `error` (NULL is allowed) and return `status`, so that a function can end with
 * `return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));`. Control characters
 * in the result become '?', a text too long is cut: the message stays one line. Any thread.
 */
enum stirkeep_status stk_error_set(struct stk_error *error, enum stirkeep_status status,
                                   const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Put "prefix: " before the message that `error` (NULL is allowed) holds. Returns its status.
 */
enum stirkeep_status stk_error_prefix(struct stk_error *error, const char *prefix);

#endif
