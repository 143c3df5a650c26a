/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_NAME_H
#define STK_MODEL_NAME_H

#include "base/error.h"

/* A certificate name: 1-64 of A-Z a-z 0-9 . _ -, first a letter or digit, case-sensitive. */
struct stk_name {
    char text[STK_NAME_MAX + 1];
};

/* INVALID with "certificate name: ..." naming what is wrong; `ret_name` is then untouched. */
enum stirkeep_status stk_name_parse(const char *text, struct stk_name *ret_name,
                                    struct stk_error *error);

#endif
