/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/proof.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/proof_search.h"
#include "cli/record_words.h"
#include "passport/verify.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UID_MAX 4294967295
#define SIG_LENGTH (2 * (size_t)STK_DIGEST_LENGTH)

struct options {
    const char *request;
    long long uid;
    const char *name;
    const char *act;
    const char *sig;
    const char *passport;
    long long seq;
    struct stk_texts keys;
    const char *out;
};

static const struct options defaults = {.uid = -1};

static const struct stk_option table[] = {
    {"request", "ID", STK_OPTION_TEXT, offsetof(struct options, request),
     "the client's own number for its request", 0, 0},
    {"uid", "UID", STK_OPTION_NUMBER, offsetof(struct options, uid), "user id of who asked", 0,
     UID_MAX},
    {"name", "PATTERN", STK_OPTION_TEXT, offsetof(struct options, name),
     "certificate name, '*' for any run of characters", 0, 0},
    {"act", "ACT", STK_OPTION_TEXT, offsetof(struct options, act),
     "kind of record: sign, refuse, import, ...", 0, 0},
    {"sig", "HEX", STK_OPTION_TEXT, offsetof(struct options, sig),
     "SHA-256 of the PASSporT's signature", 0, 0},
    {"passport", "FILE", STK_OPTION_TEXT, offsetof(struct options, passport),
     "the PASSporT itself, or its Identity header value (- for standard input)", 0, 0},
    {"seq", "NUMBER", STK_OPTION_NUMBER, offsetof(struct options, seq), "the record's number", 1,
     INT64_MAX},
    {"key", "FILE", STK_OPTION_URIS, offsetof(struct options, keys),
     "audit public key (PEM) that the seals have to be signed by; may be repeated", 0, 0},
    {"out", "FILE", STK_OPTION_TEXT, offsetof(struct options, out),
     "a new file for the proof (default: printed)", 0, 0},
    {0}};

/* ---- what is asked for */

static const char *contradiction(const struct options *options)
{
    if (options->keys.count == 0)
        return "--key is needed: a proof without a key's signature proves nothing";
    if (options->request == NULL && options->sig == NULL && options->passport == NULL &&
        options->seq == 0)
        return "one of --request, --passport, --sig and --seq is needed";
    if (options->sig != NULL && options->passport != NULL)
        return "--sig is what --passport is looked for by: only one of them";
    if (options->sig != NULL && (strlen(options->sig) != SIG_LENGTH ||
                                 strspn(options->sig, "0123456789abcdef") != SIG_LENGTH))
        return "--sig: 64 hex digits in lower case";
    if (options->request != NULL &&
        strspn(options->request, "0123456789") != strlen(options->request))
        return "--request: a number in decimal";
    return NULL;
}

static enum stirkeep_status digest_of_passport(const char *path, char ret_sig[SIG_LENGTH + 1],
                                               struct stk_error *error)
{
    struct stk_identity identity = {0};
    struct stk_buffer text = {0};
    uint8_t digest[STK_DIGEST_LENGTH];
    enum stirkeep_status status = stk_input_file(path, STK_IDENTITY_MAX, &text, error);

    if (status == STIRKEEP_OK) {
        status = stk_identity_parse((const char *)text.data, text.length, &identity, error);
        if (status != STIRKEEP_OK)
            (void)stk_error_prefix(error, path);
    }
    if (status == STIRKEEP_OK) {
        stk_sha256(identity.signature, sizeof(identity.signature), digest);
        stk_hex_encode(digest, sizeof(digest), ret_sig);
        stk_identity_free(&identity);
    }
    stk_buffer_free(&text);
    return status;
}

static enum stirkeep_status find(const struct stk_cli *cli, const struct options *options,
                                 struct stk_proof_search *search, struct stk_verdict *ret_verdict,
                                 struct stk_error *error)
{
    struct stk_audit_keys *keys = calloc(1, sizeof(*keys));
    struct stk_verifier_options verifying = {.each = stk_proof_search_each, .context = search};
    enum stirkeep_status status = STIRKEEP_OK;

