/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/digest.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "passport/verify.h"
#include "upload/material.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAF_ARENA_MAX (64 * 1024) /* texts of one certificate */

#define LATEST_TIME 253402300800 /* the year 10000 */

struct options {
    const char *cert;
    const char *ca;
    long long max_age_s;
};

static const struct stk_option table[] = {
    {"cert", "FILE", STK_OPTION_TEXT, offsetof(struct options, cert),
     "certificate that is to have signed, with its chain; without it the signature is not checked",
     0, 0},
    {"ca", "FILE", STK_OPTION_TEXT, offsetof(struct options, ca),
     "trusted CA certificates; without it the chain is not checked", 0, 0},
    {"max-age", "SECONDS", STK_OPTION_NUMBER, offsetof(struct options, max_age_s),
     "largest distance of iat from now (RFC 8224: 60); not judged when absent", 1, 4000000000},
    {0},
};

enum verdict { UNCHECKED, GOOD, BAD };

/* Everything that is found out, before any of it is printed. */
struct inquiry {
    struct stk_identity identity;
    json_t *payload;
    int64_t now;
    int64_t iat;
    struct stk_finding findings[STK_VERIFY_FINDINGS_MAX + 1];
    size_t finding_count;
    enum verdict signature;
    enum verdict chain;
    struct stk_error chain_error;
    struct stk_arena arena;
    struct stk_leaf leaf; /* when a certificate was given */
};

static const char *const signature_texts[] = {
    [UNCHECKED] = "unchecked", [GOOD] = "good", [BAD] = "bad"};
static const char *const chain_texts[] = {
    [UNCHECKED] = "unchecked", [GOOD] = "trusted", [BAD] = "not trusted"};

static void add_finding(struct inquiry *inquiry, const char *code, const char *message)
{
    struct stk_finding *finding = &inquiry->findings[inquiry->finding_count++];

    finding->fatal = true;
    (void)snprintf(finding->code, sizeof(finding->code), "%s", code);
    (void)snprintf(finding->message, sizeof(finding->message), "%s", message);
}

static enum stirkeep_status check_with_certificate(const struct options *options,
                                                   struct inquiry *inquiry, struct stk_error *error)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    struct stk_chain *chain = NULL;
    struct stk_chain *roots = NULL;
    enum stirkeep_status status = stk_chain_file(options->cert, &chain, error);

    if (status == STIRKEEP_OK && options->ca != NULL)
        status = stk_chain_file(options->ca, &roots, error);
    if (status == STIRKEEP_OK)
        status = stk_chain_leaf(chain, &inquiry->arena, &inquiry->leaf, error);
    if (status != STIRKEEP_OK)
        goto out;
    stk_sha256(inquiry->identity.signing_input.data, inquiry->identity.signing_input.length,
               digest);
    inquiry->signature =
        stk_chain_verifies(chain, digest, inquiry->identity.signature) ? GOOD : BAD;
    if (roots != NULL)
        inquiry->chain =
            stk_chain_trusted(chain, roots, inquiry->now, &inquiry->chain_error) == STIRKEEP_OK
                ? GOOD
                : BAD;
    if (inquiry->iat < inquiry->leaf.not_before || inquiry->iat > inquiry->leaf.not_after)
        add_finding(inquiry, "IAT-OUTSIDE-VALIDITY",
                    "iat: the certificate was not valid at that time");
out:
    stk_chain_free(roots);
    stk_chain_free(chain);
    return status;
}

static enum stirkeep_status inquire(const struct options *options, const struct stk_buffer *text,
                                    struct inquiry *inquiry, struct stk_error *error)
{
    const char *value = text->length > 0 ? (const char *)text->data : "";
    enum stirkeep_status status =
        stk_identity_parse(value, text->length, &inquiry->identity, error);

