/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_GATE_REPORT_H
#define STK_CERT_GATE_REPORT_H

#include "cert/chain.h"
#include "cert/gate.h"

/* What the gate's judges share; for this folder only. */

/* How a finding counts in the two profiles. */
enum stk_gate_weight {
    STK_GATE_ALWAYS, /* refuses in both */
    STK_GATE_STRICT, /* refuses in the strict profile, warns in the test profile */
    STK_GATE_ADVICE  /* warns in both */
};

struct stk_gate {
    const struct stk_chain *chain;
    bool strict;
    int64_t now;
    struct stk_gate_report *report;
};

/* Add a finding; past STK_GATE_FINDINGS_MAX it is only counted when it refuses. */
void stk_gate_find(const struct stk_gate *gate, enum stk_gate_weight weight, const char *code,
                   const char *clause, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The judges. */
void stk_gate_judge_key(const struct stk_gate *gate);
void stk_gate_judge_validity(const struct stk_gate *gate);
void stk_gate_judge_tnauthlist(const struct stk_gate *gate);
void stk_gate_judge_claims(const struct stk_gate *gate);
void stk_gate_judge_extensions(const struct stk_gate *gate);
void stk_gate_judge_subject(const struct stk_gate *gate);
void stk_gate_judge_path(const struct stk_gate *gate);

#endif
