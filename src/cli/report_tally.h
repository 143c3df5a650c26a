/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_REPORT_TALLY_H
#define STK_CLI_REPORT_TALLY_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Counts by text, in memory with a bound whatever the texts are: who comes first gets a row of its
 * own, with whole numbers from its first time on; whoever comes when the rows are used up is counted
 * among the others, and nothing is estimated. {.most = N} is an empty one. One thread.
 */
#define STK_TALLY_COUNTS 4
#define STK_TALLY_KEY_MAX 512 /* bytes of a text; a longer one is cut there and ends in "..." */
#define STK_TALLY_SEPARATOR "\x1f" /* between the parts of a text that is made of several */

struct stk_tally_row {
    char *key;
    size_t length;
    uint64_t counts[STK_TALLY_COUNTS];
    int64_t first_us; /* as given with what was counted; 0: none */
    int64_t last_us;
};

/* Rows that several tallies may have together. */
struct stk_tally_budget {
    size_t left;
};

struct stk_tally {
    size_t most;                     /* rows of this one */
    struct stk_tally_budget *budget; /* NULL: no other bound */
    struct stk_tally_row *rows;      /* in the order of their coming */
    size_t count;
    size_t room;
    uint32_t *slots; /* number of a row + 1; a power of two of them */
    size_t slot_count;
    uint64_t others[STK_TALLY_COUNTS]; /* of texts without a row */
};

/* Add `amount` to count `which` of a text. False without memory. */
bool stk_tally_add(struct stk_tally *tally, struct stk_bytes key, size_t which, uint64_t amount,
                   int64_t real_us);

/* The row of a text; NULL: it has none. */
struct stk_tally_row *stk_tally_find(const struct stk_tally *tally, struct stk_bytes key);

/* Reorder: by text, or by the sum of the counts, the largest first, then by text. Counting may go
 * on afterwards. */
void stk_tally_sort_by_key(struct stk_tally *tally);
void stk_tally_sort_by_count(struct stk_tally *tally);

uint64_t stk_tally_row_sum(const struct stk_tally_row *row);
uint64_t stk_tally_total(const struct stk_tally *tally, size_t which); /* the others with it */

void stk_tally_free(struct stk_tally *tally);

#endif
