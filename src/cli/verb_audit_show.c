/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/kept_lines.h"
#include "cli/number_key.h"
#include "cli/output.h"
#include "cli/record_words.h"
#include "cli/trail_files.h"
#include "model/tn.h"
#include "policy/pattern.h"
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#define UID_MAX 4294967295
#define KEY_ID_LEAST 8

struct options {
    const char *since;
    const char *until;
    const char *name;
    const char *number;
    const char *number_key;
    long long uid;
    const char *act;
    const char *outcome;
    const char *request;
    const char *key_id;
    long long last;
    struct stk_texts keys;
    const char *witness;
};

static const struct options defaults = {.uid = -1};

static const struct stk_option table[] = {
    {"since", "TIME", STK_OPTION_TEXT, offsetof(struct options, since),
     "from this time on: 2026-11-25T20:06:24Z, 2026-11-25 or 2026-11", 0, 0},
    {"until", "TIME", STK_OPTION_TEXT, offsetof(struct options, until),
     "up to this time, which is not in it", 0, 0},
    {"name", "PATTERN", STK_OPTION_TEXT, offsetof(struct options, name),
     "certificate name, '*' for any run of characters", 0, 0},
    {"number", "NUMBER", STK_OPTION_TEXT, offsetof(struct options, number),
     "calling or called number or URI, or its hash as it stands in the trail (h:...)", 0, 0},
    {"number-key", "FILE", STK_OPTION_TEXT, offsetof(struct options, number_key),
     "the key that numbers are hashed with: finds --number also where it is hashed", 0, 0},
    {"uid", "UID", STK_OPTION_NUMBER, offsetof(struct options, uid), "user id of who asked", 0,
     UID_MAX},
    {"act", "ACT", STK_OPTION_TEXT, offsetof(struct options, act),
     "kind of record: sign, refuse, import, ... (docs/AUDIT.md)", 0, 0},
    {"outcome", "OUTCOME", STK_OPTION_TEXT, offsetof(struct options, outcome),
     "ok, begun, a status like not-permitted, or refused for all but ok and begun", 0, 0},
    {"request", "ID", STK_OPTION_TEXT, offsetof(struct options, request),
     "the client's own number for its request", 0, 0},
    {"key-id", "HEX", STK_OPTION_TEXT, offsetof(struct options, key_id),
     "key id, or its first 8 digits or more", 0, 0},
    {"last", "COUNT", STK_OPTION_NUMBER, offsetof(struct options, last),
     "only the last ones of those that fit", 1, STK_KEPT_LINES_MAX},
    {"key", "FILE", STK_OPTION_URIS, offsetof(struct options, keys),
     "audit public key (PEM) that seals have to be signed by; may be repeated", 0, 0},
    {"witness", "FILE", STK_OPTION_TEXT, offsetof(struct options, witness),
     "seals as they were kept outside of this host: the trail has to hold what they cover", 0, 0},
    {0}};

struct show {
    bool json;
    bool filters; /* anything at all */
    struct stk_trail_filter filter;
    struct stk_tn tn;
    char number_hash[STK_NUMBER_HASH_TEXT];
    struct stk_kept_lines *kept; /* NULL: printed as they come */
    uint64_t unknown;            /* records of a form that this version does not know, left out */
    struct stk_buffer words;
    int write_error; /* errno of writing; 0: none */
};

/* ---- what is asked for */

static enum stirkeep_status wrong(struct stk_error *error, const char *why)
{
    return stk_error_set(error, STIRKEEP_INVALID, "%s", why);
}

static bool is_outcome(const char *text)
{
    for (int status = STIRKEEP_OK; status < STIRKEEP_STATUS_COUNT; status++)
        if (strcmp(text, stirkeep_status_name(status)) == 0)
            return true;
    return strcmp(text, "begun") == 0 || strcmp(text, "refused") == 0;
}

static enum stirkeep_status check_texts(const struct options *options, struct stk_error *error)
{
    const char *key = options->key_id;