    if (keys == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_audit_keys_read(&options->keys, keys, error);
    if (status == STIRKEEP_OK) {
        verifying.keys = (const uint8_t(*)[STK_SPKI_LENGTH])keys->spki;
        verifying.key_count = keys->count;
        status = stk_trail_files_pass(cli, &verifying, ret_verdict, error);
    }
    free(keys);
    return status;
}

/* ---- what is answered */

static void print_choice(const struct stk_found *found)
{
    struct stk_fields fields = {0};
    struct stk_buffer words = {0};

    if (stk_fields_read((struct stk_bytes){found->line.data, found->line.length}, &fields) &&
        stk_record_line(&fields, &words) == STIRKEEP_OK &&
        stk_buffer_add(&words, "", 1) == STIRKEEP_OK)
        stk_complain("record", "%s", (const char *)words.data);
    stk_buffer_free(&words);
}

static void complain_of_many(const struct stk_cli *cli, const struct stk_proof_search *search)
{
    for (size_t i = 0; i < search->kept; i++)
        print_choice(&search->found[i]);
    if (search->count > search->kept)
        stk_complain("record", "... and %" PRIu64 " more", search->count - search->kept);
    stk_complain(cli->verb->name,
                 "%" PRIu64 " records fit, since clients give their requests numbers of their own: "
                 "take one by --seq NUMBER, or say more by --passport, --act, --uid or --name",
                 search->count);
}

/* It was found, and cannot be proven: why. */
static void complain_of_state(const struct stk_cli *cli, const struct stk_found *found,
                              const struct stk_verdict *verdict)
{
    const uint64_t number = found->sequence;

    if (found->state == STK_FOUND_CHAINED)
        stk_complain(cli->verb->name,
                     "record %" PRIu64 " is in no tree and is covered by the chain alone: there is "
                     "no short proof of it; the files themselves, which verify, are the proof",
                     number);
    else if (found->state == STK_FOUND_PARTLY)
        stk_complain(cli->verb->name,
                     "record %" PRIu64 " is under a seal that covers records before the first one "
                     "given: give the file before, too",
                     number);
    else
        stk_complain(cli->verb->name,
                     "record %" PRIu64 " is not sealed yet: the last seal in these files is over "
                     "records up to %" PRIu64 ". The service seals a record when it is [audit] "
                     "seal-seconds old (10 by default), and at its stop: prove it then. If the "
                     "file was rotated meanwhile, the seal is in the next one: give that, too",
                     number, verdict->sealed);
}

static enum stirkeep_status put_out(const struct options *options, const struct stk_found *found,
                                    struct stk_error *error)
{
    struct stk_buffer proof = {.ceiling = STK_PROOF_MAX};
    enum stirkeep_status status =
        stk_proof_write((struct stk_bytes){found->line.data, found->line.length}, &found->path,
                        (struct stk_bytes){found->seal_line.data, found->seal_line.length}, &proof);

    if (status != STIRKEEP_OK)
        status = stk_error_set(error, status, "%s", stirkeep_status_text(status));
    else if (options->out == NULL)
        (void)fwrite(proof.data, 1, proof.length, stdout);
    else
        status =
            stk_file_write_new(options->out, (struct stk_bytes){proof.data, proof.length}, error);
    stk_buffer_free(&proof);
    if (status == STIRKEEP_OK && options->out != NULL)
        (void)printf("record %" PRIu64 " is proven in ", found->sequence);
    if (status == STIRKEEP_OK && options->out != NULL) {
        stk_print_safe(options->out);
        (void)putchar('\n');
    }
    return status;
}

static enum stk_exit answer(const struct stk_cli *cli, const struct options *options,
                            const struct stk_proof_search *search,
                            const struct stk_verdict *verdict)
{
    struct stk_error error = {0};

    if (search->count == 0)
        stk_complain(cli->verb->name, "no record in these files fits");
    else if (search->count > 1)
        complain_of_many(cli, search);
    else if (search->found[0].state != STK_FOUND_PROVEN)
        complain_of_state(cli, &search->found[0], verdict);
    else if (put_out(options, &search->found[0], &error) == STIRKEEP_OK)
        return STK_EXIT_DONE;
    else
        stk_complain(cli->verb->name, "%s", error.message);
    return STK_EXIT_FAILED;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    const char *problem = contradiction(options);
    char sig[SIG_LENGTH + 1] = "";
    struct stk_proof_question question = {
        .filter = {.name = options->name,
                   .act = options->act,
                   .request = options->request,
                   .has_uid = options->uid >= 0,
                   .uid = options->uid >= 0 ? (uint32_t)options->uid : 0},
        .sig = options->sig,
        .sequence = (uint64_t)options->seq};
    struct stk_proof_search *search = calloc(1, sizeof(*search));
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    enum stk_exit result = STK_EXIT_FAILED;
    enum stirkeep_status status = STIRKEEP_OK;

    if (problem != NULL) {
        stk_complain(cli->verb->name, "%s", problem);
        free(search);
        return STK_EXIT_USAGE;
    }
    if (search == NULL)
        status = stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
    if (status == STIRKEEP_OK && options->passport != NULL) {
        status = digest_of_passport(options->passport, sig, &error);
        question.sig = sig;
    }
    if (status == STIRKEEP_OK) {
        search->question = &question;
        status = find(cli, options, search, &verdict, &error);
    }
    if (status == STIRKEEP_OK)
        result = answer(cli, options, search, &verdict);
    else
        stk_complain(cli->verb->name, "%s", error.message);
    if (search != NULL)
        stk_proof_search_free(search);
    free(search);
    return result;
}

const struct stk_verb stk_verb_audit_prove = {
    .name = "audit prove",
    .positional = "FILE...",
    .synopsis = "--key FILE (--request ID | --passport FILE | --sig HEX | --seq NUMBER)",
    .summary = "Prove that one record is in an audit trail, to be checked without the trail",
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
