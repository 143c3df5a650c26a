/* SPDX-License-Identifier: BSD-2-Clause */
#include "upload/material.h"

#include "base/encode.h"
#include "base/file.h"
#include "seal/seal.h"
#include "upload/inside.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LEAF_ARENA_MAX (64 * 1024) /* texts of one certificate */
#define NOTE_START "certificate "  /* of a source: its fingerprint in hex follows */

enum stirkeep_status stk_chain_file(const char *path, struct stk_chain **ret_chain,
                                    struct stk_error *error)
{
    struct stk_buffer data = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CERT_FILE_MAX, &data, error);

    if (status == STIRKEEP_OK)
        status = stk_chain_read((struct stk_bytes){data.data, data.length}, path, ret_chain, error);
    stk_buffer_free(&data);
    return status;
}

bool stk_is_pkcs12_file(const char *path)
{
    struct stk_source *source = NULL;
    struct stk_secret data = {0};
    bool is = stk_source_open(path, true, &source, &data, NULL) == STIRKEEP_OK &&
              stk_pkcs12_is((struct stk_bytes){data.data, data.length});

    stk_secret_free(&data);
    stk_source_free(source);
    return is;
}

bool stk_holds_private_key(struct stk_bytes text)
{
    static const char end[] = "PRIVATE KEY-----";

    return text.length > 0 && memmem(text.data, text.length, end, sizeof(end) - 1) != NULL;
}

/* ---- files */

enum stirkeep_status stk_material_open(const struct stk_material_paths *paths, const char *path,
                                       bool keep, struct stk_source **ret_source,
                                       struct stk_secret *ret_data, struct stk_error *error)
{
    if (paths->directory == NULL)
        return stk_source_open(path, keep, ret_source, ret_data, error);
    return stk_source_open_at(*paths->directory, path, path, false, ret_source, ret_data, error);
}

/* A file of which nothing is kept but its content. */
static enum stirkeep_status read_public(const struct stk_material_paths *paths, const char *path,
                                        struct stk_secret *ret_data, struct stk_error *error)
{
    struct stk_source *source = NULL;
    enum stirkeep_status status = stk_material_open(paths, path, true, &source, ret_data, error);

    stk_source_free(source);
    return status;
}

/* ---- certificates */

/* A private key among the certificates would be on the disk when the import is over. */
static enum stirkeep_status read_chain(const struct stk_material_paths *paths, const char *path,
                                       struct stk_chain **ret_chain, struct stk_error *error)
{
    struct stk_secret data = {0};
    struct stk_bytes text = {0};
    enum stirkeep_status status = read_public(paths, path, &data, error);

    if (status != STIRKEEP_OK)
        return status;
    text = (struct stk_bytes){data.data, data.length};
    if (stk_pkcs12_is(text))
        status = stk_error_set(
            error, STIRKEEP_CERT_INVALID,
            "%s: it is a PKCS#12 file: import it as a bundle, without a key file", path);
    else
        status = stk_chain_read(text, path, ret_chain, error);
    if (status == STIRKEEP_OK && !paths->keep_source && stk_holds_private_key(text))
        status = stk_error_set(error, STIRKEEP_SOURCE_UNSAFE,
                               "%s: there is a private key in it, which would stay there: take it "
                               "out, or import the file as a bundle",
                               path);
    stk_secret_free(&data);
    return status;
}

static enum stirkeep_status append_chain(const struct stk_material_paths *paths,
                                         struct stk_material *material, struct stk_error *error)
{
    struct stk_chain *more = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (paths->chain == NULL)
        return STIRKEEP_OK;
    status = read_chain(paths, paths->chain, &more, error);
    if (status == STIRKEEP_OK &&
        (status = stk_chain_append(material->chain, more, error)) != STIRKEEP_OK)
        (void)stk_error_prefix(error, paths->chain);
    stk_chain_free(more);
    return status;
}

/* The chain is there: what does its first certificate say? */
static enum stirkeep_status take_leaf(const struct stk_material_paths *paths,
                                      struct stk_material *material, struct stk_error *error)
{
    enum stirkeep_status status = append_chain(paths, material, error);

