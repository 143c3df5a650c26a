/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_CLAIMS_MAKE_H
#define STK_MODEL_CLAIMS_MAKE_H

#include "model/claims.h"

/* The making of claims, one function for each; only for src/model. */

struct stk_claims_making {
    const struct stk_claims_input *input;
    struct stk_arena *arena;
    struct stk_claims *claims;
    struct stk_error *error;
};

#define STK_FIELD_TEXT 40 /* "dest.uri[31]", "rcdi.pointer[15]" */

/* A claim that is given, and that its type may have, is put into making->claims. */
typedef enum stirkeep_status stk_claim_make(struct stk_claims_making *making);

stk_claim_make stk_claim_make_div;
stk_claim_make stk_claim_make_opt;
stk_claim_make stk_claim_make_rph;
stk_claim_make stk_claim_make_sph;
stk_claim_make stk_claim_make_rcd;
stk_claim_make stk_claim_make_crn;
stk_claim_make stk_claim_make_rcdi;
stk_claim_make stk_claim_make_mky;
stk_claim_make stk_claim_make_other;

/* Is there a digest of everything in rcd that is behind a URL? When all of it is made. */
stk_claim_make stk_claims_check_rcdi;

/* ---- pieces */

static inline bool stk_is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* "claims: take too much memory". */
enum stirkeep_status stk_claims_no_room(struct stk_error *error);

/* INVALID, with "field[index]: why". */
enum stirkeep_status stk_claims_refuse_item(struct stk_error *error, const char *field,
                                            size_t index, const char *why);

/* A copy of at most `max` bytes. TOO_LARGE. */
enum stirkeep_status stk_claims_copy(struct stk_claims_making *making, const char *text,
                                     const char *field, size_t max, const char **ret_text);

/* A copy of UTF-8 that people read: no control characters. */
enum stirkeep_status stk_claims_copy_readable(struct stk_claims_making *making, const char *text,
                                              const char *field, size_t max, const char **ret_text);

enum stirkeep_status stk_claims_make_tn(struct stk_claims_making *making, const char *text,
                                        const char *field, const char **ret_tn);
enum stirkeep_status stk_claims_make_uri(struct stk_claims_making *making, const char *text,
                                         const char *field, const char **ret_uri);

/* Exactly one of a tn and a uri; `fields` are the names: of both together, of the tn, of the uri. */
enum stirkeep_status stk_claims_make_party(struct stk_claims_making *making, const char *tn,
                                           const char *uri, const char *const fields[3],
                                           const char **ret_tn, const char **ret_uri);

#endif
