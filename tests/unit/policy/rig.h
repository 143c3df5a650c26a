/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TESTS_POLICY_RIG_H
#define STK_TESTS_POLICY_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

/* A grant of uid 1000 and gid 50 for Alpha and Beta-*, shaken with B and C. */
struct stk_grant grant_of(const char *name);
struct stk_policy *policy_of(const struct stk_grant *grants, size_t count);

/* Somebody with one group, 7, and nothing else. */
struct stk_who who_of(uid_t uid);

/* shaken, attest B, from 14155550100 */
struct stk_claims claims_of_call(void);

/* What a policy says to uid 1000: the grant's name, or "" with the message in `error`. */
const char *verdict(const struct stk_policy *policy, const struct stk_who *who, const char *name,
                    const struct stk_claims *claims, bool is_input, struct stk_error *error);

/* The same for uid 1000, name Alpha; asserts what comes of it. */
void assert_allowed(const struct stk_policy *policy, const struct stk_claims *claims,
                    const char *grant);
void assert_refused(const struct stk_policy *policy, const struct stk_claims *claims,
                    const char *message);

struct stk_number_pattern pattern_of(const char *text);

/* Rules of a CSV text, compiled; freed by rules_free. Asserts that it is good. */
struct rules {
    struct stk_rules *opened;
    uint8_t *image; /* of its exact length, so that a step outside shows */
    size_t length;
};
struct rules rules_of(const char *csv, enum stk_level otherwise);
void rules_free(struct rules *rules);

/* The same sequence in each run. */
uint64_t any(uint64_t below);

#endif
