/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"
#include "cli/policy_file.h"
#include "cli/verb.h"
#include <stdio.h>

struct options {
    const char *config;
};

static const struct options defaults = {.config = STK_DEFAULT_CONFIG};

static const struct stk_option table[] = {
    {"config", "FILE", STK_OPTION_TEXT, offsetof(struct options, config),
     "the configuration (else " STK_DEFAULT_CONFIG ")", 0, 0},
    {0},
};

static bool print_json(const char *path, const struct stk_policy_file *file, const char *problem)
{
    if (problem != NULL)
        return stk_json_print(json_pack("{s:b, s:o, s:o}", "good", false, "file",
                                        stk_json_text(path), "reason", stk_json_text(problem)));
    return stk_json_print(json_pack("{s:b, s:o, s:s, s:s, s:I, s:I}", "good", true, "file",
                                    stk_json_text(path), "configuration", file->configuration,
                                    "attestation", file->attestation, "grants",
                                    (json_int_t)stk_policy_grant_count(file->config->policy),
                                    "attest_rules", (json_int_t)file->rule_count));
}

static void print_text(const struct stk_policy_file *file)
{
    stk_print_field("configuration", file->configuration);
    stk_print_field("attestation", file->attestation[0] != '\0' ? file->attestation : "no file");
    (void)printf("%-14s %zu\n", "grants", stk_policy_grant_count(file->config->policy));
    (void)printf("%-14s %zu\n", "attest rules", file->rule_count);
}

/* Reads the files alone, with the eyes of who runs it; the service need not run. */
static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct stk_policy_file file = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_policy_file_open(options->config, true, &file, &error);
    bool printed = true;

    if (cli->json)
        printed = print_json(options->config, &file, status != STIRKEEP_OK ? error.message : NULL);
    else if (status == STIRKEEP_OK)
        print_text(&file);
    if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", error.message);
    stk_policy_file_close(&file);
    return status == STIRKEEP_OK && printed ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_policy_check = {
    .name = "policy check",
    .synopsis = "[--config FILE]",
    .summary = "Check a configuration and its attestation rules before a reload takes them over",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
