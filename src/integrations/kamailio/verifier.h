/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KAMAILIO_VERIFIER_H
#define STK_KAMAILIO_VERIFIER_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * stirkeep's own verifier, where there is no libsecsipid: the same questions, answered with the
 * same codes (codes.h). What it is stricter in is what the standards ask for: the JSON is canonical,
 * the claims are those of SHAKEN, iat is not in the future by more than `expire` either. It fetches
 * nothing: of URLs it has what is in the cache directory.
 */
enum stk_kam_parameters { STK_KAM_IGNORED, STK_KAM_OPTIONAL, STK_KAM_REQUIRED };

struct stk_kam_verification {
    const char *identity; /* header value */
    size_t length;
    int64_t now;
    int expire_s;
    enum stk_kam_parameters parameters; /* of the header: info, alg, ppt */
};

/* `key`: PEM of a certificate, with its chain or without, or of a public key. */
int stk_kam_verify(const struct stk_kam_verification *what, struct stk_bytes key);

/* The same with the certificate at a path or URL; "": at the URL that the value says. */
int stk_kam_verify_at(const struct stk_kam_verification *what, const char *place);

/* The content of a path, a file:// URL, or an http(s) URL that is in the cache. */
struct stk_buffer;
int stk_kam_content(const char *place, int64_t now, struct stk_buffer *ret_content);

/* Options CertVerify, CertCAFile, CertCAInter, CertCRLFile: is this a certificate to believe? */
int stk_kam_chain_check(struct stk_bytes key, int64_t now);

#endif
