/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_KEPT_LINES_H
#define STK_CLI_KEPT_LINES_H

#include "base/buffer.h"
#include "base/bytes.h"

/* The last so many lines of a stream. */
struct stk_kept_lines;

#define STK_KEPT_LINES_MAX 100000
#define STK_KEPT_BYTES_MAX ((size_t)256 * 1024 * 1024)

/* Room for `count` lines, 1 to STK_KEPT_LINES_MAX. NULL without memory. */
struct stk_kept_lines *stk_kept_lines_new(size_t count);
void stk_kept_lines_free(struct stk_kept_lines *kept);

/* Keep a copy, and forget the oldest one when there are too many. NO_MEMORY; TOO_LARGE past
 * STK_KEPT_BYTES_MAX. */
enum stirkeep_status stk_kept_lines_add(struct stk_kept_lines *kept, struct stk_bytes line);

/* How many there are, and one of them, the oldest being 0. */
size_t stk_kept_lines_count(const struct stk_kept_lines *kept);
struct stk_bytes stk_kept_lines_at(const struct stk_kept_lines *kept, size_t index);

#endif
