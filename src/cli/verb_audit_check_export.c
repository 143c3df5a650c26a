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

static json_t *runs_json(const struct stk_export_runs *runs)
{
    json_t *array = json_array();
    bool done = array != NULL;

    for (size_t i = 0; i < runs->count && done; i++)
        done = json_array_append_new(array, json_pack("{s:I, s:I, s:I}", "first",
                                                      (json_int_t)runs->runs[i].first, "last",
                                                      (json_int_t)runs->runs[i].last, "records",
                                                      (json_int_t)runs->runs[i].count)) == 0;
    if (!done) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static bool print(const struct stk_cli *cli, const struct stk_export_checked *checked)
{
    const struct stk_export_runs *unproven = &checked->unproven;

    if (cli->json)
        return stk_json_print(
            json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:I}", "good", true, "records",
                      (json_int_t)checked->records, "proven", (json_int_t)checked->proven,
                      "checkpoints", (json_int_t)checked->checkpoints, "first",
                      (json_int_t)checked->first, "last", (json_int_t)checked->last, "not_proven",
                      runs_json(unproven), "not_proven_left_out", (json_int_t)unproven->left_out));
    (void)printf("good: %" PRIu64 " records, %" PRIu64 " proven by %" PRIu64 " checkpoints\n",
                 checked->records, checked->proven, checked->checkpoints);
    if (unproven->records > 0)
        (void)printf("not proven: %" PRIu64 " records, of which only the bundle says that they are "
                     "from the trail\n",
                     unproven->records);
    for (size_t i = 0; i < unproven->count; i++)
        (void)printf("  record %" PRIu64 " to %" PRIu64 ": %" PRIu64 "\n", unproven->runs[i].first,
                     unproven->runs[i].last, unproven->runs[i].count);
    if (unproven->left_out > 0)
        (void)printf("  and %" PRIu64 " more, in more places than are listed\n",
                     unproven->left_out);
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
