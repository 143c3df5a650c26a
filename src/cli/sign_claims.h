/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_SIGN_CLAIMS_H
#define STK_CLI_SIGN_CLAIMS_H

#include "base/buffer.h"
#include "base/error.h"
#include "cli/verb.h"
#include <stirkeep/client.h>

/* The claims of one PASSporT from a command line. */

struct stk_claim_options {
    const char *orig;
    const char *orig_uri;
    struct stk_texts dest;
    struct stk_texts dest_uri;
    const char *ppt;
    const char *attest;
    const char *origid;
    long long iat;
    const char *div; /* a number, or a URI: what has a ':' */
    const char *hi;
    const char *opt; /* a file, as jcd and claims: "-" is standard input */
    struct stk_texts rph;
    const char *sph;
    const char *nam;
    const char *apn;
    const char *icn;
    const char *jcl;
    const char *jcd;
    const char *crn;
    struct stk_texts rcdi; /* POINTER=DIGEST */
    struct stk_texts mky;  /* ALG:DIG */
    const char *claims;
    bool compact;
};

/* As the client wants them; texts are the options' and its own. */
struct stk_sign_claims {
    struct stirkeep_claims claims;
    struct stk_buffer opt;
    struct stk_buffer jcd;
    struct stk_buffer other;
    struct stirkeep_pair rcdi[STK_TEXTS_MAX];
    struct stirkeep_pair mky[STK_TEXTS_MAX];
    char *pairs[2 * STK_TEXTS_MAX]; /* owned: texts that were cut in two */
    size_t pair_count;
};

/* NULL: the options make sense together. */
const char *stk_claim_contradiction(const struct stk_claim_options *options);

/* Read the files, cut the pairs. INVALID, IO, TOO_LARGE. Follow with stk_sign_claims_free in any
 * case. */
enum stirkeep_status stk_sign_claims_make(const struct stk_claim_options *options,
                                          struct stk_sign_claims *claims, struct stk_error *error);
void stk_sign_claims_free(struct stk_sign_claims *claims);

#endif
