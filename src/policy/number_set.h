/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_NUMBER_SET_H
#define STK_POLICY_NUMBER_SET_H

#include "model/number.h"

/*
 * Many number patterns at once, each with a bit: which bits has a number? Two searches by
 * bisection, however many patterns there are: what is left of ranges and prefixes is where the set
 * of bits changes, and equal sets are kept once. Immutable; any thread.
 */
struct stk_number_set;

struct stk_number_bit {
    const struct stk_number_pattern *pattern;
    size_t bit;
};

/* `words` of 64 bits are in a set of them. The list is only read. NULL: out of memory. */
struct stk_number_set *stk_number_set_new(const struct stk_number_bit *list, size_t count,
                                          size_t words);
void stk_number_set_free(struct stk_number_set *set);

/* The bits of a number by its key are those of both sets together. */
struct stk_number_bits {
    const uint64_t *one;
    const uint64_t *other;
};
struct stk_number_bits stk_number_set_find(const struct stk_number_set *set, uint64_t key);

#endif
