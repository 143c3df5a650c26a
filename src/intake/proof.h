/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_PROOF_H
#define STK_INTAKE_PROOF_H

#include "cert/cert.h"
#include "model/certificate.h"

/* Does the key that a certificate is for sign, now? One thread. */

struct stk_intake;

/* Is `signature` the chain's leaf's over this challenge (model/proof.h)? */
bool stk_proof_verifies(const struct stk_chain *chain,
                        const uint8_t challenge[STK_CHALLENGE_LENGTH],
                        const uint8_t signature[STK_SIGNATURE_LENGTH]);

/* `error` is NULL when it does. */
typedef void stk_proof_done(void *context, const struct stk_error *error);

/*
 * Have the keeper sign a fresh challenge with the key of a generation that the catalog has, and
 * verify it with that generation's certificate. NOT_VERIFIED, or why not. `done` is called exactly
 * once, perhaps before this returns.
 */
void stk_prove(struct stk_intake *intake, const struct stk_certificate *certificate,
               stk_proof_done *done, void *context);

#endif
