/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void keep_on_one_line(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++)
        if (*at < 0x20 || *at == 0x7f)
            *at = '?';
}

enum stirkeep_status stk_error_set(struct stk_error *error, enum stirkeep_status status,
                                   const char *format, ...)
{
    /* Arguments may point into the message that is about to be replaced. */
    char message[STK_ERROR_MAX] = "";
    va_list arguments;

    if (error == NULL)
        return status;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    keep_on_one_line(message);
    memcpy(error->message, message, sizeof(message));
    error->status = status;
    return status;
}

enum stirkeep_status stk_error_prefix(struct stk_error *error, const char *prefix)
{
    if (error == NULL)
        return STIRKEEP_INTERNAL;
    return stk_error_set(error, error->status, "%s: %s", prefix, error->message);
}