    if (status != STIRKEEP_OK)
        return status;
    inquiry->now = stk_clock_seconds();
    inquiry->finding_count =
        stk_identity_judge(&inquiry->identity, inquiry->now, options->max_age_s, inquiry->findings);
    inquiry->payload = json_loadb((const char *)inquiry->identity.payload.data,
                                  inquiry->identity.payload.length, 0, NULL);
    inquiry->iat = json_integer_value(json_object_get(inquiry->payload, "iat"));
    if (options->cert == NULL)
        return STIRKEEP_OK;
    if (stk_arena_new(&inquiry->arena, LEAF_ARENA_MAX) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    return check_with_certificate(options, inquiry, error);
}

static void inquiry_free(struct inquiry *inquiry)
{
    json_decref(inquiry->payload);
    stk_identity_free(&inquiry->identity);
    stk_arena_free(&inquiry->arena);
}

/* NULL: all is good. Otherwise the gravest reason why not. */
static const char *objection(const struct options *options, const struct inquiry *inquiry)
{
    if (inquiry->signature == BAD)
        return "the signature is not this certificate's";
    for (size_t i = 0; i < inquiry->finding_count; i++)
        if (inquiry->findings[i].fatal)
            return inquiry->findings[i].message;
    if (inquiry->chain == BAD)
        return inquiry->chain_error.message;
    if (options->cert == NULL)
        return "the signature is unchecked: --cert is missing";
    return NULL;
}

static void print_claim(const struct inquiry *inquiry, const char *name)
{
    char *text = json_dumps(json_object_get(inquiry->payload, name), JSON_ENCODE_ANY);

    stk_print_field(name, text);
    free(text);
}

static void print_text(const struct inquiry *inquiry, const char *problem)
{
    char time[STK_SECONDS_TEXT] = "";

    stk_seconds_text(inquiry->iat, time);
    stk_print_field("ppt", inquiry->identity.ppt[0] != '\0' ? inquiry->identity.ppt : "base");
    stk_print_field("info", inquiry->identity.info);
    print_claim(inquiry, "orig");
    print_claim(inquiry, "dest");
    print_claim(inquiry, "attest");
    print_claim(inquiry, "origid");
    /* Anybody may have written it: no arithmetic with what cannot be a time. */
    if (inquiry->iat > 0 && inquiry->iat < LATEST_TIME)
        (void)printf("%-14s %s, %" PRId64 " s ago\n", "iat", time, inquiry->now - inquiry->iat);
    for (size_t i = 0; i < inquiry->finding_count; i++) {
        (void)printf("%-14s %s: ", inquiry->findings[i].fatal ? "error" : "warning",
                     inquiry->findings[i].code);
        stk_print_safe(inquiry->findings[i].message);
        (void)putchar('\n');
    }
    stk_print_field("certificate", inquiry->leaf.subject);
    stk_print_field("signature", signature_texts[inquiry->signature]);
    stk_print_field("chain", chain_texts[inquiry->chain]);
    if (inquiry->chain == BAD)
        stk_print_field("", inquiry->chain_error.message);
    stk_print_field("verdict", problem == NULL ? "good" : "NOT good");
}

static bool print_json(const struct inquiry *inquiry, const char *problem)
{
    json_t *findings = json_array();

    for (size_t i = 0; i < inquiry->finding_count; i++)
        (void)json_array_append_new(findings,
                                    json_pack("{s:s, s:s, s:o}", "severity",
                                              inquiry->findings[i].fatal ? "error" : "warning",
                                              "code", inquiry->findings[i].code, "message",
                                              stk_json_text(inquiry->findings[i].message)));
    return stk_json_print(
        json_pack("{s:b, s:o?, s:s, s:s, s:o, s:o?, s:o, s:O?}", "good", problem == NULL, "reason",
                  problem != NULL ? stk_json_text(problem) : NULL, "signature",
                  signature_texts[inquiry->signature], "chain", chain_texts[inquiry->chain],
                  "findings", findings, "header",
                  json_loadb((const char *)inquiry->identity.header.data,
                             inquiry->identity.header.length, 0, NULL),
                  "info", stk_json_text(inquiry->identity.info), "payload", inquiry->payload));
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct inquiry inquiry = {0};
    struct stk_buffer text = {0};
    struct stk_error error = {0};
    const char *problem = NULL;
    bool printed = true;
    enum stirkeep_status status = STIRKEEP_OK;

    if (options->ca != NULL && options->cert == NULL) {
        stk_complain(cli->verb->name, "--ca needs --cert");
        return STK_EXIT_USAGE;
    }
    status = stk_input_read(cli->positional, STK_IDENTITY_MAX, &text, &error);
    if (status == STIRKEEP_OK)
        status = inquire(options, &text, &inquiry, &error);
    if (status == STIRKEEP_OK) {
        problem = objection(options, &inquiry);
        if (cli->json)
            printed = print_json(&inquiry, problem);
        else
            print_text(&inquiry, problem);
    }
    if (status != STIRKEEP_OK || problem != NULL)
        stk_complain(cli->verb->name, "%s", status != STIRKEEP_OK ? error.message : problem);
    inquiry_free(&inquiry);
    stk_buffer_free(&text);
    return status == STIRKEEP_OK && problem == NULL && printed ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

const struct stk_verb stk_verb_verify = {
    .name = "verify",
    .positional = "[HEADER|-|@FILE]",
    .synopsis = "[--cert FILE [--ca FILE]] [--max-age SECONDS]",
    .summary = "Check an Identity header value, given or from standard input or a file, offline",
    .flags = STK_VERB_JSON,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
