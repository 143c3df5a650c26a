/* SPDX-License-Identifier: BSD-2-Clause */
#include "upload/sealed_file.h"

#include "base/digest.h"
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

/* What the first block of a text holds, when it has this label. INVALID, NO_MEMORY; the reason
 * without a name before it. */
static enum stirkeep_status take_first(struct stk_bytes text, const char *label,
                                       const char *missing, struct stk_pem_block *ret_block,
                                       struct stk_buffer *ret_body, struct stk_error *error)
{
    struct stk_pem_reader reader = {.rest = text};
    struct stk_error inner = {0};
    size_t length = 0;

    if (stk_pem_next(&reader, ret_block, &inner) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_INVALID, "%s", inner.message);
    if (!stk_pem_labelled(ret_block, label))
        return stk_error_set(error, STIRKEEP_INVALID, "%s", missing);
    if (stk_buffer_reserve(ret_body, stk_pem_body_room(ret_block)) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (!stk_pem_decode(ret_block, ret_body->data + ret_body->length, &length))
        return stk_error_set(error, STIRKEEP_INVALID, "its text is not base64");
    ret_body->length += length;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_file(struct stk_bytes text, struct stk_sealed_file *file,
                                      struct stk_error *error)
{
    struct stk_pem_block block = {0};
    enum stirkeep_status status =
        take_first(text, LABEL, "no sealed key in it (stirkeep seal makes them)", &block,
                   &file->sealed, error);

    if (status != STIRKEEP_OK)
        return status;
    if (!take_header(&block, "Key-Id", &file->key_id) ||
        !take_header(&block, "Wrapping-Key", &file->wrapping_key))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "its headers Key-Id and Wrapping-Key are missing or damaged");
    if (file->sealed.length == 0 || file->sealed.length > STK_SEALED_MAX)
        return stk_error_set(error, STIRKEEP_INVALID, "its text is not as long as a sealed key is");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_sealed_file_parse(struct stk_bytes text, const char *name,
                                           struct stk_sealed_file *ret_file,
                                           struct stk_error *error)
{
    struct stk_sealed_file file = {0};
    struct stk_error inner = {0};
    enum stirkeep_status status = take_file(text, &file, &inner);

    if (status == STIRKEEP_OK) {
        *ret_file = file;
        return STIRKEEP_OK;
    }
    stk_buffer_free(&file.sealed);
    return stk_error_set(error, status == STIRKEEP_INVALID ? STIRKEEP_KEY_UNREADABLE : status,
                         "%s: %s", name, inner.message);
}

enum stirkeep_status stk_sealed_file_read(const char *path, struct stk_sealed_file *ret_file,
                                          struct stk_error *error)
{
    struct stk_buffer data = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CERT_FILE_MAX, &data, error);

    if (status == STIRKEEP_OK)
        status = stk_sealed_file_parse((struct stk_bytes){data.data, data.length}, path, ret_file,
                                       error);
    stk_buffer_free(&data);
    return status;
}

enum stirkeep_status stk_sealed_file_check(const struct stk_sealed_file *file,
                                           struct stk_bytes wrapping_spki, const char *name,
                                           struct stk_error *error)
{
    struct stk_key_id found = {0};

    stk_sha256(wrapping_spki.data, wrapping_spki.length, found.bytes);
    if (memcmp(&found, &file->wrapping_key, sizeof(found)) == 0)
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                         "%s: sealed to another token's wrapping key; seal it anew to what "
                         "stirkeep show --wrapping-key prints",
                         name);
}

enum stirkeep_status stk_wrapping_key_read(const char *path, struct stk_buffer *ret_spki,
                                           struct stk_error *error)
{
    struct stk_buffer data = {0};
    struct stk_pem_block block = {0};
    struct stk_error inner = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CERT_FILE_MAX, &data, error);

    if (status != STIRKEEP_OK)
        return status;
    status = take_first((struct stk_bytes){data.data, data.length}, "PUBLIC KEY",
                        "no PUBLIC KEY in PEM", &block, ret_spki, &inner);
    stk_buffer_free(&data);
    return status == STIRKEEP_OK ? status
                                 : stk_error_set(error, status, "%s: %s", path, inner.message);
}
