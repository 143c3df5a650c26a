/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/digest.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 8 /* a signer may make a copy while others are destroyed, but not for long */

/* An end in the making. */
struct end {
    const struct stk_key_id *key_id;
    struct stk_handles former; /* of private keys, copies included */
    uint32_t objects;
    uint32_t copies;
    bool had_private; /* on the token */
};

struct item {
    CK_OBJECT_HANDLE handle;
    bool is_gone; /* since it was found: a signer was quicker with a copy of its own */
    bool is_private;
    bool on_token;
};

static void read_item(struct stk_session *session, struct item *item)
{
    CK_OBJECT_CLASS class = CK_UNAVAILABLE_INFORMATION;
    CK_BBOOL on_token = CK_TRUE;
    size_t length = 0;

    CK_RV rv = stk_session_read(session, item->handle, CKA_CLASS, &class, sizeof(class), &length);

    item->is_gone = rv == CKR_OBJECT_HANDLE_INVALID;
    /* One that does not say what it is counts as what would be worst. */
    item->is_private = rv != CKR_OK || length != sizeof(class) || class == CKO_PRIVATE_KEY;
    rv = stk_session_read(session, item->handle, CKA_TOKEN, &on_token, sizeof(on_token), &length);
    item->is_gone = item->is_gone || rv == CKR_OBJECT_HANDLE_INVALID;
    item->on_token = rv != CKR_OK || length != sizeof(on_token) || on_token != CK_FALSE;
}

/* First what copies could still be made of, then what signs, then the rest. */
static int compare_items(const void *a, const void *b)
{
    const struct item *left = a;
    const struct item *right = b;

    if (left->is_private != right->is_private)
        return left->is_private ? -1 : 1;
    if (left->on_token != right->on_token)
        return left->on_token ? -1 : 1;
    return 0;
}

/* All objects with this CKA_ID, session objects of other sessions too. */
static CK_RV find(struct stk_session *session, const struct stk_key_id *key_id,
                  struct item **ret_items, size_t *ret_count)
{
    CK_ATTRIBUTE attribute = {CKA_ID, (void *)key_id->bytes, sizeof(key_id->bytes)};
    struct stk_handles found = {0};
    struct item *items = NULL;
    CK_RV rv = stk_session_find(session, &attribute, 1, &found);

    if (rv == CKR_OK && found.count > 0) {
        items = calloc(found.count, sizeof(*items));
        rv = items == NULL ? CKR_HOST_MEMORY : CKR_OK;
    }
    for (size_t i = 0; items != NULL && i < found.count; i++) {
        items[i].handle = found.items[i];
        read_item(session, &items[i]);
    }
    if (rv == CKR_OK) {
        if (found.count > 1)
            qsort(items, found.count, sizeof(*items), compare_items);
        *ret_items = items;
        *ret_count = found.count;
    }
    stk_handles_free(&found);
    return rv;
}

static bool remember_former(struct end *end, CK_OBJECT_HANDLE handle)
{
    CK_OBJECT_HANDLE *grown =
        reallocarray(end->former.items, end->former.count + 1, sizeof(*grown));

    if (grown == NULL)
        return false;
    grown[end->former.count++] = handle;
    end->former.items = grown;
    return true;
}

static CK_RV destroy_one(struct stk_token *token, struct end *end, const struct item *item)
{
    CK_RV rv = CKR_OK;

    if (item->is_private && !remember_former(end, item->handle))
        return CKR_HOST_MEMORY;
    /* Before it goes: a signer who is in the middle of using it then knows why it fails. */
    atomic_fetch_add_explicit(&token->epoch, 1, memory_order_release);
    rv = stk_session_destroy(&token->custody, item->handle);
    /* A signer may have been quicker with a copy of its own. */
    if (rv != CKR_OK && (item->on_token || rv != CKR_OBJECT_HANDLE_INVALID))
        return rv;
    end->objects += item->on_token ? 1 : 0;
    end->copies += item->on_token ? 0 : 1;
    end->had_private = end->had_private || (item->is_private && item->on_token);
    return CKR_OK;
}

static void note_undestroyed(struct stk_undestroyed *undestroyed, const struct stk_key_id *key_id)
{
    if (undestroyed->count < STK_UNDESTROYED_MAX)
        undestroyed->key_ids[undestroyed->count] = *key_id;
    undestroyed->count++;
}

static bool may_be_hidden(const struct stk_undestroyed *undestroyed,
                          const struct stk_key_id *key_id)
{
    if (undestroyed->count > STK_UNDESTROYED_MAX)
        return true;
    for (size_t i = 0; i < undestroyed->count; i++)
        if (memcmp(&undestroyed->key_ids[i], key_id, sizeof(*key_id)) == 0)
            return true;
    return false;
}

static enum stirkeep_status destroy_all(struct stk_token *token, struct end *end,
                                        struct stk_error *error)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct item *items = NULL;
        size_t count = 0;
        CK_RV rv = find(&token->custody, end->key_id, &items, &count);

        if (rv != CKR_OK)
            return stk_ckr_error(error, "C_FindObjects", rv);
        if (count == 0)
            return STIRKEEP_OK;
        for (size_t i = 0; rv == CKR_OK && i < count; i++)
            rv = items[i].is_gone ? CKR_OK : destroy_one(token, end, &items[i]);
        free(items);
        if (rv != CKR_OK) {
            if (!stk_sight_is_sure(&token->custody))
                note_undestroyed(&token->undestroyed, end->key_id);
            return stk_ckr_error(error, "C_DestroyObject", rv);
        }
    }
    return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                         "C_DestroyObject says CKR_OK, and objects are still found");
}

