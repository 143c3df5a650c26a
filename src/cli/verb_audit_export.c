/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "cert/cert.h"
#include "cert/pem.h"
#include "cli/export_text.h"
#include "cli/output.h"
#include "policy/pattern.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *since;
    const char *until;
    const char *name;
    struct stk_texts keys;
    struct stk_texts certificates;
    const char *out;
};

static const struct stk_option table[] = {
    {"since", "TIME", STK_OPTION_TEXT, offsetof(struct options, since),
     "the period's begin: a day, a month, or RFC 3339 (default: the trail's)", 0, 0},
    {"until", "TIME", STK_OPTION_TEXT, offsetof(struct options, until),
     "its end, not in it (default: the trail's)", 0, 0},
    {"name", "PATTERN", STK_OPTION_TEXT, offsetof(struct options, name),
     "the certificate, or a pattern with '*' (default: all records)", 0, 0},
    {"key", "FILE", STK_OPTION_URIS, offsetof(struct options, keys),
     "audit public key (PEM) that seals have to be signed by; may be repeated", 0, 0},
    {"certificate", "FILE", STK_OPTION_URIS, offsetof(struct options, certificates),
     "a certificate to put into the bundle; may be repeated", 0, 0},
    {"out", "DIR", STK_OPTION_TEXT, offsetof(struct options, out),
     "the directory that is made; there must be nothing yet", 0, 0},
    {0}};

/* What a run has at hand. */
struct run {
    const struct options *options;
    struct stk_trail_filter filter;
    struct stk_audit_keys keys;
    struct stk_bundle bundle;
    bool begun; /* the bundle */
    struct stk_export *taken;
    struct stk_verdict verdict;
};

static enum stirkeep_status read_filter(struct run *self, struct stk_error *error)
{
    struct stk_trail_filter *filter = &self->filter;
    const char *fault = self->options->name != NULL ? stk_pattern_fault(self->options->name) : NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (fault != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "--name %s: %s", self->options->name, fault);
    filter->name = self->options->name;
    if (self->options->since != NULL)
        status = stk_trail_time(self->options->since, "since", &filter->since_us, error);
    if (status == STIRKEEP_OK && self->options->until != NULL)
        status = stk_trail_time(self->options->until, "until", &filter->until_us, error);
    if (status == STIRKEEP_OK && filter->until_us != 0 && filter->until_us <= filter->since_us)
        status = stk_error_set(error, STIRKEEP_INVALID, "--until is not after --since");
    return status;
}

/* What of a file is a certificate, and nothing else of it: a key may be beside it. */
static enum stirkeep_status put_certificate(struct run *self, size_t index, struct stk_error *error)
{
    const char *path = self->options->certificates.items[index];
    struct stk_buffer data = {0};
    struct stk_buffer pem = {0};
    struct stk_chain *chain = NULL;
    char name[64] = "";
    enum stirkeep_status status = stk_file_read(path, STK_CERT_FILE_MAX, &data, error);

    if (status == STIRKEEP_OK)
        status = stk_chain_read((struct stk_bytes){data.data, data.length}, path, &chain, error);
    if (status == STIRKEEP_OK && stk_chain_pem(chain, &pem) != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    (void)snprintf(name, sizeof(name), "certificate-%zu.pem", index + 1);
    if (status == STIRKEEP_OK)
        status =
            stk_bundle_put(&self->bundle, name, (struct stk_bytes){pem.data, pem.length}, error);
    stk_chain_free(chain);
    stk_buffer_free(&data);
    stk_buffer_free(&pem);
    return status;
}

static enum stirkeep_status put_keys(struct run *self, struct stk_error *error)
{
    struct stk_buffer pem = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < self->keys.count && status == STIRKEEP_OK; i++)
        status = stk_pem_add(&pem, "PUBLIC KEY", "",
                             (struct stk_bytes){self->keys.spki[i], STK_SPKI_LENGTH});
    if (status == STIRKEEP_OK)
        status = stk_bundle_put(&self->bundle, "audit-key.pem",
                                (struct stk_bytes){pem.data, pem.length}, error);
    else
        status = stk_error_set(error, status, "out of memory");
    stk_buffer_free(&pem);
    return status;
}

static enum stirkeep_status put_summary(struct run *self, const struct stk_export_about *about,
                                        struct stk_error *error)
{
    json_t *summary = stk_export_summary(about);
    char *text = summary != NULL ? json_dumps(summary, JSON_INDENT(2)) : NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (text == NULL)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    else
        status = stk_bundle_put(&self->bundle, "summary.json",
                                (struct stk_bytes){(const uint8_t *)text, strlen(text)}, error);
    free(text);
    json_decref(summary);
    return status;
}