    if (options->name != NULL && stk_pattern_fault(options->name) != NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "--name: %s",
                             stk_pattern_fault(options->name));
    if (options->outcome != NULL && !is_outcome(options->outcome))
        return wrong(error, "--outcome: no such outcome: ok, begun, refused, or a status name");
    if (options->request != NULL &&
        strspn(options->request, "0123456789") != strlen(options->request))
        return wrong(error, "--request: a number in decimal");
    if (key != NULL && (strspn(key, "0123456789abcdef") != strlen(key) ||
                        strlen(key) < KEY_ID_LEAST || strlen(key) > 2 * STK_KEY_ID_LENGTH))
        return wrong(error, "--key-id: 8 to 64 hex digits in lower case");
    if (options->number_key != NULL && options->number == NULL)
        return wrong(error, "--number-key needs --number");
    return STIRKEEP_OK;
}

static enum stirkeep_status take_number(const struct options *options, struct show *show,
                                        struct stk_error *error)
{
    struct stk_number_key key = {{0}, {0}};
    enum stirkeep_status status = STIRKEEP_OK;

    if (options->number == NULL)
        return STIRKEEP_OK;
    show->filter.number = options->number;
    if (strchr(options->number, ':') == NULL) {
        status = stk_tn_parse(options->number, "--number", &show->tn, error);
        show->filter.number = show->tn.text;
    }
    if (status != STIRKEEP_OK || options->number_key == NULL)
        return status;
    status = stk_number_key_read(options->number_key, &key, error);
    if (status == STIRKEEP_OK) {
        stk_number_hash(&key, show->filter.number, show->number_hash);
        show->filter.number_hash = show->number_hash;
    }
    explicit_bzero(&key, sizeof(key));
    return status;
}

static enum stirkeep_status take_filter(const struct options *options, struct show *show,
                                        struct stk_error *error)
{
    struct stk_trail_filter *filter = &show->filter;
    enum stirkeep_status status = check_texts(options, error);

    *filter = (struct stk_trail_filter){.name = options->name,
                                        .act = options->act,
                                        .outcome = options->outcome,
                                        .request = options->request,
                                        .key_id = options->key_id,
                                        .has_uid = options->uid >= 0,
                                        .uid = options->uid >= 0 ? (uint32_t)options->uid : 0};
    if (status == STIRKEEP_OK && options->since != NULL)
        status = stk_trail_time(options->since, "since", &filter->since_us, error);
    if (status == STIRKEEP_OK && options->until != NULL)
        status = stk_trail_time(options->until, "until", &filter->until_us, error);
    if (status == STIRKEEP_OK)
        status = take_number(options, show, error);
    show->filters = options->since != NULL || options->until != NULL || options->name != NULL ||
                    options->number != NULL || options->uid >= 0 || options->act != NULL ||
                    options->outcome != NULL || options->request != NULL || options->key_id != NULL;
    return status;
}

/* ---- what is printed */

static enum stirkeep_status print_words(struct show *show, const struct stk_fields *fields)
{
    enum stirkeep_status status = STIRKEEP_OK;

    show->words.length = 0;
    status = stk_record_line(fields, &show->words);
    if (status == STIRKEEP_OK)
        status = stk_buffer_add(&show->words, "", 1);
    if (status == STIRKEEP_OK)
        stk_print_safe((const char *)show->words.data);
    return status;
}

static enum stirkeep_status print_line(struct show *show, struct stk_bytes line)
{
    struct stk_fields fields = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (show->json)
        (void)fwrite(line.data, 1, line.length, stdout);
    else if (stk_fields_read(line, &fields))
        status = print_words(show, &fields);
    else
        (void)fputs("(a record of a form that this version does not know; see --json)", stdout);
    (void)putchar('\n');
    return status;
}

static enum stirkeep_status each(void *context, struct stk_verifier *verifier,
                                 const struct stk_verified *record, struct stk_error *error)
{
    struct show *show = context;
    struct stk_fields fields = {0};
    bool is_known = stk_fields_read(record->line, &fields);
    enum stirkeep_status status = STIRKEEP_OK;

    (void)verifier;
    if (!is_known && (show->filters || !stk_fields_are_safe(record->line))) {
        show->unknown++;
        return STIRKEEP_OK;
    }
    if (show->filters && !stk_trail_filter_takes(&show->filter, &fields))
        return STIRKEEP_OK;
    status = show->kept != NULL ? stk_kept_lines_add(show->kept, record->line)
                                : print_line(show, record->line);
    if (status == STIRKEEP_TOO_LARGE)
        return stk_error_set(error, status, "these records are too long for so many: --last");
    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "out of memory");
    if (ferror(stdout) == 0)
        return STIRKEEP_OK;
    show->write_error = errno;
    return stk_error_set(error, STIRKEEP_IO, "%s", "");
}

