/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_OUTPUT_H
#define STK_CLI_OUTPUT_H

#include "base/clock.h"
#include "base/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What commands print: errors on standard error, a line each; data on standard output. */

/* "stirkeep: THING: reason". When the reason begins with "THING: " already, not twice. */
void stk_complain(const char *thing, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text of somebody else's (a certificate, a header) with nothing in it that steers a terminal. */
void stk_print_safe(const char *text);

/* "label      text" on a line of its own; nothing when the text is NULL. */
void stk_print_field(const char *label, const char *text);

/* Whole days from `now` until `end`, rounded down; negative when it is over. */
int64_t stk_days_left(int64_t end, int64_t now);

/* What the days left deserve: "" from 30 days on, " !" under 30, " !!" under 14, " !!!" under 7. */
const char *stk_days_mark(int64_t end, int64_t now);

/* Rows whose columns are as wide as their widest text. */
struct stk_table;

/* `heads` are the columns' heads and the table's first row; NULL: out of memory, as a row that
 * does not fit in any more; stk_table_print then says so. */
struct stk_table *stk_table_new(const char *const *heads, size_t columns);
void stk_table_row(struct stk_table *table, const char *const *texts);

/* Print and release. False (and complained about) when memory had run out. */
bool stk_table_print(struct stk_table *table);

/* Release without printing; NULL is allowed. */
void stk_table_free(struct stk_table *table);

/* A JSON string; bytes that are not UTF-8 become '?'. */
json_t *stk_json_text(const char *text);

/* A time as text, RFC 3339. */
json_t *stk_json_seconds(int64_t seconds);

/* Print with a line end, and release. False (and complained about) when memory had run out. */
bool stk_json_print(json_t *value);

#endif
