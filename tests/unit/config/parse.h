/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_CONFIG_PARSE_H
#define TEST_CONFIG_PARSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"

/* The smallest configuration; what stands behind it begins in line 3. */
#define SMALLEST "[token]\nlabel = t\n"

/* It is taken, or the test fails with the message. */
struct stk_config *good(const char *text);

/* It is refused with CONFIG and this message; the name is "conf". */
void bad(const char *text, const char *message);
void bad_bytes(const char *text, size_t length, const char *message);

/* The decision for one peer: the grant's name, or the refusal. Until the next call. */
const char *decided(const struct stk_config *config, const struct stk_who *who,
                    const struct stk_question *question);

#endif
