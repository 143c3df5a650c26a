/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "judge.h"
#include <string.h>

struct judged judge(X509 *const *certificates, size_t count, bool strict)
{
    static struct pki_text der[STK_CHAIN_MAX];
    struct stk_bytes views[STK_CHAIN_MAX] = {{0}};
    struct stk_chain *chain = NULL;
    struct judged judged = {0};

    for (size_t i = 0; i < count; i++) {
        der[i].length = 0;
        pki_add_der(&der[i], certificates[i]);
        views[i] = pki_bytes(&der[i]);
    }
    assert_int_equal(stk_chain_from_der(views, count, &chain, NULL), STIRKEEP_OK);
    stk_gate_judge(chain, strict, PKI_NOW, &judged.report);
    judged.status = stk_gate_verdict(&judged.report, &judged.error);
    stk_chain_free(chain);
    return judged;
}

static const struct stk_gate_finding none = {.code = "none", .clause = "", .message = ""};

const struct stk_gate_finding *finding(const struct judged *judged, const char *code)
{
    for (size_t i = 0; i < judged->report.count; i++)
        if (strcmp(judged->report.findings[i].code, code) == 0)
            return &judged->report.findings[i];
    return &none;
}

bool has(const struct judged *judged, const char *code)
{
    return finding(judged, code) != &none;
}

void expect(struct pki_chain *pki, const struct pki_spec *spec, const char *code,
            bool strict_refuses, bool test_refuses, enum stirkeep_status status)
{
    X509 *chain[2] = {pki_certificate(spec), pki->intermediate};

    for (int strict = 0; strict < 2; strict++) {
        struct judged judged = judge(chain, 2, strict == 1);
        bool refuses = strict == 1 ? strict_refuses : test_refuses;
        const struct stk_gate_finding *found = finding(&judged, code);

        if (found == &none)
            fail_msg("%s is not found", code);
        assert_int_equal(judged.report.count, 1);
        assert_int_equal(found->severity, refuses ? STK_SEVERITY_ERROR : STK_SEVERITY_WARNING);
        assert_int_equal(judged.report.errors, refuses ? 1 : 0);
        assert_int_equal(judged.status, refuses ? status : STIRKEEP_OK);
        assert_true(found->clause[0] != '\0' && found->message[0] != '\0');
        if (refuses)
            assert_non_null(strstr(judged.error.message, code));
    }
    X509_free(chain[0]);
}

struct pki_spec leaf_spec(struct pki_chain *pki)
{
    return pki_leaf_spec(pki->leaf_key, pki->intermediate_key, pki->intermediate);
}
