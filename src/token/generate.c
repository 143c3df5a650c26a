/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/log.h"
#include <string.h>

static enum stirkeep_status refused(CK_RV rv, struct stk_error *error)
{
    char buffer[STK_CKR_TEXT] = "";

    if (rv == CKR_MECHANISM_INVALID || rv == CKR_FUNCTION_NOT_SUPPORTED ||
        rv == CKR_CURVE_NOT_SUPPORTED || rv == CKR_DOMAIN_PARAMS_INVALID)
        return stk_error_set(error, STIRKEEP_UNSUPPORTED,
                             "this token makes no P-256 keys (C_GenerateKeyPair: %s)",
                             stk_ckr_name(rv, buffer));
    return stk_ckr_error(error, "C_GenerateKeyPair", rv);
}

/* What a try that was cut off has left under the ticket. */
static enum stirkeep_status clear_away(struct stk_token *token, const struct stk_key_id *ticket,
                                       struct stk_error *error)
{
    char id[STK_KEY_ID_TEXT] = "";
    size_t destroyed = 0;
    CK_RV rv = stk_key_clear(&token->custody, ticket, &destroyed);

    if (destroyed > 0)
        stk_log(STK_LOG_WARNING, "ticket %s: what was left of making a key was destroyed",
                stk_key_id_text(ticket, id));
    return rv == CKR_OK
               ? STIRKEEP_OK
               : stk_ckr_error(error, "clearing away an unfinished key: C_DestroyObject", rv);
}

static enum stirkeep_status make(struct stk_token *token, const char *label,
                                 const struct stk_key_id *ticket, struct stk_pair *ret_pair,
                                 struct stk_error *error)
{
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    struct stk_key_template public = {0};
    struct stk_key_template private = {0};
    struct stk_pair pair = {0};
    CK_RV rv = CKR_OK;

    stk_template_ec_public(&public, label, ticket);
    stk_template_ec(&private, label, ticket, true);
    rv = stk_session_generate(
        &token->custody, &mechanism, &(struct stk_template){public.attributes, public.count},
        &(struct stk_template){private.attributes, private.count}, &pair.public, &pair.private);
    if (rv != CKR_OK)
        return refused(rv, error);
    /* By the ticket, as it will be found: the handles may say what they like. */
    pair = (struct stk_pair){0};
    rv = stk_pair_find(&token->custody, ticket, ticket, NULL, &pair);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "the new key: C_Sign", rv);
    if (pair.private == CK_INVALID_HANDLE)
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                             "the new key does not sign for the public key beside it");
    *ret_pair = pair;
    return STIRKEEP_OK;
}

static enum stirkeep_status have_pair(struct stk_token *token, const char *label,
                                      const struct stk_key_id *ticket, struct stk_pair *ret_pair,
                                      struct stk_error *error)
{
    struct stk_pair pair = {0};
    CK_RV rv = stk_pair_find(&token->custody, ticket, ticket, NULL, &pair);
    enum stirkeep_status status = STIRKEEP_OK;

    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_FindObjects", rv);
    if (pair.private == CK_INVALID_HANDLE) {
        status = clear_away(token, ticket, error);
        if (status == STIRKEEP_OK)
            status = make(token, label, ticket, &pair, error);
    }
    if (status == STIRKEEP_OK)
        status = stk_attributes_check(&token->custody, pair.private, error);
    if (status == STIRKEEP_OK)
        status = stk_durable_sync(&token->durable, error);
    if (status == STIRKEEP_OK)
        *ret_pair = pair;
    return stk_custody_explain(token, status, error);
}

static bool undo(struct stk_token *token, const struct stk_key_id *ticket)
{
    size_t destroyed = 0;

    token->custody_stale = true; /* what failed may have left an operation open */
    return stk_custody_ready(token, NULL) == STIRKEEP_OK &&
           stk_key_clear(&token->custody, ticket, &destroyed) == CKR_OK &&
           stk_durable_undo(&token->durable, NULL) == STIRKEEP_OK &&
           stk_sight_is_whole(&token->custody);
}

enum stirkeep_status stk_pair_generate(struct stk_token *token, const char *label,
                                       const struct stk_key_id *ticket,
                                       uint8_t ret_spki[STK_P256_SPKI_LENGTH],
                                       struct stk_error *error)
{
    struct stk_pair pair = {0};
    enum stirkeep_status status = stk_custody_ready(token, error);

    if (status != STIRKEEP_OK)
        return status;
    status = have_pair(token, label, ticket, &pair, error);
    if (status != STIRKEEP_OK && !undo(token, ticket) && error != NULL)
        (void)stk_error_set(error, status, "%s (objects of the new key may be left on the token)",
                            error->message);
    atomic_fetch_add_explicit(&token->epoch, 1, memory_order_release);
    if (status == STIRKEEP_OK)
        memcpy(ret_spki, pair.spki, sizeof(pair.spki));
    return status;
}

enum stirkeep_status stk_token_generate(struct stk_token *token, const char *name,
                                        const struct stk_key_id *ticket,
                                        uint8_t ret_spki[STK_TOKEN_SPKI_LENGTH],
                                        struct stk_error *error)
{
    char label[STK_KEY_LABEL_SIZE] = "";
    enum stirkeep_status status = stk_audit_key_spare(token, ticket, error);

    if (status != STIRKEEP_OK)
        return status;
    stk_key_label(name, label);
    return stk_pair_generate(token, label, ticket, ret_spki, error);
}
