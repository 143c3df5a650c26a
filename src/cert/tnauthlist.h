/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CERT_TNAUTHLIST_H
#define STK_CERT_TNAUTHLIST_H

#include "base/bytes.h"
#include "base/error.h"
#include <stdbool.h>

/* TNAuthorizationList, 1.3.6.1.5.5.7.1.26 (RFC 8226 section 9): DER, explicit tags. */

#define STK_TNAUTH_MAX 4096 /* entries */

enum stk_tnauth_kind { STK_TNAUTH_SPC, STK_TNAUTH_RANGE, STK_TNAUTH_ONE };

struct stk_tnauth_entry {
    enum stk_tnauth_kind kind;
    char text[16];  /* SPC, or number, or first number of a range */
    uint32_t count; /* RANGE: how many numbers, at least 2 */
};

/* Owned by the caller: stk_tnauthlist_free. */
struct stk_tnauthlist {
    struct stk_tnauth_entry *entries;
    size_t count;
};

/* Pure, any thread. CERT_INVALID says what is not well-formed and where. */
enum stirkeep_status stk_tnauthlist_parse(struct stk_bytes der, struct stk_tnauthlist *ret_list,
                                          struct stk_error *error);
void stk_tnauthlist_free(struct stk_tnauthlist *list);

#endif
