/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_PATTERN_H
#define STK_POLICY_PATTERN_H

#include <stdbool.h>

#define STK_PATTERN_MAX 128 /* characters: a name with a '*' here and there */

/* Is it a name, or a name with '*' in places? NULL: yes, else why not. Any thread. */
const char *stk_pattern_fault(const char *pattern);

/* Is it the pattern of a URI: "sip:*@example.com"? A '*' is never itself. NULL: yes, else why not.
 * Any thread. */
const char *stk_uri_pattern_fault(const char *pattern);

/* Does the whole name match? '*' stands for any run of characters, also for none. The time is at
 * most the product of the two lengths, whatever the pattern. Any thread. */
bool stk_pattern_matches(const char *pattern, const char *name);

#endif
