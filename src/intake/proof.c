/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/proof.h"

#include "base/digest.h"
#include "intake/intake.h"
#include "model/proof.h"
#include <string.h>

#define PROVE_TIMEOUT_MS 10000
#define CHAIN_ARENA_MAX ((STK_CHAIN_MAX + 1) * STK_CERT_DER_MAX)

struct proof {
    struct stk_errand errand;
    struct stk_chain *chain;
    uint32_t generation;
    uint8_t challenge[STK_CHALLENGE_LENGTH];
    stk_proof_done *done;
    void *context;
};

bool stk_proof_verifies(const struct stk_chain *chain,
                        const uint8_t challenge[STK_CHALLENGE_LENGTH],
                        const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    uint8_t digest[STK_DIGEST_LENGTH];

    stk_proof_digest(challenge, digest);
    return stk_chain_verifies(chain, digest, signature);
}

static void drop(void *errand)
{
    struct proof *proof = errand;

    stk_chain_free(proof->chain);
}

static void end(struct proof *proof, const struct stk_error *error)
{
    stk_proof_done *done = proof->done;
    void *context = proof->context;

    stk_errand_end(proof);
    done(context, error);
}

static void proven(void *context, enum stirkeep_status status,
                   const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct proof *proof = context;
    struct stk_error reason = *error;

    if (status == STIRKEEP_OK &&
        !(answer->has_proof &&
          stk_proof_verifies(proof->chain, proof->challenge, answer->signature)))
        status = stk_error_set(
            &reason, STIRKEEP_NOT_VERIFIED,
            "generation %u: the token's signature does not verify with its certificate",
            proof->generation);
    end(proof, status == STIRKEEP_OK ? NULL : &reason);
}

static enum stirkeep_status read_chain(struct stk_intake *intake,
                                       const struct stk_certificate *certificate,
                                       struct proof *proof, struct stk_error *error)
{
    struct stk_bytes chain[STK_CHAIN_MAX] = {0};
    struct stk_arena arena = {0};
    size_t count = 0;
    enum stirkeep_status status = stk_arena_new(&arena, CHAIN_ARENA_MAX);

    if (status != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_catalog_chain(intake->catalog, certificate->name.text, certificate->generation,
                               &arena, chain, &count, error);
    if (status == STIRKEEP_OK)
        status = stk_chain_from_der(chain, count, &proof->chain, error);
    stk_arena_free(&arena);
    return status;
}

void stk_prove(struct stk_intake *intake, const struct stk_certificate *certificate,
               stk_proof_done *done, void *context)
{
    struct proof *proof = stk_errand_new(&intake->errands, sizeof(*proof), drop);
    struct stk_custody_order order = {.kind = STK_CUSTODY_PROVE, .key_id = certificate->key_id};
    struct stk_error error = {0};

    if (proof == NULL) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
        done(context, &error);
        return;
    }
    proof->generation = certificate->generation;
    proof->done = done;
    proof->context = context;
    if (read_chain(intake, certificate, proof, &error) != STIRKEEP_OK) {
        end(proof, &error);
        return;
    }
    stk_random(proof->challenge, sizeof(proof->challenge));
    memcpy(order.challenge, proof->challenge, sizeof(order.challenge));
    stk_call(intake, &order, PROVE_TIMEOUT_MS, proven, proof);
}
