/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/proof.h"

#include "base/digest.h"

void stk_proof_digest(const uint8_t challenge[STK_CHALLENGE_LENGTH],
                      uint8_t ret_digest[STK_DIGEST_LENGTH])
{
    static const char domain[] = "stirkeep proof v1"; /* its '\0' is part of it */

    stk_sha256_two(domain, sizeof(domain), challenge, STK_CHALLENGE_LENGTH, ret_digest);
}
