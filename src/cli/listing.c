/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/listing.h"

void stk_listing_start(struct stk_listing *listing, bool json, const char *const *heads,
                       size_t columns)
{
    *listing = (struct stk_listing){.json = json};
    if (json)
        listing->array = json_array();
    else
        listing->rows = stk_table_new(heads, columns);
}

void stk_listing_add_row(struct stk_listing *listing, const char *const *texts)
{
    stk_table_row(listing->rows, texts);
}

void stk_listing_add_json(struct stk_listing *listing, json_t *value)
{
    if (json_array_append_new(listing->array, value) != 0)
        listing->failed = true;
}

bool stk_listing_print(struct stk_listing *listing)
{
    if (!listing->json)
        return stk_table_print(listing->rows);
    if (listing->failed) {
        json_decref(listing->array);
        listing->array = NULL;
    }
    return stk_json_print(listing->array);
}

void stk_listing_drop(struct stk_listing *listing)
{
    json_decref(listing->array);
    stk_table_free(listing->rows);
}
