/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_POLICY_PATTERN_SET_H
#define STK_POLICY_PATTERN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Many patterns with '*' at once, each with a bit: which bits does a text match? A pattern is found
 * by what stands before its first '*' and behind its last one, so the time depends on how many
 * different lengths of these there are, not on the number of patterns. Immutable; any thread.
 */
struct stk_pattern_set;

struct stk_pattern_bit {
    const char *pattern; /* at most STK_PATTERN_SET_TEXT_MAX characters */
    size_t bit;
};
#define STK_PATTERN_SET_TEXT_MAX 1024

/* The texts have to live as long as the set; the list has not, and is sorted. NULL: out of
 * memory. */
struct stk_pattern_set *stk_pattern_set_new(struct stk_pattern_bit *list, size_t count);
void stk_pattern_set_free(struct stk_pattern_set *set);

bool stk_pattern_set_is_empty(const struct stk_pattern_set *set);

/* Set the bits of all patterns that match the text; others stay as they are. */
void stk_pattern_set_match(const struct stk_pattern_set *set, const char *text, uint64_t *bits);

#endif
