/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/input.h"
#include "cli/inquiry.h"
#include "cli/output.h"
#include "cli/sign_claims.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIMS_ARENA_MAX ((size_t)256 * 1024)
#define LATEST_TIME 253402300800 /* the year 10000 */

struct options {
    const char *cert;
    const char *ca;
    long long max_age_s;
    const char *ppt;
    const char *orig; /* of the compact form, as the rest */
    const char *orig_uri;
    struct stk_texts dest;
    struct stk_texts dest_uri;
    long long iat;
    struct stk_texts mky;
    const char *x5u;
};

static const struct stk_option table[] = {
    {"cert", "FILE", STK_OPTION_TEXT, offsetof(struct options, cert),
     "certificate that is to have signed, with its chain; without it the signature is not checked",
     0, 0},
    {"ca", "FILE", STK_OPTION_TEXT, offsetof(struct options, ca),
     "trusted CA certificates; without it the chain is not checked", 0, 0},
    {"max-age", "SECONDS", STK_OPTION_NUMBER, offsetof(struct options, max_age_s),
     "largest distance of iat from now (RFC 8224: 60); not judged when absent", 1, 4000000000},
    {"ppt", "TYPE", STK_OPTION_TEXT, offsetof(struct options, ppt),
     "a type beyond those that stirkeep knows that is good, too; its claims are not checked", 0, 0},
    {"orig", "TN", STK_OPTION_TEXT, offsetof(struct options, orig),
     "compact form: calling number, which is not in it", 0, 0},
    {"orig-uri", "URI", STK_OPTION_TEXT, offsetof(struct options, orig_uri),
     "compact form: calling party by URI instead", 0, 0},
    {"dest", "TN", STK_OPTION_TEXTS, offsetof(struct options, dest),
     "compact form: called number; may be repeated, or several with commas", 0, 0},
    {"dest-uri", "URI", STK_OPTION_URIS, offsetof(struct options, dest_uri),
     "compact form: called party by URI; may be repeated", 0, 0},
    {"iat", "SECONDS", STK_OPTION_NUMBER, offsetof(struct options, iat),
     "compact form: issued at, seconds since 1970", 1, 253402300799},
    {"mky", "ALG:DIG", STK_OPTION_TEXTS, offsetof(struct options, mky),
     "compact form: digest of a media key; may be repeated, or several with commas", 0, 0},
    {"x5u", "URL", STK_OPTION_TEXT, offsetof(struct options, x5u),
     "compact form: x5u; else what its info parameter says", 0, 0},
    {0},
};

static bool has_claims(const struct options *options)
{
    return options->orig != NULL || options->orig_uri != NULL || options->dest.count > 0 ||
           options->dest_uri.count > 0 || options->iat != 0 || options->mky.count > 0 ||
           options->x5u != NULL;
}

/* NULL: the options make sense together. */
static const char *contradiction(const struct options *options)
{
    if (options->ca != NULL && options->cert == NULL)
        return "--ca needs --cert";
    if (!has_claims(options))
        return NULL;
    if ((options->orig != NULL) == (options->orig_uri != NULL))
        return "compact form: one of --orig and --orig-uri is needed";
    if (options->dest.count + options->dest_uri.count == 0)
        return "compact form: --dest or --dest-uri is needed";
    return options->iat == 0 ? "compact form: --iat is needed" : NULL;
}

/* ---- the compact form */

static struct stk_claims_input input_of(const struct stirkeep_claims *claims, struct stk_pair *mky)
{
    for (size_t i = 0; i < claims->mky_count; i++)
        mky[i] = (struct stk_pair){claims->mky[i].name, claims->mky[i].value};
    return (struct stk_claims_input){
        .ppt = "",
        .orig_tn = claims->orig_tn,
        .orig_uri = claims->orig_uri,
        .dest_tn = claims->dest_tn,
        .dest_tn_count = claims->dest_tn_count,
        .dest_uri = claims->dest_uri,
        .dest_uri_count = claims->dest_uri_count,
        .iat = claims->iat,
        .mky = mky,
        .mky_count = claims->mky_count,
    };
}

