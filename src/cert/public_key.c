/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/cert.h"

#include "cert/p256.h"
#include <stdlib.h>

struct stk_public_key {
    EVP_PKEY *pkey;
};

struct stk_public_key *stk_public_key_new(struct stk_bytes spki)
{
    struct stk_public_key *key = calloc(1, sizeof(*key));

    if (key == NULL)
        return NULL;
    key->pkey = stk_p256_pkey(spki);
    if (key->pkey != NULL)
        return key;
    free(key);
    return NULL;
}

void stk_public_key_free(struct stk_public_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

bool stk_public_key_verifies(const struct stk_public_key *key,
                             const uint8_t digest[STK_DIGEST_LENGTH],
                             const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    return stk_p256_verifies(key->pkey, digest, signature);
}
