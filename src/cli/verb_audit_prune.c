/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "cli/output.h"
#include "cli/prune_ends.h"
#include "cli/prune_remove.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    struct stk_texts keys;
    struct stk_texts certificates;
    struct stk_texts named;
    const char *older_than;
    bool dry_run;
    bool yes;
};

static const struct options defaults = {.older_than = "2y"};

static const struct stk_option table[] = {
    {"older-than", "AGE", STK_OPTION_TEXT, offsetof(struct options, older_than),
     "how long after a key's end its records are kept: 2y (the least, and the default), 3y, 800d",
     0, 0},
    {"file", "NAME", STK_OPTION_URIS, offsetof(struct options, named),
     "one of the files, to go whatever keys it has; may be repeated", 0, 0},
    {"key", "FILE", STK_OPTION_URIS, offsetof(struct options, keys),
     "audit public key (PEM) that seals have to be signed by; may be repeated", 0, 0},
    {"certificate", "FILE", STK_OPTION_URIS, offsetof(struct options, certificates),
     "a certificate whose expiry is its key's end, if the service knows of none; may be repeated",
     0, 0},
    {"dry-run", NULL, STK_OPTION_SWITCH, offsetof(struct options, dry_run),
     "only say what would go, and why the rest stays", 0, 0},
    {"yes", NULL, STK_OPTION_SWITCH, offsetof(struct options, yes), "remove the files", 0, 0},
    {0}};

/* What a run has at hand. */
struct run {
    const struct options *options;
    struct stk_audit_keys keys;
    struct stk_prune_plan plan;
    struct stk_verdict verdict;
    struct stk_error unasked; /* why the service was not asked about keys */
    size_t removed;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static enum stirkeep_status name_files(struct run *self, struct stk_error *error)
{
    const struct stk_texts *named = &self->options->named;

    for (size_t i = 0; i < named->count; i++) {
        size_t at = 0;

        while (at < self->plan.count && strcmp(self->plan.files[at].path, named->items[i]) != 0 &&
               strcmp(base_of(self->plan.files[at].path), named->items[i]) != 0)
            at++;
        if (at == self->plan.count)
            return stk_error_set(error, STIRKEEP_INVALID, "--file %s: not one of the files given",
                                 named->items[i]);
        self->plan.files[at].named = true;
    }
    return STIRKEEP_OK;
}

static enum stirkeep_status verify(struct run *self, const struct stk_cli *cli,
                                   struct stk_error *error)
{
    const struct stk_verifier_options options = {
        .keys = (const uint8_t(*)[STK_SPKI_LENGTH])self->keys.spki,
        .key_count = self->keys.count,
        .each = stk_prune_each,
        .context = &self->plan};

    return stk_trail_files_pass(cli, &options, &self->verdict, error);
}

static enum stirkeep_status read_all(struct run *self, const struct stk_cli *cli,
                                     struct stk_error *error)
{
    enum stirkeep_status status =
        stk_prune_age_read(self->options->older_than, &self->plan.age, error);

