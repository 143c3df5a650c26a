/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TESTS_CERT_JUDGE_H
#define STK_TESTS_CERT_JUDGE_H

#include "cert/gate.h"
#include "pki.h"

/* The gate's judgement on certificates made at run time. Fails by cmocka's assertions. */

struct judged {
    struct stk_gate_report report;
    struct stk_error error;
    enum stirkeep_status status; /* the verdict */
};

struct judged judge(X509 *const *certificates, size_t count, bool strict);

/* The first finding with this code; one with the code "none" when it is not there. */
const struct stk_gate_finding *finding(const struct judged *judged, const char *code);
bool has(const struct judged *judged, const char *code);

/* A leaf below the intermediate that lacks nothing. */
struct pki_spec leaf_spec(struct pki_chain *pki);

/*
 * A leaf by this spec below the intermediate has exactly this finding, an error in those profiles
 * that refuse, whose verdict is then `status`.
 */
void expect(struct pki_chain *pki, const struct pki_spec *spec, const char *code,
            bool strict_refuses, bool test_refuses, enum stirkeep_status status);

#endif
