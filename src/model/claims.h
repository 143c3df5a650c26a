/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_CLAIMS_H
#define STK_MODEL_CLAIMS_H

#include "base/arena.h"
#include "base/error.h"

/* PASSporT types; the value is the bit in a policy's set. */
enum stk_ppt { STK_PPT_BASE = 1, STK_PPT_SHAKEN = 2 };

/* "base" or the registered ppt value. Never NULL. */
const char *stk_ppt_name(enum stk_ppt ppt);

/* From the wire's ppt ("" is base). False when it is not known. */
bool stk_ppt_parse(const char *text, enum stk_ppt *ret_ppt);

/* Claims as somebody gave them; nothing checked. Missing texts are "" or NULL. */
struct stk_claims_input {
    const char *ppt;
    const char *orig_tn;
    const char *orig_uri;
    const char *const *dest_tn;
    size_t dest_tn_count;
    const char *const *dest_uri;
    size_t dest_uri_count;
    int64_t iat; /* 0: now */
    const char *attest;
    const char *origid;
};

/* Claims that are valid: holding one means that stk_claims_make has checked it. */
struct stk_claims {
    enum stk_ppt ppt;
    const char *orig_tn; /* exactly one of these two is not NULL; canonical */
    const char *orig_uri;
    const char **dest_tn; /* canonical, sorted in byte order, none twice */
    size_t dest_tn_count;
    const char **dest_uri;
    size_t dest_uri_count;
    int64_t iat;                        /* 0: now */
    char attest;                        /* 'A', 'B', 'C' for shaken, else 0 */
    char origid[STK_ORIGID_LENGTH + 1]; /* lower case; "": the signer makes one */
};

/*
 * Check and canonicalise (RFC 8225 section 5, RFC 8588 section 4): known ppt; exactly one orig;
 * one to STK_DEST_MAX dest; attest exactly A, B or C for shaken and absent otherwise; origid a
 * UUID for shaken and absent otherwise; iat not negative. The texts of `ret_claims` live in
 * `arena`. INVALID names the field ("dest.tn[2]: ..."); UNSUPPORTED for an unknown ppt;
 * TOO_LARGE when the arena is used up. `ret_claims` is untouched on failure.
 */
enum stirkeep_status stk_claims_make(const struct stk_claims_input *input, struct stk_arena *arena,
                                     struct stk_claims *ret_claims, struct stk_error *error);

#endif
