/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_GATE_H
#define STK_CERT_GATE_H

#include "cert/cert.h"

/* The import gate: is a certificate chain fit to sign PASSporTs with? docs/IMPORT-GATE.md lists
 * every code with its clause. */

enum stk_severity { STK_SEVERITY_ERROR, STK_SEVERITY_WARNING };

struct stk_gate_finding {
    enum stk_severity severity;
    const char *code;   /* static, e.g. "KEY-USAGE" */
    const char *clause; /* static, e.g. "ATIS-1000080 6.4.1, RFC 5280 4.2.1.3" */
    char message[192];  /* printable ASCII, whatever the certificate holds */
};

#define STK_GATE_FINDINGS_MAX 64

struct stk_gate_report {
    size_t count;
    size_t errors;
    struct stk_gate_finding findings[STK_GATE_FINDINGS_MAX];
};

/*
 * Judge a chain at time `now` (seconds since 1970). `strict`: the STIR/SHAKEN profile; otherwise
 * the test profile, in which what a laboratory chain may lack is a warning. In both a wrong key
 * type, an expired certificate and a malformed TNAuthList are errors.
 */
void stk_gate_judge(const struct stk_chain *chain, bool strict, int64_t now,
                    struct stk_gate_report *ret_report);

/*
 * The status that an import ends with: OK without errors, else KEY_TYPE, CERT_EXPIRED,
 * CERT_NOT_YET_VALID or CERT_INVALID by the gravest finding; `error` has its code and message and
 * how many more there are.
 */
enum stirkeep_status stk_gate_verdict(const struct stk_gate_report *report,
                                      struct stk_error *error);

#endif
