/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/log.h"
#include "token/examine.h"
#include <string.h>

/* CKA_ID until the pair is whole on the disk. */
static const struct stk_key_id ticket = {"stirkeep audit key in the making"};

static bool is_same(const struct stk_key_id *a, const struct stk_key_id *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_known(const struct stk_audit_keys *keys, const struct stk_key_id *key_id)
{
    size_t count = atomic_load_explicit(&keys->count, memory_order_acquire);

    for (size_t i = 0; i < count; i++)
        if (is_same(&keys->ids[i], key_id))
            return true;
    return false;
}

/* From now on it does nothing else. Signers look on. */
static void remember(struct stk_audit_keys *keys, const struct stk_key_id *key_id)
{
    size_t count = atomic_load_explicit(&keys->count, memory_order_relaxed);

    if (count == STK_AUDIT_KEYS_MAX || is_known(keys, key_id))
        return;
    keys->ids[count] = *key_id;
    atomic_store_explicit(&keys->count, count + 1, memory_order_release);
}

bool stk_audit_key_is(const struct stk_token *token, const struct stk_key_id *key_id)
{
    return is_known(&token->audit_keys, key_id);
}

enum stirkeep_status stk_audit_key_spare(const struct stk_token *token,
                                         const struct stk_key_id *key_id, struct stk_error *error)
{
    char id[STK_KEY_ID_TEXT] = "";

    if (!is_same(key_id, &ticket) && !is_known(&token->audit_keys, key_id))
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_NOT_PERMITTED,
                         "key %s is the audit key, which seals the audit trail and nothing else",
                         stk_key_id_text(key_id, id));
}

/* ---- what is on the token */

static CK_RV find_labelled(struct stk_token *token, CK_OBJECT_CLASS class,
                           struct stk_handles *ret_handles)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_LABEL, (void *)STK_AUDIT_LABEL, sizeof(STK_AUDIT_LABEL) - 1},
    };

    return stk_session_find(&token->custody, attributes, 3, ret_handles);
}

/* One that got its key id. */
static bool read_key_id(struct stk_token *token, CK_OBJECT_HANDLE object,
                        struct stk_key_id *ret_key_id)
{
    struct stk_marks marks = {0};

    if (stk_marks_read(&token->custody, object, false, &marks) != CKR_OK || !marks.has_key_id ||
        is_same(&marks.key_id, &ticket))
        return false;
    *ret_key_id = marks.key_id;
    return true;
}

static void pass_over(const struct stk_token *token, const struct stk_key_id *key_id,
                      const char *why)
{
    char id[STK_KEY_ID_TEXT] = "";

    stk_log(STK_LOG_WARNING, "token \"%s\": audit key %s is not used: %s", token->label,
            stk_key_id_text(key_id, id), why);
}

/* A key that fails is not the same as a token that does: for the token's trouble, which may pass, no
 * other key is made. */
static CK_RV consider(struct stk_token *token, CK_OBJECT_HANDLE object,
                      struct stk_token_audit_key *best)
{
    struct stk_pair pair = {0};
    struct stk_key_id key_id = {0};
    struct stk_error why = {0};
    CK_RV rv = CKR_OK;

    if (!read_key_id(token, object, &key_id))
        return CKR_OK;
    remember(&token->audit_keys, &key_id);
    if (!is_known(&token->audit_keys, &key_id)) {
        pass_over(token, &key_id, "there are too many");
        return CKR_OK;
    }
    rv = stk_pair_find(&token->custody, &key_id, &key_id, &key_id, &pair);
    if (rv != CKR_OK)
        return rv;
    if (pair.private == CK_INVALID_HANDLE) {
        pass_over(token, &key_id, "no public key is beside it for which it signs");
        return CKR_OK;
    }
    if (stk_attributes_check_sealing(&token->custody, pair.private, &why) != STIRKEEP_OK) {
        pass_over(token, &key_id, why.message);
        return CKR_OK;
    }
    best->fit++;
    if (best->fit > 1 && memcmp(&key_id, &best->key_id, sizeof(key_id)) >= 0)
        return CKR_OK;
    best->key_id = key_id;
    memcpy(best->spki, pair.spki, sizeof(best->spki));
    stk_attributes_read(&token->custody, pair.private, best->attributes);
    return CKR_OK;
}

static enum stirkeep_status take_one(struct stk_token *token, struct stk_token_audit_key *ret_key,
                                     struct stk_error *error)
{
    struct stk_token_audit_key best = {0};
    struct stk_handles found = {0};
    CK_RV rv = find_labelled(token, CKO_PRIVATE_KEY, &found);

    for (size_t i = 0; rv == CKR_OK && i < found.count; i++)
        rv = consider(token, found.items[i], &best);
    stk_handles_free(&found);
    if (rv != CKR_OK) {
        token->custody_stale = true;
        return stk_ckr_error(error, "finding the audit key", rv);
    }
    *ret_key = best;
    return STIRKEEP_OK;
}

/* ---- making one */

/* It has sealed nothing. */
static void clear_away(struct stk_token *token)
{
    size_t destroyed = 0;

    (void)stk_key_clear(&token->custody, &ticket, &destroyed);
    if (destroyed == 0)
        return;
    stk_log(STK_LOG_WARNING, "token \"%s\": what was left of making an audit key was destroyed",
            token->label);
    (void)stk_durable_sync(&token->durable, NULL);
}

