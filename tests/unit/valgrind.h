/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TESTS_UNIT_VALGRIND_H
#define STK_TESTS_UNIT_VALGRIND_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Does tests/sanitize/run.sh run this under valgrind? `why` something cannot be tried there is noted. */
static inline bool is_under_valgrind(const char *why)
{
    bool is = getenv("STIRKEEP_UNDER") != NULL;

    if (is)
        (void)printf("# under valgrind: %s\n", why);
    return is;
}

#endif
