/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/file.h"
#include "cert/gate.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "upload/material.h"
#include <stdio.h>
#include <string.h>

struct options {
    const char *profile;
};

static const struct options defaults = {.profile = "strict"};

static const struct stk_option table[] = {
    {"profile", "strict|test", STK_OPTION_TEXT, offsetof(struct options, profile),
     "how to judge, as [import] profile does (default: strict)", 0, 0},
    {0},
};

static const char *severity(const struct stk_gate_finding *finding)
{
    return finding->severity == STK_SEVERITY_ERROR ? "error" : "warning";
}

static bool print_json(const struct stk_gate_report *report)
{
    json_t *findings = json_array();

    for (size_t i = 0; i < report->count; i++)
        (void)json_array_append_new(
            findings,
            json_pack("{s:s, s:s, s:s, s:o}", "severity", severity(&report->findings[i]), "code",
                      report->findings[i].code, "clause", report->findings[i].clause, "message",
                      stk_json_text(report->findings[i].message)));
    return stk_json_print(
        json_pack("{s:b, s:o}", "good", report->errors == 0, "findings", findings));
}

static void print_text(const struct stk_gate_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct stk_gate_finding *finding = &report->findings[i];

        (void)printf("%s %s: ", severity(finding), finding->code);
        stk_print_safe(finding->message);
        (void)printf(" [%s]\n", finding->clause);
    }
    if (report->count == 0)
        (void)puts("no findings");
}

/* What is published at an x5u is read by the whole world: people have published their keys. */
static enum stirkeep_status check_public(const char *path, struct stk_error *error)
{
    struct stk_buffer data = {0};
    enum stirkeep_status status = stk_file_read(path, STK_CERT_FILE_MAX, &data, error);

    if (status == STIRKEEP_OK && stk_holds_private_key((struct stk_bytes){data.data, data.length}))
        status =
            stk_error_set(error, STIRKEEP_CERT_INVALID,
                          "%s: there is a private key in it, which must never be published", path);
    stk_buffer_free(&data);
    return status;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    bool strict = strcmp(options->profile, "strict") == 0;
    struct stk_gate_report report = {0};
    struct stk_chain *chain = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    bool printed = true;

    if (!strict && strcmp(options->profile, "test") != 0) {
        stk_complain(cli->verb->name, "--profile is strict or test");
        return STK_EXIT_USAGE;
    }
    status = check_public(cli->positional, &error);
    if (status == STIRKEEP_OK)
        status = stk_chain_file(cli->positional, &chain, &error);
    if (status == STIRKEEP_OK) {
        stk_gate_judge(chain, strict, stk_clock_seconds(), &report);
        status = stk_gate_verdict(&report, &error);
        if (cli->json)
            printed = print_json(&report);
        else
            print_text(&report);
    }
    if (status != STIRKEEP_OK)
        stk_complain(cli->positional, "%s", error.message);
    stk_chain_free(chain);
    return status == STIRKEEP_OK && printed ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_lint = {
    .name = "lint",
    .positional = "FILE",
    .synopsis = "[--profile strict|test]",
    .summary = "Judge a certificate and its chain as an import would, or a file to be published",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
