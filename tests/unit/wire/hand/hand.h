/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_WIRE_HAND_H
#define STK_TEST_WIRE_HAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- protobuf written by hand, so that no code of ours judges itself */

void hand_number(struct stk_buffer *out, uint32_t field, uint64_t value);
void hand_bytes(struct stk_buffer *out, uint32_t field, const void *data, size_t length);
void hand_text(struct stk_buffer *out, uint32_t field, const char *text);
/* `inside` as field `field`; `inside` is released. */
void hand_inside(struct stk_buffer *out, uint32_t field, struct stk_buffer *inside);

struct stk_bytes bytes_of(const struct stk_buffer *buffer);
/* The message of the one frame in the buffer. */
struct stk_bytes message_of(const struct stk_buffer *buffer, size_t limit);
void hand_assert_bytes(struct stk_bytes bytes, const char *text);
/* The fields of Diagnosis and ExamineAnswer. */
void hand_diagnosis(struct stk_buffer *body);
/* `length` times 'x' with a NUL, to be freed. */
char *long_text(size_t length);

/* ---- attacks that every decoder and encoder has to bear */

/* Decodes, asserts that a refusal says why and leaves the outputs alone, tells the status. */
typedef enum stirkeep_status try_decode(struct stk_bytes message, struct stk_arena *arena);
typedef enum stirkeep_status try_encode(struct stk_buffer *out);

enum stirkeep_status decode_once(try_decode *decode, struct stk_bytes message);

/* Each beginning of the message, in memory that ends where it does: MALFORMED unless the cut is
 * between two outermost fields. */
void attack_by_cutting(try_decode *decode, struct stk_bytes message);
/* Each bit turned, one at a time: any status a decoder may give, and no more than that. */
void attack_by_turning_bits(try_decode *decode, struct stk_bytes message);
/* Arenas too small by ever less: TOO_LARGE until it is OK. */
void attack_by_starving(try_decode *decode, struct stk_bytes message);
/* Buffers too small by ever less: TOO_LARGE with the buffer as it was, until it is OK. */
void attack_by_ceiling(try_encode *encode);
/* All three on what decodes. */
void attack(try_decode *decode, struct stk_bytes message);

/* A message that is a valid one followed by another run of fields. */
enum stirkeep_status decode_with(try_decode *decode, struct stk_bytes message,
                                 const struct stk_buffer *more);

/* ---- messages of an id, 5, and one body as field `number`; the body is released */

enum stirkeep_status hand_decode(uint32_t number, struct stk_buffer *body, try_decode *decode);

/* Shown what was decoded, while the arena is there, when it is set. */
typedef void hand_look(const void *decoded);
extern hand_look *hand_looks;

/* Decode, have it looked at, then attack it. */
void hand_take(uint32_t number, struct stk_buffer *body, try_decode *decode, hand_look *look);

#endif
