/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/session.h"

#include "base/clock.h"
#include "token/internal.h"
#include "token/prepared.h"
#include <stdlib.h>
#include <string.h>

#define FIND_BATCH 256
#define FIND_MAX (8 * STK_NAMES_MAX) /* objects that one search may return */
#define SIGNATURE_ROOM 256
/* SoftHSM looks at all its objects in one call, for 15 us at each on a machine that has the time. */
#define PER_OBJECT_US 60

static CK_FUNCTION_LIST *calls(const struct stk_session *session)
{
    return session->token->p11;
}

static void note(struct stk_session *session, uint64_t since)
{
    atomic_store_explicit(&session->busy_since, since, memory_order_relaxed);
    if (session->told != NULL)
        atomic_store_explicit(session->told, since, memory_order_relaxed);
}

void stk_call_begins(struct stk_session *session)
{
    note(session, stk_clock_mono_us());
}

CK_RV stk_call_ended(struct stk_session *session, CK_RV rv)
{
    note(session, 0);
    if (stk_ckr_is_gone(rv))
        atomic_store_explicit(&session->token->gone, true, memory_order_relaxed);
    if (rv == CKR_DEVICE_ERROR)
        atomic_store_explicit(&session->token->device_error, true, memory_order_relaxed);
    return rv;
}

void stk_exclusive_call_begins(struct stk_session *session)
{
    (void)pthread_mutex_lock(&session->token->objects);
    stk_call_begins(session);
}

CK_RV stk_exclusive_call_ended(struct stk_session *session, CK_RV rv)
{
    (void)stk_call_ended(session, rv);
    (void)pthread_mutex_unlock(&session->token->objects);
    return rv;
}

void stk_long_call_begins(struct stk_session *session)
{
    uint64_t allowance = PER_OBJECT_US * (uint64_t)atomic_load_explicit(
                                             &session->token->object_count, memory_order_relaxed);

    (void)pthread_mutex_lock(&session->token->objects);
    note(session, stk_clock_mono_us() + allowance);
}

void stk_handles_free(struct stk_handles *handles)
{
    free(handles->items);
    *handles = (struct stk_handles){0};
}

CK_RV stk_session_open(struct stk_session *session)
{
    CK_FLAGS flags = CKF_SERIAL_SESSION | (session->writable ? CKF_RW_SESSION : 0);
    CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
    CK_RV rv = CKR_OK;

    stk_session_close(session);
    stk_exclusive_call_begins(session);
    rv = calls(session)->C_OpenSession(session->token->slot, flags, NULL, NULL, &handle);
    if (rv == CKR_OK)
        session->handle = handle;
    return stk_exclusive_call_ended(session, rv);
}

void stk_session_close(struct stk_session *session)
{
    if (session->handle == CK_INVALID_HANDLE)
        return;
    stk_exclusive_call_begins(session);
    (void)stk_exclusive_call_ended(session, calls(session)->C_CloseSession(session->handle));
    session->handle = CK_INVALID_HANDLE;
}

CK_RV stk_session_check(struct stk_session *session)
{
    CK_SESSION_INFO info = {0};
    CK_RV rv = CKR_SESSION_HANDLE_INVALID;

    if (session->handle == CK_INVALID_HANDLE)
        return rv;
    stk_call_begins(session);
    rv = stk_call_ended(session, calls(session)->C_GetSessionInfo(session->handle, &info));
    if (rv == CKR_OK && info.state != CKS_RW_USER_FUNCTIONS && info.state != CKS_RO_USER_FUNCTIONS)
        rv = CKR_USER_NOT_LOGGED_IN;
    return rv;
}

/* Collect the results of the search under way. */
static CK_RV collect(struct stk_session *session, struct stk_handles *handles)
{
    size_t room = 0;

    for (;;) {
        CK_ULONG found = 0;
        CK_RV rv = CKR_OK;

        if (room - handles->count < FIND_BATCH) {
            size_t wanted = room == 0 ? FIND_BATCH : room * 2;
            CK_OBJECT_HANDLE *grown = reallocarray(handles->items, wanted, sizeof(*grown));

            if (grown == NULL)
                return CKR_HOST_MEMORY;
            handles->items = grown;
            room = wanted;
        }
        rv = calls(session)->C_FindObjects(session->handle, handles->items + handles->count,
                                           FIND_BATCH, &found);
        if (rv != CKR_OK || found == 0)
            return rv;
        if (found > FIND_BATCH)
            return CKR_GENERAL_ERROR;
        handles->count += found;
        if (handles->count > FIND_MAX)
            return CKR_HOST_MEMORY;
    }
}

CK_RV stk_session_find(struct stk_session *session, CK_ATTRIBUTE *attributes, size_t count,
                       struct stk_handles *ret_handles)
{
    struct stk_handles handles = {0};
    CK_RV rv = CKR_OK;

    stk_long_call_begins(session);
    rv = calls(session)->C_FindObjectsInit(session->handle, attributes, count);
    if (rv == CKR_OK) {
        CK_RV final = CKR_OK;

        rv = collect(session, &handles);
        final = calls(session)->C_FindObjectsFinal(session->handle);
        if (rv == CKR_OK)
            rv = final;
    }
    (void)stk_exclusive_call_ended(session, rv);
    if (rv != CKR_OK)
        stk_handles_free(&handles);
    else
        *ret_handles = handles;
    return rv;
}

