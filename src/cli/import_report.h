/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_IMPORT_REPORT_H
#define STK_CLI_IMPORT_REPORT_H

#include <jansson.h>

/* Print the report of an import for people; `kept` (NULL: nothing) says why its file stays. */
void stk_import_print(const json_t *report, const char *kept);

#endif
