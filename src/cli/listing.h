/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_LISTING_H
#define STK_CLI_LISTING_H

#include "cli/output.h"
#include <stddef.h>

/* A list that is printed in the end, as a table for people or as a JSON array. */
struct stk_listing {
    bool json;
    struct stk_table *rows;
    json_t *array;
    bool failed; /* memory ran out */
};

void stk_listing_start(struct stk_listing *listing, bool json, const char *const *heads,
                       size_t columns);

/* Add one item: `texts` when it is a table (copied); `value` (taken over) when it is JSON. */
void stk_listing_add_row(struct stk_listing *listing, const char *const *texts);
void stk_listing_add_json(struct stk_listing *listing, json_t *value);

/* Print, and release. False (and complained about) when memory had run out. */
bool stk_listing_print(struct stk_listing *listing);

/* Release without printing. */
void stk_listing_drop(struct stk_listing *listing);

#endif
