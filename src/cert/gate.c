/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/gate.h"

#include "cert/gate_report.h"
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A certificate's own words may be anything; on an operator's terminal they stay one line of text. */
static void keep_printable(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++)
        if (*at < 0x20 || *at >= 0x7f)
            *at = '?';
}

void stk_gate_find(const struct stk_gate *gate, enum stk_gate_weight weight, const char *code,
                   const char *clause, const char *format, ...)
{
    struct stk_gate_report *report = gate->report;
    bool refuses = weight == STK_GATE_ALWAYS || (weight == STK_GATE_STRICT && gate->strict);
    struct stk_gate_finding *finding = NULL;
    va_list arguments;

    report->errors += refuses ? 1 : 0;
    if (report->count == STK_GATE_FINDINGS_MAX)
        return;
    finding = &report->findings[report->count++];
    finding->severity = refuses ? STK_SEVERITY_ERROR : STK_SEVERITY_WARNING;
    finding->code = code;
    finding->clause = clause;
    va_start(arguments, format);
    (void)vsnprintf(finding->message, sizeof(finding->message), format, arguments);
    va_end(arguments);
    keep_printable(finding->message);
}

void stk_gate_judge(const struct stk_chain *chain, bool strict, int64_t now,
                    struct stk_gate_report *ret_report)
{
    struct stk_gate gate = {.chain = chain, .strict = strict, .now = now, .report = ret_report};

    *ret_report = (struct stk_gate_report){0};
    stk_gate_judge_key(&gate);
    stk_gate_judge_validity(&gate);
    stk_gate_judge_tnauthlist(&gate);
    stk_gate_judge_claims(&gate);
    stk_gate_judge_extensions(&gate);
    stk_gate_judge_subject(&gate);
    stk_gate_judge_path(&gate);
    ERR_clear_error();
}

/* What an import ends with, the gravest first. */
static const struct {
    const char *code;
    enum stirkeep_status status;
} verdicts[] = {{"KEY-TYPE", STIRKEEP_KEY_TYPE},
                {"VALIDITY-EXPIRED", STIRKEEP_CERT_EXPIRED},
                {"VALIDITY-NOT-YET", STIRKEEP_CERT_NOT_YET_VALID}};

static const struct stk_gate_finding *gravest(const struct stk_gate_report *report,
                                              enum stirkeep_status *ret_status)
{
    const struct stk_gate_finding *first = NULL;

    for (size_t v = 0; v < sizeof(verdicts) / sizeof(verdicts[0]); v++)
        for (size_t i = 0; i < report->count; i++)
            if (strcmp(report->findings[i].code, verdicts[v].code) == 0) {
                *ret_status = verdicts[v].status;
                return &report->findings[i];
            }
    for (size_t i = 0; i < report->count && first == NULL; i++)
        if (report->findings[i].severity == STK_SEVERITY_ERROR)
            first = &report->findings[i];
    *ret_status = STIRKEEP_CERT_INVALID;
    return first;
}

enum stirkeep_status stk_gate_verdict(const struct stk_gate_report *report, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    const struct stk_gate_finding *finding = NULL;

    if (report->errors == 0)
        return STIRKEEP_OK;
    finding = gravest(report, &status);
    if (report->errors == 1)
        return stk_error_set(error, status, "certificate: %s: %s", finding->code, finding->message);
    return stk_error_set(error, status, "certificate: %s: %s (and %zu more)", finding->code,
                         finding->message, report->errors - 1);
}
