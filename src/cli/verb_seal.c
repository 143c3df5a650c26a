/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "base/file.h"
#include "cert/pem.h"
#include "cli/material.h"
#include "cli/output.h"
#include "cli/sealed_file.h"
#include "cli/verb.h"
#include "seal/seal.h"
#include <stdio.h>
#include <string.h>

struct options {
    const char *to;
    const char *key;
    const char *passphrase;
    const char *out;
};

static const struct stk_option table[] = {
    {"to", "FILE", STK_OPTION_TEXT, offsetof(struct options, to),
     "the token's wrapping key, as stirkeep show --wrapping-key prints it", 0, 0},
    {"key", "FILE", STK_OPTION_TEXT, offsetof(struct options, key),
     "the private key; it stays where it is", 0, 0},
    {"passphrase-file", "FILE", STK_OPTION_TEXT, offsetof(struct options, passphrase),
     "passphrase of the key (default: asked on the terminal when needed)", 0, 0},
    {"out", "FILE", STK_OPTION_TEXT, offsetof(struct options, out), "a new file for the sealed key",
     0, 0},
    {0},
};

/* A public key as PEM; its SubjectPublicKeyInfo into `ret_spki`. */
static enum stirkeep_status read_public_key(const char *path, struct stk_buffer *ret_spki,
                                            struct stk_error *error)
{
    struct stk_buffer data = {0};
    struct stk_pem_reader reader = {0};
    struct stk_pem_block block = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CERT_FILE_MAX, &data, error);

    if (status != STIRKEEP_OK)
        return status;
    reader.rest = (struct stk_bytes){data.data, data.length};
    if (stk_pem_next(&reader, &block, NULL) != STIRKEEP_OK ||
        !stk_pem_labelled(&block, "PUBLIC KEY"))
        status = stk_error_set(error, STIRKEEP_INVALID, "%s: no PUBLIC KEY in PEM", path);
    else if (stk_buffer_reserve(ret_spki, stk_pem_body_room(&block)) != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", path);
    else if (!stk_pem_decode(&block, ret_spki->data, &ret_spki->length))
        status = stk_error_set(error, STIRKEEP_INVALID, "%s: its text is not base64", path);
    stk_buffer_free(&data);
    return status;
}

static enum stirkeep_status seal(const struct options *options, struct stk_error *error)
{
    const struct stk_material_paths paths = {
        .key = options->key, .passphrase = options->passphrase, .keep_source = true};
    struct stk_material material = {0};
    struct stk_sealed_file file = {0};
    struct stk_buffer spki = {0};
    struct stk_buffer text = {0};
    enum stirkeep_status status = read_public_key(options->to, &spki, error);

    if (status == STIRKEEP_OK)
        status = stk_material_read_key(&paths, &material, error);
    if (status == STIRKEEP_OK)
        status = stk_seal((struct stk_bytes){spki.data, spki.length}, &material.key.pkcs8,
                          &file.sealed, error);
    if (status == STIRKEEP_OK) {
        file.key_id = material.key.id;
        stk_sha256(spki.data, spki.length, file.wrapping_key.bytes);
        status = stk_sealed_file_write(&file, &text);
        if (status != STIRKEEP_OK)
            status = stk_error_set(error, status, "out of memory");
    }
    if (status == STIRKEEP_OK)
        status =
            stk_file_write_new(options->out, (struct stk_bytes){text.data, text.length}, error);
    stk_material_free(&material);
    stk_buffer_free(&file.sealed);
    stk_buffer_free(&spki);
    stk_buffer_free(&text);
    return status;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct stk_error error = {0};

    if (options->to == NULL || options->key == NULL || options->out == NULL) {
        stk_complain(cli->verb->name, "--to, --key and --out are needed");
        return STK_EXIT_USAGE;
    }
    if (seal(options, &error) != STIRKEEP_OK) {
        stk_complain(cli->verb->name, "%s", error.message);
        return STK_EXIT_FAILED;
    }
    (void)printf("%s: sealed; only the token can open it. %s is untouched\n", options->out,
                 options->key);
    return STK_EXIT_DONE;
}

const struct stk_verb stk_verb_seal = {
    .name = "seal",
    .synopsis = "--to FILE --key FILE --out FILE [--passphrase-file FILE]",
    .summary = "Seal a private key for a token on another machine, for import --sealed there",
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
