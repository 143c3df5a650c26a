/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/verify.h"
#include "base/file.h"
#include "cert/pem.h"
#include "cli/output.h"
#include "cli/verb.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE_MAX ((size_t)64 * 1024)
#define KEYS_MAX 256

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
    uint8_t keys[KEYS_MAX][STK_SPKI_LENGTH];
    size_t key_count;
    struct stk_seal *witness;
    size_t witness_count;
    size_t passed_over;
    struct stk_verdict verdict;
};

/* All PUBLIC KEY blocks of a file. */
static enum stirkeep_status read_blocks(struct check *check, struct stk_bytes text,
                                        const char *path, struct stk_error *error)
{
    struct stk_pem_reader reader = {.rest = text};
    struct stk_pem_block block = {0};
    uint8_t der[KEY_FILE_MAX];
    size_t length = 0;
    size_t before = check->key_count;
    enum stirkeep_status status = STIRKEEP_OK;

    while ((status = stk_pem_next(&reader, &block, error)) == STIRKEEP_OK &&
           block.label.length > 0) {
        if (!stk_pem_labelled(&block, "PUBLIC KEY"))
            continue;
        if (check->key_count == KEYS_MAX)
            return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: too many keys", path);
        if (stk_pem_body_room(&block) > sizeof(der) || !stk_pem_decode(&block, der, &length) ||
            length != STK_SPKI_LENGTH)
            return stk_error_set(error, STIRKEEP_KEY_TYPE, "%s: line %zu: not a P-256 public key",
                                 path, block.line);
        memcpy(check->keys[check->key_count++], der, STK_SPKI_LENGTH);
    }
    if (status == STIRKEEP_OK && check->key_count == before)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "%s: no PUBLIC KEY in PEM", path);
    return status;
}

static enum stirkeep_status read_keys(struct check *check, const struct stk_texts *paths,
                                      struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < paths->count && status == STIRKEEP_OK; i++) {
        struct stk_buffer data = {0};

        status = stk_file_read(paths->items[i], KEY_FILE_MAX, &data, error);
        if (status == STIRKEEP_OK)
            status = read_blocks(check, (struct stk_bytes){data.data, data.length}, paths->items[i],
                                 error);
        stk_buffer_free(&data);
    }
    return status;
}

static enum stirkeep_status open_file(const char *path, int *ret_fd, struct stk_error *error)
{
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return *ret_fd >= 0 ? STIRKEEP_OK
                        : stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
}

static enum stirkeep_status read_witness(struct check *check, const char *path,
                                         struct stk_error *error)
{
    int fd = -1;
    enum stirkeep_status status = path != NULL ? open_file(path, &fd, error) : STIRKEEP_OK;

    if (path == NULL || status != STIRKEEP_OK)
        return status;
    status = stk_witness_read(fd, path, &check->witness, &check->witness_count, &check->passed_over,
                              error);
    (void)close(fd);
    if (status == STIRKEEP_OK && check->witness_count == 0)
        status = stk_error_set(error, STIRKEEP_INVALID, "%s: it holds no seal", path);
    return status;
}

static enum stirkeep_status verify(struct check *check, const struct stk_cli *cli,
                                   struct stk_error *error)
{
    const struct stk_verifier_options options = {.keys =
                                                     (const uint8_t(*)[STK_SPKI_LENGTH])check->keys,
                                                 .key_count = check->key_count,
                                                 .witness = check->witness,
                                                 .witness_count = check->witness_count};
    struct stk_verifier *verifier = NULL;
    enum stirkeep_status status = stk_verifier_new(&options, &verifier, error);

    for (int i = 0; i < cli->positional_count && status == STIRKEEP_OK; i++) {
        int fd = -1;

        status = open_file(cli->positionals[i], &fd, error);
        if (status != STIRKEEP_OK)
            break;
        status = stk_verifier_file(verifier, fd, cli->positionals[i], error);
        (void)close(fd);
    }
    if (status == STIRKEEP_OK)
        status = stk_verifier_end(verifier, &check->verdict, error);
    stk_verifier_free(verifier);
    return status;
}

static uint64_t unsealed(const struct stk_verdict *verdict)
{
    return verdict->sealed > 0 ? verdict->last - verdict->sealed : verdict->records;
}

static bool print_json(const struct check *check)
{
    const struct stk_verdict *verdict = &check->verdict;

    return stk_json_print(json_pack(
        "{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "good", true, "records",
        (json_int_t)verdict->records, "first", (json_int_t)verdict->first, "last",
        (json_int_t)verdict->last, "files", (json_int_t)verdict->files, "seals",
        (json_int_t)verdict->seals, "sealed", (json_int_t)verdict->sealed, "unsealed",
        (json_int_t)unsealed(verdict), "uncovered", (json_int_t)verdict->uncovered, "keys",
        (json_int_t)check->key_count, "witness_seals", (json_int_t)check->witness_count,
        "witness_lines_passed_over", (json_int_t)check->passed_over));
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
                     check->key_count > 0 ? "each signed by an audit key that was given"
                                          : "whose signatures were not checked: no --key");
    if (unsealed(verdict) > 0)
        (void)printf("not sealed yet: the last %" PRIu64 " records\n", unsealed(verdict));
    if (verdict->uncovered > 0)
        (void)printf("covered by the chain alone: %" PRIu64 " records\n", verdict->uncovered);
    if (check->witness_count > 0)
        (void)printf("witness: all is there that it has seen; seals: %zu\n", check->witness_count);
    if (check->passed_over > 0)
        (void)printf("witness: passed over, as no seals: %zu lines\n", check->passed_over);
}

static void fail(const struct stk_cli *cli, const struct stk_error *error)
{
    stk_complain(cli->positional, "%s", error->message);
    if (cli->json)
        (void)stk_json_print(
            json_pack("{s:b, s:o}", "good", false, "reason", stk_json_text(error->message)));
}

/* Reads files alone: it needs no service, and an auditor may run it elsewhere. */
static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct check *check = calloc(1, sizeof(*check));
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (check == NULL)
        status = stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
    if (status == STIRKEEP_OK)
        status = read_keys(check, &options->keys, &error);
    if (status == STIRKEEP_OK)
        status = read_witness(check, options->witness, &error);
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
