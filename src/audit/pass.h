/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_AUDIT_PASS_H
#define STK_AUDIT_PASS_H

#include "base/limits.h"
#include <stddef.h>
#include <stdint.h>

/*
 * Both digests of a line in one pass: its sum is SHA-256 of the line up to its last member, its
 * digest SHA-256 of all of it. Hashing is nearly all that writing and verifying a record costs, so
 * nothing is hashed twice: the state is copied where the first digest ends. Any thread; the state
 * is the thread's own.
 */

/* The digest of `data`, with which a pass begins. */
void stk_pass_begin(const void *data, size_t length, uint8_t ret_digest[STK_DIGEST_LENGTH]);

/* The digest of what the thread's pass began with followed by `more`. */
void stk_pass_end(const void *more, size_t length, uint8_t ret_digest[STK_DIGEST_LENGTH]);

#endif
