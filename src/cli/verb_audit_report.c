/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "cli/output.h"
#include "cli/report_document.h"
#include "cli/report_render.h"
#include "policy/pattern.h"
#include <stdlib.h>
#include <string.h>

struct options {
    const char *since;
    const char *until;
    const char *name;
    struct stk_texts keys;
    struct stk_texts configs;
    const char *html;
    long long top;
};

static const struct options defaults = {.top = STK_REPORT_TOP_DEFAULT};

static const struct stk_option table[] = {
    {"since", "TIME", STK_OPTION_TEXT, offsetof(struct options, since),
     "the period's begin: a day, a month, or RFC 3339 (default: the trail's)", 0, 0},
    {"until", "TIME", STK_OPTION_TEXT, offsetof(struct options, until),
     "its end, not in it (default: the trail's)", 0, 0},
    {"name", "PATTERN", STK_OPTION_TEXT, offsetof(struct options, name),
     "the certificate, or a pattern with '*' (default: all)", 0, 0},
    {"key", "FILE", STK_OPTION_URIS, offsetof(struct options, keys),
     "audit public key (PEM) that seals have to be signed by; may be repeated", 0, 0},
    {"config", "FILE", STK_OPTION_URIS, offsetof(struct options, configs),
     "a configuration that was in force, known by its SHA-256; may be repeated", 0, 0},
    {"html", "FILE", STK_OPTION_TEXT, offsetof(struct options, html),
     "a new file for the report as one HTML page, instead of text", 0, 0},
    {"top", "N", STK_OPTION_NUMBER, offsetof(struct options, top),
     "so many names in full, those with the most records (default: 50)", 1, STK_REPORT_TOP_MAX},
    {0}};

/* What a run has at hand. */
struct run {
    const struct options *options;
    struct stk_trail_filter filter;
    struct stk_audit_keys keys;
    struct stk_report_configs configs;
    struct stk_report *report;
    struct stk_verdict verdict;
    struct stk_error problem; /* with the trail */
};

static enum stirkeep_status read_filter(struct run *self, struct stk_error *error)
{
    const struct options *options = self->options;
    struct stk_trail_filter *filter = &self->filter;
    const char *fault = options->name != NULL ? stk_pattern_fault(options->name) : NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (fault != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "--name %s: %s", options->name, fault);
    filter->name = options->name;
    if (options->since != NULL)
        status = stk_trail_time(options->since, "since", &filter->since_us, error);
    if (status == STIRKEEP_OK && options->until != NULL)
        status = stk_trail_time(options->until, "until", &filter->until_us, error);
    if (status == STIRKEEP_OK && filter->until_us != 0 && filter->until_us <= filter->since_us)
        status = stk_error_set(error, STIRKEEP_INVALID, "--until is not after --since");
    return status;
}

/* A trail that does not verify is reported on, too: as one that does not. */
static enum stirkeep_status count(struct run *self, const struct stk_cli *cli,
                                  struct stk_error *error)
{
    struct stk_verifier_options options = {.keys =
                                               (const uint8_t(*)[STK_SPKI_LENGTH])self->keys.spki,
                                           .key_count = self->keys.count,
                                           .each = stk_report_each};
    enum stirkeep_status status = STIRKEEP_OK;

    self->report = stk_report_new(&self->filter);
    if (self->report == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    options.context = self->report;
    status = stk_trail_files_pass(cli, &options, &self->verdict, error);
    if (status != STIRKEEP_NOT_VERIFIED)
        return status;
    self->problem = *error;
    self->verdict = (struct stk_verdict){0};
    return STIRKEEP_OK;
}

static bool write_html(const struct run *self, const struct stk_cli *cli, const json_t *document)
{
    struct stk_buffer page = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_report_html(document, (size_t)self->options->top, &page);

    if (status != STIRKEEP_OK)
        (void)stk_error_set(&error, status, "out of memory");
    else
        status = stk_file_write_new(self->options->html, (struct stk_bytes){page.data, page.length},
                                    &error);
    stk_buffer_free(&page);
    if (status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", error.message);
    else if (!cli->json)
        stk_print_field("report", self->options->html);
    return status == STIRKEEP_OK;
}

static bool put_out(const struct run *self, const struct stk_cli *cli)
{
    const struct stk_report_about about = {
        .report = self->report,
        .verdict = &self->verdict,
        .problem = self->problem.status != STIRKEEP_OK ? self->problem.message : NULL,
        .keys = &self->keys,
        .configs = &self->configs,
        .now_s = stk_clock_seconds()};
    json_t *document = stk_report_document(&about);
    bool done = document != NULL;

    if (document == NULL)
        stk_complain(cli->verb->name, "out of memory");
    if (done && self->options->html != NULL)
        done = write_html(self, cli, document);
    if (done && cli->json)
        done = stk_json_print(json_incref(document));
    else if (done && self->options->html == NULL)
        done = stk_report_print(document, (size_t)self->options->top);
    json_decref(document);
    return done;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    struct run *self = calloc(1, sizeof(*self));
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    bool done = false;

    if (self == NULL) {
        stk_complain(cli->verb->name, "out of memory");
        return STK_EXIT_FAILED;
    }
    self->options = given;
    status = read_filter(self, &error);
    if (status == STIRKEEP_OK)
        status = stk_audit_keys_read(&self->options->keys, &self->keys, &error);
    if (status == STIRKEEP_OK)
        status = stk_report_configs_read(&self->options->configs, &self->configs, &error);
    if (status == STIRKEEP_OK)
        status = count(self, cli, &error);
    if (status == STIRKEEP_OK)
        done = put_out(self, cli);
    if (status != STIRKEEP_OK || self->problem.status != STIRKEEP_OK)
        stk_complain(cli->verb->name, "%s", error.message);
    done = done && self->problem.status == STIRKEEP_OK;
    stk_report_free(self->report);
    stk_report_configs_free(&self->configs);
    free(self);
    return done ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_audit_report = {
    .name = "audit report",
    .positional = "FILE...",
    .synopsis = "[--key FILE]... [--since TIME] [--until TIME] [--name PATTERN] [--config FILE]... "
                "[--html FILE]",
    .summary = "Tell for each certificate who could use it, what it signed, and what was refused",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
