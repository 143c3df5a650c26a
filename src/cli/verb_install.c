/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/admin_call.h"
#include "cli/import_report.h"
#include "cli/output.h"
#include "model/uri.h"
#include "upload/material.h"

struct options {
    struct stk_material_paths paths;
    const char *x5u;
    const char *activate_at;
};

static const struct stk_option table[] = {
    {"cert", "FILE", STK_OPTION_TEXT, offsetof(struct options, paths.cert),
     "certificate for a key that is held, PEM or DER; a chain may follow it", 0, 0},
    {"chain", "FILE", STK_OPTION_TEXT, offsetof(struct options, paths.chain),
     "more certificates of the chain", 0, 0},
    {"x5u", "URL", STK_OPTION_TEXT, offsetof(struct options, x5u),
     "where the chain is published (default: the configuration's template)", 0, 0},
    {"activate-at", "TIME", STK_OPTION_TEXT, offsetof(struct options, activate_at),
     "stage it until then: 2026-12-31T00:00:00Z, +7d, +2h, +30m or @seconds (default: at once)", 0,
     0},
    {0},
};

static enum stirkeep_status prepare(const struct stk_cli *cli, const struct options *options,
                                    struct stk_material *material,
                                    struct stk_admin_request *request, struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(cli->positional, &request->name, error);

    if (status == STIRKEEP_OK && options->x5u != NULL)
        status = stk_x5u_check(options->x5u, error);
    if (status == STIRKEEP_OK)
        status = stk_activation_parse(options->activate_at, &request->activate_at, error);
    if (status == STIRKEEP_OK)
        status = stk_material_read_certificates(&options->paths, material, error);
    if (status != STIRKEEP_OK)
        return status;
    request->x5u = options->x5u != NULL ? options->x5u : "";
    request->chain_count = stk_chain_count(material->chain);
    for (size_t i = 0; i < request->chain_count && i < STK_CHAIN_MAX; i++)
        request->chain[i] = stk_chain_der(material->chain, i);
    return STIRKEEP_OK;
}

static bool install(const struct stk_cli *cli, const struct options *options,
                    struct stk_material *material)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_INSTALL};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    struct stk_error error = {0};
    json_t *report = NULL;
    bool done = prepare(cli, options, material, &request, &error) == STIRKEEP_OK;

    if (!done) {
        stk_complain(cli->positional, "%s", error.message);
        return false;
    }
    if (!stk_admin_ask(cli, &request, cli->positional, &admin, &response))
        return false;
    report = json_pack("{s:s}", "name", cli->positional);
    stk_import_report(report, &response);
    if (cli->json)
        done = stk_json_print(report);
    else
        stk_import_print(report, NULL);
    if (!cli->json)
        json_decref(report);
    stk_admin_close(admin);
    return done;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct stk_material material = {0};
    bool done = false;

    if (options->paths.cert == NULL) {
        stk_complain(cli->verb->name, "--cert is needed");
        return STK_EXIT_USAGE;
    }
    done = install(cli, options, &material);
    stk_material_free(&material);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_install = {
    .name = "install",
    .positional = "NAME",
    .synopsis = "--cert FILE [--chain FILE] [--x5u URL] [--activate-at TIME]",
    .summary = "Put the certificate of a key that is held into service: issued for a request, or "
               "renewed",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
