/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_HEADERS_H
#define STK_KEEPER_HEADERS_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/claims.h"
#include "model/key_id.h"

/*
 * PASSporT headers, composed and encoded once per key, ppt and x5u: of every signing input they
 * are the half that stays the same. One per signer thread, no lock; a fixed number of places, in
 * each of which the newest stays.
 */
struct stk_headers;

/* Powers of two. Of all signers together they are some 50 MiB: where there are many signers the token
 * is slow, and a header composed anew is nothing. */
#define STK_HEADERS_MAX 32768         /* of a signer */
#define STK_HEADERS_MIN 1024          /* ... however many signers there are */
#define STK_HEADERS_OF_ALL_MAX 131072 /* of all of them */

/* For one of `signers`. */
enum stirkeep_status stk_headers_new(size_t signers, struct stk_headers **ret_headers);

/* These will be asked for soon: the places are fetched into the processor's caches, then what they
 * hold. */
void stk_headers_expect_place(const struct stk_headers *headers, const struct stk_key_id *key_id,
                              const char *ppt);
void stk_headers_expect_text(const struct stk_headers *headers, const struct stk_key_id *key_id,
                             const char *ppt);

/* The base64url header; valid until the next call. `ppt` is stk_claims.ppt_text, of at most
 * STK_PPT_MAX characters. INVALID: `x5u` is not fit to be one (stk_x5u_check): what front said of it
 * is not believed, and no header is made. NO_MEMORY. */
enum stirkeep_status stk_headers_get(struct stk_headers *headers, const struct stk_key_id *key_id,
                                     const char *ppt, const char *x5u, const char **ret_text,
                                     size_t *ret_length, struct stk_error *error);

#endif
