/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims.h"

#include <string.h>
#include <strings.h>

/* Types of PASSporTs by their names. */

static const struct {
    const char *name;
    enum stk_ppt ppt;
} types[] = {{"shaken", STK_PPT_SHAKEN}, {"div", STK_PPT_DIV}, {"div-o", STK_PPT_DIV_O},
             {"rph", STK_PPT_RPH},       {"rcd", STK_PPT_RCD}, {"base", STK_PPT_BASE},
             {"other", STK_PPT_OTHER}};

#define TYPE_COUNT (sizeof(types) / sizeof(*types))

const char *stk_ppt_name(enum stk_ppt ppt)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (types[i].ppt == ppt)
            return types[i].name;
    return "unknown";
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(const char *text)
{
    size_t length = strnlen(text, STK_PPT_MAX + 1);

    if (length > STK_PPT_MAX || !is_letter(text[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_letter(text[i]) && !(text[i] >= '0' && text[i] <= '9') && text[i] != '.' &&
            text[i] != '_' && text[i] != '-')
            return false;
    return true;
}

bool stk_ppt_parse(const char *text, enum stk_ppt *ret_ppt)
{
    if (text == NULL || text[0] == '\0') {
        *ret_ppt = STK_PPT_BASE;
        return true;
    }
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcasecmp(types[i].name, text) != 0)
            continue;
        if (types[i].ppt == STK_PPT_BASE || types[i].ppt == STK_PPT_OTHER ||
            strcmp(types[i].name, text) != 0)
            return false;
        *ret_ppt = types[i].ppt;
        return true;
    }
    if (!is_name(text))
        return false;
    *ret_ppt = STK_PPT_OTHER;
    return true;
}
