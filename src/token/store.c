/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/log.h"
#include <stdlib.h>
#include <string.h>

/*
 * Stored by raw calls: libp11 0.4.12 would keep every certificate that it stores in memory until
 * C_Finalize, waits for ever when it cannot open a session, and writes no CKA_SERIAL_NUMBER.
 */

#define ATTRIBUTES_MAX 16

/* One certificate to be stored. */
struct item {
    struct stk_bytes der;
    const char *url; /* "": none */
    struct stk_certificate_parts parts;
};

/* Does it have this URL? False, too, when it does not say. */
static bool has_url(struct stk_session *session, CK_OBJECT_HANDLE object, const char *url,
                    CK_RV *ret_rv)
{
    char found[STK_X5U_MAX] = "";
    size_t length = 0;

    *ret_rv = stk_session_read(session, object, CKA_URL, found, sizeof(found), &length);
    return *ret_rv == CKR_OK && length == strlen(url) && memcmp(found, url, length) == 0;
}

static bool is_same(struct stk_session *session, CK_OBJECT_HANDLE object, struct stk_bytes der,
                    uint8_t room[STK_CERT_DER_MAX])
{
    size_t length = 0;

    return stk_session_read(session, object, CKA_VALUE, room, STK_CERT_DER_MAX, &length) ==
               CKR_OK &&
           length == der.length && memcmp(room, der.data, length) == 0;
}

/* How it is there: as it should be, or with another URL. NO_MEMORY. */
static enum stirkeep_status look_for(struct stk_token *token, const struct stk_handles *there,
                                     const struct item *item, bool *ret_there,
                                     struct stk_handles *ret_outdated)
{
    bool any_url = item->url[0] == '\0' || token->refuses_url;
    uint8_t *room = malloc(STK_CERT_DER_MAX);
    struct stk_handles outdated = {
        .items = there->count == 0 ? NULL : calloc(there->count, sizeof(*outdated.items))};

    if (room == NULL || (there->count > 0 && outdated.items == NULL)) {
        free(room);
        stk_handles_free(&outdated);
        return STIRKEEP_NO_MEMORY;
    }
    for (size_t i = 0; i < there->count; i++) {
        CK_RV rv = CKR_OK;

        if (!is_same(&token->custody, there->items[i], item->der, room))
            continue;
        if (any_url || has_url(&token->custody, there->items[i], item->url, &rv))
            *ret_there = true;
        else
            outdated.items[outdated.count++] = there->items[i];
    }
    free(room);
    *ret_outdated = outdated;
    return STIRKEEP_OK;
}

static CK_RV create(struct stk_session *session, const struct stk_token_import *import,
                    const struct item *item, bool with_url, CK_OBJECT_HANDLE *ret_object)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_CERTIFICATE_TYPE type = CKC_X_509;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    char label[STK_KEY_LABEL_SIZE] = "";
    const struct stk_certificate_parts *parts = &item->parts;
    CK_ATTRIBUTE attributes[ATTRIBUTES_MAX] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_CERTIFICATE_TYPE, &type, sizeof(type)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_PRIVATE, &no, sizeof(no)},
        {CKA_LABEL, label, 0},
        {CKA_ID, (void *)import->key_id.bytes, sizeof(import->key_id.bytes)},
        {CKA_SUBJECT, parts->subject, (CK_ULONG)parts->subject_length},
        {CKA_ISSUER, parts->issuer, (CK_ULONG)parts->issuer_length},
        {CKA_SERIAL_NUMBER, parts->serial, (CK_ULONG)parts->serial_length},
        {CKA_VALUE, (void *)item->der.data, item->der.length},
    };
    size_t count = 10;

    stk_key_label(import->name, label);
    attributes[4].ulValueLen = strlen(label);
    if (with_url) {
        attributes[count++] = (CK_ATTRIBUTE){CKA_URL, (void *)item->url, strlen(item->url)};
        attributes[count++] = (CK_ATTRIBUTE){CKA_HASH_OF_SUBJECT_PUBLIC_KEY,
                                             (void *)parts->key_hash, STK_KEY_HASH_LENGTH};
        if (parts->has_issuer_hash)
            attributes[count++] = (CK_ATTRIBUTE){CKA_HASH_OF_ISSUER_PUBLIC_KEY,
                                                 (void *)parts->issuer_hash, STK_KEY_HASH_LENGTH};
    }
    return stk_session_create(session, attributes, count, ret_object);
}

