/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/tn.h"

#include <stddef.h>
#include <string.h>

enum stirkeep_status stk_tn_parse(const char *text, const char *field, struct stk_tn *ret_tn,
                                  struct stk_error *error)
{
    struct stk_tn tn = {0};
    size_t length = 0;

    for (const char *at = text != NULL ? text : ""; *at != '\0' && *at != ';'; at++) {
        if (strchr("+-.() ", *at) != NULL)
            continue;
        if ((*at < '0' || *at > '9') && *at != '*' && *at != '#')
            return stk_error_set(error, STIRKEEP_INVALID,
                                 "%s: only digits, * and # make a telephone number "
                                 "(character %zu is none)",
                                 field, (size_t)(at - text) + 1);
        if (length == STK_TN_MAX)
            return stk_error_set(error, STIRKEEP_INVALID, "%s: more than %d digits", field,
                                 STK_TN_MAX);
        tn.text[length++] = *at;
    }
    if (length == 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: no digits in it", field);
    *ret_tn = tn;
    return STIRKEEP_OK;
}
