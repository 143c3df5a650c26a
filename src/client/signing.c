/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/signing.h"

const struct stirkeep_signature stk_no_signature = {.identity = "", .origid = "", .attest = ""};

static const char *text_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static enum stirkeep_status invalid(struct stirkeep_client *client, const char *field,
                                    const char *reason)
{
    return stk_error_set(&client->error, STIRKEEP_INVALID, "%s: %s", field, reason);
}

static enum stirkeep_status check_texts(struct stirkeep_client *client, const char *field,
                                        const char *const *texts, size_t count, size_t max)
{
    if (count > max)
        return stk_error_set(&client->error, STIRKEEP_INVALID, "%s: more than %zu", field, max);
    if (count > 0 && texts == NULL)
        return invalid(client, field, "NULL");
    for (size_t i = 0; i < count; i++)
        if (texts[i] == NULL)
            return invalid(client, field, "NULL");
    return STIRKEEP_OK;
}

static enum stirkeep_status take_pairs(struct stirkeep_client *client, const char *field,
                                       const struct stirkeep_pair *pairs, size_t count, size_t max,
                                       struct stk_pair *ret_pairs)
{
    if (count > max)
        return stk_error_set(&client->error, STIRKEEP_INVALID, "%s: more than %zu", field, max);
    if (count > 0 && pairs == NULL)
        return invalid(client, field, "NULL");
    for (size_t i = 0; i < count; i++)
        ret_pairs[i] =
            (struct stk_pair){text_or_empty(pairs[i].name), text_or_empty(pairs[i].value)};
    return STIRKEEP_OK;
}

static enum stirkeep_status take_lists(struct stirkeep_client *client,
                                       const struct stirkeep_claims *claims,
                                       struct stk_client_signing *signing)
{
    enum stirkeep_status status =
        check_texts(client, "dest", claims->dest_tn, claims->dest_tn_count, STK_DEST_MAX);

    if (status == STIRKEEP_OK && claims->dest_uri_count > STK_DEST_MAX - claims->dest_tn_count)
        return stk_error_set(&client->error, STIRKEEP_INVALID, "dest: more than %d", STK_DEST_MAX);
    if (status == STIRKEEP_OK)
        status =
            check_texts(client, "dest", claims->dest_uri, claims->dest_uri_count, STK_DEST_MAX);
    if (status == STIRKEEP_OK)
        status =
            check_texts(client, "rph_auth", claims->rph_auth, claims->rph_auth_count, STK_RPH_MAX);
    if (status == STIRKEEP_OK)
        status = take_pairs(client, "rcdi", claims->rcdi, claims->rcdi_count, STK_RCDI_MAX,
                            signing->rcdi);
    if (status == STIRKEEP_OK)
        status =
            take_pairs(client, "mky", claims->mky, claims->mky_count, STK_MKY_MAX, signing->mky);
    return status;
}

static struct stk_claims_input claims_of(const struct stirkeep_claims *claims,
                                         const struct stk_client_signing *signing)
{
    return (struct stk_claims_input){.ppt = claims->ppt,
                                     .orig_tn = claims->orig_tn,
                                     .orig_uri = claims->orig_uri,
                                     .dest_tn = claims->dest_tn,
                                     .dest_tn_count = claims->dest_tn_count,
                                     .dest_uri = claims->dest_uri,
                                     .dest_uri_count = claims->dest_uri_count,
                                     .iat = claims->iat,
                                     .attest = claims->attest,
                                     .origid = claims->origid,
                                     .div_tn = claims->div_tn,
                                     .div_uri = claims->div_uri,
                                     .div_hi = claims->div_hi,
                                     .opt = claims->opt,
                                     .rph_auth = claims->rph_auth,
                                     .rph_auth_count = claims->rph_auth_count,
                                     .sph = claims->sph,
                                     .rcd_nam = claims->rcd_nam,
                                     .rcd_apn = claims->rcd_apn,
                                     .rcd_icn = claims->rcd_icn,
                                     .rcd_jcd = claims->rcd_jcd,
                                     .rcd_jcl = claims->rcd_jcl,
                                     .crn = claims->crn,
                                     .rcdi = signing->rcdi,
                                     .rcdi_count = claims->rcdi_count,
                                     .mky = signing->mky,
                                     .mky_count = claims->mky_count,
                                     .other = claims->other,
                                     .compact = claims->compact};
}

enum stirkeep_status stk_client_signing_of(struct stirkeep_client *client,
                                           const struct stirkeep_request *request,
                                           struct stk_client_signing *ret_signing)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (request->name == NULL)
        return invalid(client, "certificate name", "NULL");
    ret_signing->input = (struct stk_signing_input){
        .name = request->name, .header = request->header, .payload = request->payload};
    if (request->claims == NULL)
        return request->header != NULL && request->payload != NULL
                   ? STIRKEEP_OK
                   : invalid(client, "claims, or header and payload", "NULL");
    if (request->header != NULL || request->payload != NULL)
        return invalid(client, "header and payload", "beside claims, one is allowed");
    status = take_lists(client, request->claims, ret_signing);
    if (status != STIRKEEP_OK)
        return status;
    ret_signing->claims = claims_of(request->claims, ret_signing);
    ret_signing->input.claims = &ret_signing->claims;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_client_signature_of(struct stirkeep_client *client,
                                             const struct stk_response_signed *body,
                                             struct stirkeep_signature *ret_signature)
{
    const char *identity =
        stk_arena_copy(&client->arena, body->identity.data, body->identity.length);

    if (identity == NULL)
        return stk_error_set(&client->error, STIRKEEP_MALFORMED, "the answer is too large");
    *ret_signature = (struct stirkeep_signature){
        .identity = identity,
        .identity_length = body->identity.length,
        .passport_length = body->passport_length,
        .generation = body->generation,
        .iat = body->iat,
        .origid = text_or_empty(body->origid),
        .attest = text_or_empty(body->attest),
    };
    return STIRKEEP_OK;
}
