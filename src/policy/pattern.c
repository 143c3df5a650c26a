/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/pattern.h"

#include "base/limits.h"
#include <stddef.h>
#include <string.h>

static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-*";

const char *stk_pattern_fault(const char *pattern)
{
    size_t length = strlen(pattern);

    if (length == 0)
        return "empty";
    if (length > STK_PATTERN_MAX)
        return "too long";
    if (strspn(pattern, allowed) != length)
        return "a character that no certificate name has";
    if (strchr("._-", pattern[0]) != NULL)
        return "a certificate name begins with a letter or digit";
    return NULL;
}

const char *stk_uri_pattern_fault(const char *pattern)
{
    static const char hex[] = "0123456789ABCDEFabcdef";
    size_t length = strlen(pattern);

    if (length == 0)
        return "empty";
    if (length > STK_URI_MAX)
        return "too long";
    for (size_t i = 0; i < length; i++) {
        if (strchr(allowed, pattern[i]) != NULL || strchr("~:/?#[]@!$&'()+,;=", pattern[i]) != NULL)
            continue;
        if (pattern[i] != '%' || strspn(pattern + i + 1, hex) < 2)
            return "a character that no URI has";
    }
    return strchr(pattern, ':') == NULL ? "no scheme in it, as sip: is one" : NULL;
}

bool stk_pattern_matches(const char *pattern, const char *name)
{
    const char *star = NULL;  /* the last '*' seen */
    const char *taken = NULL; /* what it has swallowed ends here */

    /* Only the last '*' ever has to give way: what an earlier one swallowed need not change, for
     * the last one could swallow the difference. */
    while (*name != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            taken = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++taken;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
