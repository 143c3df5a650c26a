/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_WIRE_CODEC_CONSTRAINTS_H
#define STK_WIRE_CODEC_CONSTRAINTS_H

#include "base/buffer.h"
#include "base/error.h"
#include "model/constraints.h"
#include "wire/pack.h"

#include "order.pb-c.h"

/* The message Constraints of order.proto. Any thread. */

/* Write constraints as field `number`; nothing when they are NULL. */
void stk_constraints_write(struct stk_writer *writer, uint32_t number,
                           const struct stk_constraints *constraints);

/* No less than what taking them needs of an arena, the structures of the message included. */
size_t stk_constraints_decoded_size(const struct stk_constraints *constraints);

/* NULL for no message. INVALID for what is no constraint: a range that is none, a claim without a
 * name, a claim with no permitted value. TOO_LARGE past the limits of model/constraints.h, or when
 * the arena is used up. Ranges are normalised, whatever order they come in. */
enum stirkeep_status stk_constraints_take(const Stirkeep__V1__Order__Constraints *message,
                                          struct stk_arena *arena,
                                          const struct stk_constraints **ret_constraints,
                                          struct stk_error *error);

#endif
