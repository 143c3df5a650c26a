/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/policy_impl.h"

#include <stdlib.h>

/* Masks with a bit for each grant, in the order they lie in memory. */
enum { MASK_ATTEST = STK_PPT_KINDS, MASK_SIGN_INPUT = MASK_ATTEST + 3, MASK_ANY, MASKS };

static void fill_masks(struct stk_lookup *lookup, const struct stk_policy *policy)
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct stk_grant *grant = &policy->grants[i]->grant;
        uint64_t *word = lookup->masks + i / 64;
        uint64_t bit = UINT64_C(1) << i % 64;

        for (unsigned kind = 0; kind < STK_PPT_KINDS; kind++)
            if ((grant->ppts >> kind & 1) != 0)
                word[kind * lookup->words] |= bit;
        for (unsigned attest = 0; attest < 3; attest++)
            if ((grant->attests >> attest & 1) != 0)
                word[(MASK_ATTEST + attest) * lookup->words] |= bit;
        if (grant->sign_input)
            word[MASK_SIGN_INPUT * lookup->words] |= bit;
        if (grant->number_count == 0 && grant->uri_count == 0)
            word[MASK_ANY * lookup->words] |= bit;
    }
}

static bool make_masks(struct stk_lookup *lookup, const struct stk_policy *policy)
{
    lookup->masks = calloc(MASKS * lookup->words, sizeof(*lookup->masks));
    if (lookup->masks == NULL)
        return false;
    for (unsigned kind = 0; kind < STK_PPT_KINDS; kind++)
        lookup->ppts[kind] = lookup->masks + kind * lookup->words;
    for (unsigned attest = 0; attest < 3; attest++)
        lookup->attests[attest] = lookup->masks + (MASK_ATTEST + attest) * lookup->words;
    lookup->sign_input = lookup->masks + MASK_SIGN_INPUT * lookup->words;
    lookup->any_authority = lookup->masks + MASK_ANY * lookup->words;
    fill_masks(lookup, policy);
    return true;
}

/* Which of a grant's lists of texts. */
typedef size_t texts_of(const struct stk_grant *grant, const char *const **ret_texts);

static size_t certificates_of(const struct stk_grant *grant, const char *const **ret_texts)
{
    *ret_texts = grant->certificates;
    return grant->certificate_count;
}

static size_t others_of(const struct stk_grant *grant, const char *const **ret_texts)
{
    *ret_texts = grant->other_ppts;
    return grant->other_ppt_count;
}

static size_t uris_of(const struct stk_grant *grant, const char *const **ret_texts)
{
    *ret_texts = grant->uris;
    return grant->uri_count;
}

static struct stk_pattern_set *set_of_texts(const struct stk_policy *policy, texts_of *list_of)
{
    const char *const *texts = NULL;
    struct stk_pattern_bit *list = NULL;
    struct stk_pattern_set *set = NULL;
    size_t count = 0;

    for (size_t i = 0; i < policy->count; i++)
        count += list_of(&policy->grants[i]->grant, &texts);
    list = reallocarray(NULL, count + 1, sizeof(*list));
    if (list == NULL)
        return NULL;
    count = 0;
    for (size_t i = 0; i < policy->count; i++) {
        size_t each = list_of(&policy->grants[i]->grant, &texts);

        for (size_t j = 0; j < each; j++)
            list[count++] = (struct stk_pattern_bit){.pattern = texts[j], .bit = i};
    }
    set = stk_pattern_set_new(list, count);
    free(list);
    return set;
}

static struct stk_pattern_set *set_of_limits(const struct stk_policy *policy)
{
    struct stk_pattern_bit *list = reallocarray(NULL, policy->limit_count + 1, sizeof(*list));
    struct stk_pattern_set *set = NULL;

    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < policy->limit_count; i++)
        list[i] = (struct stk_pattern_bit){.pattern = policy->limits[i].pattern, .bit = i};
    set = stk_pattern_set_new(list, policy->limit_count);
    free(list);
    return set;
}

static struct stk_number_set *set_of_numbers(const struct stk_policy *policy, size_t words)
{
    struct stk_number_bit *list = NULL;
    struct stk_number_set *set = NULL;
    size_t count = 0;

    for (size_t i = 0; i < policy->count; i++)
        count += policy->grants[i]->grant.number_count;
    list = reallocarray(NULL, count + 1, sizeof(*list));
    if (list == NULL)
        return NULL;
    count = 0;
    for (size_t i = 0; i < policy->count; i++) {
        const struct stk_grant *grant = &policy->grants[i]->grant;

        for (size_t j = 0; j < grant->number_count; j++)
            list[count++] = (struct stk_number_bit){.pattern = &grant->numbers[j], .bit = i};
    }
    set = stk_number_set_new(list, count, words);
    free(list);
    return set;
}

struct stk_lookup *stk_lookup_new(const struct stk_policy *policy)
{
    struct stk_lookup *lookup = calloc(1, sizeof(*lookup));

    if (lookup == NULL)
        return NULL;
    lookup->words = policy->count > 0 ? (policy->count + 63) / 64 : 1;
    lookup->certificates = set_of_texts(policy, certificates_of);
    lookup->others = set_of_texts(policy, others_of);
    lookup->uris = set_of_texts(policy, uris_of);
    lookup->numbers = set_of_numbers(policy, lookup->words);
    lookup->limits = set_of_limits(policy);
    if (!make_masks(lookup, policy) || lookup->certificates == NULL || lookup->others == NULL ||
        lookup->uris == NULL || lookup->numbers == NULL || lookup->limits == NULL) {
        stk_lookup_free(lookup);
        return NULL;
    }
    return lookup;
}

void stk_lookup_free(struct stk_lookup *lookup)
{
    if (lookup == NULL)
        return;
    stk_pattern_set_free(lookup->certificates);
    stk_pattern_set_free(lookup->others);
    stk_pattern_set_free(lookup->uris);
    stk_pattern_set_free(lookup->limits);
    stk_number_set_free(lookup->numbers);
    free(lookup->masks);
    free(lookup);
}
