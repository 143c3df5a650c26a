/* SPDX-License-Identifier: BSD-2-Clause */
#include "upload/sealed_file.h"
#include "fuzz.h"
#include "upload/material.h"
#include "upload/passphrase.h"
#include <string.h>

/* A key that was sealed elsewhere: what was read, written and read again is the same. And the same
 * bytes as a passphrase's file. */

static void check_written(const struct stk_sealed_file *file)
{
    struct stk_buffer text = {0};
    struct stk_sealed_file again = {{{0}}, {{0}}, {0}};
    struct stk_error error = {0};

    FUZZ_CHECK(stk_sealed_file_write(file, &text) == STIRKEEP_OK);
    FUZZ_OK(
        stk_sealed_file_parse((struct stk_bytes){text.data, text.length}, "again", &again, &error),
        &error);
    FUZZ_CHECK(memcmp(&again.key_id, &file->key_id, sizeof(again.key_id)) == 0);
    FUZZ_CHECK(memcmp(&again.wrapping_key, &file->wrapping_key, sizeof(again.wrapping_key)) == 0);
    FUZZ_CHECK(fuzz_same(&again.sealed, &file->sealed));
    stk_buffer_free(&again.sealed);
    stk_buffer_free(&text);
}

static void take_passphrase(struct stk_bytes bytes)
{
    struct stk_secret data = {0};
    struct stk_secret passphrase = {0};
    struct stk_error error = {0};

    fuzz_secret(bytes, &data);
    if (stk_passphrase_take(&data, "passphrase", &passphrase, &error) == STIRKEEP_OK)
        FUZZ_CHECK(passphrase.length > 0 && passphrase.length <= bytes.length &&
                   memchr(passphrase.data, '\n', passphrase.length) == NULL);
    else
        fuzz_refusal(error.status, &error);
    stk_secret_free(&passphrase);
    stk_secret_free(&data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stk_bytes bytes = {data, size};
    struct stk_sealed_file file = {{{0}}, {{0}}, {0}};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_sealed_file_parse(bytes, "key.sealed", &file, &error);

    if (status == STIRKEEP_OK) {
        FUZZ_CHECK(file.sealed.length > 0 && file.sealed.length <= STK_SEALED_MAX);
        check_written(&file);
        stk_buffer_free(&file.sealed);
    } else {
        fuzz_refusal(status, &error);
    }
    (void)stk_holds_private_key(bytes);
    take_passphrase(bytes);
    return 0;
}