static bool blames_template(CK_RV rv)
{
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
           rv == CKR_ATTRIBUTE_READ_ONLY || rv == CKR_TEMPLATE_INCOMPLETE ||
           rv == CKR_TEMPLATE_INCONSISTENT;
}

static void say_that_urls_are_refused(struct stk_token *token)
{
    token->refuses_url = true;
    stk_log(STK_LOG_WARNING,
            "token \"%s\" keeps no URL (CKA_URL) with certificates: should the catalog be lost, "
            "x5u has to be given again",
            token->label);
}

static CK_RV store_new(struct stk_token *token, const struct stk_token_import *import,
                       const struct item *item, CK_OBJECT_HANDLE *ret_object)
{
    bool with_url = item->url[0] != '\0' && !token->refuses_url;
    CK_RV rv = create(&token->custody, import, item, with_url, ret_object);
    CK_RV read = CKR_OK;

    if (!with_url)
        return rv;
    if (blames_template(rv)) {
        rv = create(&token->custody, import, item, false, ret_object);
        if (rv == CKR_OK)
            say_that_urls_are_refused(token);
    } else if (rv == CKR_OK && !has_url(&token->custody, *ret_object, item->url, &read) &&
               (read == CKR_OK || read == CKR_ATTRIBUTE_TYPE_INVALID)) {
        say_that_urls_are_refused(token);
    }
    return rv;
}

static enum stirkeep_status store_one(struct stk_token *token,
                                      const struct stk_token_import *import,
                                      const struct stk_handles *there, const struct item *item,
                                      struct stk_certificates_stored *stored,
                                      struct stk_error *error)
{
    struct stk_handles outdated = {0};
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    bool is_there = false;
    enum stirkeep_status status = look_for(token, there, item, &is_there, &outdated);
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_OK)
        return stk_error_set(error, status, "out of memory for a certificate");
    if (!is_there) {
        rv = store_new(token, import, item, &object);
        if (rv == CKR_OK)
            stored->made[stored->made_count++] = object;
    }
    if (rv == CKR_OK && outdated.count > 0) {
        stk_handles_free(&stored->outdated);
        stored->outdated = outdated;
        return STIRKEEP_OK;
    }
    stk_handles_free(&outdated);
    return rv == CKR_OK ? STIRKEEP_OK
                        : stk_ckr_error(error, "storing a certificate: C_CreateObject", rv);
}

enum stirkeep_status stk_certificates_store(struct stk_token *token,
                                            const struct stk_token_import *import,
                                            struct stk_certificates_stored *stored,
                                            struct stk_error *error)
{
    struct stk_handles there = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    CK_RV rv = stk_key_objects(&token->custody, &import->key_id, CKO_CERTIFICATE, &there);

    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_FindObjects", rv);
    for (size_t i = 0; status == STIRKEEP_OK && i < import->chain_count; i++) {
        struct item item = {.der = import->chain[i],
                            .url = i > 0 || import->x5u == NULL ? "" : import->x5u};

        if (!stk_certificate_take_apart(item.der, &item.parts))
            status = stk_error_set(error, STIRKEEP_CERT_INVALID,
                                   "certificate %zu of the chain is not X.509 in DER", i + 1);
        else
            status = store_one(token, import, &there, &item, stored, error);
        stk_certificate_parts_free(&item.parts);
    }
    stk_handles_free(&there);
    return status;
}

void stk_certificates_settle(struct stk_token *token, struct stk_certificates_stored *stored)
{
    for (size_t i = 0; i < stored->outdated.count; i++)
        (void)stk_session_destroy(&token->custody, stored->outdated.items[i]);
    stk_handles_free(&stored->outdated);
}

void stk_certificates_undo(struct stk_token *token, struct stk_certificates_stored *stored)
{
    for (size_t i = 0; i < stored->made_count; i++)
        (void)stk_session_destroy(&token->custody, stored->made[i]);
    stk_handles_free(&stored->outdated);
}
