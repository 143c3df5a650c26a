/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "base/file.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "upload/material.h"
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

static enum stirkeep_status seal(const struct options *options, struct stk_error *error)
{
    const struct stk_material_paths paths = {.key = options->key,
                                             .passphrase = options->passphrase,
                                             .ask = stk_passphrase_ask,
                                             .keep_source = true};
    struct stk_material material = {0};
    struct stk_sealed_file *file = &material.sealed;
    struct stk_buffer spki = {0};
    struct stk_buffer text = {0};
    enum stirkeep_status status = stk_wrapping_key_read(options->to, &spki, error);

    if (status == STIRKEEP_OK)
        status = stk_material_read_key(&paths, &material, error);
    file->key_id = material.key.id;
    if (status == STIRKEEP_OK)
        status =
            stk_material_seal(&paths, (struct stk_bytes){spki.data, spki.length}, &material, error);
    if (status == STIRKEEP_OK) {
        stk_sha256(spki.data, spki.length, file->wrapping_key.bytes);
        status = stk_sealed_file_write(file, &text);
        if (status != STIRKEEP_OK)
            status = stk_error_set(error, status, "out of memory");
    }
    if (status == STIRKEEP_OK)
        status =
            stk_file_write_new(options->out, (struct stk_bytes){text.data, text.length}, error);
    stk_material_free(&material);
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
