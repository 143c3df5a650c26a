/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Not <ctype.h>: a locale must not widen what a name may hold. */
static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

enum stirkeep_status stk_name_parse(const char *text, struct stk_name *ret_name,
                                    struct stk_error *error)
{
    struct stk_name name = {0};
    size_t length = text != NULL ? strnlen(text, STK_NAME_MAX + 1) : 0;

    if (length == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "certificate name: is empty");
    if (length > STK_NAME_MAX)
        return stk_error_set(error, STIRKEEP_INVALID, "certificate name: longer than %d characters",
                             STK_NAME_MAX);
    if (!is_letter_or_digit(text[0]))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "certificate name: must begin with a letter or digit");
    for (size_t i = 0; i < length; i++)
        if (!is_letter_or_digit(text[i]) && strchr("._-", text[i]) == NULL)
            return stk_error_set(error, STIRKEEP_INVALID,
                                 "certificate name: only A-Z a-z 0-9 . _ - are allowed "
                                 "(character %zu is not)",
                                 i + 1);
    memcpy(name.text, text, length);
    *ret_name = name;
    return STIRKEEP_OK;
}
