/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_URI_NUMBER_H
#define STK_MODEL_URI_NUMBER_H

#include "model/tn.h"
#include <stdbool.h>

/*
 * Is a URI a telephone number in another dress (RFC 8224 section 8.1)? STATED: by its scheme (tel),
 * or in a sip or sips URI by user=phone, a phone-context, or a user part that is a number with a
 * '+'. LIKE: a sip or sips URI whose user part is a number to look at, and which may as well be
 * somebody's name: "sip:1001@pbx.example.com". Upper and lower case, and what is escaped by '%', are
 * the same. `ret_tn` (NULL: not wanted) is the canonical number, or "" where it is none that RFC
 * 8224 section 8.3 can bring into form. `uri` has passed stk_uri_check. Pure; any thread.
 */
enum stk_uri_number { STK_URI_NUMBER_NONE, STK_URI_NUMBER_LIKE, STK_URI_NUMBER_STATED };

enum stk_uri_number stk_uri_number(const char *uri, struct stk_tn *ret_tn);

#endif