CK_RV stk_session_read(struct stk_session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                       void *ret_data, size_t capacity, size_t *ret_length)
{
    CK_ATTRIBUTE attribute = {type, ret_data, capacity};
    CK_RV rv = CKR_OK;

    stk_call_begins(session);
    rv = calls(session)->C_GetAttributeValue(session->handle, object, &attribute, 1);
    (void)stk_call_ended(session, rv);
    if (rv != CKR_OK)
        return rv;
    if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    /* Told, not given, when only the length was asked for: the value can be had. */
    if (attribute.ulValueLen > capacity)
        return CKR_BUFFER_TOO_SMALL;
    *ret_length = attribute.ulValueLen;
    return CKR_OK;
}

CK_RV stk_session_read_all(struct stk_session *session, CK_OBJECT_HANDLE object,
                           CK_ATTRIBUTE *attributes, size_t count)
{
    CK_RV rv = CKR_OK;

    stk_call_begins(session);
    rv = stk_call_ended(
        session, calls(session)->C_GetAttributeValue(session->handle, object, attributes, count));
    /* These are of one attribute; the others were read (PKCS#11 2.40 section 5.7). */
    if (rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
        rv == CKR_BUFFER_TOO_SMALL)
        rv = CKR_OK;
    return rv;
}

CK_RV stk_session_describe(struct stk_session *session, CK_OBJECT_HANDLE object,
                           struct stk_described *ret_object)
{
    struct stk_described found = {.class = CK_UNAVAILABLE_INFORMATION};
    CK_BBOOL on_token = CK_FALSE;
    CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &found.class, sizeof(found.class)},
                                 {CKA_TOKEN, &on_token, sizeof(on_token)},
                                 {CKA_ID, found.key_id.bytes, sizeof(found.key_id.bytes)}};
    CK_RV rv = CKR_OK;

    stk_call_begins(session);
    rv = calls(session)->C_GetAttributeValue(session->handle, object, attributes, 3);
    (void)stk_call_ended(session, rv);
    /* One that has no CKA_ID, or a longer one, is told about as far as it goes (section 11.7). */
    if (rv != CKR_OK && rv != CKR_ATTRIBUTE_TYPE_INVALID && rv != CKR_BUFFER_TOO_SMALL &&
        rv != CKR_ATTRIBUTE_SENSITIVE)
        return rv;
    found.on_token = attributes[1].ulValueLen == sizeof(on_token) && on_token != CK_FALSE;
    found.has_key_id = rv == CKR_OK && attributes[2].ulValueLen == sizeof(found.key_id.bytes);
    if (attributes[0].ulValueLen != sizeof(found.class))
        found.class = CK_UNAVAILABLE_INFORMATION;
    *ret_object = found;
    return CKR_OK;
}

CK_MECHANISM *stk_mechanism_oaep(CK_MECHANISM *mechanism, CK_RSA_PKCS_OAEP_PARAMS *parameters)
{
    *parameters = (CK_RSA_PKCS_OAEP_PARAMS){
        .hashAlg = CKM_SHA_1, .mgf = CKG_MGF1_SHA1, .source = CKZ_DATA_SPECIFIED};
    *mechanism = (CK_MECHANISM){CKM_RSA_PKCS_OAEP, parameters, sizeof(*parameters)};
    return mechanism;
}

CK_RV stk_session_decrypt(struct stk_session *session, CK_OBJECT_HANDLE key, const void *data,
                          size_t data_length, void *ret_data, size_t *length)
{
    CK_RSA_PKCS_OAEP_PARAMS parameters = {0};
    CK_MECHANISM mechanism = {0};
    CK_ULONG room = *length;
    CK_RV rv = CKR_OK;

    stk_call_begins(session);
    rv = calls(session)->C_DecryptInit(session->handle, stk_mechanism_oaep(&mechanism, &parameters),
                                       key);
    if (rv == CKR_OK)
        rv = calls(session)->C_Decrypt(session->handle, (CK_BYTE *)data, data_length, ret_data,
                                       &room);
    if (rv == CKR_OK && room > *length)
        rv = CKR_GENERAL_ERROR;
    if (rv == CKR_OK)
        *length = room;
    return stk_call_ended(session, rv);
}

CK_RV stk_session_sign(struct stk_session *session, CK_OBJECT_HANDLE key,
                       const uint8_t digest[STK_DIGEST_LENGTH],
                       uint8_t ret_signature[STK_SIGNATURE_LENGTH])
{
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    uint8_t signature[SIGNATURE_ROOM] = {0}; /* for any curve: one too small leaves it open */
    CK_ULONG length = sizeof(signature);
    CK_RV rv = CKR_OK;

    session->sign_began_us = stk_clock_mono_us();
    note(session, session->sign_began_us);
    stk_prepared_begin();
    rv = calls(session)->C_SignInit(session->handle, &mechanism, key);
    stk_prepared_end();
    if (rv == CKR_OK)
        rv = calls(session)->C_Sign(session->handle, (CK_BYTE *)digest, STK_DIGEST_LENGTH,
                                    signature, &length);
    if (rv == CKR_OK && length != STK_SIGNATURE_LENGTH)
        rv = CKR_SIGNATURE_LEN_RANGE;
    if (rv == CKR_OK)
        memcpy(ret_signature, signature, STK_SIGNATURE_LENGTH);
    session->sign_ended_us = stk_clock_mono_us();
    return stk_call_ended(session, rv);
}
