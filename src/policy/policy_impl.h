/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_POLICY_IMPL_H
#define STK_POLICY_POLICY_IMPL_H

#include "policy/number_set.h"
#include "policy/pattern_set.h"
#include "policy/policy.h"
#include "policy/rules_impl.h"

#define STK_ATTESTS_KNOWN 7u /* A, B, C */
#define STK_PPT_KINDS 7      /* bits of enum stk_ppt */

/* A grant that a policy holds. `grant` is what it gives away, so it comes first. */
struct stk_held_grant {
    struct stk_grant grant; /* its lists are owned; uids and gids sorted */
    size_t index;
};

static inline size_t stk_grant_index(const struct stk_grant *grant)
{
    return ((const struct stk_held_grant *)(const void *)grant)->index;
}

/* An array that is written before it is read, where clearing it first would take longer than the
 * rest. */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define STK_UNINITIALIZED __attribute__((uninitialized))
#else
#define STK_UNINITIALIZED
#endif

/*
 * All grants side by side: for each condition a bit for each grant that fulfils it, so that a
 * decision is a few searches and a few words that are and-ed, however many grants there are.
 * Made once, when the policy is complete.
 */
#define STK_GRANT_WORDS_MAX (STK_GRANTS_MAX / 64)
struct stk_lookup {
    size_t words;
    struct stk_pattern_set *certificates;
    uint64_t *masks; /* the memory of these: */
    const uint64_t *ppts[STK_PPT_KINDS];
    const uint64_t *attests[3];
    const uint64_t *sign_input;
    const uint64_t *any_authority;  /* neither numbers nor URIs are given */
    struct stk_pattern_set *others; /* names of types that are not typed */
    struct stk_pattern_set *uris;
    struct stk_number_set *numbers;
    struct stk_pattern_set *limits; /* bits of [certificate] sections */
};

struct stk_lookup *stk_lookup_new(const struct stk_policy *policy); /* NULL: out of memory */
void stk_lookup_free(struct stk_lookup *lookup);

struct stk_lookup_box;

struct stk_policy {
    struct stk_held_grant **grants;
    size_t count;
    struct stk_certificate_limit *limits; /* patterns owned */
    size_t limit_count;
    bool needs_program;
    const struct stk_rules *rules;
    bool lower;
    char file[STK_RULES_FILE_MAX + 1];
    struct stk_lookup_box *box; /* what is made of it when it is complete */
};

/* The policy's lookup, made by the first who asks. NULL: out of memory. Any thread. */
const struct stk_lookup *stk_policy_lookup(const struct stk_policy *policy);

/* A copy, with lists of its own, of a grant that stk_grant_check has taken. NULL: out of memory. */
struct stk_held_grant *stk_held_grant_new(const struct stk_grant *grant);
void stk_held_grant_free(struct stk_held_grant *grant);

/* CONFIG with the reason when it makes no sense by itself. */
enum stirkeep_status stk_grant_check(const struct stk_grant *grant, struct stk_error *error);
enum stirkeep_status stk_rate_check(const struct stk_rate *rate, struct stk_error *error);

bool stk_grant_belongs(const struct stk_grant *grant, const struct stk_who *who);
/* Why not? "user 1001 is not in it". */
#define STK_WHY_MAX 640
void stk_grant_excludes(const struct stk_grant *grant, const struct stk_who *who,
                        char ret_why[STK_WHY_MAX]);

/* Claims of RFC 9795? */
static inline bool stk_claims_have_rcd(const struct stk_claims *claims)
{
    return claims->rcd_nam != NULL || claims->crn != NULL || claims->rcdi_count > 0;
}

/* A question with whom it is about. */
struct stk_asked {
    const struct stk_question *question;
    const char *tn;                /* the authority's number, or NULL, and then ... */
    const char *uri;               /* ... its URI, or NULL */
    uint64_t key;                  /* of the number */
    const struct stk_rules *rules; /* not NULL: its rule will be asked for */
};
struct stk_asked stk_asked_of(const struct stk_question *question);

/* How far a request comes through the conditions of a grant, in the order they are asked. */
enum stk_step {
    STK_STEP_CERTIFICATE,
    STK_STEP_PPT,
    STK_STEP_RCD, /* a shaken PASSporT with rcd claims needs that type, too */
    STK_STEP_SIGN_INPUT,
    STK_STEP_AUTHORITY,
    STK_STEP_ATTEST,
    STK_STEP_ALLOWED
};

/* Of the peer's grants those that come furthest, in `ret_bits`, and how far that is. */
enum stk_step stk_policy_narrow(const struct stk_lookup *lookup, const struct stk_grants *grants,
                                const struct stk_asked *asked,
                                uint64_t ret_bits[STK_GRANT_WORDS_MAX]);

/* stk_policy_decide, but of the grants that allow it the first one that is not `spent` (a bit each,
 * or NULL); the first one of all when there is none. */
enum stirkeep_status
stk_policy_decide_unspent(const struct stk_policy *policy, const struct stk_grants *grants,
                          const struct stk_question *question, const uint64_t *spent,
                          struct stk_decision *ret_decision, struct stk_error *error);

/* The first bit from `from` on, or SIZE_MAX; and the last one. */
size_t stk_bits_next(const uint64_t *bits, size_t words, size_t from);
size_t stk_bits_last(const uint64_t *bits, size_t words);

/* For messages: '?' for what no decoder lets through. */
static inline char stk_attest_shown(const struct stk_claims *claims)
{
    return claims->attest >= 'A' && claims->attest <= 'Z' ? claims->attest : '?';
}

/* Which attestation is given, by the rules; NOT_PERMITTED. `decision->grant` stays. */
enum stirkeep_status stk_policy_attest(const struct stk_policy *policy,
                                       const struct stk_asked *asked, struct stk_decision *decision,
                                       struct stk_error *error);

/* The rule's words for a question: "attest.csv:17 allows B", "no rule, the default allows none". */
#define STK_RULE_TEXT (STK_RULE_PLACE + 48)
struct stk_rule_found stk_policy_rule(const struct stk_policy *policy,
                                      const struct stk_asked *asked);
void stk_rule_text(const struct stk_policy *policy, struct stk_rule_found rule,
                   char ret_text[STK_RULE_TEXT]);

/* One condition of one grant, asked by itself, without the lookup: for explaining. */
enum stk_step stk_grant_reach(const struct stk_grant *grant, const struct stk_question *question);

/* The reason why a grant stops at a step, without its name: "ppt div is not allowed (shaken)". */
#define STK_REFUSAL_MAX 352
void stk_refusal_text(const struct stk_grant *grant, enum stk_step step,
                      const struct stk_question *question, char ret_text[STK_REFUSAL_MAX]);

/* "14155550100", or the URI; never NULL. */
const char *stk_authority_text(const struct stk_claims *claims);

#endif
