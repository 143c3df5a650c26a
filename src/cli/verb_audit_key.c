/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include "cert/pem.h"
#include "cli/admin_call.h"
#include "cli/output.h"
#include <stdio.h>
#include <string.h>

struct options {
    const char *out;
};

static const struct stk_option table[] = {
    {"out", "FILE", STK_OPTION_TEXT, offsetof(struct options, out),
     "a new file for the key (default: printed)", 0, 0},
    {0},
};

static bool print_report(const struct stk_cli *cli, const struct options *options,
                         const struct stk_admin_response *response, const char *pem)
{
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";

    stk_hex_encode(response->key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    if (cli->json)
        return stk_json_print(json_pack("{s:s, s:o, s:o, s:o, s:s, s:s?}", "key_id", key_id,
                                        "attributes", stk_json_text(response->attributes),
                                        "token_label", stk_json_text(response->token_label),
                                        "token_serial", stk_json_text(response->token_serial),
                                        "pem", pem, "file", options->out));
    if (options->out == NULL)
        return fputs(pem, stdout) >= 0;
    stk_print_field("audit key", options->out);
    stk_print_field("key id", key_id);
    stk_print_field("attributes", response->attributes);
    stk_print_field("token", response->token_label);
    return true;
}

static bool put_out(const struct stk_cli *cli, const struct options *options,
                    const struct stk_admin_response *response)
{
    uint8_t hash[STK_DIGEST_LENGTH] = {0};
    struct stk_buffer pem = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_pem_add(&pem, "PUBLIC KEY", "", response->spki);
    size_t length = pem.length;
    bool done = false;

    stk_sha256(response->spki.data, response->spki.length, hash);
    if (status == STIRKEEP_OK)
        status = stk_buffer_add(&pem, "", 1);
    if (status != STIRKEEP_OK)
        status = stk_error_set(&error, status, "out of memory");
    else if (memcmp(hash, response->key_id.bytes, sizeof(hash)) != 0)
        status = stk_error_set(&error, STIRKEEP_KEY_MISMATCH,
                               "the service's answer is not the key that it names");
    else if (options->out != NULL)
        status = stk_file_write_new(options->out, (struct stk_bytes){pem.data, length}, &error);
    if (status == STIRKEEP_OK)
        done = print_report(cli, options, response, (const char *)pem.data);
    else
        stk_complain(cli->verb->name, "%s", error.message);
    stk_buffer_free(&pem);
    return done;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_AUDIT_KEY};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    bool done =
        stk_admin_ask(cli, &request, NULL, &admin, &response) && put_out(cli, given, &response);

    stk_admin_close(admin);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_audit_key = {
    .name = "audit key",
    .synopsis = "[--out FILE]",
    .summary = "Print the public key that the audit trail's seals are verified with, as PEM",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
