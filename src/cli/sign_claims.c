/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/sign_claims.h"

#include "base/limits.h"
#include "cli/input.h"
#include <stdlib.h>
#include <string.h>

/* The option without which there is no PASSporT of a type. */
static const char *missing_of_type(const struct stk_claim_options *options)
{
    const struct {
        const char *ppt;
        bool given;
        const char *problem;
    } needs[] = {
        {"shaken", options->attest != NULL,
         "--attest A, B or C is needed: a shaken PASSporT has no default attestation"},
        {"div", options->div != NULL, "--div is needed: who the call was retargeted from"},
        {"div-o", options->div != NULL, "--div is needed: who the call was retargeted from"},
        {"div-o", options->opt != NULL, "--opt is needed: the PASSporT inside a div-o"},
        {"rph", options->rph.count > 0, "--rph is needed: the priority that is authorised"},
        {"rcd", options->nam != NULL, "--nam is needed: rich call data begins with a name"},
    };

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if (strcmp(options->ppt, needs[i].ppt) == 0 && !needs[i].given)
            return needs[i].problem;
    return NULL;
}

static bool is_input(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

const char *stk_claim_contradiction(const struct stk_claim_options *options)
{
    bool shaken = strcmp(options->ppt, "shaken") == 0;

    if ((options->orig != NULL) == (options->orig_uri != NULL))
        return "one of --orig and --orig-uri is needed";
    if (options->dest.count + options->dest_uri.count == 0)
        return "--dest or --dest-uri is needed";
    if (!shaken && (options->attest != NULL || options->origid != NULL))
        return "--attest and --origid are for --ppt shaken";
    if (is_input(options->opt) + is_input(options->jcd) + is_input(options->claims) > 1)
        return "standard input (-) can be read for one option only";
    return missing_of_type(options);
}

/* A file's text without the line end behind it, with a '\0'; NULL when it is not asked for. */
static enum stirkeep_status read_text(const char *path, size_t limit, struct stk_buffer *text,
                                      const char **ret_text, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (path == NULL)
        return STIRKEEP_OK;
    status = stk_input_file(path, limit, text, error);
    if (status == STIRKEEP_OK)
        *ret_text = (const char *)text->data;
    return status;
}

/* Two texts of one, cut at the first `mark`. */
static enum stirkeep_status cut_pair(struct stk_sign_claims *claims, const char *option,
                                     const char *text, char mark, struct stirkeep_pair *ret_pair,
                                     struct stk_error *error)
{
    char *copy = strdup(text);
    char *at = copy != NULL ? strchr(copy, mark) : NULL;

    if (copy == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    claims->pairs[claims->pair_count++] = copy;
    if (at == NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: no '%c' in %.100s", option, mark, text);
    *at = '\0';
    *ret_pair = (struct stirkeep_pair){.name = copy, .value = at + 1};
    return STIRKEEP_OK;
}

static enum stirkeep_status cut_pairs(const struct stk_claim_options *options,
                                      struct stk_sign_claims *claims, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; status == STIRKEEP_OK && i < options->rcdi.count; i++)
        status = cut_pair(claims, "--rcdi", options->rcdi.items[i], '=', &claims->rcdi[i], error);
    for (size_t i = 0; status == STIRKEEP_OK && i < options->mky.count; i++)
        status = cut_pair(claims, "--mky", options->mky.items[i], ':', &claims->mky[i], error);
    claims->claims.rcdi = claims->rcdi;
    claims->claims.rcdi_count = options->rcdi.count;
    claims->claims.mky = claims->mky;
    claims->claims.mky_count = options->mky.count;
    return status;
}

static struct stirkeep_claims plain_claims(const struct stk_claim_options *options)
{
    bool div_is_uri = options->div != NULL && strchr(options->div, ':') != NULL;

    return (struct stirkeep_claims){
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
        .div_tn = div_is_uri ? NULL : options->div,
        .div_uri = div_is_uri ? options->div : NULL,
        .div_hi = options->hi,
        .rph_auth = options->rph.items,
        .rph_auth_count = options->rph.count,
        .sph = options->sph,
        .rcd_nam = options->nam,
        .rcd_apn = options->apn,
        .rcd_icn = options->icn,
        .rcd_jcl = options->jcl,
        .crn = options->crn,
        .compact = options->compact,
    };
}

enum stirkeep_status stk_sign_claims_make(const struct stk_claim_options *options,
                                          struct stk_sign_claims *claims, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    *claims = (struct stk_sign_claims){.claims = plain_claims(options)};
    status = read_text(options->opt, STK_OPT_MAX + 1, &claims->opt, &claims->claims.opt, error);
    if (status == STIRKEEP_OK)
        status =
            read_text(options->jcd, STK_RCD_JCD_MAX, &claims->jcd, &claims->claims.rcd_jcd, error);
    if (status == STIRKEEP_OK)
        status =
            read_text(options->claims, STK_OTHER_MAX, &claims->other, &claims->claims.other, error);
    if (status == STIRKEEP_OK)
        status = cut_pairs(options, claims, error);
    return status;
}

void stk_sign_claims_free(struct stk_sign_claims *claims)
{
    stk_buffer_free(&claims->opt);
    stk_buffer_free(&claims->jcd);
    stk_buffer_free(&claims->other);
    for (size_t i = 0; i < claims->pair_count; i++)
        free(claims->pairs[i]);
}
