/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/proof.h"
#include "base/encode.h"
#include "cli/input.h"
#include "cli/likeness.h"
#include "cli/number_key.h"
#include "cli/output.h"
#include "cli/record_words.h"
#include "cli/trail_files.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    struct stk_texts keys;
    const char *passport;
    const char *number_key;
};

static const struct stk_option table[] = {
    {"key", "FILE", STK_OPTION_URIS, offsetof(struct options, keys),
     "audit public key (PEM) that the seal has to be signed by; may be repeated", 0, 0},
    {"passport", "FILE", STK_OPTION_TEXT, offsetof(struct options, passport),
     "a PASSporT, or its Identity header value (- for standard input): is the record of it?", 0, 0},
    {"number-key", "FILE", STK_OPTION_TEXT, offsetof(struct options, number_key),
     "the key that numbers in the record are hashed with, to compare them", 0, 0},
    {0}};

/* What was found out. */
struct finding {
    struct stk_proof proof; /* views into it: */
    struct stk_fields fields;
    bool has_passport;
    enum stk_likeness likeness[STK_LIKE_COUNT];
};

/* ---- finding out */

static enum stirkeep_status read_proof(const char *path, struct finding *finding,
                                       struct stk_error *error)
{
    struct stk_buffer text = {0};
    enum stirkeep_status status = stk_input_file(path, STK_PROOF_MAX, &text, error);

    if (status == STIRKEEP_OK)
        status = stk_proof_read(text.data, text.length, path, &finding->proof, error);
    stk_buffer_free(&text);
    return status;
}

static enum stirkeep_status check_proof(const struct stk_cli *cli, const struct stk_texts *paths,
                                        struct finding *finding, struct stk_error *error)
{
    const struct stk_proof *proof = &finding->proof;
    struct stk_audit_keys *keys = calloc(1, sizeof(*keys));
    enum stirkeep_status status = STIRKEEP_OK;

    if (keys == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_audit_keys_read(paths, keys, error);
    if (status == STIRKEEP_OK)
        status = stk_proof_check(proof, (const uint8_t(*)[STK_SPKI_LENGTH])keys->spki, keys->count,
                                 cli->positional, error);
    free(keys);
    if (status == STIRKEEP_OK &&
        !stk_fields_read((struct stk_bytes){proof->record.data, proof->record.length},
                         &finding->fields))
        status = stk_error_set(error, STIRKEEP_UNSUPPORTED,
                               "%s: it is good, but its record is of a form that this version does "
                               "not know",
                               cli->positional);
    return status;
}

static enum stirkeep_status compare(const struct options *options, struct finding *finding,
                                    struct stk_error *error)
{
    struct stk_number_key key = {{0}, {0}};
    struct stk_identity identity = {0};
    struct stk_buffer text = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (options->passport == NULL)
        return STIRKEEP_OK;
    if (options->number_key != NULL)
        status = stk_number_key_read(options->number_key, &key, error);
    if (status != STIRKEEP_OK)
        return status;
    status = stk_input_file(options->passport, STK_IDENTITY_MAX, &text, error);
    if (status == STIRKEEP_OK) {
        status = stk_identity_parse((const char *)text.data, text.length, &identity, error);
        if (status == STIRKEEP_OK)
            status = stk_likeness_find(&finding->fields, &identity,
                                       options->number_key != NULL ? &key : NULL, finding->likeness,
                                       error);
        if (status != STIRKEEP_OK)
            (void)stk_error_prefix(error, options->passport);
    }
    finding->has_passport = status == STIRKEEP_OK;
    explicit_bzero(&key, sizeof(key));
    stk_identity_free(&identity);
    stk_buffer_free(&text);
    return status;
}

/* The names of the parts that compare so, with commas; false: there are none. */
static bool parts_that_are(const struct finding *finding, enum stk_likeness likeness,
                           char *ret_text, size_t size)
{
    size_t length = 0;

    ret_text[0] = '\0';
    for (size_t i = 0; i < STK_LIKE_COUNT; i++)
        if (finding->likeness[i] == likeness && length < size)
            length += (size_t)snprintf(ret_text + length, size - length, "%s%s",
                                       length > 0 ? ", " : "", stk_likeness_parts[i]);
    return length > 0;
}

/* ---- what is printed */

static void print_lines(char *text)
{
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        (void)printf("  ");
        stk_print_safe(line);
        (void)putchar('\n');
    }
}

