/* SPDX-License-Identifier: BSD-2-Clause */
#include "upload/inside.h"
#include "upload/passphrase.h"
#include <string.h>

/* A file with a key, and what is known of how to open it. */
struct opening {
    const struct stk_material_paths *paths;
    const char *path;
    const struct stk_secret *data;
    bool pkcs12; /* the chain is in it, too */
    struct stk_chain **chain;
    struct stk_private_key *key;
};

static enum stirkeep_status open_with(const struct opening *opening,
                                      const struct stk_secret *passphrase, struct stk_error *error)
{
    if (opening->pkcs12)
        return stk_pkcs12_read(opening->data, opening->path, passphrase, opening->key,
                               opening->chain, error);
    return stk_private_key_read(opening->data, opening->path, passphrase, opening->key, error);
}

/* cert/key.h has one status for all that is unreadable; that a passphrase is missing, its message
 * says. */
static bool asks_for_passphrase(enum stirkeep_status status, const struct stk_error *error)
{
    return status == STIRKEEP_KEY_UNREADABLE && strstr(error->message, "passphrase") != NULL;
}

static enum stirkeep_status open_asking(const struct opening *opening, struct stk_error *error)
{
    struct stk_secret passphrase = {0};
    enum stirkeep_status status = open_with(opening, NULL, error);

    if (!asks_for_passphrase(status, error) || opening->paths->ask == NULL)
        return status;
    status = opening->paths->ask(opening->path, &passphrase, error);
    if (status == STIRKEEP_OK)
        status = open_with(opening, &passphrase, error);
    stk_secret_free(&passphrase);
    return status;
}

/* In an upload's directory its file is to be removed with the key's. */
static enum stirkeep_status read_passphrase(const struct stk_material_paths *paths,
                                            struct stk_material *material,
                                            struct stk_secret *ret_passphrase,
                                            struct stk_error *error)
{
    struct stk_secret data = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (paths->directory == NULL)
        return stk_passphrase_file(paths->passphrase, ret_passphrase, error);
    status =
        stk_material_open(paths, paths->passphrase, false, &material->passphrase, &data, error);
    if (status == STIRKEEP_OK)
        status = stk_passphrase_take(&data, paths->passphrase, ret_passphrase, error);
    stk_secret_free(&data);
    return status;
}

static enum stirkeep_status open_key(const struct opening *opening, struct stk_material *material,
                                     struct stk_error *error)
{
    struct stk_secret passphrase = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (opening->paths->passphrase == NULL)
        return open_asking(opening, error);
    status = read_passphrase(opening->paths, material, &passphrase, error);
    if (status == STIRKEEP_OK)
        status = open_with(opening, &passphrase, error);
    stk_secret_free(&passphrase);
    return status;
}

static enum stirkeep_status find_remains(const char *path, const struct stk_secret *data,
                                         struct stk_material *material, struct stk_error *error)
{
    if (!stk_source_is_remains(data))
        return STIRKEEP_OK;
    material->remains = true;
    (void)stk_source_remains_note(data, material->note);
    return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                         "%s: holds no key any more: it was imported, and its removal was cut off",
                         path);
}

enum stirkeep_status stk_material_open_key(const struct stk_material_paths *paths, const char *path,
                                           bool bundle, struct stk_material *material,
                                           struct stk_error *error)
{
    struct stk_secret data = {0};
    struct stk_bytes text = {0};
    struct opening opening = {.paths = paths, .path = path, .data = &data, .key = &material->key};
    enum stirkeep_status status =
        stk_material_open(paths, path, paths->keep_source, &material->source, &data, error);

    if (status == STIRKEEP_OK)
        status = find_remains(path, &data, material, error);
    text = (struct stk_bytes){data.data, data.length};
    opening.pkcs12 = bundle && stk_pkcs12_is(text);
    opening.chain = &material->chain;
    if (status == STIRKEEP_OK && bundle && !opening.pkcs12)
        status = stk_chain_read(text, path, &material->chain, error);
    if (status == STIRKEEP_OK)
        status = open_key(&opening, material, error);
    stk_secret_free(&data);
    return status;
}

enum stirkeep_status stk_material_read_key(const struct stk_material_paths *paths,
                                           struct stk_material *material, struct stk_error *error)
{
    return stk_material_open_key(paths, paths->key, false, material, error);
}
