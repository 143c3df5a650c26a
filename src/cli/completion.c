/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/completion.h"

#include <string.h>

/* The signing socket first, then the administrators' one; a service that does not answer at once is
 * not waited for. The first line is the head of the table. */
const char stk_completion_names[] =
    "_stirkeep_names() {\n"
    "    local said\n"
    "    said=$(timeout 0.5 stirkeep list --mine 2>/dev/null) ||\n"
    "        said=$(timeout 0.5 stirkeep list 2>/dev/null) || return 0\n"
    "    printf '%s\\n' \"$said\" | sed -e 1d -e 's/ .*//' -e '/^[A-Za-z0-9._-]*$/!d'\n"
    "}\n";

enum stk_completes stk_completes(const char *value)
{
    if (value == NULL)
        return STK_COMPLETES_NOTHING;
    if (value[0] == '[')
        value++;
    if (strncmp(value, "NAME", 4) == 0 && value[4] != '=')
        return STK_COMPLETES_NAMES;
    if (strstr(value, "FILE") != NULL || strcmp(value, "PATH") == 0 || strcmp(value, "PROOF") == 0)
        return STK_COMPLETES_FILES;
    if (strcmp(value, "DIR") == 0)
        return STK_COMPLETES_DIRECTORIES;
    return strchr(value, '|') != NULL ? STK_COMPLETES_WORDS : STK_COMPLETES_NOTHING;
}
