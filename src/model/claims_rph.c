/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/claims_make.h"

#include <string.h>

/* rph (RFC 8443) and sph (RFC 9027). */

/* Characters of token-nodot, RFC 4412 section 3.1. */
static size_t token_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-!%*_+`'~");
}

/* r-value: namespace "." r-priority. */
static bool is_r_value(const char *text)
{
    size_t namespace_length = token_length(text);
    size_t priority = 0;

    if (namespace_length == 0 || text[namespace_length] != '.')
        return false;
    priority = token_length(text + namespace_length + 1);
    return priority > 0 && text[namespace_length + 1 + priority] == '\0';
}

enum stirkeep_status stk_claim_make_rph(struct stk_claims_making *making)
{
    const struct stk_claims_input *input = making->input;
    const char **auth = NULL;

    if (input->rph_auth_count > STK_RPH_MAX)
        return stk_error_set(making->error, STIRKEEP_INVALID, "rph.auth: more than %d",
                             STK_RPH_MAX);
    auth = stk_arena_take(making->arena, input->rph_auth_count * sizeof(*auth));
    if (auth == NULL)
        return stk_claims_no_room(making->error);
    for (size_t i = 0; i < input->rph_auth_count; i++) {
        const char *text = input->rph_auth[i];
        enum stirkeep_status status = STIRKEEP_OK;

        if (text == NULL || !is_r_value(text))
            return stk_claims_refuse_item(making->error, "rph.auth", i,
                                          "has to be namespace.priority (RFC 4412)");
        for (size_t k = 0; k < i; k++)
            if (strcmp(auth[k], text) == 0)
                return stk_claims_refuse_item(making->error, "rph.auth", i, "is given twice");
        status = stk_claims_copy(making, text, "rph.auth", STK_RPH_TEXT_MAX, &auth[i]);
        if (status != STIRKEEP_OK)
            return status;
    }
    making->claims->rph_auth = auth;
    making->claims->rph_auth_count = input->rph_auth_count;
    return STIRKEEP_OK;
}

/* RFC 9027 section 4: for calls back from emergency services alone. */
enum stirkeep_status stk_claim_make_sph(struct stk_claims_making *making)
{
    const struct stk_claims *claims = making->claims;
    bool esnet = false;

    if (strcmp(making->input->sph, "psap-callback") != 0)
        return stk_error_set(making->error, STIRKEEP_INVALID, "sph: has to be psap-callback");
    for (size_t i = 0; i < claims->rph_auth_count; i++)
        esnet = esnet || strncmp(claims->rph_auth[i], "esnet.", strlen("esnet.")) == 0;
    if (!esnet)
        return stk_error_set(making->error, STIRKEEP_INVALID,
                             "sph: not allowed without an rph.auth of esnet (RFC 9027)");
    return stk_claims_copy(making, making->input->sph, "sph", STK_RPH_TEXT_MAX,
                           &making->claims->sph);
}
