/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_EXPORT_TEXT_H
#define STK_CLI_EXPORT_TEXT_H

#include "cli/export_take.h"
#include <jansson.h>

/* What a bundle says of itself: summary.json for programs, README.txt for people. */
struct stk_export_about {
    const struct stk_export *taken;
    const struct stk_verdict *verdict;
    const struct stk_audit_keys *keys;
    const struct stk_trail_filter *filter;
    size_t certificates;
    int64_t now_us;
};

/* What was counted, as summary.json has it; NULL without memory. */
json_t *stk_export_tally(const struct stk_tally *tally);

/* NULL without memory. */
json_t *stk_export_summary(const struct stk_export_about *about);

/* NO_MEMORY. */
enum stirkeep_status stk_export_readme(const struct stk_export_about *about,
                                       struct stk_buffer *out);

#endif
