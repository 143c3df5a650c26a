/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/sealed_file.h"

#include "base/encode.h"
#include "base/file.h"
#include "cert/pem.h"
#include <stdio.h>
#include <string.h>

#define LABEL "STIRKEEP SEALED KEY"

enum stirkeep_status stk_sealed_file_write(const struct stk_sealed_file *file,
                                           struct stk_buffer *ret_text)
{
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";
    char wrapping_key[2 * STK_KEY_ID_LENGTH + 1] = "";
    char headers[256] = "";

    stk_hex_encode(file->key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    stk_hex_encode(file->wrapping_key.bytes, STK_KEY_ID_LENGTH, wrapping_key);
    (void)snprintf(headers, sizeof(headers), "Key-Id: %s\nWrapping-Key: %s\n", key_id,
                   wrapping_key);
    return stk_pem_add(ret_text, LABEL, headers,
                       (struct stk_bytes){file->sealed.data, file->sealed.length});
}

static bool take_header(const struct stk_pem_block *block, const char *name,
                        struct stk_key_id *ret_id)
{
    struct stk_bytes value = stk_pem_header(block, name);
    char hex[2 * STK_KEY_ID_LENGTH + 1] = "";

    if (value.length != 2 * STK_KEY_ID_LENGTH)
        return false;
    memcpy(hex, value.data, value.length);
    return stk_hex_decode(hex, ret_id->bytes, STK_KEY_ID_LENGTH);
}

static enum stirkeep_status take_block(const struct stk_pem_block *block, const char *path,
                                       struct stk_sealed_file *file, struct stk_error *error)
{
    if (!stk_pem_labelled(block, LABEL))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "%s: no sealed key in it (stirkeep seal makes them)", path);
    if (!take_header(block, "Key-Id", &file->key_id) ||
        !take_header(block, "Wrapping-Key", &file->wrapping_key))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "%s: its headers Key-Id and Wrapping-Key are missing or damaged",
                             path);
    if (stk_pem_body_room(block) > STK_CERT_FILE_MAX ||
        stk_buffer_reserve(&file->sealed, stk_pem_body_room(block)) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", path);
    if (!stk_pem_decode(block, file->sealed.data, &file->sealed.length) ||
        file->sealed.length == 0 || file->sealed.length > STK_SEALED_MAX)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "%s: its text is not base64, or not as long as a sealed key is", path);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_sealed_file_read(const char *path, struct stk_sealed_file *ret_file,
                                          struct stk_error *error)
{
    struct stk_buffer data = {0};
    struct stk_sealed_file file = {0};
    struct stk_pem_reader reader = {0};
    struct stk_pem_block block = {0};
    struct stk_error inner = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CERT_FILE_MAX, &data, error);

    if (status != STIRKEEP_OK)
        return status;
    reader.rest = (struct stk_bytes){data.data, data.length};
    if (stk_pem_next(&reader, &block, &inner) != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "%s: %s", path, inner.message);
    else
        status = take_block(&block, path, &file, error);
    stk_buffer_free(&data);
    if (status == STIRKEEP_OK)
        *ret_file = file;
    else
        stk_buffer_free(&file.sealed);
    return status;
}
