/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_CODEC_CLAIMS_H
#define STK_WIRE_CODEC_CLAIMS_H

#include "base/buffer.h"
#include "model/claims.h"

#include "sign.pb-c.h"

/* The message Claims of sign.proto, which requests and orders carry. Any thread. */

/*
 * Append claims as field `number` of the message under way, as they are: checking is the receiver's.
 * TOO_LARGE, NO_MEMORY; then the buffer may have a part of them.
 */
enum stirkeep_status stk_claims_append_input(uint32_t number, const struct stk_claims_input *input,
                                             struct stk_buffer *out);
enum stirkeep_status stk_claims_append(uint32_t number, const struct stk_claims *claims,
                                       struct stk_buffer *out);

/*
 * Check and take claims (stk_claims_make) from a message. INVALID also when there is none. A part of
 * them with nothing in it counts as not there.
 */
enum stirkeep_status stk_claims_take(const Stirkeep__V1__Claims *message, struct stk_arena *arena,
                                     struct stk_claims *ret_claims, struct stk_error *error);

#endif