static enum stirkeep_status put_about(struct run *self, struct stk_error *error)
{
    const struct stk_export_about about = {.taken = self->taken,
                                           .verdict = &self->verdict,
                                           .keys = &self->keys,
                                           .filter = &self->filter,
                                           .certificates = self->options->certificates.count,
                                           .now_us = stk_clock_real_us()};
    struct stk_buffer readme = {0};
    enum stirkeep_status status = put_summary(self, &about, error);

    if (status == STIRKEEP_OK && stk_export_readme(&about, &readme) != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (status == STIRKEEP_OK)
        status = stk_bundle_put(&self->bundle, "README.txt",
                                (struct stk_bytes){readme.data, readme.length}, error);
    stk_buffer_free(&readme);
    return status;
}

static enum stirkeep_status take(struct run *self, const struct stk_cli *cli,
                                 struct stk_error *error)
{
    struct stk_verifier_options options = {.keys =
                                               (const uint8_t(*)[STK_SPKI_LENGTH])self->keys.spki,
                                           .key_count = self->keys.count,
                                           .each = stk_export_each};
    enum stirkeep_status status = STIRKEEP_OK;

    self->taken = stk_export_new(&self->filter, &self->bundle);
    if (self->taken == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    options.context = self->taken;
    status = stk_trail_files_pass(cli, &options, &self->verdict, error);
    if (status == STIRKEEP_OK)
        status = stk_export_finish(self->taken, error);
    return status;
}

static enum stirkeep_status make(struct run *self, const struct stk_cli *cli,
                                 struct stk_error *error)
{
    enum stirkeep_status status = read_filter(self, error);

    if (status == STIRKEEP_OK)
        status = stk_audit_keys_read(&self->options->keys, &self->keys, error);
    if (status == STIRKEEP_OK) {
        self->begun = true;
        status = stk_bundle_begin(&self->bundle, self->options->out, error);
    }
    /* First what can be wrong with what was given, then the long work. */
    for (size_t i = 0; i < self->options->certificates.count && status == STIRKEEP_OK; i++)
        status = put_certificate(self, i, error);
    if (status == STIRKEEP_OK)
        status = put_keys(self, error);
    if (status == STIRKEEP_OK)
        status = take(self, cli, error);
    if (status == STIRKEEP_OK)
        status = put_about(self, error);
    if (status == STIRKEEP_OK)
        status = stk_bundle_finish(&self->bundle, error);
    return status;
}

static bool print(const struct stk_cli *cli, const struct run *self)
{
    const struct stk_export *taken = self->taken;

    if (cli->json)
        return stk_json_print(json_pack(
            "{s:s, s:I, s:I, s:I, s:I, s:I}", "out", self->options->out, "records",
            (json_int_t)taken->records, "proofs", (json_int_t)taken->proofs, "chain_only",
            (json_int_t)taken->chain_only.records, "unsealed", (json_int_t)taken->unsealed.records,
            "checkpoints", (json_int_t)taken->checkpoints));
    stk_print_field("bundle", self->options->out);
    (void)printf("%-14s %" PRIu64 ", with a proof: %" PRIu64 "\n", "records", taken->records,
                 taken->proofs);
    if (taken->chain_only.records > 0)
        (void)printf("%-14s %" PRIu64 " records: no seal's tree has them\n", "chain alone",
                     taken->chain_only.records);
    if (taken->unsealed.records > 0)
        (void)printf("%-14s %" PRIu64 " records: no seal covers them yet\n", "not sealed",
                     taken->unsealed.records);
    (void)printf("%-14s %" PRIu64 "\n", "checkpoints", taken->checkpoints);
    return true;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct run *self = NULL;
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    bool done = false;

    if (options->out == NULL || options->keys.count == 0) {
        stk_complain(cli->verb->name, "--out and --key are needed (see stirkeep %s --help)",
                     cli->verb->name);
        return STK_EXIT_USAGE;
    }
    self = calloc(1, sizeof(*self));
    if (self == NULL) {
        stk_complain(cli->verb->name, "out of memory");
        return STK_EXIT_FAILED;
    }
    self->options = options;
    status = make(self, cli, &error);
    if (status == STIRKEEP_OK)
        done = print(cli, self);
    else
        stk_complain(cli->verb->name, "%s", error.message);
    if (self->begun)
        stk_bundle_end(&self->bundle);
    stk_export_free(self->taken);
    free(self);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_audit_export = {
    .name = "audit export",
    .positional = "FILE...",
    .synopsis = "--key FILE... --out DIR [--since TIME] [--until TIME] [--name PATTERN]",
    .summary = "Make a bundle of a period's records, with the proof of each that it was sealed",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
