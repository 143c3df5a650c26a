/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/key.h"
#include "fuzz.h"
#include <string.h>

/* A private key's file in any form, with a passphrase and without. What was read, read again, is
 * the same key. */

static void check_again(const struct stk_private_key *key)
{
    struct stk_private_key again = {0};
    struct stk_error error = {0};

    FUZZ_OK(stk_private_key_read(&key->pkcs8, "again", NULL, &again, &error), &error);
    FUZZ_CHECK(memcmp(&again.id, &key->id, sizeof(again.id)) == 0);
    FUZZ_CHECK(memcmp(again.spki, key->spki, sizeof(again.spki)) == 0);
    FUZZ_CHECK(again.pkcs8.length == key->pkcs8.length);
    FUZZ_CHECK(memcmp(again.pkcs8.data, key->pkcs8.data, again.pkcs8.length) == 0);
    stk_private_key_free(&again);
}

static void read_key(const struct stk_secret *file, const struct stk_secret *passphrase)
{
    struct stk_private_key key = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_private_key_read(file, "key.pem", passphrase, &key, &error);

    if (status != STIRKEEP_OK) {
        fuzz_refusal(status, &error);
        return;
    }
    FUZZ_CHECK(key.form != NULL);
    check_again(&key);
    stk_private_key_free(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_secret file = {0};
    struct stk_secret passphrase = {0};

    fuzz_secret((struct stk_bytes){data, size}, &file);
    fuzz_secret((struct stk_bytes){(const uint8_t *)"secret", 6}, &passphrase);
    read_key(&file, NULL);
    read_key(&file, &passphrase);
    stk_secret_free(&file);
    stk_secret_free(&passphrase);
    return 0;
}
