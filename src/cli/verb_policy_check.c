/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"
#include "cli/policy_file.h"
#include "cli/verb.h"
#include "config/doubts.h"
#include <stdio.h>
#include <string.h>

struct options {
    const char *config;
    const char *against;
};

static const struct options defaults = {.config = STK_DEFAULT_CONFIG};

static const struct stk_option table[] = {
    {"config", "FILE", STK_OPTION_TEXT, offsetof(struct options, config),
     "the configuration (else " STK_DEFAULT_CONFIG ")", 0, 0},
    {"against", "FILE", STK_OPTION_TEXT, offsetof(struct options, against),
     "a copy of the one in force: what only a restart takes a change of is told, too", 0, 0},
    {0},
};

/* The next line of them, cut off; NULL: that was the last one. */
static const char *next_doubt(struct stk_buffer *doubts, size_t *at)
{
    char *line = (char *)doubts->data + *at;
    size_t length = 0;

    if (*at >= doubts->length)
        return NULL;
    length = strcspn(line, "\n"); /* each ends with one */
    line[length] = '\0';
    *at += length + 1;
    return line;
}

static json_t *doubts_json(struct stk_buffer *doubts)
{
    json_t *array = json_array();
    const char *line = NULL;
    size_t at = 0;

    while (array != NULL && (line = next_doubt(doubts, &at)) != NULL)
        (void)json_array_append_new(array, stk_json_text(line));
    return array;
}

static bool print_json(const char *path, const struct stk_policy_file *file,
                       struct stk_buffer *doubts, const char *problem)
{
    if (problem != NULL)
        return stk_json_print(json_pack("{s:b, s:o, s:o}", "good", false, "file",
                                        stk_json_text(path), "reason", stk_json_text(problem)));
    return stk_json_print(
        json_pack("{s:b, s:o, s:s, s:s, s:I, s:I, s:o}", "good", true, "file", stk_json_text(path),
                  "configuration", file->configuration, "attestation", file->attestation, "grants",
                  (json_int_t)stk_policy_grant_count(file->config->policy), "attest_rules",
                  (json_int_t)file->rule_count, "warnings", doubts_json(doubts)));
}

static void print_text(const struct stk_policy_file *file, struct stk_buffer *doubts)
{
    const char *line = NULL;
    size_t at = 0;

    stk_print_field("configuration", file->configuration);
    stk_print_field("attestation", file->attestation[0] != '\0' ? file->attestation : "no file");
    (void)printf("%-14s %zu\n", "grants", stk_policy_grant_count(file->config->policy));
    (void)printf("%-14s %zu\n", "attest rules", file->rule_count);
    while ((line = next_doubt(doubts, &at)) != NULL)
        stk_print_field("warning", line);
}

/* May it take over from the other one without a restart? NULL: there is none to ask about. */
static enum stirkeep_status compare(const char *path, const struct stk_config *next,
                                    const char *against, struct stk_error *error)
{
    struct stk_policy_file now = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (against == NULL)
        return STIRKEEP_OK;
    status = stk_policy_file_parse(against, &now, error);
    if (status == STIRKEEP_OK) {
        status = stk_config_replaces(now.config, next, error);
        if (status != STIRKEEP_OK)
            (void)stk_error_prefix(error, path);
    }
    stk_policy_file_close(&now);
    return status;
}

/* Reads the files alone, with the eyes of who runs it; the service need not run. */
static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct stk_policy_file file = {0};
    struct stk_error error = {0};
    struct stk_buffer doubts = {0};
    enum stirkeep_status status = stk_policy_file_open(options->config, true, &file, &error);
    bool printed = true;

    if (status == STIRKEEP_OK)
        status = compare(options->config, file.config, options->against, &error);
    if (status == STIRKEEP_OK)
        status = stk_config_doubts(file.config, &doubts);
    if (status == STIRKEEP_NO_MEMORY)
        (void)stk_error_set(&error, status, "out of memory");

    if (cli->json)
        printed = print_json(options->config, &file, &doubts,
                             status != STIRKEEP_OK ? error.message : NULL);
    else if (status == STIRKEEP_OK)
        print_text(&file, &doubts);
    if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", error.message);
    stk_buffer_free(&doubts);
    stk_policy_file_close(&file);
    return status == STIRKEEP_OK && printed ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_policy_check = {
    .name = "policy check",
    .synopsis = "[--config FILE] [--against FILE]",
    .summary = "Check a configuration and its attestation rules before a reload takes them over",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