    if (status == STIRKEEP_OK)
        status = stk_audit_keys_read(&self->options->keys, &self->keys, error);
    if (status == STIRKEEP_OK)
        status = stk_prune_plan_make(&self->plan, cli->positionals, (size_t)cli->positional_count,
                                     error);
    if (status == STIRKEEP_OK)
        status = name_files(self, error);
    return status == STIRKEEP_OK ? verify(self, cli, error) : status;
}

static enum stirkeep_status plan(struct run *self, const struct stk_cli *cli,
                                 struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    self->plan.now_s = stk_clock_seconds();
    status = read_all(self, cli, error);
    if (status == STIRKEEP_OK)
        status = stk_prune_ends_of_files(&self->plan.keys, &self->options->certificates, error);
    if (status == STIRKEEP_OK)
        (void)stk_prune_ends_of_service(&self->plan.keys, cli->admin_socket, &self->unasked);
    if (status == STIRKEEP_OK)
        status = stk_prune_decide(&self->plan, error);
    if (status == STIRKEEP_OK)
        status = stk_prune_look_around(&self->plan, error);
    return status;
}

/* What became of a file, or would. */
static const char *fate_of(const struct run *self, size_t index)
{
    if (!self->plan.files[index].goes)
        return "stays";
    return index < self->removed ? "removed" : "would go";
}

static bool print_json(const struct run *self)
{
    json_t *array = json_array();
    bool done = array != NULL;

    for (size_t i = 0; i < self->plan.count && done; i++) {
        const struct stk_prune_file *file = &self->plan.files[i];

        done = json_array_append_new(
                   array, json_pack("{s:o, s:I, s:I, s:s, s:b, s:I, s:o}", "file",
                                    stk_json_text(file->path), "first", (json_int_t)file->first,
                                    "last", (json_int_t)file->last, "fate", fate_of(self, i),
                                    "named", file->named, "living_keys", (json_int_t)file->living,
                                    "why", stk_json_text(file->why))) == 0;
    }
    if (!done) {
        json_decref(array);
        array = NULL;
    }
    return stk_json_print(json_pack(
        "{s:o, s:I, s:o}", "files", array, "removed", (json_int_t)self->removed, "service",
        self->unasked.status != STIRKEEP_OK ? stk_json_text(self->unasked.message) : json_null()));
}

static bool print_text(const struct run *self)
{
    static const char *const heads[] = {"FILE", "FIRST", "LAST", "FATE", "WHY"};
    struct stk_table *rows = stk_table_new(heads, sizeof(heads) / sizeof(*heads));

    for (size_t i = 0; i < self->plan.count; i++) {
        const struct stk_prune_file *file = &self->plan.files[i];
        char first[24] = "";
        char last[24] = "";

        (void)snprintf(first, sizeof(first), "%" PRIu64, file->first);
        (void)snprintf(last, sizeof(last), "%" PRIu64, file->last);
        stk_table_row(rows, (const char *const[]){base_of(file->path), first, last,
                                                  fate_of(self, i), file->why});
    }
    return stk_table_print(rows);
}

static bool print(const struct run *self, const struct stk_cli *cli)
{
    if (self->unasked.status != STIRKEEP_OK && !cli->json) {
        (void)printf("the service was not asked when keys end: ");
        stk_print_safe(self->unasked.message);
        (void)putchar('\n');
    }
    return cli->json ? print_json(self) : print_text(self);
}

static bool some_go(const struct run *self)
{
    return self->plan.count > 0 && self->plan.files[0].goes;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct run *self = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    enum stk_exit result = STK_EXIT_FAILED;
    bool planned = false;

    if (options->dry_run && options->yes) {
        stk_complain(cli->verb->name, "--dry-run and --yes contradict each other");
        return STK_EXIT_USAGE;
    }
    self = calloc(1, sizeof(*self));
    if (self == NULL) {
        stk_complain(cli->verb->name, "out of memory");
        return STK_EXIT_FAILED;
    }
    self->options = options;
    status = plan(self, cli, &error);
    planned = status == STIRKEEP_OK;
    if (planned && options->yes)
        status = stk_prune_remove(&self->plan, &self->removed, &error);
    if (planned && print(self, cli) && status == STIRKEEP_OK)
        result = STK_EXIT_DONE;
    if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", error.message);
    if (result == STK_EXIT_DONE && some_go(self) && !options->dry_run && !options->yes) {
        stk_complain(cli->verb->name, "nothing was removed: say --yes when it is meant");
        result = STK_EXIT_USAGE;
    }
    stk_prune_plan_free(&self->plan);
    free(self);
    return result;
}

const struct stk_verb stk_verb_audit_prune = {
    .name = "audit prune",
    .positional = "FILE...",
    .synopsis = "[--older-than AGE] [--file NAME]... [--dry-run] [--yes]",
    .summary = "Remove rotated trail files whose keys have all ended two years ago and more",
    .flags = STK_VERB_JSON | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
