/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/material.h"

#include "base/encode.h"
#include "base/file.h"
#include "cli/input.h"
#include <string.h>

#define LEAF_ARENA_MAX (64 * 1024) /* texts of one certificate */

enum stirkeep_status stk_chain_file(const char *path, struct stk_chain **ret_chain,
                                    struct stk_error *error)
{
    struct stk_buffer data = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CERT_FILE_MAX, &data, error);

    if (status == STIRKEEP_OK)
        status = stk_chain_read((struct stk_bytes){data.data, data.length}, path, ret_chain, error);
    /* People give the same file for both; then there was a key in it. */
    stk_buffer_free(&data);
    return status;
}

enum stirkeep_status stk_material_read_certificates(const struct stk_material_paths *paths,
                                                    struct stk_material *material,
                                                    struct stk_error *error)
{
    struct stk_chain *more = NULL;
    enum stirkeep_status status = stk_chain_file(paths->cert, &material->chain, error);

    if (status == STIRKEEP_OK && paths->chain != NULL)
        status = stk_chain_file(paths->chain, &more, error);
    if (status == STIRKEEP_OK && more != NULL &&
        (status = stk_chain_append(material->chain, more, error)) != STIRKEEP_OK)
        (void)stk_error_prefix(error, paths->chain);
    stk_chain_free(more);
    if (status != STIRKEEP_OK)
        return status;
    if (stk_arena_new(&material->arena, LEAF_ARENA_MAX) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_chain_leaf(material->chain, &material->arena, &material->leaf, error);
    if (status != STIRKEEP_OK)
        return status;
    if (!material->leaf.p256)
        return stk_error_set(error, STIRKEEP_KEY_TYPE, "%s: %s; STIR/SHAKEN needs P-256",
                             paths->cert, material->leaf.key);
    return STIRKEEP_OK;
}

/* cert/key.h has one status for all that is unreadable; that a passphrase is missing, its message
 * says. */
static bool asks_for_passphrase(enum stirkeep_status status, const struct stk_error *error)
{
    return status == STIRKEEP_KEY_UNREADABLE && strstr(error->message, "passphrase") != NULL;
}

static enum stirkeep_status read_key(const struct stk_material_paths *paths,
                                     const struct stk_secret *data, struct stk_private_key *key,
                                     struct stk_error *error)
{
    struct stk_secret passphrase = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (paths->passphrase != NULL) {
        status = stk_passphrase_file(paths->passphrase, &passphrase, error);
        if (status == STIRKEEP_OK)
            status = stk_private_key_read(data, paths->key, &passphrase, key, error);
    } else {
        status = stk_private_key_read(data, paths->key, NULL, key, error);
        if (asks_for_passphrase(status, error)) {
            status = stk_passphrase_ask(paths->key, &passphrase, error);
            if (status == STIRKEEP_OK)
                status = stk_private_key_read(data, paths->key, &passphrase, key, error);
        }
    }
    stk_secret_free(&passphrase);
    return status;
}

enum stirkeep_status stk_material_read_key(const struct stk_material_paths *paths,
                                           struct stk_material *material, struct stk_error *error)
{
    struct stk_secret data = {0};
    enum stirkeep_status status =
        stk_source_open(paths->key, paths->keep_source, &material->source, &data, error);

    material->remains = status == STIRKEEP_OK && stk_source_is_remains(&data);
    if (material->remains)
        status = stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                               "%s: holds no key any more: it was imported, and its removal was "
                               "cut off",
                               paths->key);
    if (status == STIRKEEP_OK)
        status = read_key(paths, &data, &material->key, error);
    stk_secret_free(&data);
    return status;
}

enum stirkeep_status stk_material_check_match(const struct stk_material *material,
                                              const struct stk_key_id *id, struct stk_error *error)
{
    char of_key[2 * STK_KEY_ID_LENGTH + 1] = "";
    char of_leaf[2 * STK_KEY_ID_LENGTH + 1] = "";

    if (memcmp(id, &material->leaf.key_id, sizeof(*id)) == 0)
        return STIRKEEP_OK;
    stk_hex_encode(id->bytes, STK_KEY_ID_LENGTH, of_key);
    stk_hex_encode(material->leaf.key_id.bytes, STK_KEY_ID_LENGTH, of_leaf);
    return stk_error_set(error, STIRKEEP_KEY_MISMATCH,
                         "key and certificate do not belong together: the private key's public key "
                         "has SHA-256 %s, the certificate's %s",
                         of_key, of_leaf);
}

enum stirkeep_status stk_material_read(const struct stk_material_paths *paths,
                                       struct stk_material *material, struct stk_error *error)
{
    enum stirkeep_status status = stk_material_read_certificates(paths, material, error);

    if (status == STIRKEEP_OK)
        status = stk_material_read_key(paths, material, error);
    if (status == STIRKEEP_OK)
        status = stk_material_check_match(material, &material->key.id, error);
    if (status == STIRKEEP_OK && !paths->keep_source)
        status = stk_source_removable(material->source, error);
    return status;
}

void stk_material_wipe_key(struct stk_material *material)
{
    stk_private_key_free(&material->key);
}

void stk_material_free(struct stk_material *material)
{
    stk_material_wipe_key(material);
    stk_source_free(material->source);
    stk_chain_free(material->chain);
    stk_arena_free(&material->arena);
    *material = (struct stk_material){0};
}
