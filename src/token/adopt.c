/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include <string.h>

/* How far it has come: the public key goes first. */
struct progress {
    struct stk_pair pair;
    bool public_done;
    bool private_done;
};

static CK_RV look(struct stk_session *session, const struct stk_key_id *ticket,
                  const struct stk_key_id *key_id, struct progress *ret_progress)
{
    static const struct progress ways[] = {
        {.public_done = true, .private_done = true},
        {.public_done = true},
        {.public_done = false},
    };
    CK_RV rv = CKR_OK;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct progress progress = ways[i];

        rv = stk_pair_find(session, progress.public_done ? key_id : ticket,
                           progress.private_done ? key_id : ticket, key_id, &progress.pair);
        if (rv != CKR_OK)
            return rv;
        *ret_progress = progress;
        if (progress.pair.private != CK_INVALID_HANDLE)
            return CKR_OK;
    }
    return CKR_OK;
}

static enum stirkeep_status nothing_there(struct stk_token *token, const struct stk_key_id *ticket,
                                          const struct stk_key_id *key_id, struct stk_error *error)
{
    struct stk_pair pair = {0};
    char id[STK_KEY_ID_TEXT] = "";

    if (stk_pair_find(&token->custody, ticket, ticket, NULL, &pair) == CKR_OK &&
        pair.private != CK_INVALID_HANDLE)
        return stk_error_set(error, STIRKEEP_KEY_MISMATCH,
                             "the key pair under the ticket is not that of key %s",
                             stk_key_id_text(key_id, id));
    return stk_error_set(
        error, STIRKEEP_KEY_UNAVAILABLE,
        "key %s: the pair that was made on the token is not there any more%s",
        stk_key_id_text(key_id, id),
        stk_sight_is_sure(&token->custody) ? "" : ", or the token could not read all of its files");
}

static enum stirkeep_status set_id(struct stk_token *token, CK_OBJECT_HANDLE object,
                                   const struct stk_key_id *key_id, const char *call,
                                   struct stk_error *error)
{
    CK_ATTRIBUTE attribute = {CKA_ID, (void *)key_id->bytes, sizeof(key_id->bytes)};
    CK_RV rv = stk_session_write(&token->custody, object, &attribute, 1);

    return rv == CKR_OK ? STIRKEEP_OK : stk_ckr_error(error, call, rv);
}

static enum stirkeep_status change(struct stk_token *token, const struct progress *progress,
                                   const struct stk_key_id *key_id, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    /* SoftHSM changes an object by writing its file anew, in place: without room it would be lost. */
    if (!progress->private_done)
        status = stk_durable_try(&token->durable, error);
    if (status == STIRKEEP_OK && !progress->public_done)
        status = set_id(token, progress->pair.public, key_id,
                        "CKA_ID of the new public key: C_SetAttributeValue", error);
    if (status == STIRKEEP_OK && !progress->private_done)
        status = set_id(token, progress->pair.private, key_id,
                        "CKA_ID of the new private key: C_SetAttributeValue", error);
    return status;
}

static enum stirkeep_status adopt(struct stk_token *token, const struct stk_key_id *ticket,
                                  const struct stk_key_id *key_id, struct stk_error *error)
{
    struct progress progress = {0};
    struct stk_proven proven = {0};
    size_t left_over = 0;
    CK_RV rv = look(&token->custody, ticket, key_id, &progress);
    enum stirkeep_status status = STIRKEEP_OK;

    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_FindObjects", rv);
    if (progress.pair.private == CK_INVALID_HANDLE)
        return nothing_there(token, ticket, key_id, error);
    status = change(token, &progress, key_id, error);
    if (status == STIRKEEP_OK)
        status = stk_key_find(&token->custody, key_id, STK_KEY_ON_TOKEN, &proven, &rv, error);
    if (status == STIRKEEP_OK)
        status = stk_durable_sync(&token->durable, error);
    if (status == STIRKEEP_OK)
        (void)stk_key_clear(&token->custody, ticket, &left_over); /* torn, and of no use */
    return stk_custody_explain(token, status, error);
}

enum stirkeep_status stk_pair_adopt(struct stk_token *token, const struct stk_key_id *ticket,
                                    const struct stk_key_id *key_id, struct stk_error *error)
{
    enum stirkeep_status status = stk_custody_ready(token, error);

    if (status != STIRKEEP_OK)
        return status;
    status = adopt(token, ticket, key_id, error);
    atomic_fetch_add_explicit(&token->epoch, 1, memory_order_release);
    if (status != STIRKEEP_OK)
        token->custody_stale = true;
    return status;
}

enum stirkeep_status stk_token_adopt(struct stk_token *token, const struct stk_key_id *ticket,
                                     const struct stk_key_id *key_id, struct stk_error *error)
{
    enum stirkeep_status status = stk_audit_key_spare(token, ticket, error);

    if (status == STIRKEEP_OK)
        status = stk_audit_key_spare(token, key_id, error);
    return status == STIRKEEP_OK ? stk_pair_adopt(token, ticket, key_id, error) : status;
}

enum stirkeep_status stk_token_spki(struct stk_token *token, const struct stk_key_id *key_id,
                                    uint8_t ret_spki[STK_TOKEN_SPKI_LENGTH],
                                    struct stk_error *error)
{
    struct stk_pair pair = {0};
    char id[STK_KEY_ID_TEXT] = "";
    enum stirkeep_status status = stk_audit_key_spare(token, key_id, error);
    CK_RV rv = CKR_OK;

    if (status == STIRKEEP_OK)
        status = stk_custody_ready(token, error);
    if (status != STIRKEEP_OK)
        return status;
    rv = stk_pair_find(&token->custody, key_id, key_id, key_id, &pair);
    if (rv != CKR_OK) {
        token->custody_stale = true;
        return stk_ckr_error(error, "C_FindObjects", rv);
    }
    if (pair.private == CK_INVALID_HANDLE) {
        status = stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                               "key %s: no pair of that id is on the token",
                               stk_key_id_text(key_id, id));
        return stk_custody_explain(token, status, error); /* it may only be out of sight */
    }
    memcpy(ret_spki, pair.spki, sizeof(pair.spki));
    return STIRKEEP_OK;
}