/* ---- proof */

/* A token may give a handle to another object that was made since. */
static bool is_another(struct stk_session *session, CK_OBJECT_HANDLE handle,
                       const struct stk_key_id *key_id)
{
    uint8_t id[2 * STK_KEY_ID_LENGTH] = {0};
    size_t length = 0;

    return stk_session_read(session, handle, CKA_ID, id, sizeof(id), &length) == CKR_OK &&
           (length != sizeof(key_id->bytes) || memcmp(id, key_id->bytes, length) != 0);
}

/* `*ret_call` names the call that the result is of. */
static CK_RV try_sign(struct stk_token *token, CK_OBJECT_HANDLE key, const char **ret_call)
{
    struct stk_session *session = &token->custody;
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[4 * STK_SIGNATURE_LENGTH] = {0};
    CK_ULONG length = sizeof(signature);
    CK_RV rv = CKR_OK;

    stk_random(digest, sizeof(digest));
    stk_call_begins(session);
    *ret_call = "C_SignInit";
    rv = token->p11->C_SignInit(session->handle, &mechanism, key);
    if (rv == CKR_OK) {
        *ret_call = "C_Sign";
        rv = token->p11->C_Sign(session->handle, digest, sizeof(digest), signature, &length);
        token->custody_stale = true; /* the operation may be open still */
    }
    return stk_call_ended(session, rv);
}

static enum stirkeep_status prove(struct stk_token *token, const struct end *end,
                                  struct stk_token_destroyed *destroyed, struct stk_error *error)
{
    const char *call = "";
    char id[STK_KEY_ID_TEXT] = "";
    char buffer[STK_CKR_TEXT] = "";
    char copies[48] = "";
    CK_RV rv = CKR_OK;

    for (size_t i = 0; i < end->former.count; i++) {
        rv = try_sign(token, end->former.items[i], &call);
        if (rv == CKR_OK && is_another(&token->custody, end->former.items[i], end->key_id))
            rv = CKR_KEY_HANDLE_INVALID;
        if (rv == CKR_OK) {
            note_undestroyed(&token->undestroyed, end->key_id);
            stk_log(STK_LOG_ERROR, "key %s was destroyed and STILL SIGNS with its former handle",
                    stk_key_id_text(end->key_id, id));
            return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                                 "key %s STILL SIGNS: C_DestroyObject said CKR_OK and so does "
                                 "C_Sign with its former handle",
                                 stk_key_id_text(end->key_id, id));
        }
    }
    if (end->copies > 0)
        (void)snprintf(copies, sizeof(copies), " and %u session cop%s of it", end->copies,
                       end->copies == 1 ? "y" : "ies");
    destroyed->objects = end->objects;
    (void)snprintf(destroyed->proof, sizeof(destroyed->proof),
                   "%u object%s%s destroyed; %s with the former handle%s: %s; nothing is found "
                   "under the CKA_ID",
                   end->objects, end->objects == 1 ? "" : "s", copies, call,
                   end->former.count == 1 ? "" : "s", stk_ckr_name(rv, buffer));
    return STIRKEEP_OK;
}

/* That nothing is found proves nothing while SoftHSM hides something. */
static enum stirkeep_status hidden(const struct stk_key_id *key_id, struct stk_error *error)
{
    char id[STK_KEY_ID_TEXT] = "";

    return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                         "key %s: SoftHSM could not read or remove all of its files, and has to be "
                         "opened anew to see whether it is destroyed",
                         stk_key_id_text(key_id, id));
}

static enum stirkeep_status no_private_key(const struct stk_token *token,
                                           const struct stk_key_id *key_id, struct stk_error *error)
{
    char id[STK_KEY_ID_TEXT] = "";

    if (may_be_hidden(&token->undestroyed, key_id))
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                             "key %s could not be destroyed before and is not shown any more, "
                             "which proves nothing: restart stirkeepd and destroy it again",
                             stk_key_id_text(key_id, id));
    return stk_key_not_found(key_id, error);
}

enum stirkeep_status stk_token_destroy(struct stk_token *token, const struct stk_key_id *key_id,
                                       struct stk_token_destroyed *ret_destroyed,
                                       struct stk_error *error)
{
    struct end end = {.key_id = key_id};
    struct stk_token_destroyed destroyed = {0};
    enum stirkeep_status status = stk_audit_key_spare(token, key_id, error);

    if (status == STIRKEEP_OK)
        status = stk_custody_ready(token, error);
    if (status != STIRKEEP_OK)
        return status;
    status = destroy_all(token, &end, error);
    atomic_fetch_add_explicit(&token->epoch, 1, memory_order_release);
    if (status == STIRKEEP_OK)
        status = stk_durable_sync(&token->durable, error);
    if (status == STIRKEEP_OK && !end.had_private)
        status = no_private_key(token, key_id, error);
    else if (status == STIRKEEP_OK)
        status = prove(token, &end, &destroyed, error);
    status = stk_custody_absent(token, status, error);
    if (status == STIRKEEP_KEY_UNAVAILABLE && !stk_sight_is_whole(&token->custody))
        status = hidden(key_id, error);
    if (status != STIRKEEP_OK && status != STIRKEEP_KEY_UNAVAILABLE)
        token->custody_stale = true;
    if (status == STIRKEEP_OK && ret_destroyed != NULL)
        *ret_destroyed = destroyed;
    stk_handles_free(&end.former);
    return status;
}
