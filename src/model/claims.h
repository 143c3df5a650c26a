/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_CLAIMS_H
#define STK_MODEL_CLAIMS_H

#include "base/arena.h"
#include "base/error.h"
#include "json/json.h"

/* PASSporT types; the value is the bit in a policy's set. */
enum stk_ppt {
    STK_PPT_BASE = 1,   /* RFC 8225: no ppt */
    STK_PPT_SHAKEN = 2, /* RFC 8588 */
    STK_PPT_DIV = 4,    /* RFC 8946 */
    STK_PPT_DIV_O = 8,  /* RFC 8946 */
    STK_PPT_RPH = 16,   /* RFC 8443, RFC 9027 */
    STK_PPT_RCD = 32,   /* RFC 9795 */
    STK_PPT_OTHER = 64  /* any other name: only where a grant has it */
};
#define STK_PPTS_TYPED (STK_PPT_OTHER - 1) /* all but OTHER */

/* "base", "shaken", "div", "div-o", "rph", "rcd", "other". Never NULL. */
const char *stk_ppt_name(enum stk_ppt ppt);

/* From the wire's ppt ("" or NULL is base). A name that is not known is OTHER when it is one (1 to
 * STK_PPT_MAX of A-Z a-z 0-9 . _ -, first a letter), but "base" and "other" are none: false; nor is
 * what differs from a known name only in case. */
bool stk_ppt_parse(const char *text, enum stk_ppt *ret_ppt);

/* Two texts that belong together: a mky's alg and dig, an rcdi's pointer and digest. */
struct stk_pair {
    const char *name;
    const char *value;
};

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
    const char *div_tn;
    const char *div_uri;
    const char *div_hi;
    const char *opt;
    const char *const *rph_auth;
    size_t rph_auth_count;
    const char *sph;
    const char *rcd_nam;
    const char *rcd_apn;
    const char *rcd_icn;
    const char *rcd_jcd; /* JSON */
    const char *rcd_jcl;
    const char *crn;
    const struct stk_pair *rcdi;
    size_t rcdi_count;
    const struct stk_pair *mky;
    size_t mky_count;
    const char *other; /* a JSON object */
    bool compact;
};

/* Claims that are valid: holding one means that stk_claims_make has checked it. Texts that are
 * not there are NULL. */
struct stk_claims {
    enum stk_ppt ppt;
    const char *ppt_text; /* as in the header; "" for base; OTHER: as given */
    const char *orig_tn;  /* exactly one of these two is not NULL; canonical */
    const char *orig_uri;
    const char **dest_tn; /* canonical, sorted in byte order, none twice */
    size_t dest_tn_count;
    const char **dest_uri;
    size_t dest_uri_count;
    int64_t iat;                        /* 0: now */
    char attest;                        /* 'A', 'B', 'C' for shaken, else 0 */
    char origid[STK_ORIGID_LENGTH + 1]; /* lower case; "": the signer makes one */
    const char *div_tn;                 /* div, div-o: exactly one of these two */
    const char *div_uri;
    const char *div_hi;
    const char *opt;
    const char **rph_auth; /* in the order given */
    size_t rph_auth_count;
    const char *sph;
    const char *rcd_nam; /* not NULL: there is an rcd */
    const char *rcd_apn;
    const char *rcd_icn;
    const struct stk_json *rcd_jcd; /* an ARRAY, as jCards are */
    const char *rcd_jcl;
    const char *crn;
    struct stk_pair *rcdi; /* sorted by pointer, none twice */
    size_t rcdi_count;
    struct stk_pair *mky; /* dig upper-case hex; sorted by alg, then dig */
    size_t mky_count;
    const struct stk_json *other; /* an OBJECT with members; none of them has a name that is a
                                     field here */
    bool compact;
};

/*
 * Check and canonicalise (RFC 8225 section 5, RFC 8588 section 4, RFC 8946 sections 3 to 5, RFC
 * 8443, RFC 9027, RFC 9795): each type has the claims that it needs and none that it may not have
 * (the table in docs/PROTOCOL.md). `ret_claims` refers to `arena` and to nothing else: texts are
 * copied. INVALID names the field ("dest.tn[2]: ..."); UNSUPPORTED for a ppt that is no name;
 * TOO_LARGE when the arena is used up or a text is past its limit. `ret_claims` is untouched on
 * failure.
 */
enum stirkeep_status stk_claims_make(const struct stk_claims_input *input, struct stk_arena *arena,
                                     struct stk_claims *ret_claims, struct stk_error *error);

/* Claims in the form of an input, for sending them on: the texts of JSON parts are made in `arena`.
 * stk_claims_make of it gives the same claims. TOO_LARGE. */
enum stirkeep_status stk_claims_input_of(const struct stk_claims *claims, struct stk_arena *arena,
                                         struct stk_claims_input *ret_input);

/*
 * Whom the signer answers for: the number (or, when that is NULL, the URI) that a certificate has
 * to cover and a grant to allow. orig, but for div and div-o the diverting party, who has no
 * authority over the caller's number (RFC 8946 section 6).
 */
const char *stk_claims_authority_tn(const struct stk_claims *claims);
const char *stk_claims_authority_uri(const struct stk_claims *claims);

/* Telephone numbers of more than `digits` characters are refused: INVALID naming the field. */
enum stirkeep_status stk_claims_check_digits(const struct stk_claims *claims, unsigned digits,
                                             struct stk_error *error);

#endif
