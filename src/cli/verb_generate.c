/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/encode.h"
#include "base/file.h"
#include "cert/pem.h"
#include "cli/admin_call.h"
#include "cli/output.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
    const char *spc;
    const char *subject;
    const char *out;
};

static const struct stk_option table[] = {
    {"spc", "CODE", STK_OPTION_TEXT, offsetof(struct options, spc),
     "service provider code, for the TNAuthList and the subject", 0, 0},
    {"subject", "DN", STK_OPTION_TEXT, offsetof(struct options, subject),
     "subject, as \"CN=SHAKEN 709J,O=Example,C=US\" (default: CN=SHAKEN CODE)", 0, 0},
    {"csr-out", "FILE", STK_OPTION_TEXT, offsetof(struct options, out),
     "a new file for the request (default: printed)", 0, 0},
    {0},
};

static bool print_report(const struct stk_cli *cli, const struct options *options,
                         const struct stk_admin_response *response, const char *pem)
{
    char key_id[2 * STK_KEY_ID_LENGTH + 1] = "";

    stk_hex_encode(response->key_id.bytes, STK_KEY_ID_LENGTH, key_id);
    if (cli->json)
        return stk_json_print(json_pack("{s:s, s:s, s:b, s:o, s:s, s:s?}", "name", cli->positional,
                                        "key_id", key_id, "already_held", response->already_held,
                                        "attributes", stk_json_text(response->attributes), "csr",
                                        pem, "csr_file", options->out));
    if (options->out == NULL)
        return fputs(pem, stdout) >= 0;
    stk_print_field("name", cli->positional);
    stk_print_field("key", response->attributes);
    stk_print_field("made", response->already_held ? "before; this is another request for it"
                                                   : "on the token, now");
    stk_print_field("key id", key_id);
    stk_print_field("request", options->out);
    (void)printf("%-14s stirkeep install %s --cert FILE, with what the CA answers\n", "next",
                 cli->positional);
    return true;
}

/* Once the key is made, the request can be had again: the message says so. */
static bool put_out(const struct stk_cli *cli, const struct options *options,
                    const struct stk_admin_response *response)
{
    struct stk_buffer pem = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_pem_add(&pem, "CERTIFICATE REQUEST", "", response->csr);
    size_t length = pem.length;
    bool done = false;

    if (status == STIRKEEP_OK)
        status = stk_buffer_add(&pem, "", 1);
    if (status != STIRKEEP_OK)
        status = stk_error_set(&error, status, "out of memory");
    else if (options->out != NULL)
        status = stk_file_write_new(options->out, (struct stk_bytes){pem.data, length}, &error);
    if (status == STIRKEEP_OK)
        done = print_report(cli, options, response, (const char *)pem.data);
    else
        stk_complain(cli->positional,
                     "the key is made, but not its request: %s; the same command makes another "
                     "request for it",
                     error.message);
    stk_buffer_free(&pem);
    return done;
}

/* Before a key is made for a request that has no place. */
static bool can_be_made(const char *path)
{
    char directory[PATH_MAX] = "";
    struct stat about = {0};

    if (lstat(path, &about) == 0)
        stk_complain(path, "is there already, and is not overwritten");
    else if (path[0] == '\0' || !stk_file_directory_of(path, directory, sizeof(directory)))
        stk_complain("--csr-out", "not the name of a file");
    else if (access(directory, W_OK | X_OK) != 0)
        stk_complain(path, "%s", strerror(errno));
    else
        return true;
    return false;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct stk_admin_request request = {.kind = STK_ADMIN_GENERATE,
                                        .spc = options->spc,
                                        .subject =
                                            options->subject != NULL ? options->subject : ""};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    bool done = false;

    if (options->spc == NULL) {
        stk_complain(cli->verb->name, "--spc is needed");
        return STK_EXIT_USAGE;
    }
    if (options->out != NULL && !can_be_made(options->out))
        return STK_EXIT_FAILED;
    done = stk_admin_ask(cli, &request, cli->positional, &admin, &response) &&
           put_out(cli, options, &response);
    stk_admin_close(admin);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_generate = {
    .name = "generate",
    .positional = "NAME",
    .synopsis = "--spc CODE [--subject DN] [--csr-out FILE]",
    .summary = "Make a key pair on the token, and the request for its certificate",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
