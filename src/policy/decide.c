/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_impl.h"

#include <assert.h>
#include <string.h>

size_t stk_bits_next(const uint64_t *bits, size_t words, size_t from)
{
    for (size_t word = from / 64; word < words; word++) {
        uint64_t rest = bits[word];

        if (word == from / 64)
            rest &= UINT64_MAX << from % 64;
        if (rest != 0)
            return word * 64 + (size_t)__builtin_ctzll(rest);
    }
    return SIZE_MAX;
}

size_t stk_bits_last(const uint64_t *bits, size_t words)
{
    while (words-- > 0)
        if (bits[words] != 0)
            return words * 64 + 63 - (size_t)__builtin_clzll(bits[words]);
    return SIZE_MAX;
}

/* Leave only what is in the mask, too; false, and all as it was, when nothing is. */
static bool narrow(uint64_t *bits, const uint64_t *mask, size_t words)
{
    uint64_t some = 0;

    for (size_t i = 0; i < words; i++)
        some |= bits[i] & mask[i];
    if (some == 0)
        return false;
    for (size_t i = 0; i < words; i++)
        bits[i] &= mask[i];
    return true;
}

static bool narrow_either(uint64_t *bits, const uint64_t *a, const uint64_t *b, const uint64_t *c,
                          size_t words)
{
    uint64_t some = 0;

    for (size_t i = 0; i < words; i++)
        some |= bits[i] & (a[i] | b[i] | c[i]);
    if (some == 0)
        return false;
    for (size_t i = 0; i < words; i++)
        bits[i] &= a[i] | b[i] | c[i];
    return true;
}

static __attribute__((noinline)) bool narrow_uri(const struct stk_lookup *lookup, const char *uri,
                                                 uint64_t *bits)
{
    uint64_t matching[STK_GRANT_WORDS_MAX] = {0};

    if (!stk_pattern_set_is_empty(lookup->uris))
        stk_pattern_set_match(lookup->uris, uri, matching);
    return narrow_either(bits, matching, lookup->any_authority, lookup->any_authority,
                         lookup->words);
}

static bool narrow_authority(const struct stk_lookup *lookup, const struct stk_asked *asked,
                             uint64_t *bits)
{
    struct stk_number_bits found = {0};

    if (asked->tn != NULL) {
        found = stk_number_set_find(lookup->numbers, asked->key);
        return narrow_either(bits, found.one, found.other, lookup->any_authority, lookup->words);
    }
    if (asked->uri != NULL)
        return narrow_uri(lookup, asked->uri, bits);
    return narrow(bits, lookup->any_authority, lookup->words);
}

static __attribute__((noinline)) bool narrow_other_ppt(const struct stk_lookup *lookup,
                                                       const char *ppt, uint64_t *bits)
{
    uint64_t matching[STK_GRANT_WORDS_MAX] = {0};

    if (ppt != NULL)
        stk_pattern_set_match(lookup->others, ppt, matching);
    return narrow(bits, matching, lookup->words);
}

static bool narrow_ppt(const struct stk_lookup *lookup, const struct stk_claims *claims,
                       uint64_t *bits)
{
    unsigned ppt = (unsigned)claims->ppt;

    if (claims->ppt == STK_PPT_OTHER)
        return narrow_other_ppt(lookup, claims->ppt_text, bits);
    if (__builtin_popcount(ppt) != 1 || (ppt & STK_PPTS_TYPED) == 0)
        return false;
    return narrow(bits, lookup->ppts[__builtin_ctz(ppt)], lookup->words);
}

struct stk_asked stk_asked_of(const struct stk_question *question)
{
    struct stk_asked asked = {.question = question,
                              .tn = stk_claims_authority_tn(question->claims)};

    if (asked.tn != NULL)
        asked.key = stk_number_key(asked.tn);
    else
        asked.uri = stk_claims_authority_uri(question->claims);
    return asked;
}

enum stk_step stk_policy_narrow(const struct stk_lookup *lookup, const struct stk_grants *grants,
                                const struct stk_asked *asked,
                                uint64_t ret_bits[STK_GRANT_WORDS_MAX])
{
    const struct stk_question *question = asked->question;
    const struct stk_claims *claims = question->claims;
    size_t words = lookup->words;
    bool shaken = claims->ppt == STK_PPT_SHAKEN;

    memset(ret_bits, 0, words * sizeof(*ret_bits));
    stk_pattern_set_match(lookup->certificates, question->name, ret_bits);
    if (asked->rules != NULL)
        stk_rules_find_next(asked->rules, asked->key);
    if (!narrow(ret_bits, grants->bits, words)) {
        memcpy(ret_bits, grants->bits, words * sizeof(*ret_bits));
        return STK_STEP_CERTIFICATE;
    }
    if (!narrow_ppt(lookup, claims, ret_bits))
        return STK_STEP_PPT;
    if (shaken && stk_claims_have_rcd(claims) &&
        !narrow(ret_bits, lookup->ppts[__builtin_ctz(STK_PPT_RCD)], words))
        return STK_STEP_RCD;
    if (question->is_input && !narrow(ret_bits, lookup->sign_input, words))
        return STK_STEP_SIGN_INPUT;
    if (!narrow_authority(lookup, asked, ret_bits))
        return STK_STEP_AUTHORITY;
    if (shaken && (claims->attest < 'A' || claims->attest > 'C' ||
                   !narrow(ret_bits, lookup->attests[claims->attest - 'A'], words)))
        return STK_STEP_ATTEST;
    return STK_STEP_ALLOWED;
}

