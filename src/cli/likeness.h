/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_LIKENESS_H
#define STK_CLI_LIKENESS_H

#include "audit/fields.h"
#include "model/number_hash.h"
#include "passport/verify.h"

/* Is a record of this PASSporT? Claim by claim. */

enum stk_likeness_of {
    STK_LIKE_SIGNATURE,
    STK_LIKE_PPT,
    STK_LIKE_ORIG,
    STK_LIKE_DEST,
    STK_LIKE_ATTEST,
    STK_LIKE_ORIGID,
    STK_LIKE_IAT,
    STK_LIKE_COUNT
};

enum stk_likeness {
    STK_SAME,
    STK_DIFFERENT,
    STK_HIDDEN, /* a keyed hash in the record, and the key was not given */
    STK_UNTOLD  /* a compact PASSporT does not hold it */
};

/* "signature", "ppt", ..., and "same", "different", "hidden", "untold". */
extern const char *const stk_likeness_parts[STK_LIKE_COUNT];
extern const char *const stk_likeness_names[];

/*
 * Compare. `key` is the one that numbers in the record are hashed with, or NULL. A failure is that
 * the PASSporT's claims cannot be read (INVALID and others), or memory.
 */
enum stirkeep_status stk_likeness_find(const struct stk_fields *fields,
                                       const struct stk_identity *identity,
                                       const struct stk_number_key *key,
                                       enum stk_likeness ret_likeness[STK_LIKE_COUNT],
                                       struct stk_error *error);

#endif
