/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/digest.h"
#include "base/log.h"
#include <string.h>

/* What was under the CKA_ID before. */
struct before {
    struct stk_handles keys;
    CK_OBJECT_HANDLE held; /* the one that proves itself, or CK_INVALID_HANDLE */
};

static enum stirkeep_status check_import(const struct stk_token *token,
                                         const struct stk_token_import *import,
                                         struct stk_error *error)
{
    uint8_t hash[STK_DIGEST_LENGTH] = {0};

    if (stk_audit_key_spare(token, &import->key_id, error) != STIRKEEP_OK)
        return STIRKEEP_NOT_PERMITTED;
    if (!stk_spki_is_p256(import->spki))
        return stk_error_set(error, STIRKEEP_KEY_MISMATCH, "the public key is not on P-256");
    stk_sha256(import->spki.data, import->spki.length, hash);
    if (memcmp(hash, import->key_id.bytes, sizeof(hash)) != 0)
        return stk_error_set(error, STIRKEEP_KEY_MISMATCH,
                             "the key id is not the public key's SHA-256");
    return stk_certificates_check(import, error);
}

static enum stirkeep_status look_before(struct stk_token *token,
                                        const struct stk_token_import *import,
                                        struct before *before, struct stk_error *error)
{
    CK_RV rv = stk_key_objects(&token->custody, &import->key_id, CKO_PRIVATE_KEY, &before->keys);
    bool proven = false;

    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_FindObjects", rv);
    before->held = CK_INVALID_HANDLE;
    for (size_t i = 0; !proven && i < before->keys.count; i++) {
        rv = stk_key_prove(&token->custody, before->keys.items[i], import->spki.data, &proven);
        if (!stk_ckr_blames_key(rv))
            return stk_ckr_error(error, "C_Sign", rv);
        if (rv != CKR_OK)
            proven = false;
        if (proven)
            before->held = before->keys.items[i];
    }
    return STIRKEEP_OK;
}

/* A certificate for a key that is held. */
static bool brings_no_key(const struct stk_token_import *import)
{
    return import->pkcs8 == NULL && import->sealed.length == 0;
}

static enum stirkeep_status nothing_held(const struct stk_token_import *import,
                                         const struct before *before, struct stk_error *error)
{
    char id[STK_KEY_ID_TEXT] = "";

    if (before->keys.count == 0)
        return stk_key_not_found(&import->key_id, error);
    return stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                         "key %s: what the token has does not sign for the certificate",
                         stk_key_id_text(&import->key_id, id));
}

static enum stirkeep_status make(struct stk_token *token, const struct stk_token_import *import,
                                 bool on_token, CK_OBJECT_HANDLE *ret_key, struct stk_error *error)
{
    struct stk_key_template template = {0};
    char label[STK_KEY_LABEL_SIZE] = "";
    const char *call = NULL;
    CK_RV rv = CKR_OK;

    stk_key_label(import->name, label);
    stk_template_ec(&template, label, &import->key_id, on_token);
    if (import->pkcs8 != NULL)
        return stk_create(token, import->pkcs8, &template, ret_key, error);
    rv = stk_unwrap(token, import->sealed, &template, ret_key, &call);
    if (rv == CKR_OK)
        return STIRKEEP_OK;
    /* Once it went as a session object, the sealed key is not to blame. */
    return on_token ? stk_ckr_error(error, call, rv) : stk_unwrap_error(token, call, rv, error);
}

static enum stirkeep_status prove(struct stk_token *token, const struct stk_token_import *import,
                                  CK_OBJECT_HANDLE key, struct stk_error *error)
{
    bool proven = false;
    CK_RV rv = stk_key_prove(&token->custody, key, import->spki.data, &proven);

    if (rv != CKR_OK)
        return stk_ckr_error(error, "the new key: C_Sign", rv);
    if (!proven)
        return stk_error_set(error, STIRKEEP_KEY_MISMATCH,
                             "the private key does not belong to the certificate");
    return STIRKEEP_OK;
}

/* First as a session object: a key that is not the right one never touches the token's storage. */
static enum stirkeep_status try_out(struct stk_token *token, const struct stk_token_import *import,
                                    struct stk_error *error)
{
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    enum stirkeep_status status = make(token, import, false, &key, error);

    if (status != STIRKEEP_OK)
        return status;
    status = prove(token, import, key, error);
    (void)stk_session_destroy(&token->custody, key);
    return status;
}

