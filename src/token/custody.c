/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

static enum stirkeep_status login_is_lost(struct stk_token *token, struct stk_error *error)
{
    atomic_store_explicit(&token->login_lost, true, memory_order_relaxed);
    return stk_error_set(
        error, STIRKEEP_TOKEN_ERROR,
        "token \"%s\": the login is gone: C_GetSessionInfo: CKR_USER_NOT_LOGGED_IN", token->label);
}

enum stirkeep_status stk_custody_ready(struct stk_token *token, struct stk_error *error)
{
    CK_RV rv = token->custody_stale ? CKR_SESSION_CLOSED : stk_session_check(&token->custody);
    enum stirkeep_status status = STIRKEEP_OK;

    if (rv == CKR_OK)
        return STIRKEEP_OK;
    token->custody_stale = true; /* until all of this has gone well */
    rv = stk_session_open(&token->custody);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_OpenSession", rv);
    rv = stk_session_check(&token->custody);
    if (rv == CKR_USER_NOT_LOGGED_IN)
        return login_is_lost(token, error);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_GetSessionInfo", rv);
    status = stk_wrapping_reopen(token, error);
    token->custody_stale = status != STIRKEEP_OK;
    return status;
}

enum stirkeep_status stk_custody_absent(struct stk_token *token, enum stirkeep_status status,
                                        struct stk_error *error)
{
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_KEY_UNAVAILABLE)
        return status;
    rv = stk_session_check(&token->custody);
    if (rv == CKR_OK)
        return status;
    token->custody_stale = true;
    return rv == CKR_USER_NOT_LOGGED_IN ? login_is_lost(token, error)
                                        : stk_ckr_error(error, "C_GetSessionInfo", rv);
}

enum stirkeep_status stk_custody_explain(struct stk_token *token, enum stirkeep_status status,
                                         struct stk_error *error)
{
    struct stk_error storage = {0};

    if ((status != STIRKEEP_TOKEN_ERROR && status != STIRKEEP_KEY_UNAVAILABLE) ||
        (stk_durable_sync(&token->durable, &storage) != STIRKEEP_STORAGE &&
         stk_durable_try(&token->durable, &storage) != STIRKEEP_STORAGE))
        return status;
    return stk_error_set(error, STIRKEEP_STORAGE, "%s; %s", storage.message,
                         error == NULL ? "" : error->message);
}

enum stirkeep_status stk_custody_find(struct stk_token *token, const struct stk_key_id *key_id,
                                      CK_OBJECT_HANDLE *ret_key, struct stk_error *error)
{
    struct stk_proven key = {0};
    CK_RV rv = CKR_OK;
    enum stirkeep_status status = stk_audit_key_spare(token, key_id, error);

    if (status == STIRKEEP_OK)
        status = stk_custody_ready(token, error);
    if (status != STIRKEEP_OK)
        return status;
    status = stk_key_find(&token->custody, key_id, STK_KEY_ON_TOKEN, &key, &rv, error);
    if (status == STIRKEEP_OK)
        *ret_key = key.handle;
    else if (rv != CKR_OK)
        token->custody_stale = true;
    return stk_custody_absent(token, status, error);
}

enum stirkeep_status stk_token_sign(struct stk_token *token, const struct stk_key_id *key_id,
                                    const uint8_t digest[STK_DIGEST_LENGTH],
                                    uint8_t ret_signature[STK_SIGNATURE_LENGTH],
                                    struct stk_error *error)
{
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    enum stirkeep_status status = stk_custody_find(token, key_id, &key, error);
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_OK)
        return status;
    rv = stk_session_sign(&token->custody, key, digest, ret_signature);
    if (rv == CKR_OK)
        return STIRKEEP_OK;
    token->custody_stale = true;
    return stk_ckr_error(error, "C_Sign", rv);
}

bool stk_token_login_lost(const struct stk_token *token)
{
    return atomic_load_explicit(&token->login_lost, memory_order_relaxed);
}

bool stk_token_gone(const struct stk_token *token)
{
    return atomic_load_explicit(&token->gone, memory_order_relaxed);
}

bool stk_token_device_error(const struct stk_token *token)
{
    return atomic_load_explicit(&token->device_error, memory_order_relaxed);
}

void stk_token_well(struct stk_token *token)
{
    atomic_store_explicit(&token->device_error, false, memory_order_relaxed);
}

uint64_t stk_token_wrong(const struct stk_token *token)
{
    return atomic_load_explicit(&token->wrong, memory_order_relaxed);
}

uint64_t stk_token_busy_since(const struct stk_token *token)
{
    return atomic_load_explicit(&token->custody.busy_since, memory_order_relaxed);
}
