/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_VERIFY_H
#define STK_PASSPORT_VERIFY_H

#include "base/buffer.h"
#include "base/error.h"
#include <stdbool.h>

/* An Identity header value taken apart (RFC 8224 section 4), without judging its claims. */
struct stk_identity {
    char *text;                      /* owned: the value, cut into pieces */
    const char *passport;            /* '\0'-terminated compact form */
    const char *info;                /* without angle brackets; "" when absent */
    const char *alg;                 /* "" when absent */
    const char *ppt;                 /* unquoted; "" when absent */
    struct stk_buffer signing_input; /* view of passport up to its second '.' */
    struct stk_buffer header;        /* decoded JSON */
    struct stk_buffer payload;       /* decoded JSON */
    uint8_t signature[64];
};

/*
 * Take a header value apart; a leading "Identity:" and surrounding white space are allowed.
 * MALFORMED names the part: "PASSporT: not three parts", "signature: 63 bytes, ES256 has 64", ...
 */
enum stirkeep_status stk_identity_parse(const char *value, size_t length,
                                        struct stk_identity *ret_identity, struct stk_error *error);
void stk_identity_free(struct stk_identity *identity);

/* One thing that is wrong with a PASSporT. */
struct stk_finding {
    bool fatal;
    char code[32]; /* e.g. "PAYLOAD-NOT-CANONICAL" */
    char message[160];
};

#define STK_VERIFY_FINDINGS_MAX 16

/*
 * Judge header, payload and parameters (RFC 8225, 8224, 8588): alg, typ, x5u = info, ppt =
 * parameter, canonical JSON, claims, iat no more than `max_age_s` from `now` (0: not judged).
 * Returns the number of findings put into `ret_findings`. The signature is judged by the caller,
 * who has the certificate (cert/cert.h).
 */
size_t stk_identity_judge(const struct stk_identity *identity, int64_t now, int64_t max_age_s,
                          struct stk_finding ret_findings[STK_VERIFY_FINDINGS_MAX]);

#endif