static bool was_there(const struct before *before, CK_OBJECT_HANDLE key)
{
    for (size_t i = 0; i < before->keys.count; i++)
        if (before->keys.items[i] == key)
            return true;
    return false;
}

/* Destroy the private keys that this import made, those of a call that failed half way too. */
static bool undo(struct stk_token *token, const struct stk_token_import *import,
                 const struct before *before)
{
    struct stk_handles now = {0};
    CK_RV rv = CKR_OK;
    bool clean = true;

    token->custody_stale = true; /* what failed may have left an operation open */
    if (stk_custody_ready(token, NULL) != STIRKEEP_OK)
        return false;
    /* No key was made when one was held, and that one stays, whatever its handle is now. */
    if (before->held == CK_INVALID_HANDLE)
        rv = stk_key_objects(&token->custody, &import->key_id, CKO_PRIVATE_KEY, &now);
    for (size_t i = 0; rv == CKR_OK && i < now.count; i++)
        if (!was_there(before, now.items[i]) &&
            stk_session_destroy(&token->custody, now.items[i]) != CKR_OK)
            clean = false;
    stk_handles_free(&now);
    if (stk_durable_undo(&token->durable, NULL) != STIRKEEP_OK)
        clean = false;
    return rv == CKR_OK && clean;
}

/* Private keys under this CKA_ID that are not the key. Signers pass them over anyhow. */
static void clear_away(struct stk_token *token, const struct stk_token_import *import,
                       const struct before *before)
{
    char id[STK_KEY_ID_TEXT] = "";

    for (size_t i = 0; i < before->keys.count; i++) {
        CK_OBJECT_HANDLE key = before->keys.items[i];
        bool proven = false;
        CK_RV rv = CKR_OK;

        if (key == before->held)
            continue;
        rv = stk_key_prove(&token->custody, key, import->spki.data, &proven);
        if ((rv == CKR_OK && proven) || !stk_ckr_blames_key(rv))
            continue;
        rv = stk_session_destroy(&token->custody, key);
        stk_log(STK_LOG_WARNING, "key %s: an object that could not sign for it was %s",
                stk_key_id_text(&import->key_id, id),
                rv == CKR_OK ? "destroyed" : "found, and could not be destroyed");
    }
}

static enum stirkeep_status bring(struct stk_token *token, const struct stk_token_import *import,
                                  struct before *before, struct stk_error *error)
{
    struct stk_certificates_stored stored = {0};
    CK_OBJECT_HANDLE key = before->held;
    enum stirkeep_status status = STIRKEEP_OK;

    if (key == CK_INVALID_HANDLE) {
        status = try_out(token, import, error);
        if (status == STIRKEEP_OK)
            status = make(token, import, true, &key, error);
        if (status == STIRKEEP_OK)
            status = prove(token, import, key, error);
    }
    if (status == STIRKEEP_OK)
        status = stk_attributes_check(&token->custody, key, error);
    if (status == STIRKEEP_OK)
        status = stk_certificates_store(token, import, &stored, error);
    if (status == STIRKEEP_OK)
        clear_away(token, import, before);
    if (status == STIRKEEP_OK)
        status = stk_durable_sync(&token->durable, error);
    status = stk_custody_explain(token, status, error);
    /* A certificate that the token holds in memory alone would be taken for stored the next time. */
    if (status != STIRKEEP_OK)
        stk_certificates_undo(token, &stored);
    else
        stk_certificates_settle(token, &stored);
    return status;
}

enum stirkeep_status stk_token_import(struct stk_token *token,
                                      const struct stk_token_import *import,
                                      struct stk_error *error)
{
    struct before before = {0};
    enum stirkeep_status status = check_import(token, import, error);

    if (status != STIRKEEP_OK)
        return status;
    status = stk_custody_ready(token, error);
    if (status == STIRKEEP_OK)
        status = look_before(token, import, &before, error);
    if (status != STIRKEEP_OK) {
        token->custody_stale = true;
        goto out;
    }
    if (before.held == CK_INVALID_HANDLE && brings_no_key(import)) {
        status = nothing_held(import, &before, error);
        goto out;
    }
    status = bring(token, import, &before, error);
    if (status != STIRKEEP_OK &&
        !(undo(token, import, &before) && stk_sight_is_whole(&token->custody)) && error != NULL)
        (void)stk_error_set(error, status, "%s (its private key object may be left on the token)",
                            error->message);
    atomic_fetch_add_explicit(&token->epoch, 1, memory_order_release);
out:
    stk_handles_free(&before.keys);
    return status;
}
