/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/input.h"
#include "cli/output.h"
#include "cli/sign_batch.h"
#include "cli/sign_claims.h"
#include "cli/sign_client.h"
#include <stdio.h>
#include <string.h>

struct options {
    struct stk_claim_options claims;
    const char *header;
    const char *payload;
    const char *batch;
    bool whole;
};

static const struct options defaults = {.claims = {.ppt = "shaken"}};

#define CLAIM(name, argument, kind, field, help)                                                   \
    {                                                                                              \
        name, argument, kind, offsetof(struct options, claims.field), help, 0, 0                   \
    }

static const struct stk_option table[] = {
    CLAIM("orig", "TN", STK_OPTION_TEXT, orig, "calling number"),
    CLAIM("orig-uri", "URI", STK_OPTION_TEXT, orig_uri, "calling party by URI instead"),
    CLAIM("dest", "TN", STK_OPTION_TEXTS, dest,
          "called number; may be repeated, or several with commas"),
    CLAIM("dest-uri", "URI", STK_OPTION_URIS, dest_uri, "called party by URI; may be repeated"),
    CLAIM("attest", "A|B|C", STK_OPTION_TEXT, attest,
          "attestation; shaken needs it, there is no default"),
    CLAIM("origid", "UUID", STK_OPTION_TEXT, origid,
          "shaken: origination identifier; made by the service when absent"),
    {"iat", "SECONDS", STK_OPTION_NUMBER, offsetof(struct options, claims.iat),
     "issued at, seconds since 1970; now when absent", 1, 253402300799},
    CLAIM("ppt", "TYPE", STK_OPTION_TEXT, ppt,
          "kind of PASSporT: base, shaken, div, div-o, rph, rcd, or another that the grant names "
          "(default: shaken)"),
    CLAIM("div", "TN|URI", STK_OPTION_TEXT, div, "div, div-o: who the call was retargeted from"),
    CLAIM("hi", "INDEX", STK_OPTION_TEXT, hi, "div, div-o: hi-index of its History-Info entry"),
    CLAIM("opt", "FILE", STK_OPTION_TEXT, opt, "div-o: the inner PASSporT; - is standard input"),
    CLAIM("rph", "VALUE", STK_OPTION_TEXTS, rph,
          "rph: \"ets.0\"; may be repeated, or several with commas"),
    CLAIM("sph", "VALUE", STK_OPTION_TEXT, sph, "rph: \"psap-callback\""),
    CLAIM("nam", "NAME", STK_OPTION_TEXT, nam, "rcd, shaken: rich call data: the caller's name"),
    CLAIM("apn", "TN", STK_OPTION_TEXT, apn, "its number that is to be shown instead"),
    CLAIM("icn", "URI", STK_OPTION_TEXT, icn, "its icon"),
    CLAIM("jcl", "URI", STK_OPTION_TEXT, jcl, "its jCard by URI"),
    CLAIM("jcd", "FILE", STK_OPTION_TEXT, jcd, "its jCard, JSON; - is standard input"),
    CLAIM("crn", "TEXT", STK_OPTION_TEXT, crn, "rcd, shaken: reason of the call"),
    CLAIM("rcdi", "POINTER=DIGEST", STK_OPTION_URIS, rcdi,
          "rcd, shaken: digest of a part of the rich call data; may be repeated"),
    CLAIM("mky", "ALG:DIG", STK_OPTION_TEXTS, mky,
          "digest of a media key, hex; may be repeated, or several with commas"),
    CLAIM("claims", "FILE", STK_OPTION_TEXT, claims,
          "further claims of another type, a JSON object; - is standard input"),
    CLAIM("compact", NULL, STK_OPTION_SWITCH, compact, "base: the compact form, \"..signature\""),
    {"header", "FILE", STK_OPTION_TEXT, offsetof(struct options, header),
     "instead of claims: a finished header, canonical JSON", 0, 0},
    {"payload", "FILE", STK_OPTION_TEXT, offsetof(struct options, payload),
     "and its payload; the grant has to have sign-input", 0, 0},
    {"batch", "FILE", STK_OPTION_TEXT, offsetof(struct options, batch),
     "instead: sign each line of a file, a JSON object of claims; - is standard input", 0, 0},
    {"whole", NULL, STK_OPTION_SWITCH, offsetof(struct options, whole),
     "all lines of the batch or none", 0, 0},
    {0},
};