static void print_passport(const struct finding *finding)
{
    char parts[128];

    if (!finding->has_passport)
        return;
    if (parts_that_are(finding, STK_SAME, parts, sizeof(parts)))
        (void)printf("the same in the PASSporT: %s\n", parts);
    if (parts_that_are(finding, STK_HIDDEN, parts, sizeof(parts)))
        (void)printf("not compared, keyed hashes in the record (--number-key): %s\n", parts);
    if (parts_that_are(finding, STK_UNTOLD, parts, sizeof(parts)))
        (void)printf("not compared, not in a compact PASSporT: %s\n", parts);
    (void)printf("not looked at: whether the PASSporT's own signature is good (stirkeep verify)\n");
}

static enum stirkeep_status print_text(const struct finding *finding)
{
    const struct stk_seal *seal = &finding->proof.seal;
    char key[2 * STK_KEY_ID_LENGTH + 1];
    struct stk_buffer words = {0};
    enum stirkeep_status status = stk_record_sentences(&finding->fields, &words);

    if (status == STIRKEEP_OK)
        status = stk_buffer_add(&words, "", 1);
    if (status == STIRKEEP_OK) {
        stk_hex_encode(seal->key_id.bytes, sizeof(seal->key_id.bytes), key);
        (void)printf("proven: record %" PRIu64 " is in the audit trail, unchanged since it was "
                     "sealed. It says:\n",
                     finding->proof.sequence);
        print_lines((char *)words.data);
        (void)printf("sealed: at %s, with records %" PRIu64 " to %" PRIu64 ", by audit key %s\n",
                     seal->time, seal->from, seal->through, key);
        print_passport(finding);
    }
    stk_buffer_free(&words);
    return status;
}

static json_t *passport_json(const struct finding *finding, bool good)
{
    json_t *passport = json_pack("{s:b}", "same", good);

    for (size_t i = 0; i < STK_LIKE_COUNT; i++)
        (void)json_object_set_new(passport, stk_likeness_parts[i],
                                  json_string(stk_likeness_names[finding->likeness[i]]));
    return passport;
}

static enum stirkeep_status print_json(const struct finding *finding, bool good)
{
    const struct stk_proof *proof = &finding->proof;
    char key[2 * STK_KEY_ID_LENGTH + 1];
    bool printed = false;

    stk_hex_encode(proof->seal.key_id.bytes, sizeof(proof->seal.key_id.bytes), key);
    printed = stk_json_print(
        json_pack("{s:b, s:o, s:s, s:I, s:I, s:s, s:o*}", "good", good, "record",
                  json_loadb((const char *)proof->record.data, proof->record.length, 0, NULL),
                  "sealed", proof->seal.time, "from", (json_int_t)proof->seal.from, "through",
                  (json_int_t)proof->seal.through, "key_id", key, "passport",
                  finding->has_passport ? passport_json(finding, good) : NULL));
    return printed ? STIRKEEP_OK : STIRKEEP_NO_MEMORY;
}

static enum stk_exit answer(const struct stk_cli *cli, const struct finding *finding)
{
    char parts[128];
    bool differs =
        finding->has_passport && parts_that_are(finding, STK_DIFFERENT, parts, sizeof(parts));
    enum stirkeep_status status = cli->json ? print_json(finding, !differs) : print_text(finding);

    if (status != STIRKEEP_OK)
        stk_complain("output", "%s", stirkeep_status_text(status));
    (void)fflush(stdout);
    if (differs)
        stk_complain(cli->positional, "the record is not of this PASSporT; different: %s", parts);
    return differs || status != STIRKEEP_OK ? STK_EXIT_FAILED : STK_EXIT_DONE;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct finding *finding = calloc(1, sizeof(*finding));
    struct stk_error error = {0};
    enum stk_exit result = STK_EXIT_FAILED;
    enum stirkeep_status status = STIRKEEP_OK;

    if (options->keys.count == 0) {
        stk_complain(cli->verb->name, "--key is needed: a proof without a key's signature proves "
                                      "nothing");
        free(finding);
        return STK_EXIT_USAGE;
    }
    if (finding == NULL)
        status = stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
    if (status == STIRKEEP_OK)
        status = read_proof(cli->positional, finding, &error);
    if (status == STIRKEEP_OK)
        status = check_proof(cli, &options->keys, finding, &error);
    if (status == STIRKEEP_OK)
        status = compare(options, finding, &error);
    if (status == STIRKEEP_OK) {
        result = answer(cli, finding);
    } else {
        stk_complain(cli->verb->name, "%s", error.message);
        if (cli->json)
            (void)stk_json_print(
                json_pack("{s:b, s:o}", "good", false, "reason", stk_json_text(error.message)));
    }
    if (finding != NULL)
        stk_proof_free(&finding->proof);
    free(finding);
    return result;
}

const struct stk_verb stk_verb_audit_check_proof = {
    .name = "audit check-proof",
    .positional = "PROOF",
    .synopsis = "--key FILE [--passport FILE]",
    .summary = "Check a proof that a record is in an audit trail, without the trail",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
