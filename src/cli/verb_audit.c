/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"
#include "cli/trail_files.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
    struct stk_texts keys;
    const char *witness;
};

static const struct stk_option table[] = {
    {"key", "FILE", STK_OPTION_URIS, offsetof(struct options, keys),
     "audit public key (PEM) that seals have to be signed by; may be repeated", 0, 0},
    {"witness", "FILE", STK_OPTION_TEXT, offsetof(struct options, witness),
     "seals as they were kept outside of this host: the trail has to hold what they cover", 0, 0},
    {0}};

/* What a run has at hand. */
struct check {
    struct stk_audit_keys keys;
    struct stk_seal *witness;
    size_t witness_count;
    size_t passed_over;
    struct stk_verdict verdict;
};

static uint64_t unsealed(const struct stk_verdict *verdict)
{
    return verdict->sealed > 0 ? verdict->last - verdict->sealed : verdict->records;
}

static bool print_json(const struct check *check)
{
    const struct stk_verdict *verdict = &check->verdict;

    return stk_json_print(json_pack(
        "{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "good", true,
        "records", (json_int_t)verdict->records, "first", (json_int_t)verdict->first, "last",
        (json_int_t)verdict->last, "files", (json_int_t)verdict->files, "seals",
        (json_int_t)verdict->seals, "sealed", (json_int_t)verdict->sealed, "unsealed",
        (json_int_t)unsealed(verdict), "uncovered", (json_int_t)verdict->uncovered, "keys",
        (json_int_t)check->keys.count, "witness_seals", (json_int_t)verdict->witnessed,
        "witness_seals_not_given", (json_int_t)verdict->unwitnessed, "witness_lines_passed_over",
        (json_int_t)check->passed_over));
}

/* What holds, and as plainly what was not looked at. */
static void print_text(const struct check *check)
{
    const struct stk_verdict *verdict = &check->verdict;

    (void)printf("good: %" PRIu64 " records, from %" PRIu64 " to %" PRIu64 "\n", verdict->records,
                 verdict->first, verdict->last);
    if (verdict->first > 1)
        (void)printf("not given: records 1 to %" PRIu64 "\n", verdict->first - 1);
    if (verdict->seals == 0)
        (void)printf("sealed: nothing\n");
    else
        (void)printf("sealed: through record %" PRIu64 "; seals: %" PRIu64 ", %s\n",
                     verdict->sealed, verdict->seals,
                     check->keys.count > 0 ? "each signed by an audit key that was given"
                                           : "whose signatures were not checked: no --key");
    if (unsealed(verdict) > 0)
        (void)printf("not sealed yet: the last %" PRIu64 " records\n", unsealed(verdict));
    if (verdict->uncovered > 0)
        (void)printf("covered by the chain alone: %" PRIu64 " records\n", verdict->uncovered);
    if (check->witness_count > 0)
        (void)printf("witness: all is there that it has seen; seals: %" PRIu64 "\n",
                     verdict->witnessed);
    if (verdict->unwitnessed > 0)
        (void)printf("witness: not looked at, of records not given: %" PRIu64 " seals\n",
                     verdict->unwitnessed);
    if (check->passed_over > 0)
        (void)printf("witness: passed over, as no seals: %zu lines\n", check->passed_over);
}

static void fail(const struct stk_cli *cli, const struct stk_error *error)
{
    stk_complain(cli->verb->name, "%s", error->message);
    if (cli->json)
        (void)stk_json_print(
            json_pack("{s:b, s:o}", "good", false, "reason", stk_json_text(error->message)));
}

static enum stirkeep_status verify(struct check *check, const struct stk_cli *cli,
                                   struct stk_error *error)
{
    const struct stk_verifier_options options = {
        .keys = (const uint8_t(*)[STK_SPKI_LENGTH])check->keys.spki,
        .key_count = check->keys.count,
        .witness = check->witness,
        .witness_count = check->witness_count};

    return stk_trail_files_pass(cli, &options, &check->verdict, error);
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct check *check = calloc(1, sizeof(*check));
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (check == NULL)
        status = stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
    if (status == STIRKEEP_OK)
        status = stk_audit_keys_read(&options->keys, &check->keys, &error);
    if (status == STIRKEEP_OK)
        status = stk_audit_witness_read(options->witness, &check->witness, &check->witness_count,
                                        &check->passed_over, &error);
    if (status == STIRKEEP_OK)
        status = verify(check, cli, &error);
    if (status != STIRKEEP_OK)
        fail(cli, &error);
    else if (!cli->json)
        print_text(check);
    else if (!print_json(check))
        status = STIRKEEP_NO_MEMORY;
    if (check != NULL)
        free(check->witness);
    free(check);
    return status == STIRKEEP_OK ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_audit_verify = {
    .name = "audit verify",
    .positional = "FILE...",
    .synopsis = "[--key FILE]... [--witness FILE]",
    .summary = "Check an audit trail, its oldest file first: every record and every seal",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
