/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims.h"

#include <string.h>

/* Claims in the form of an input, and questions about them. */

static const char *json_text(const struct stk_json *json, struct stk_arena *arena, bool *ok)
{
    const char *text = json != NULL ? stk_json_text_of(json, arena) : NULL;

    *ok = *ok && (json == NULL || text != NULL);
    return text;
}

enum stirkeep_status stk_claims_input_of(const struct stk_claims *claims, struct stk_arena *arena,
                                         struct stk_claims_input *ret_input)
{
    bool ok = true;
    struct stk_claims_input input = {
        .ppt = claims->ppt_text,
        .orig_tn = claims->orig_tn,
        .orig_uri = claims->orig_uri,
        .dest_tn = (const char *const *)claims->dest_tn,
        .dest_tn_count = claims->dest_tn_count,
        .dest_uri = (const char *const *)claims->dest_uri,
        .dest_uri_count = claims->dest_uri_count,
        .iat = claims->iat,
        .origid = claims->origid,
        .div_tn = claims->div_tn,
        .div_uri = claims->div_uri,
        .div_hi = claims->div_hi,
        .opt = claims->opt,
        .rph_auth = (const char *const *)claims->rph_auth,
        .rph_auth_count = claims->rph_auth_count,
        .sph = claims->sph,
        .rcd_nam = claims->rcd_nam,
        .rcd_apn = claims->rcd_apn,
        .rcd_icn = claims->rcd_icn,
        .rcd_jcd = json_text(claims->rcd_jcd, arena, &ok),
        .rcd_jcl = claims->rcd_jcl,
        .crn = claims->crn,
        .rcdi = claims->rcdi,
        .rcdi_count = claims->rcdi_count,
        .mky = claims->mky,
        .mky_count = claims->mky_count,
        .other = json_text(claims->other, arena, &ok),
        .compact = claims->compact,
    };

    if (claims->attest != 0) {
        input.attest = stk_arena_copy(arena, &claims->attest, 1);
        ok = ok && input.attest != NULL;
    }
    if (!ok)
        return STIRKEEP_TOO_LARGE;
    *ret_input = input;
    return STIRKEEP_OK;
}

static bool is_diverted(const struct stk_claims *claims)
{
    return claims->ppt == STK_PPT_DIV || claims->ppt == STK_PPT_DIV_O;
}

const char *stk_claims_authority_tn(const struct stk_claims *claims)
{
    return is_diverted(claims) ? claims->div_tn : claims->orig_tn;
}

const char *stk_claims_authority_uri(const struct stk_claims *claims)
{
    return is_diverted(claims) ? claims->div_uri : claims->orig_uri;
}

static enum stirkeep_status check_digits(const char *tn, const char *field, unsigned digits,
                                         struct stk_error *error)
{
    if (tn == NULL || strnlen(tn, digits + 1UL) <= digits)
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_INVALID, "%s: more than %u digits", field, digits);
}

enum stirkeep_status stk_claims_check_digits(const struct stk_claims *claims, unsigned digits,
                                             struct stk_error *error)
{
    enum stirkeep_status status = check_digits(claims->orig_tn, "orig.tn", digits, error);

    for (size_t i = 0; status == STIRKEEP_OK && i < claims->dest_tn_count; i++)
        status = check_digits(claims->dest_tn[i], "dest.tn", digits, error);
    if (status == STIRKEEP_OK)
        status = check_digits(claims->div_tn, "div.tn", digits, error);
    if (status == STIRKEEP_OK)
        status = check_digits(claims->rcd_apn, "rcd.apn", digits, error);
    return status;
}
