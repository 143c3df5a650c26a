/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/index.h"
#include "token/internal.h"

#include <string.h>

static CK_FUNCTION_LIST *calls(const struct stk_session *session)
{
    return session->token->p11;
}

static const CK_ATTRIBUTE *find(const CK_ATTRIBUTE *attributes, size_t count,
                                CK_ATTRIBUTE_TYPE type, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (attributes[i].type == type && attributes[i].ulValueLen == length)
            return &attributes[i];
    return NULL;
}

/* The CKA_ID, when it is one of ours. */
static bool key_id_in(const CK_ATTRIBUTE *attributes, size_t count, struct stk_key_id *ret_key_id)
{
    const CK_ATTRIBUTE *id = find(attributes, count, CKA_ID, sizeof(ret_key_id->bytes));

    if (id == NULL)
        return false;
    memcpy(ret_key_id->bytes, id->pValue, sizeof(ret_key_id->bytes));
    return true;
}

static void note_made(struct stk_session *session, const CK_ATTRIBUTE *attributes, size_t count,
                      CK_RV rv, CK_OBJECT_HANDLE object)
{
    struct stk_index *index = session->token->index;
    const CK_ATTRIBUTE *on_token = find(attributes, count, CKA_TOKEN, sizeof(CK_BBOOL));
    CK_OBJECT_CLASS class = CK_UNAVAILABLE_INFORMATION;
    const CK_ATTRIBUTE *stated = find(attributes, count, CKA_CLASS, sizeof(class));
    struct stk_key_id key_id = {0};

    if (index == NULL || on_token == NULL || *(const CK_BBOOL *)on_token->pValue == CK_FALSE ||
        !key_id_in(attributes, count, &key_id))
        return;
    if (stated != NULL)
        memcpy(&class, stated->pValue, sizeof(class));
    /* A call that failed may have left something all the same. */
    if (rv == CKR_OK && stated != NULL)
        stk_index_made(index, &key_id, (struct stk_indexed){object, class});
    else
        stk_index_doubt(index, &key_id);
}

void stk_session_drop_copy(struct stk_session *session, CK_OBJECT_HANDLE copy,
                           const struct stk_key_id *key_id)
{
    struct stk_described about = {0};

    if (copy == CK_INVALID_HANDLE || stk_session_describe(session, copy, &about) != CKR_OK ||
        about.on_token || !about.has_key_id || memcmp(&about.key_id, key_id, sizeof(*key_id)) != 0)
        return;
    stk_exclusive_call_begins(session);
    (void)stk_exclusive_call_ended(session, calls(session)->C_DestroyObject(session->handle, copy));
}

CK_RV stk_session_create(struct stk_session *session, CK_ATTRIBUTE *attributes, size_t count,
                         CK_OBJECT_HANDLE *ret_object)
{
    CK_RV rv = CKR_OK;

    stk_exclusive_call_begins(session);
    rv = calls(session)->C_CreateObject(session->handle, attributes, count, ret_object);
    note_made(session, attributes, count, rv, *ret_object);
    return stk_exclusive_call_ended(session, rv);
}

CK_RV stk_session_unwrap(struct stk_session *session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                         const void *wrapped, size_t length, CK_ATTRIBUTE *attributes, size_t count,
                         CK_OBJECT_HANDLE *ret_object)
{
    CK_RV rv = CKR_OK;

    stk_exclusive_call_begins(session);
    rv = calls(session)->C_UnwrapKey(session->handle, mechanism, key, (CK_BYTE *)wrapped, length,
                                     attributes, count, ret_object);
    note_made(session, attributes, count, rv, *ret_object);
    return stk_exclusive_call_ended(session, rv);
}

CK_RV stk_session_generate(struct stk_session *session, CK_MECHANISM *mechanism,
                           const struct stk_template *public, const struct stk_template *private,
                           CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private)
{
    CK_RV rv = CKR_OK;

    stk_exclusive_call_begins(session);
    rv = calls(session)->C_GenerateKeyPair(session->handle, mechanism, public->attributes,
                                           public->count, private->attributes, private->count,
                                           ret_public, ret_private);
    note_made(session, public->attributes, public->count, rv, *ret_public);
    note_made(session, private->attributes, private->count, rv, *ret_private);
    return stk_exclusive_call_ended(session, rv);
}

CK_RV stk_session_write(struct stk_session *session, CK_OBJECT_HANDLE object,
                        CK_ATTRIBUTE *attributes, size_t count)
{
    struct stk_index *index = session->token->index;
    struct stk_key_id key_id = {0};
    CK_RV rv = CKR_OK;

    stk_exclusive_call_begins(session);
    rv = calls(session)->C_SetAttributeValue(session->handle, object, attributes, count);
    if (index != NULL && key_id_in(attributes, count, &key_id)) {
        if (rv == CKR_OK)
            stk_index_renamed(index, object, &key_id);
        else
            stk_index_doubt_object(index, object, &key_id);
    }
    return stk_exclusive_call_ended(session, rv);
}

CK_RV stk_session_destroy(struct stk_session *session, CK_OBJECT_HANDLE object)
{
    struct stk_index *index = session->token->index;
    CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;
    struct stk_key_id key_id = {0};
    CK_RV rv = CKR_OK;
    bool known = false;

    stk_long_call_begins(session);
    /* A session that is not writable has none of the token's objects to destroy. */
    if (index != NULL && session->writable)
        known = stk_index_gone(index, object, &key_id, &doomed);
    rv = calls(session)->C_DestroyObject(session->handle, object);
    if (known && rv != CKR_OK)
        stk_index_doubt(index, &key_id);
    (void)stk_exclusive_call_ended(session, rv);
    stk_session_drop_copy(session, doomed, &key_id);
    return rv;
}

static CK_RV copy(struct stk_session *session, CK_SESSION_HANDLE owner, CK_OBJECT_HANDLE object,
                  CK_OBJECT_HANDLE *ret_copy)
{
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE attribute = {CKA_TOKEN, &no, sizeof(no)};

    stk_exclusive_call_begins(session);
    return stk_exclusive_call_ended(
        session, calls(session)->C_CopyObject(owner, object, &attribute, 1, ret_copy));
}

CK_RV stk_session_copy(struct stk_session *session, CK_OBJECT_HANDLE object,
                       CK_OBJECT_HANDLE *ret_copy)
{
    return copy(session, session->handle, object, ret_copy);
}

/* The home session does nothing else, and everything that is done on it is done under the lock. */
CK_RV stk_session_copy_for_all(struct stk_session *session, CK_OBJECT_HANDLE object,
                               CK_OBJECT_HANDLE *ret_copy)
{
    return copy(session, session->token->home.handle, object, ret_copy);
}
