/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_BASE_TIME_TEXT_H
#define STK_BASE_TIME_TEXT_H

#include "base/error.h"
#include <stdint.h>

/*
 * A moment as people write it, as seconds since 1970: "2026-12-31T00:00:00Z" or with an offset
 * (RFC 3339, fractions are refused), "@1798675200", or from `now` on "+30m", "+2h", "+7d". Years
 * 1970 to 9999. INVALID with what is wrong. Pure, any thread.
 */
enum stirkeep_status stk_time_parse(const char *text, int64_t now, int64_t *ret_seconds,
                                    struct stk_error *error);

#endif
