/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/constraints.h"
#include "cert/gate_report.h"
#include <string.h>

/* What the leaf's own constraints leave of the PASSporTs that it is bought for. */

#define CLAUSE "RFC 8226 section 8, RFC 9118 section 3"

static bool is_one_of(const char *text, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, texts[i]) == 0)
            return true;
    return false;
}

/* RFC 9118 section 3: iat, orig and dest are in every PASSporT. */
static bool is_baseline(const char *claim)
{
    static const char *const baseline[] = {"iat", "orig", "dest"};

    return is_one_of(claim, baseline, sizeof(baseline) / sizeof(baseline[0]));
}

/* May a SHAKEN PASSporT have it (RFC 8588 section 4, RFC 9795 section 7)? */
static bool shaken_may_have(const char *claim)
{
    static const char *const claims[] = {"attest", "origid", "rcd", "crn", "rcdi"};

    return is_baseline(claim) || is_one_of(claim, claims, sizeof(claims) / sizeof(claims[0]));
}

static void judge_excluded(const struct stk_gate *gate, const struct stk_constraints *constraints)
{
    for (size_t i = 0; i < constraints->must_exclude_count; i++) {
        const char *claim = constraints->must_exclude[i];

        if (is_baseline(claim))
            stk_gate_find(gate, STK_GATE_STRICT, "CLAIMS-BASELINE", "RFC 9118 section 3",
                          "mustExclude: \"%s\", which every PASSporT has: verifiers take it as if "
                          "the extension were not there, and nothing can be signed",
                          claim);
        else if (is_one_of(claim, constraints->must_include, constraints->must_include_count))
            stk_gate_find(gate, STK_GATE_ADVICE, "CLAIMS-USELESS", CLAUSE,
                          "\"%.64s\" is in mustInclude and in mustExclude: nothing can be signed",
                          claim);
        else if (strcmp(claim, "attest") == 0 || strcmp(claim, "origid") == 0)
            stk_gate_find(gate, STK_GATE_ADVICE, "CLAIMS-USELESS", CLAUSE,
                          "mustExclude: \"%s\": no shaken PASSporT can be signed", claim);
    }
}

static void judge_included(const struct stk_gate *gate, const struct stk_constraints *constraints)
{
    for (size_t i = 0; i < constraints->must_include_count; i++)
        if (!shaken_may_have(constraints->must_include[i]))
            stk_gate_find(gate, STK_GATE_ADVICE, "CLAIMS-USELESS", CLAUSE,
                          "mustInclude: \"%.64s\": no shaken PASSporT can be signed",
                          constraints->must_include[i]);
}

static bool permits_an_attestation(const struct stk_permitted *permitted)
{
    return is_one_of("A", permitted->values, permitted->count) ||
           is_one_of("B", permitted->values, permitted->count) ||
           is_one_of("C", permitted->values, permitted->count);
}

static void judge_permitted(const struct stk_gate *gate, const struct stk_constraints *constraints)
{
    for (size_t i = 0; i < constraints->permitted_count; i++) {
        const struct stk_permitted *permitted = &constraints->permitted[i];

        if (strcmp(permitted->claim, "attest") == 0 && !permits_an_attestation(permitted))
            stk_gate_find(gate, STK_GATE_ADVICE, "CLAIMS-USELESS", CLAUSE,
                          "permittedValues: \"attest\" is none of A, B and C: no shaken PASSporT "
                          "can be signed");
        if (strcmp(permitted->claim, "iat") == 0)
            stk_gate_find(gate, STK_GATE_ADVICE, "CLAIMS-USELESS", CLAUSE,
                          "permittedValues: \"iat\" is fixed: PASSporTs can be signed at these "
                          "seconds alone");
    }
}

void stk_gate_judge_claims(const struct stk_gate *gate)
{
    struct stk_bytes leaf = stk_chain_der(gate->chain, 0);
    struct stk_constraints constraints = {0};
    struct stk_arena arena = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_arena_new(&arena, STK_CONSTRAINTS_ARENA);

    if (status == STIRKEEP_OK)
        status = stk_constraints_take_claims(leaf, &arena, &constraints, &error);
    else
        (void)stk_error_set(&error, status, "the claims' constraints: out of memory");
    if (status != STIRKEEP_OK) {
        stk_gate_find(gate, STK_GATE_ALWAYS, "CLAIMS-MALFORMED", CLAUSE, "%s", error.message);
    } else {
        judge_excluded(gate, &constraints);
        judge_included(gate, &constraints);
        judge_permitted(gate, &constraints);
    }
    stk_arena_free(&arena);
}
