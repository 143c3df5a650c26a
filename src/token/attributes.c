/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include <stdio.h>
#include <string.h>

struct named_attribute {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
    CK_BBOOL wanted; /* where it is checked */
};

static const struct named_attribute kept[] = {
    {CKA_TOKEN, "TOKEN", CK_TRUE},         {CKA_PRIVATE, "PRIVATE", CK_TRUE},
    {CKA_SENSITIVE, "SENSITIVE", CK_TRUE}, {CKA_EXTRACTABLE, "EXTRACTABLE", CK_FALSE},
    {CKA_SIGN, "SIGN", CK_TRUE},
};

static const struct named_attribute sealing[] = {
    {CKA_SIGN_RECOVER, "SIGN_RECOVER", CK_FALSE},
    {CKA_DECRYPT, "DECRYPT", CK_FALSE},
    {CKA_UNWRAP, "UNWRAP", CK_FALSE},
    {CKA_DERIVE, "DERIVE", CK_FALSE},
    {CKA_ALWAYS_SENSITIVE, "ALWAYS_SENSITIVE", CK_TRUE},
    {CKA_NEVER_EXTRACTABLE, "NEVER_EXTRACTABLE", CK_TRUE},
    {CKA_LOCAL, "LOCAL", CK_TRUE},
};

static const struct named_attribute told[] = {
    {CKA_PRIVATE, "PRIVATE", 0},
    {CKA_SENSITIVE, "SENSITIVE", 0},
    {CKA_EXTRACTABLE, "EXTRACTABLE", 0},
    {CKA_ALWAYS_SENSITIVE, "ALWAYS_SENSITIVE", 0},
    {CKA_NEVER_EXTRACTABLE, "NEVER_EXTRACTABLE", 0},
    {CKA_LOCAL, "LOCAL", 0},
};

#define TOLD (sizeof(told) / sizeof(told[0]))

/* '0', '1', or '?' when the token does not say. */
static char read_one(struct stk_session *session, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = CK_FALSE;
    size_t length = 0;

    if (stk_session_read(session, key, type, &value, sizeof(value), &length) != CKR_OK ||
        length != sizeof(value))
        return '?';
    return value == CK_FALSE ? '0' : '1';
}

enum stirkeep_status stk_attributes_check(struct stk_session *session, CK_OBJECT_HANDLE key,
                                          struct stk_error *error)
{
    size_t length = 0;
    CK_RV rv = CKR_OK;

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        char value = read_one(session, key, kept[i].type);

        if (value != (kept[i].wanted == CK_FALSE ? '0' : '1'))
            return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                                 "the key on the token reads back %s=%c", kept[i].name, value);
    }
    /* Asked for its length only: the value itself shall not come here even if the token is bad. */
    rv = stk_session_read(session, key, CKA_VALUE, NULL, 0, &length);
    if (rv != CKR_ATTRIBUTE_SENSITIVE && rv != CKR_ATTRIBUTE_TYPE_INVALID)
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                             "the token does not refuse to show the key's CKA_VALUE");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_attributes_check_sealing(struct stk_session *session, CK_OBJECT_HANDLE key,
                                                  struct stk_error *error)
{
    for (size_t i = 0; i < sizeof(sealing) / sizeof(sealing[0]); i++) {
        char value = read_one(session, key, sealing[i].type);

        if (value == (sealing[i].wanted == CK_FALSE ? '1' : '0'))
            return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                                 "the key on the token reads back %s=%c", sealing[i].name, value);
    }
    return stk_attributes_check(session, key, error);
}

void stk_attributes_read(struct stk_session *session, CK_OBJECT_HANDLE key,
                         char ret_text[STK_ATTRIBUTES_MAX])
{
    CK_BBOOL values[TOLD] = {0};
    CK_ATTRIBUTE attributes[TOLD] = {{0}};
    size_t length = 0;
    CK_RV rv = CKR_OK;

    for (size_t i = 0; i < TOLD; i++)
        attributes[i] = (CK_ATTRIBUTE){told[i].type, &values[i], sizeof(values[i])};
    rv = stk_session_read_all(session, key, attributes, TOLD);
    for (size_t i = 0; i < TOLD; i++) {
        char value = rv != CKR_OK || attributes[i].ulValueLen != sizeof(values[i]) ? '?'
                     : values[i] == CK_FALSE                                       ? '0'
                                                                                   : '1';

        length += (size_t)snprintf(ret_text + length, STK_ATTRIBUTES_MAX - length, "%s%s=%c",
                                   i == 0 ? "" : " ", told[i].name, value);
    }
}

enum stirkeep_status stk_token_attributes(struct stk_token *token, const struct stk_key_id *key_id,
                                          char ret_text[STK_ATTRIBUTES_MAX],
                                          struct stk_error *error)
{
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    enum stirkeep_status status = stk_custody_find(token, key_id, &key, error);

    if (status == STIRKEEP_OK)
        stk_attributes_read(&token->custody, key, ret_text);
    return status;
}