static bool has_claims(const struct options *options)
{
    return memcmp(&options->claims, &defaults.claims, sizeof(defaults.claims)) != 0;
}

/* NULL: the options make sense together. */
static const char *contradiction(const struct stk_cli *cli, const struct options *options)
{
    bool input = options->header != NULL || options->payload != NULL;

    if (options->whole && options->batch == NULL)
        return "--whole is for --batch";
    if (options->batch != NULL)
        return input || has_claims(options) ? "--batch has its claims in FILE" : NULL;
    if (cli->positional == NULL)
        return "missing: NAME";
    if (!input)
        return stk_claim_contradiction(&options->claims);
    if (options->header == NULL || options->payload == NULL)
        return "--header and --payload go together";
    if (has_claims(options))
        return "--header and --payload say it all: there are no claims beside them";
    if (strcmp(options->header, "-") == 0 && strcmp(options->payload, "-") == 0)
        return "standard input (-) can be read for one option only";
    return NULL;
}

static enum stk_exit print(const struct stk_cli *cli, const struct stirkeep_signature *signature)
{
    if (!cli->json) {
        (void)puts(signature->identity);
        return STK_EXIT_DONE;
    }
    return stk_json_print(stk_signature_json(cli->positional, signature)) ? STK_EXIT_DONE
                                                                          : STK_EXIT_FAILED;
}

/* IO and the like are told here; a refusal is the client's to tell. */
static enum stirkeep_status sign_claims(const struct stk_cli *cli,
                                        const struct stk_claim_options *options,
                                        struct stirkeep_client *client,
                                        struct stirkeep_signature *ret_signature,
                                        struct stk_error *error)
{
    struct stk_sign_claims claims = {0};
    enum stirkeep_status status = stk_sign_claims_make(options, &claims, error);

    if (status == STIRKEEP_OK) {
        status = stirkeep_sign(client, cli->positional, &claims.claims, ret_signature);
        (void)stk_error_set(error, status, "%s", stirkeep_client_error(client));
    }
    stk_sign_claims_free(&claims);
    return status;
}

static enum stirkeep_status sign_input(const struct stk_cli *cli, const struct options *options,
                                       struct stirkeep_client *client,
                                       struct stirkeep_signature *ret_signature,
                                       struct stk_error *error)
{
    struct stk_buffer header = {0};
    struct stk_buffer payload = {0};
    enum stirkeep_status status =
        stk_input_file(options->header, STK_SIGN_MESSAGE_MAX, &header, error);

    if (status == STIRKEEP_OK)
        status = stk_input_file(options->payload, STK_SIGN_MESSAGE_MAX, &payload, error);
    if (status == STIRKEEP_OK) {
        status = stirkeep_sign_input(client, cli->positional, (const char *)header.data,
                                     (const char *)payload.data, ret_signature);
        (void)stk_error_set(error, status, "%s", stirkeep_client_error(client));
    }
    stk_buffer_free(&header);
    stk_buffer_free(&payload);
    return status;
}

static enum stk_exit sign_one(const struct stk_cli *cli, const struct options *options,
                              struct stirkeep_client *client)
{
    struct stirkeep_signature signature = {0};
    struct stk_error error = {0};
    enum stirkeep_status status =
        options->header != NULL ? sign_input(cli, options, client, &signature, &error)
                                : sign_claims(cli, &options->claims, client, &signature, &error);

    if (status == STIRKEEP_OK)
        return print(cli, &signature);
    stk_complain(cli->positional, "%s", error.message);
    return STK_EXIT_FAILED;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    const char *problem = contradiction(cli, options);
    struct stirkeep_client *client = NULL;
    enum stk_exit result = STK_EXIT_FAILED;

    if (problem != NULL) {
        stk_complain(cli->verb->name, "%s", problem);
        return STK_EXIT_USAGE;
    }
    if (!stk_sign_client(cli, &client))
        return STK_EXIT_FAILED;
    result = options->batch != NULL ? stk_sign_batch(cli, client, options->batch, options->whole)
                                    : sign_one(cli, options, client);
    stirkeep_client_free(client);
    return result;
}

const struct stk_verb stk_verb_sign = {
    .name = "sign",
    .positional = "[NAME]",
    .synopsis = "--orig TN --dest TN --attest A|B|C [...]",
    .summary = "Have a PASSporT signed and print the Identity header value",
    .flags = STK_VERB_JSON | STK_VERB_SIGN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
