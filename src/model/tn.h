/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_TN_H
#define STK_MODEL_TN_H

#include "base/error.h"

/* A canonical telephone number: 1-15 of 0-9 * # (RFC 8224 section 8.3). */
struct stk_tn {
    char text[STK_TN_MAX + 1];
};

/*
 * Canonicalise: cut ';' parameters, strip "+ - . ( )" and spaces, keep digits, '*' and '#'.
 * Anything else, nothing left, or too much left: INVALID; the message begins with `field`.
 */
enum stirkeep_status stk_tn_parse(const char *text, const char *field, struct stk_tn *ret_tn,
                                  struct stk_error *error);

#endif
