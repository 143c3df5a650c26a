/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_URI_NUMBER_H
#define STK_MODEL_URI_NUMBER_H

#include "model/tn.h"
#include <stdbool.h>

/*
 * Is a URI a telephone number in another dress (RFC 8224 section 8.1)? STATED: by its scheme (tel),
 * or in one of any scheme by user=phone, a phone-context, or a '+' and a digit before any letter of
 * its user part. LIKE: a URI whose user part is a number to look at, and which may as well be
 * somebody's name: "sip:1001@pbx.example.com". Upper and lower case, and what is escaped by '%', are
 * the same; what is neither digit nor letter is passed over, as RFC 8224 section 8.3 drops it. Of
 * digits before a letter, a few are a name and many a number. `ret_tn` (NULL: not wanted) is the
 * canonical number, or "" where there is none. `uri` has passed stk_uri_check. Pure; any thread.
 */
enum stk_uri_number { STK_URI_NUMBER_NONE, STK_URI_NUMBER_LIKE, STK_URI_NUMBER_STATED };

enum stk_uri_number stk_uri_number(const char *uri, struct stk_tn *ret_tn);

#endif
