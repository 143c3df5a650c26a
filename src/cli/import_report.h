/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_IMPORT_REPORT_H
#define STK_CLI_IMPORT_REPORT_H

#include "wire/codec_admin.h"
#include <jansson.h>

/* What import and install share: when to activate, and the report of what was done. */

/* The value of --activate-at as seconds since 1970; NULL: at once, which is 0. INVALID. */
enum stirkeep_status stk_activation_parse(const char *text, int64_t *ret_seconds,
                                          struct stk_error *error);

/* Add what the service answered to a report. */
void stk_import_report(json_t *report, const struct stk_admin_response *response);

/* Print a report for people; `kept` (NULL: nothing) says why the key's file stays. */
void stk_import_print(const json_t *report, const char *kept);

#endif
