/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_VERIFY_H
#define STK_PASSPORT_VERIFY_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/claims.h"
#include <stdbool.h>

/* An Identity header value taken apart (RFC 8224 section 4), without judging its claims. */
struct stk_identity {
    char *text;                      /* owned: the value, cut into pieces */
    const char *passport;            /* '\0'-terminated compact form */
    const char *info;                /* without angle brackets; "" when absent */
    const char *alg;                 /* "" when absent */
    const char *ppt;                 /* unquoted; "" when absent */
    bool compact;                    /* "..signature": the three that follow are not there */
    struct stk_buffer signing_input; /* view of passport up to its second '.' */
    struct stk_buffer header;        /* decoded JSON */
    struct stk_buffer payload;       /* decoded JSON */
    struct stk_buffer composed;      /* owned: the signing input of a compact one */
    uint8_t signature[64];
};

/*
 * Take a header value apart; a leading "Identity:" and surrounding white space are allowed.
 * MALFORMED names the part: "PASSporT: not three parts", "signature: 63 bytes, ES256 has 64", ...
 */
enum stirkeep_status stk_identity_parse(const char *value, size_t length,
                                        struct stk_identity *ret_identity, struct stk_error *error);
void stk_identity_free(struct stk_identity *identity);

/*
 * Fill in what a compact one (RFC 8225 section 7) leaves to be taken from the call: header, payload
 * and signing input, composed of `claims`, whose iat is the time that was signed, and `x5u` (NULL:
 * the value's info). INVALID when they are no base claims with an iat, or there is no x5u; as it was
 * then. NO_MEMORY.
 */
enum stirkeep_status stk_identity_complete(struct stk_identity *identity,
                                           const struct stk_claims *claims, const char *x5u,
                                           struct stk_error *error);

/* The claims, of whatever type, for judging them further, e.g. by passport/permitted.h; claims that
 * this version does not know are in `other`. INVALID says what is not as it has to be. `ret_claims`
 * refers to `arena` alone. */
enum stirkeep_status stk_identity_claims(const struct stk_identity *identity,
                                         struct stk_arena *arena, struct stk_claims *ret_claims,
                                         struct stk_error *error);
#define STK_IDENTITY_ARENA ((size_t)2 * 1024 * 1024) /* enough for the claims of any value */

/* One thing that is wrong with a PASSporT. */
struct stk_finding {
    bool fatal;
    int sip_code;  /* what a verification service answers, RFC 8224 section 6.2.2 */
    char code[32]; /* e.g. "PAYLOAD-NOT-CANONICAL" */
    char message[160];
};

#define STK_SIP_STALE_DATE 403
#define STK_SIP_USE_IDENTITY_HEADER 428
#define STK_SIP_BAD_IDENTITY_INFO 436
#define STK_SIP_UNSUPPORTED_CREDENTIAL 437
#define STK_SIP_INVALID_IDENTITY_HEADER 438

/* "Stale Date", ...; "" for another code. */
const char *stk_sip_reason(int sip_code);

#define STK_VERIFY_FINDINGS_MAX 16

/*
 * Judge header, payload and parameters (RFC 8225, 8224, 8588, 8946, 8443, 9027, 9795): alg, typ,
 * x5u = info, ppt = parameter, canonical JSON, the claims of the type, iat no more than `max_age_s`
 * from `now` (0: not judged). Of a type that is not known the form alone, and that it is not known
 * ("PPT-UNKNOWN"). Returns the number of findings put into `ret_findings`. The signature is judged by the caller, who has the certificate
 * (cert/cert.h).
 */
size_t stk_identity_judge(const struct stk_identity *identity, int64_t now, int64_t max_age_s,
                          struct stk_finding ret_findings[STK_VERIFY_FINDINGS_MAX]);

#endif