static enum stirkeep_status print_kept(struct show *show, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; show->kept != NULL && i < stk_kept_lines_count(show->kept); i++)
        if (status == STIRKEEP_OK && show->write_error == 0) {
            status = print_line(show, stk_kept_lines_at(show->kept, i));
            show->write_error = ferror(stdout) != 0 ? errno : 0;
        }
    return status == STIRKEEP_OK ? status : stk_error_set(error, status, "out of memory");
}

/* ---- the run */

static enum stirkeep_status pass(const struct stk_cli *cli, const struct options *options,
                                 struct show *show, struct stk_error *error)
{
    struct stk_audit_keys *keys = calloc(1, sizeof(*keys));
    struct stk_verifier_options verifying = {.each = each, .context = show};
    struct stk_seal *witness = NULL;
    struct stk_verdict verdict = {0};
    size_t passed_over = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (keys == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_audit_keys_read(&options->keys, keys, error);
    if (status == STIRKEEP_OK)
        status = stk_audit_witness_read(options->witness, &witness, &verifying.witness_count,
                                        &passed_over, error);
    if (status == STIRKEEP_OK) {
        verifying.keys = (const uint8_t(*)[STK_SPKI_LENGTH])keys->spki;
        verifying.key_count = keys->count;
        verifying.witness = witness;
        status = stk_trail_files_pass(cli, &verifying, &verdict, error);
    }
    free(witness);
    free(keys);
    return status;
}

/* A reader that is gone needs no message. */
static bool flush(struct show *show)
{
    if (show->write_error == 0 && fflush(stdout) != 0)
        show->write_error = errno;
    if (show->write_error == 0)
        return true;
    if (show->write_error != EPIPE)
        stk_complain("standard output", "%s", strerror(show->write_error));
    /* That was said, and main() need not try again. */
    __fpurge(stdout);
    clearerr(stdout);
    return false;
}

/* What was shown goes out before what is wrong: on a terminal they come in their order. */
static enum stk_exit finish(const struct stk_cli *cli, struct show *show,
                            enum stirkeep_status status, struct stk_error *error)
{
    struct stk_error other = {0};
    bool arrived = false;

    if (print_kept(show, &other) != STIRKEEP_OK && status == STIRKEEP_OK) {
        status = other.status;
        *error = other;
    }
    arrived = flush(show);
    if (status != STIRKEEP_OK && error->message[0] != '\0')
        stk_complain(cli->verb->name, "%s", error->message);
    if (show->unknown > 0)
        stk_complain(cli->verb->name,
                     "records of a form that this version does not know, which are not shown: "
                     "%" PRIu64,
                     show->unknown);
    return arrived && status == STIRKEEP_OK && show->unknown == 0 ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct show show = {.json = cli->json};
    struct stk_error error = {0};
    enum stk_exit result = STK_EXIT_FAILED;
    enum stirkeep_status status = take_filter(options, &show, &error);

    if (status == STIRKEEP_INVALID) {
        stk_complain(cli->verb->name, "%s", error.message);
        return STK_EXIT_USAGE;
    }
    if (status == STIRKEEP_OK && options->last > 0) {
        show.kept = stk_kept_lines_new((size_t)options->last);
        if (show.kept == NULL)
            status = stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
    }
    if (status == STIRKEEP_OK)
        status = pass(cli, options, &show, &error);
    result = finish(cli, &show, status, &error);
    stk_kept_lines_free(show.kept);
    stk_buffer_free(&show.words);
    return result;
}

const struct stk_verb stk_verb_audit_show = {
    .name = "audit show",
    .positional = "FILE...",
    .synopsis = "[--since TIME] [--until TIME] [--name PATTERN] [--number NUMBER] [--last COUNT]",
    .summary = "Show the records of an audit trail, a line each, verifying it on the way",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
