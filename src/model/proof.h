/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_MODEL_PROOF_H
#define STK_MODEL_PROOF_H

#include "base/limits.h"
#include <stdint.h>

/*
 * What a key signs to prove that it can: SHA-256 of "stirkeep proof v1", '\0' and the challenge.
 * The domain makes sure that nobody gets a digest of their choice signed under the name of a
 * proof: a PASSporT's signing input never begins with it. Any thread.
 */
void stk_proof_digest(const uint8_t challenge[STK_CHALLENGE_LENGTH],
                      uint8_t ret_digest[STK_DIGEST_LENGTH]);

#endif
