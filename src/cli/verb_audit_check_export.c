/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/export_check.h"
#include "cli/output.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
    struct stk_texts keys;
};

static const struct stk_option table[] = {
    {"key", "FILE", STK_OPTION_URIS, offsetof(struct options, keys),
     "audit public key (PEM), from elsewhere than the bundle; may be repeated", 0, 0},
    {0}};

static bool print(const struct stk_cli *cli, const struct stk_export_checked *checked)
{
    if (cli->json)
        return stk_json_print(json_pack(
            "{s:b, s:I, s:I, s:I, s:I, s:I}", "good", true, "records", (json_int_t)checked->records,
            "proven", (json_int_t)checked->proven, "checkpoints", (json_int_t)checked->checkpoints,
            "first", (json_int_t)checked->first, "last", (json_int_t)checked->last));
    (void)printf("good: %" PRIu64 " records, %" PRIu64 " proven by %" PRIu64 " checkpoints\n",
                 checked->records, checked->proven, checked->checkpoints);
    if (checked->proven < checked->records)
        (void)printf("not proven: %" PRIu64 " records, which README.txt lists\n",
                     checked->records - checked->proven);
    return true;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct stk_audit_keys *keys = calloc(1, sizeof(*keys));
    struct stk_export_checked checked = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    bool done = false;

    if (options->keys.count == 0) {
        stk_complain(cli->verb->name, "--key is needed: what a bundle says of its own key proves "
                                      "nothing");
        free(keys);
        return STK_EXIT_USAGE;
    }
    if (keys == NULL)
        status = stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
    if (status == STIRKEEP_OK)
        status = stk_audit_keys_read(&options->keys, keys, &error);
    if (status == STIRKEEP_OK)
        status = stk_export_check(cli->positional, keys, &checked, &error);
    if (status == STIRKEEP_OK)
        done = print(cli, &checked);
    else
        stk_complain(cli->positional, "%s", error.message);
    if (status != STIRKEEP_OK && cli->json)
        (void)stk_json_print(
            json_pack("{s:b, s:o}", "good", false, "reason", stk_json_text(error.message)));
    free(keys);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_audit_check_export = {
    .name = "audit check-export",
    .positional = "DIR",
    .synopsis = "--key FILE...",
    .summary = "Check a bundle that audit export made: each seal, each proof, each record",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