/* The public key has its key id and the private one has not: a kill came between the two. */
static bool go_on(struct stk_token *token)
{
    struct stk_handles privates = {0};
    struct stk_handles publics = {0};
    CK_RV rv = stk_key_objects(&token->custody, &ticket, CKO_PRIVATE_KEY, &privates);
    bool done = false;

    if (rv == CKR_OK && privates.count > 0)
        rv = find_labelled(token, CKO_PUBLIC_KEY, &publics);
    for (size_t i = 0; rv == CKR_OK && !done && i < publics.count; i++) {
        struct stk_key_id key_id = {0};

        done = read_key_id(token, publics.items[i], &key_id) &&
               stk_pair_adopt(token, &ticket, &key_id, NULL) == STIRKEEP_OK;
    }
    stk_handles_free(&privates);
    stk_handles_free(&publics);
    return done;
}

static enum stirkeep_status check_new(struct stk_token *token, struct stk_error *error)
{
    struct stk_pair pair = {0};
    CK_RV rv = stk_pair_find(&token->custody, &ticket, &ticket, NULL, &pair);
    enum stirkeep_status status = STIRKEEP_OK;

    if (rv != CKR_OK)
        return stk_ckr_error(error, "the new audit key: C_Sign", rv);
    status = stk_attributes_check_sealing(&token->custody, pair.private, error);
    if (status != STIRKEEP_OK)
        clear_away(token);
    return status;
}

static enum stirkeep_status make(struct stk_token *token, struct stk_error *error)
{
    uint8_t spki[STK_P256_SPKI_LENGTH] = {0};
    struct stk_key_id key_id = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    /* There may be one that has sealed for years. */
    if (stk_sight_hides_whole(token))
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                             "the audit key is not shown: SoftHSM could not read all of its files "
                             "in %s",
                             token->softhsm.token);
    if (atomic_load_explicit(&token->audit_keys.count, memory_order_relaxed) == STK_AUDIT_KEYS_MAX)
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                             "%d audit keys are on the token, and none can be used",
                             STK_AUDIT_KEYS_MAX);
    status = stk_pair_generate(token, STK_AUDIT_LABEL, &ticket, spki, error);
    if (status == STIRKEEP_OK)
        status = check_new(token, error);
    if (status != STIRKEEP_OK)
        return status;
    stk_sha256(spki, sizeof(spki), key_id.bytes);
    return stk_pair_adopt(token, &ticket, &key_id, error);
}

static enum stirkeep_status
make_and_take(struct stk_token *token, struct stk_token_audit_key *ret_key, struct stk_error *error)
{
    char id[STK_KEY_ID_TEXT] = "";
    enum stirkeep_status status = make(token, error);

    if (status == STIRKEEP_OK)
        status = take_one(token, ret_key, error);
    if (status != STIRKEEP_OK)
        return status;
    if (ret_key->fit == 0)
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                             "the audit key that the token made is not found again");
    ret_key->made = true;
    stk_log(STK_LOG_INFO, "token \"%s\": made an audit key, %s", token->label,
            stk_key_id_text(&ret_key->key_id, id));
    return STIRKEEP_OK;
}

enum stirkeep_status stk_token_audit_key(struct stk_token *token,
                                         struct stk_token_audit_key *ret_key,
                                         struct stk_error *error)
{
    struct stk_token_audit_key key = {0};
    enum stirkeep_status status = stk_custody_ready(token, error);

    if (status == STIRKEEP_OK)
        status = take_one(token, &key, error);
    if (status == STIRKEEP_OK && key.fit == 0 && go_on(token))
        status = take_one(token, &key, error);
    if (status == STIRKEEP_OK && key.fit == 0)
        status = make_and_take(token, &key, error);
    if (status != STIRKEEP_OK)
        return stk_custody_explain(token, status, error);
    if (!key.made)
        clear_away(token);
    key.others = atomic_load_explicit(&token->audit_keys.count, memory_order_relaxed) - 1;
    token->audit_key = key;
    *ret_key = key;
    return STIRKEEP_OK;
}

/* ---- for who examines the token */

void stk_examine_audit_key(struct stk_token *token, struct stk_diagnosis *diagnosis)
{
    const struct stk_token_audit_key *key = &token->audit_key;
    char id[2 * STK_KEY_ID_LENGTH + 1] = "";
    struct stk_proven proven = {0};
    struct stk_error why = {0};
    CK_RV rv = CKR_OK;

    if (key->fit == 0) {
        stk_diagnosis_fact(diagnosis, "audit key", "none");
        return;
    }
    stk_hex_encode(key->key_id.bytes, STK_KEY_ID_LENGTH, id);
    stk_diagnosis_fact(diagnosis, "audit key", "P-256, %s, %s", id, key->attributes);
    if (stk_key_find(&token->custody, &key->key_id, STK_KEY_ON_TOKEN, &proven, &rv, &why) !=
        STIRKEEP_OK)
        stk_diagnosis_trouble(diagnosis, STK_SEVERE,
                              "restart the service; if it does not come back, a new one is made at "
                              "the next start, which verifiers of the trail have to be given too",
                              "the audit key does not sign, so that the trail is not sealed: %s",
                              why.message);
    if (key->others > 0)
        stk_diagnosis_trouble(
            diagnosis, STK_SLIGHT,
            "if no trail that is kept was sealed by one of them, stop the service "
            "and remove it: pkcs11-tool --delete-object",
            "%zu other keys with the audit key's label are on the token", key->others);
}
