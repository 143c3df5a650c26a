/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/cert.h"
#include "cert/constraints.h"
#include "cert/gate.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

/* A certificate's file: its chain, what the leaf says, what the gate finds. Written as PEM and read
 * again it is the same chain. */
#define NOW 1795678800
#define ARENA ((size_t)1024 * 1024)

static void check_written(const struct stk_chain *chain)
{
    struct stk_buffer pem = {0};
    struct stk_chain *again = NULL;
    struct stk_error error = {0};

    FUZZ_CHECK(stk_chain_pem(chain, &pem) == STIRKEEP_OK);
    FUZZ_OK(stk_chain_read((struct stk_bytes){pem.data, pem.length}, "again", &again, &error),
            &error);
    FUZZ_CHECK(stk_chain_count(again) == stk_chain_count(chain));
    for (size_t i = 0; i < stk_chain_count(chain); i++) {
        struct stk_bytes one = stk_chain_der(chain, i);
        struct stk_bytes other = stk_chain_der(again, i);

        FUZZ_CHECK(one.length == other.length && memcmp(one.data, other.data, one.length) == 0);
    }
    stk_chain_free(again);
    stk_buffer_free(&pem);
}

static void check_gate(const struct stk_chain *chain, bool strict, bool constraints_are_read)
{
    static struct stk_gate_report report;
    struct stk_error error = {0};
    size_t errors = 0;

    stk_gate_judge(chain, strict, NOW, &report);
    FUZZ_CHECK(report.count <= STK_GATE_FINDINGS_MAX);
    for (size_t i = 0; i < report.count; i++) {
        const struct stk_gate_finding *finding = &report.findings[i];

        errors += finding->severity == STK_SEVERITY_ERROR ? 1 : 0;
        FUZZ_CHECK(memchr(finding->message, '\0', sizeof(finding->message)) != NULL);
        for (const char *at = finding->message; *at != '\0'; at++)
            FUZZ_CHECK(*at >= ' ' && *at <= '~');
    }
    FUZZ_CHECK(errors <= report.errors);
    FUZZ_CHECK((stk_gate_verdict(&report, &error) == STIRKEEP_OK) == (report.errors == 0));
    /* Nothing gets in whose constraints would not be known. */
    FUZZ_CHECK(constraints_are_read || report.errors > 0);
}

static bool read_constraints(const struct stk_chain *chain)
{
    struct stk_constraints constraints = {0};
    struct stk_error error = {0};
    struct stk_constraints *clone = NULL;
    enum stirkeep_status status =
        stk_chain_constraints(chain, fuzz_arena(0, STK_CONSTRAINTS_ARENA), &constraints, &error);

    if (status != STIRKEEP_OK) {
        FUZZ_CHECK(status == STIRKEEP_CERT_INVALID);
        fuzz_refusal(status, &error);
        return false;
    }
    clone = stk_constraints_clone(&constraints);
    FUZZ_CHECK(clone != NULL && clone->range_count == constraints.range_count);
    FUZZ_CHECK(stk_constraints_any(clone) == stk_constraints_any(&constraints));
    free(clone);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_chain *chain = NULL;
    struct stk_leaf leaf = {0};
    struct stk_error error = {0};
    bool constraints_are_read = false;
    enum stirkeep_status status =
        stk_chain_read((struct stk_bytes){data, size}, "cert.pem", &chain, &error);

    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        return 0;
    }
    FUZZ_OK(stk_chain_leaf(chain, fuzz_arena(1, ARENA), &leaf, &error), &error);
    FUZZ_CHECK(leaf.subject != NULL && leaf.issuer != NULL && leaf.serial != NULL);
    FUZZ_CHECK(leaf.spc != NULL && leaf.numbers != NULL && leaf.key != NULL);
    constraints_are_read = read_constraints(chain);
    check_gate(chain, true, constraints_are_read);
    check_gate(chain, false, constraints_are_read);
    check_written(chain);
    if (stk_chain_trusted(chain, chain, NOW, &error) != STIRKEEP_OK)
        fuzz_refusal(error.status, &error);
    stk_chain_free(chain);
    return 0;
}
