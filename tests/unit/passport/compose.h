/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TESTS_PASSPORT_COMPOSE_H
#define STK_TESTS_PASSPORT_COMPOSE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "model/claims.h"

/* Composing in tests, in an arena that begin() makes and end() gives back. */

#define COMPOSE_ARENA ((size_t)512 * 1024)
#define COMPOSE_X5U "https://www.example.com/cert.cer"

int compose_begin(void **state);
int compose_end(void **state);

struct stk_bytes bytes_of(const char *text);

void assert_holds(const struct stk_buffer *buffer, const char *text);

/* Claims of an input; the payload of claims; the header of a type: or fail. Texts are in the
 * arena. */
struct stk_claims made(struct stk_arena *arena, const struct stk_claims_input *input);
const char *payload_of(struct stk_arena *arena, const struct stk_claims *claims);
const char *header_of(struct stk_arena *arena, const char *ppt, const char *x5u);

/* Read a payload of this type back to claims, or fail. */
struct stk_claims claims_of(struct stk_arena *arena, const char *ppt, const char *payload);

/* Refused by stk_passport_read with this beginning of its message; `header` NULL: a good one. */
void assert_not_read(struct stk_arena *arena, const char *ppt, const char *header,
                     const char *payload, const char *begin);

/* RFC 8946 section 5: the inner PASSporT of its div-o. */
extern const char inner_passport[];

#endif
