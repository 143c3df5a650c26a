/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_NUMBER_H
#define STK_MODEL_NUMBER_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Telephone numbers as 64-bit keys: the length in the upper 4 bits, below it a nibble for each
 * character, the last one lowest (0-9, '*' is 10, '#' is 11). Numbers of one length have keys in
 * their own order, so a range of numbers is a range of keys. `tn` is canonical (model/tn.h: at most
 * 15 characters). Pure; any thread.
 */
uint64_t stk_number_key(const char *tn);
void stk_number_text(uint64_t key, char ret_tn[STK_TN_MAX + 1]);

/* A run of numbers of one length, both ends in it. */
struct stk_number_range {
    uint64_t first; /* keys */
    uint64_t last;
};

/* `count` (at least 1) numbers from `first` on, which is digits alone. INVALID naming `field` when
 * they go past the last number of that length. */
enum stirkeep_status stk_number_run(const char *first, uint32_t count, const char *field,
                                    struct stk_number_range *ret_range, struct stk_error *error);

/* Sort, and join what touches or overlaps; the new count. */
size_t stk_number_ranges_normalise(struct stk_number_range *ranges, size_t count);

/* Is the key in one of the ranges, which are normalised? By bisection. */
bool stk_number_ranges_cover(const struct stk_number_range *ranges, size_t count, uint64_t key);

/* How a rule names numbers: "14155550100", "12025550100-12025550199", "1415555*". */
enum stk_number_kind { STK_NUMBER_ONE, STK_NUMBER_RANGE, STK_NUMBER_PREFIX };

struct stk_number_pattern {
    enum stk_number_kind kind;
    struct stk_number_range range; /* ONE, RANGE */
    char prefix[STK_TN_MAX + 1];   /* PREFIX: "1415555"; "" is every number */
};

/*
 * Read one. Visual separators are stripped as in telephone numbers (model/tn.h); both ends of a
 * range have the same number of digits, the first is not above the last; a prefix ends with one
 * '*' (a number that really ends with '*' is written as the range "N*-N*"). INVALID naming `field`.
 */
enum stirkeep_status stk_number_pattern_read(const char *text, const char *field,
                                             struct stk_number_pattern *ret_pattern,
                                             struct stk_error *error);
/* Its text, e.g. for a refusal. */
#define STK_NUMBER_PATTERN_TEXT (2 * STK_TN_MAX + 2)
void stk_number_pattern_text(const struct stk_number_pattern *pattern,
                             char ret_text[STK_NUMBER_PATTERN_TEXT]);

/* Does it match a canonical number? */
bool stk_number_pattern_matches(const struct stk_number_pattern *pattern, const char *tn);

#endif
