/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_PROOF_SEARCH_H
#define STK_CLI_PROOF_SEARCH_H

#include "audit/verify.h"
#include "cli/trail_files.h"

/* Looking for one record in a trail, and for what proves it: in one pass. */

/* Which record. Zero-filled: any. */
struct stk_proof_question {
    struct stk_trail_filter filter;
    const char *sig;   /* 64 hex digits; NULL: any */
    uint64_t sequence; /* 0: any */
};

enum stk_found_state {
    STK_FOUND_UNSEALED,
    STK_FOUND_PROVEN,
    STK_FOUND_CHAINED, /* a seal covers it by the chain alone */
    STK_FOUND_PARTLY   /* not all records under its seal were given, or no memory for them */
};

struct stk_found {
    uint64_t sequence;
    struct stk_buffer line;
    enum stk_found_state state;
    struct stk_merkle_path path; /* PROVEN */
    struct stk_buffer seal_line; /* PROVEN */
};

#define STK_FOUND_MAX 32 /* of those that fit are kept; past it they are counted */

struct stk_proof_search {
    const struct stk_proof_question *question;
    struct stk_found found[STK_FOUND_MAX];
    size_t kept;
    uint64_t count;
};

/* For a verifier's `each`, whose context is the search. NO_MEMORY. */
enum stirkeep_status stk_proof_search_each(void *context, struct stk_verifier *verifier,
                                           const struct stk_verified *record,
                                           struct stk_error *error);
void stk_proof_search_free(struct stk_proof_search *search);

#endif
