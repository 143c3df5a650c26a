/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_HIDING_H
#define STK_KEEPER_HIDING_H

#include "audit/trail.h"
#include "model/number_hash.h"

/* How the detail of a record begins that says whose number a call was diverted from. */
#define STK_DIVERTING "div "

/* Where the texts of one record are kept that stand for others. */
struct stk_hidden {
    char orig[STK_NUMBER_HASH_TEXT];
    char dest[STK_DEST_MAX][STK_NUMBER_HASH_TEXT];
    const char *dest_list[STK_DEST_MAX];
    char detail[sizeof(STK_DIVERTING) + STK_NUMBER_HASH_TEXT];
    char reason[STK_ERROR_MAX];
};

/* Put keyed hashes in the place of the numbers in a record about a call; `hidden` has to live as
 * long as it. */
void stk_record_hide(const struct stk_number_key *key, struct stk_hidden *hidden,
                     struct stk_record *record);

#endif
