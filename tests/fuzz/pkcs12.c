/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/pkcs12.h"
#include "fuzz.h"
#include <string.h>

/* A PKCS#12 file: its key, and its chain, which begins with the key's certificate. */

static void read_bundle(const struct stk_secret *file, const struct stk_secret *passphrase)
{
    struct stk_private_key key = {0};
    struct stk_chain *chain = NULL;
    struct stk_error error = {0};
    struct stk_leaf leaf = {0};
    enum stirkeep_status status =
        stk_pkcs12_read(file, "bundle.p12", passphrase, &key, &chain, &error);

    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        FUZZ_CHECK(chain == NULL && key.pkcs8.data == NULL);
        return;
    }
    FUZZ_OK(stk_chain_leaf(chain, fuzz_arena(0, STK_CERT_FILE_MAX), &leaf, &error), &error);
    FUZZ_CHECK(leaf.p256 && memcmp(leaf.spki, key.spki, sizeof(leaf.spki)) == 0);
    stk_private_key_free(&key);
    stk_chain_free(chain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_secret file = {0};
    struct stk_secret passphrase = {0};

    fuzz_secret((struct stk_bytes){data, size}, &file);
    fuzz_secret((struct stk_bytes){(const uint8_t *)"secret", 6}, &passphrase);
    read_bundle(&file, NULL);
    read_bundle(&file, &passphrase);
    stk_secret_free(&file);
    stk_secret_free(&passphrase);
    return 0;
}
