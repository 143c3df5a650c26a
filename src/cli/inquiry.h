/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CLI_INQUIRY_H
#define STK_CLI_INQUIRY_H

#include "cert/cert.h"
#include "model/claims.h"
#include "passport/verify.h"

/* Whether an Identity header value is good: everything that is found out, before any of it is
 * printed. */

enum stk_verdict { STK_UNCHECKED, STK_GOOD, STK_BAD };

struct stk_question_of {
    const char *cert; /* files; NULL: not given */
    const char *ca;
    int64_t max_age_s; /* 0: not judged */
    int64_t now;
    const struct stk_claims *compact; /* what the compact form (RFC 8225 section 7) has not in it;
                                         NULL: it is to be the full form */
    const char *ppt;                  /* a further type that is to be taken; NULL: none */
    const char *x5u;                  /* of the compact form; NULL: what info says */
};

#define STK_INQUIRY_FINDINGS_MAX (STK_VERIFY_FINDINGS_MAX + 8)

struct stk_inquiry {
    struct stk_identity identity;
    bool parsed; /* else there is nothing in it but `findings` */
    struct stk_arena arena;
    struct stk_claims claims; /* when `readable` */
    bool readable;
    int64_t iat; /* 0: none that is a number */
    struct stk_finding findings[STK_INQUIRY_FINDINGS_MAX];
    size_t finding_count;
    enum stk_verdict signature;
    enum stk_verdict chain;
    struct stk_leaf leaf; /* when a certificate was given */
};

/*
 * Find out. A failure is one of the asker's files, of what was given for a compact form, or of
 * memory; what is wrong with the value is a finding. Follow with stk_inquiry_free in any case.
 */
enum stirkeep_status stk_inquire(const struct stk_question_of *question, const char *value,
                                 size_t length, struct stk_inquiry *inquiry,
                                 struct stk_error *error);
/* The same where the value is longer than any is: that is all that is known of it. */
void stk_inquire_too_large(const char *message, struct stk_inquiry *inquiry);
void stk_inquiry_free(struct stk_inquiry *inquiry);

/* The gravest finding that makes it no good; NULL: it is good. */
const struct stk_finding *stk_inquiry_objection(const struct stk_inquiry *inquiry);

#endif