    if (status != STIRKEEP_OK)
        return status;
    if (stk_arena_new(&material->arena, LEAF_ARENA_MAX) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_chain_leaf(material->chain, &material->arena, &material->leaf, error);
    if (status != STIRKEEP_OK)
        return status;
    if (!material->leaf.p256)
        return stk_error_set(error, STIRKEEP_KEY_TYPE, "%s: %s; STIR/SHAKEN needs P-256",
                             paths->cert != NULL ? paths->cert : paths->bundle, material->leaf.key);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_material_read_certificates(const struct stk_material_paths *paths,
                                                    struct stk_material *material,
                                                    struct stk_error *error)
{
    enum stirkeep_status status = read_chain(paths, paths->cert, &material->chain, error);

    return status == STIRKEEP_OK ? take_leaf(paths, material, error) : status;
}

/* ---- together */

static enum stirkeep_status check_match(const struct stk_leaf *leaf, const struct stk_key_id *id,
                                        struct stk_error *error)
{
    char of_key[2 * STK_KEY_ID_LENGTH + 1] = "";
    char of_leaf[2 * STK_KEY_ID_LENGTH + 1] = "";

    if (memcmp(id, &leaf->key_id, sizeof(*id)) == 0)
        return STIRKEEP_OK;
    stk_hex_encode(id->bytes, STK_KEY_ID_LENGTH, of_key);
    stk_hex_encode(leaf->key_id.bytes, STK_KEY_ID_LENGTH, of_leaf);
    return stk_error_set(error, STIRKEEP_KEY_MISMATCH,
                         "key and certificate do not belong together: the private key's public key "
                         "has SHA-256 %s, the certificate's %s",
                         of_key, of_leaf);
}

/* Certificate and key by two paths that lead to one file. */
static bool is_one_file(const struct stk_material_paths *paths)
{
    struct stat one = {0};
    struct stat other = {0};

    return paths->directory == NULL && paths->cert != NULL && paths->key != NULL &&
           stat(paths->cert, &one) == 0 && stat(paths->key, &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static enum stirkeep_status read_bundle(const struct stk_material_paths *paths,
                                        struct stk_material *material, struct stk_error *error)
{
    enum stirkeep_status status =
        stk_material_open_key(paths, paths->bundle, true, material, error);

    return status == STIRKEEP_OK ? take_leaf(paths, material, error) : status;
}

static enum stirkeep_status read_sealed(const struct stk_material_paths *paths,
                                        struct stk_material *material, struct stk_error *error)
{
    struct stk_secret data = {0};
    enum stirkeep_status status = read_public(paths, paths->sealed, &data, error);

    if (status == STIRKEEP_OK)
        status = stk_sealed_file_parse((struct stk_bytes){data.data, data.length}, paths->sealed,
                                       &material->sealed, error);
    stk_secret_free(&data);
    return status;
}

static enum stirkeep_status read_apart(const struct stk_material_paths *paths,
                                       struct stk_material *material, struct stk_error *error)
{
    enum stirkeep_status status = stk_material_read_certificates(paths, material, error);

    if (status != STIRKEEP_OK)
        return status;
    return paths->sealed != NULL ? read_sealed(paths, material, error)
                                 : stk_material_read_key(paths, material, error);
}

static enum stirkeep_status check_removable(const struct stk_material_paths *paths,
                                            const struct stk_material *material,
                                            struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (material->source != NULL && !paths->keep_source)
        status = stk_source_removable(material->source, error);
    if (status == STIRKEEP_OK && material->passphrase != NULL)
        status = stk_source_removable(material->passphrase, error);
    return status;
}

static void leave_note(struct stk_material *material)
{
    char note[STK_SOURCE_NOTE] = "";

    (void)snprintf(note, sizeof(note), NOTE_START "%s", material->leaf.fingerprint);
    if (material->source != NULL)
        stk_source_set_note(material->source, note);
}

enum stirkeep_status stk_material_read(const struct stk_material_paths *paths,
                                       struct stk_material *material, struct stk_error *error)
{
    struct stk_material_paths found = *paths;
    enum stirkeep_status status = STIRKEEP_OK;

    if (is_one_file(paths)) {
        found.bundle = paths->key;
        found.cert = NULL;
    }
    status = found.bundle != NULL ? read_bundle(&found, material, error)
                                  : read_apart(&found, material, error);
    if (status == STIRKEEP_OK)
        status = check_match(&material->leaf,
                             paths->sealed != NULL ? &material->sealed.key_id : &material->key.id,
                             error);
    if (status == STIRKEEP_OK)
        status = check_removable(paths, material, error);
    if (status == STIRKEEP_OK) {
        leave_note(material);
    } else {
        stk_private_key_free(&material->key);
        stk_buffer_free(&material->sealed.sealed);
    }
    return status;
}

enum stirkeep_status stk_material_seal(const struct stk_material_paths *paths,
                                       struct stk_bytes wrapping_spki,
                                       struct stk_material *material, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (paths->sealed != NULL)
        return stk_sealed_file_check(&material->sealed, wrapping_spki, paths->sealed, error);
    status = stk_seal(wrapping_spki, &material->key.pkcs8, &material->sealed.sealed, error);
    stk_private_key_free(&material->key);
    return status;
}

const char *stk_material_remains_of(const struct stk_material *material)
{
    const char *said = material->note + sizeof(NOTE_START) - 1;

    if (material->leaf.fingerprint[0] != '\0')
        return material->leaf.fingerprint;
    return strncmp(material->note, NOTE_START, sizeof(NOTE_START) - 1) == 0 &&
                   strlen(said) == sizeof(material->leaf.fingerprint) - 1
               ? said
               : NULL;
}

void stk_material_free(struct stk_material *material)
{
    stk_private_key_free(&material->key);
    stk_buffer_free(&material->sealed.sealed);
    stk_source_free(material->source);
    stk_source_free(material->passphrase);
    stk_chain_free(material->chain);
    stk_arena_free(&material->arena);
    *material = (struct stk_material){0};
}
