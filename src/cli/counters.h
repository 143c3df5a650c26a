/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_COUNTERS_H
#define STK_CLI_COUNTERS_H

#include "wire/codec_admin.h"
#include <jansson.h>

/* What the rooms have counted and measured, as `status` and `bench` show it. */

/* {"count", "mean", "p50", "p99", "p99_9", "max", "sum", "classes": [[up to, count], ...]} */
json_t *stk_histogram_json(const struct stk_histogram *histogram);

/* Null for a room that did not answer. */
json_t *stk_counters_json(const struct stk_service_status *service);

/* Some lines. */
void stk_counters_print(const struct stk_service_status *service);

/* "p50 12 us, p99 34 us, p99.9 56 us, longest 78 us" */
#define STK_HISTOGRAM_TEXT 160
void stk_histogram_text(const struct stk_histogram *histogram, char ret_text[STK_HISTOGRAM_TEXT]);

#endif
