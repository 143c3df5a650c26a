/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/output.h"
#include "cli/sign_client.h"
#include "cli/verb.h"
#include <stdio.h>
#include <stirkeep/client.h>
#include <string.h>

struct options {
    const char *orig;
    const char *orig_uri;
    struct stk_texts dest;
    struct stk_texts dest_uri;
    const char *ppt;
    const char *attest;
    const char *origid;
    long long iat;
};

static const struct options defaults = {.ppt = "shaken"};

static const struct stk_option table[] = {
    {"orig", "TN", STK_OPTION_TEXT, offsetof(struct options, orig), "calling number", 0, 0},
    {"orig-uri", "URI", STK_OPTION_TEXT, offsetof(struct options, orig_uri),
     "calling party by URI instead", 0, 0},
    {"dest", "TN", STK_OPTION_TEXTS, offsetof(struct options, dest),
     "called number; may be repeated, or several with commas", 0, 0},
    {"dest-uri", "URI", STK_OPTION_URIS, offsetof(struct options, dest_uri),
     "called party by URI; may be repeated", 0, 0},
    {"attest", "A|B|C", STK_OPTION_TEXT, offsetof(struct options, attest),
     "attestation; shaken needs it, there is no default", 0, 0},
    {"origid", "UUID", STK_OPTION_TEXT, offsetof(struct options, origid),
     "shaken: origination identifier; made by the service when absent", 0, 0},
    {"iat", "SECONDS", STK_OPTION_NUMBER, offsetof(struct options, iat),
     "issued at, seconds since 1970; now when absent", 1, 253402300799},
    {"ppt", "base|shaken", STK_OPTION_TEXT, offsetof(struct options, ppt),
     "kind of PASSporT (default: shaken)", 0, 0},
    {0},
};

/* NULL: the options make sense together. */
static const char *contradiction(const struct options *options)
{
    bool shaken = strcmp(options->ppt, "shaken") == 0;

    if (!shaken && strcmp(options->ppt, "base") != 0)
        return "--ppt is base or shaken";
    if ((options->orig != NULL) == (options->orig_uri != NULL))
        return "one of --orig and --orig-uri is needed";
    if (options->dest.count + options->dest_uri.count == 0)
        return "--dest or --dest-uri is needed";
    if (shaken && options->attest == NULL)
        return "--attest A, B or C is needed: a shaken PASSporT has no default attestation";
    if (!shaken && (options->attest != NULL || options->origid != NULL))
        return "--attest and --origid are for --ppt shaken";
    return NULL;
}

static enum stk_exit print(const struct stk_cli *cli, const struct stirkeep_signature *signature)
{
    if (!cli->json) {
        (void)puts(signature->identity);
        return STK_EXIT_DONE;
    }
    return stk_json_print(json_pack(
               "{s:o, s:o, s:s, s:I, s:I, s:o}", "identity", stk_json_text(signature->identity),
               "passport", json_stringn(signature->identity, signature->passport_length), "name",
               cli->positional, "generation", (json_int_t)signature->generation, "iat",
               (json_int_t)signature->iat, "origid", stk_json_text(signature->origid)))
               ? STK_EXIT_DONE
               : STK_EXIT_FAILED;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    const char *problem = contradiction(options);
    const struct stirkeep_claims claims = {
        .ppt = strcmp(options->ppt, "base") == 0 ? "" : options->ppt,
        .orig_tn = options->orig,
        .orig_uri = options->orig_uri,
        .dest_tn = options->dest.items,
        .dest_tn_count = options->dest.count,
        .dest_uri = options->dest_uri.items,
        .dest_uri_count = options->dest_uri.count,
        .iat = options->iat,
        .attest = options->attest,
        .origid = options->origid,
    };
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    enum stirkeep_status status = STIRKEEP_OK;
    enum stk_exit result = STK_EXIT_FAILED;

    if (problem != NULL) {
        stk_complain(cli->verb->name, "%s", problem);
        return STK_EXIT_USAGE;
    }
    if (!stk_sign_client(cli, &client))
        return STK_EXIT_FAILED;
    status = stirkeep_sign(client, cli->positional, &claims, &signature);
    if (status == STIRKEEP_OK)
        result = print(cli, &signature);
    else
        stk_complain(cli->positional, "%s", stirkeep_client_error(client));
    stirkeep_client_free(client);
    return result;
}

const struct stk_verb stk_verb_sign = {
    .name = "sign",
    .positional = "NAME",
    .synopsis = "--orig TN --dest TN --attest A|B|C [...]",
    .summary = "Have a PASSporT signed and print the Identity header value",
    .flags = STK_VERB_JSON | STK_VERB_SIGN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