static enum stirkeep_status make_claims(const struct options *options, struct stk_arena *arena,
                                        struct stk_claims *ret_claims, struct stk_error *error)
{
    const struct stk_claim_options given = {.ppt = "base",
                                            .orig = options->orig,
                                            .orig_uri = options->orig_uri,
                                            .dest = options->dest,
                                            .dest_uri = options->dest_uri,
                                            .iat = options->iat,
                                            .mky = options->mky};
    struct stk_sign_claims cut = {0};
    struct stk_pair mky[STK_TEXTS_MAX] = {{0}};
    struct stk_claims_input input = {0};
    enum stirkeep_status status = stk_sign_claims_make(&given, &cut, error);

    if (status == STIRKEEP_OK) {
        input = input_of(&cut.claims, mky);
        status = stk_claims_make(&input, arena, ret_claims, error);
    }
    stk_sign_claims_free(&cut);
    return status;
}

/* ---- what is printed */

static const char *const signature_texts[] = {
    [STK_UNCHECKED] = "unchecked", [STK_GOOD] = "good", [STK_BAD] = "bad"};
static const char *const chain_texts[] = {
    [STK_UNCHECKED] = "unchecked", [STK_GOOD] = "trusted", [STK_BAD] = "not trusted"};

static json_t *object_of(const struct stk_buffer *json)
{
    return json->length > 0 ? json_loadb((const char *)json->data, json->length, 0, NULL) : NULL;
}

/* The claims of any type, in the order of the payload. */
static void print_claims(const struct stk_inquiry *inquiry)
{
    json_t *payload = object_of(&inquiry->identity.payload);
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach(payload, name, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY);

        if (strcmp(name, "iat") != 0 && text != NULL) {
            stk_print_safe(name);
            (void)printf("%*s ", strlen(name) < 14 ? (int)(14 - strlen(name)) : 0, "");
            stk_print_safe(text);
            (void)putchar('\n');
        }
        free(text);
    }
    json_decref(payload);
}

static void print_findings(const struct stk_inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->finding_count; i++) {
        (void)printf("%-14s %s: ", inquiry->findings[i].fatal ? "error" : "warning",
                     inquiry->findings[i].code);
        stk_print_safe(inquiry->findings[i].message);
        (void)putchar('\n');
    }
}

static void print_text(const struct stk_inquiry *inquiry, const struct stk_finding *objection,
                       int64_t now)
{
    char time[STK_SECONDS_TEXT] = "";

    if (inquiry->parsed) {
        stk_print_field("ppt", inquiry->identity.ppt[0] != '\0' ? inquiry->identity.ppt : "base");
        stk_print_field("info", inquiry->identity.info);
        print_claims(inquiry);
    }
    /* Anybody may have written it: no arithmetic with what cannot be a time. */
    if (inquiry->iat > 0 && inquiry->iat < LATEST_TIME) {
        stk_seconds_text(inquiry->iat, time);
        (void)printf("%-14s %s, %" PRId64 " s ago\n", "iat", time, now - inquiry->iat);
    }
    print_findings(inquiry);
    stk_print_field("certificate", inquiry->leaf.subject);
    stk_print_field("signature", signature_texts[inquiry->signature]);
    stk_print_field("chain", chain_texts[inquiry->chain]);
    if (objection != NULL && objection->sip_code != 0)
        (void)printf("%-14s %d %s\n", "SIP response", objection->sip_code,
                     stk_sip_reason(objection->sip_code));
    stk_print_field("verdict", objection == NULL ? "good" : "NOT good");
}

/* {"code": 438, "reason": "Invalid Identity Header"}; null: none. */
static json_t *sip_json(int code)
{
    if (code == 0)
        return json_null();
    return json_pack("{s:I, s:s}", "code", (json_int_t)code, "reason", stk_sip_reason(code));
}

