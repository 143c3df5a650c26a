/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_REPORT_DOCUMENT_H
#define STK_CLI_REPORT_DOCUMENT_H

#include "cli/report.h"
#include "cli/report_config.h"

/*
 * The report as one JSON document, which is printed, or which the text and the HTML page are made
 * of, so that the three say the same.
 */
struct stk_report_about {
    struct stk_report *report;
    const struct stk_verdict *verdict; /* all zero when it did not verify */
    const char *problem;               /* why the trail does not verify; NULL: it does */
    const struct stk_audit_keys *keys;
    const struct stk_report_configs *configs;
    int64_t now_s;
};

/* NULL without memory. */
json_t *stk_report_document(const struct stk_report_about *about);

/* Its part for one name. */
json_t *stk_report_certificate(const struct stk_report_about *about, struct stk_report_name *name);

/* "signed", "failed", "refused", "suppressed": the members that counts have. */
extern const char *const stk_report_counts[STK_TALLY_COUNTS];

/* Add counts to an object; false without memory. */
bool stk_report_add_counts(json_t *object, const uint64_t counts[STK_TALLY_COUNTS]);

#endif