/* ---- the attestation rules */

struct stk_rule_found stk_policy_rule(const struct stk_policy *policy,
                                      const struct stk_asked *asked)
{
    if (asked->tn == NULL)
        return (struct stk_rule_found){.level = policy->rules->otherwise};
    return stk_rules_find_key(policy->rules, asked->key);
}

/* What is no attestation is above every level. */
static enum stk_level level_of(char attest)
{
    return attest < 'A' || attest > 'C' ? STK_LEVEL_A + 1 : STK_LEVEL_C + ('C' - attest);
}

static __attribute__((noinline)) enum stirkeep_status refuse_attest(const struct stk_policy *policy,
                                                                    const struct stk_asked *asked,
                                                                    struct stk_rule_found rule,
                                                                    struct stk_error *error)
{
    char text[STK_RULE_TEXT] = "";

    stk_rule_text(policy, rule, text);
    return stk_error_set(error, STIRKEEP_NOT_PERMITTED, "attest %c for %.80s: %s",
                         stk_attest_shown(asked->question->claims),
                         stk_authority_text(asked->question->claims), text);
}

enum stirkeep_status stk_policy_attest(const struct stk_policy *policy,
                                       const struct stk_asked *asked, struct stk_decision *decision,
                                       struct stk_error *error)
{
    const struct stk_claims *claims = asked->question->claims;
    struct stk_rule_found rule = {0};

    decision->lowered = false;
    decision->attest = claims->ppt == STK_PPT_SHAKEN ? claims->attest : 0;
    if (claims->ppt != STK_PPT_SHAKEN || policy->rules == NULL)
        return STIRKEEP_OK;
    rule = stk_policy_rule(policy, asked);
    if (rule.level >= level_of(claims->attest))
        return STIRKEEP_OK;
    if (!policy->lower || rule.level == STK_LEVEL_NONE)
        return refuse_attest(policy, asked, rule, error);
    decision->attest = stk_level_name(rule.level)[0];
    decision->lowered = true;
    return STIRKEEP_OK;
}

/* ---- decisions */

static enum stirkeep_status refuse(const struct stk_policy *policy, const uint64_t *bits,
                                   size_t words, enum stk_step step,
                                   const struct stk_question *question, struct stk_error *error)
{
    const struct stk_grant *nearest = stk_policy_grant(policy, stk_bits_next(bits, words, 0));
    char text[STK_REFUSAL_MAX] = "";

    if (step == STK_STEP_CERTIFICATE || nearest == NULL)
        return stk_error_set(error, STIRKEEP_NOT_PERMITTED,
                             "certificate %.64s: no grant of this peer names it", question->name);
    stk_refusal_text(nearest, step, question, text);
    return stk_error_set(error, STIRKEEP_NOT_PERMITTED, "grant %s: %s", nearest->name, text);
}

static size_t first_unspent(const uint64_t *bits, size_t words, const uint64_t *spent)
{
    for (size_t i = 0; spent != NULL && i < words; i++)
        if ((bits[i] & ~spent[i]) != 0)
            return i * 64 + (size_t)__builtin_ctzll(bits[i] & ~spent[i]);
    return stk_bits_next(bits, words, 0);
}

enum stirkeep_status
stk_policy_decide_unspent(const struct stk_policy *policy, const struct stk_grants *grants,
                          const struct stk_question *question, const uint64_t *spent,
                          struct stk_decision *ret_decision, struct stk_error *error)
{
    const struct stk_lookup *lookup = stk_policy_lookup(policy);
    STK_UNINITIALIZED uint64_t bits[STK_GRANT_WORDS_MAX];
    struct stk_asked asked = stk_asked_of(question);
    struct stk_decision decision = {0};
    enum stk_step step = STK_STEP_CERTIFICATE;
    enum stirkeep_status status = STIRKEEP_OK;

    assert(grants->policy == policy && lookup != NULL);
    if (grants->count == 0)
        return stk_error_set(error, STIRKEEP_NOT_PERMITTED, "no grant names this peer");
    if (asked.tn != NULL && question->claims->ppt == STK_PPT_SHAKEN)
        asked.rules = policy->rules;
    if (asked.rules != NULL)
        stk_rules_find_soon(asked.rules, asked.key);
    step = stk_policy_narrow(lookup, grants, &asked, bits);
    if (step != STK_STEP_ALLOWED)
        return refuse(policy, bits, lookup->words, step, question, error);
    status = stk_policy_attest(policy, &asked, &decision, error);
    if (status != STIRKEEP_OK)
        return status;
    decision.grant = stk_policy_grant(policy, first_unspent(bits, lookup->words, spent));
    *ret_decision = decision;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_policy_decide(const struct stk_policy *policy,
                                       const struct stk_grants *grants,
                                       const struct stk_question *question,
                                       struct stk_decision *ret_decision, struct stk_error *error)
{
    return stk_policy_decide_unspent(policy, grants, question, NULL, ret_decision, error);
}

bool stk_policy_may_see(const struct stk_grants *grants, const char *name)
{
    const struct stk_lookup *lookup = stk_policy_lookup(grants->policy);
    STK_UNINITIALIZED uint64_t bits[STK_GRANT_WORDS_MAX];

    memset(bits, 0, lookup->words * sizeof(*bits));
    stk_pattern_set_match(lookup->certificates, name, bits);
    return narrow(bits, grants->bits, lookup->words);
}