static json_t *findings_json(const struct stk_inquiry *inquiry)
{
    json_t *findings = json_array();

    for (size_t i = 0; i < inquiry->finding_count; i++)
        (void)json_array_append_new(findings,
                                    json_pack("{s:s, s:s, s:o, s:I}", "severity",
                                              inquiry->findings[i].fatal ? "error" : "warning",
                                              "code", inquiry->findings[i].code, "message",
                                              stk_json_text(inquiry->findings[i].message), "sip",
                                              (json_int_t)inquiry->findings[i].sip_code));
    return findings;
}

static bool print_json(const struct stk_inquiry *inquiry, const struct stk_finding *objection)
{
    return stk_json_print(json_pack(
        "{s:b, s:o?, s:o, s:s, s:s, s:o, s:o?, s:o, s:o?}", "good", objection == NULL, "reason",
        objection != NULL ? stk_json_text(objection->message) : NULL, "sip",
        sip_json(objection != NULL ? objection->sip_code : 0), "signature",
        signature_texts[inquiry->signature], "chain", chain_texts[inquiry->chain], "findings",
        findings_json(inquiry), "header", object_of(&inquiry->identity.header), "info",
        stk_json_text(inquiry->parsed ? inquiry->identity.info : ""), "payload",
        object_of(&inquiry->identity.payload)));
}

static enum stk_exit answer(const struct stk_cli *cli, const struct stk_inquiry *inquiry,
                            int64_t now)
{
    const struct stk_finding *objection = stk_inquiry_objection(inquiry);
    bool printed = true;

    if (cli->json)
        printed = print_json(inquiry, objection);
    else
        print_text(inquiry, objection, now);
    if (objection != NULL)
        stk_complain(cli->verb->name, "%s", objection->message);
    return objection == NULL && printed ? STK_EXIT_DONE : STK_EXIT_FAILED;
}

static enum stirkeep_status inquire(const char *given, const struct stk_question_of *question,
                                    struct stk_inquiry *inquiry, struct stk_error *error)
{
    struct stk_buffer text = {0};
    enum stirkeep_status status = stk_input_read(given, STK_IDENTITY_MAX, &text, error);

    if (status == STIRKEEP_TOO_LARGE) {
        stk_inquire_too_large(error->message, inquiry);
        return STIRKEEP_OK;
    }
    if (status == STIRKEEP_OK)
        status = stk_inquire(question, text.length > 0 ? (const char *)text.data : "", text.length,
                             inquiry, error);
    stk_buffer_free(&text);
    return status;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    const char *problem = contradiction(options);
    struct stk_question_of question = {.cert = options->cert,
                                       .ca = options->ca,
                                       .max_age_s = options->max_age_s,
                                       .ppt = options->ppt,
                                       .x5u = options->x5u,
                                       .now = stk_clock_seconds()};
    struct stk_inquiry inquiry = {0};
    struct stk_arena arena = {0};
    struct stk_claims claims = {0};
    struct stk_error error = {0};
    enum stk_exit result = STK_EXIT_FAILED;
    enum stirkeep_status status = STIRKEEP_OK;

    if (problem != NULL) {
        stk_complain(cli->verb->name, "%s", problem);
        return STK_EXIT_USAGE;
    }
    status = stk_arena_new(&arena, CLAIMS_ARENA_MAX);
    if (status == STIRKEEP_OK && has_claims(options)) {
        status = make_claims(options, &arena, &claims, &error);
        question.compact = &claims;
    }
    if (status == STIRKEEP_OK)
        status = inquire(cli->positional, &question, &inquiry, &error);
    if (status == STIRKEEP_OK)
        result = answer(cli, &inquiry, question.now);
    else
        stk_complain(cli->verb->name, "%s",
                     error.message[0] != '\0' ? error.message : stirkeep_status_text(status));
    stk_inquiry_free(&inquiry);
    stk_arena_free(&arena);
    return result;
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
