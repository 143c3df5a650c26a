/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_PASSPORT_PASSPORT_H
#define STK_PASSPORT_PASSPORT_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/claims.h"

/*
 * Composing PASSporTs (RFC 8225, RFC 8588, RFC 8946, RFC 8443, RFC 9027, RFC 9795). Pure functions:
 * no clock, no random source, no token. JSON is canonical (json/canonical.h). There is one way to
 * compose each type, whatever the claims came from. Any thread.
 */

/* {"alg":"ES256"[,"ppt":"..."],"typ":"passport","x5u":"..."} appended to `out`; `ppt` is
 * stk_claims.ppt_text, "" for base. */
enum stirkeep_status stk_passport_header(const char *ppt, const char *x5u, struct stk_buffer *out);

/* The payload appended to `out`. `claims->iat` must not be 0, and a shaken one's origid not "". */
enum stirkeep_status stk_passport_payload(const struct stk_claims *claims, struct stk_buffer *out);

/*
 * The signing input: base64url(header) '.' base64url(payload), appended to `out`.
 * `header_text` is the base64url header, which callers keep per certificate.
 */
enum stirkeep_status stk_passport_input(const char *header_text, size_t header_length,
                                        const struct stk_claims *claims, struct stk_buffer *out);

/*
 * Finish: `out` holds the signing input and nothing else; append '.' base64url(signature) (64 bytes
 * r||s, RFC 7518 section 3.4) and then ";info=<x5u>;alg=ES256[;ppt=shaken]" (RFC 8224 section 4).
 * With claims->compact the signing input is replaced by '.': "..signature" (RFC 8225 section 7).
 * `*ret_passport_length` is the length of the PASSporT without the parameters.
 */
enum stirkeep_status stk_passport_finish(const uint8_t signature[STK_SIGNATURE_LENGTH],
                                         const struct stk_claims *claims, const char *x5u,
                                         struct stk_buffer *out, uint32_t *ret_passport_length);

/* An upper bound of the length of the Identity header value that these claims give with an x5u of
 * `x5u_length` characters. */
size_t stk_passport_bound(const struct stk_claims *claims, size_t x5u_length);

/* A UUID of version 4 (RFC 9562 section 5.4) from 16 random bytes, lower case. */
void stk_uuid4(const uint8_t random[16], char ret_text[STK_ORIGID_LENGTH + 1]);

#endif
