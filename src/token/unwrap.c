/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include <string.h>

#define KWP_MIN 16 /* RFC 5649: one semiblock of key and one of integrity */
#define KWP_BLOCK 8

/* Is there an RSA part of the wrapping key's length, and something that may be AES-KWP after it? */
static bool has_both_parts(const struct stk_token *token, struct stk_bytes sealed)
{
    size_t rest = 0;

    if (sealed.data == NULL || sealed.length > STK_SEALED_MAX ||
        sealed.length < token->wrapping_length + KWP_MIN)
        return false;
    rest = sealed.length - token->wrapping_length;
    return rest % KWP_BLOCK == 0;
}

static CK_RV unwrap_aes(struct stk_token *token, struct stk_bytes sealed, CK_OBJECT_HANDLE *ret_aes)
{
    CK_RSA_PKCS_OAEP_PARAMS parameters = {0};
    CK_MECHANISM mechanism = {0};
    struct stk_key_template template = {0};

    stk_template_aes(&template);
    return stk_session_unwrap(&token->custody, stk_mechanism_oaep(&mechanism, &parameters),
                              token->wrapping_key, sealed.data, token->wrapping_length,
                              template.attributes, template.count, ret_aes);
}

CK_RV stk_unwrap(struct stk_token *token, struct stk_bytes sealed,
                 struct stk_key_template *template, CK_OBJECT_HANDLE *ret_key,
                 const char **ret_call)
{
    CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP_PAD, NULL, 0};
    CK_OBJECT_HANDLE aes = CK_INVALID_HANDLE;
    CK_RV rv = CKR_OK;

    *ret_call = "unwrapping by RSA-OAEP: C_UnwrapKey";
    if (!has_both_parts(token, sealed))
        return CKR_WRAPPED_KEY_LEN_RANGE;
    rv = unwrap_aes(token, sealed, &aes);
    if (rv != CKR_OK)
        return rv;
    *ret_call = "unwrapping by AES-KWP: C_UnwrapKey";
    rv = stk_session_unwrap(&token->custody, &mechanism, aes, sealed.data + token->wrapping_length,
                            sealed.length - token->wrapping_length, template->attributes,
                            template->count, ret_key);
    (void)stk_session_destroy(&token->custody, aes);
    return rv;
}

static void try_unwrap(struct stk_token *token, struct stk_bytes sealed)
{
    static const struct stk_key_id none;
    struct stk_key_template template = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    const char *call = NULL;
    CK_RV rv = CKR_OK;

    if (stk_custody_ready(token, NULL) != STIRKEEP_OK)
        return;
    stk_template_ec(&template, "stirkeep trial", &none, false);
    rv = stk_unwrap(token, sealed, &template, &key, &call);
    if (rv == CKR_OK) {
        rv = stk_session_sign(&token->custody, key, digest, signature);
        (void)stk_session_destroy(&token->custody, key);
    }
    token->info.unwraps = rv == CKR_OK;
    token->custody_stale = rv != CKR_OK;
}

/* Twice: a passing failure is not to decide how keys come in for as long as the process lives. */
void stk_token_try_unwrap(struct stk_token *token, struct stk_bytes sealed)
{
    token->info.unwraps = false;
    try_unwrap(token, sealed);
    if (!token->info.unwraps)
        try_unwrap(token, sealed);
}

enum stirkeep_status stk_token_decrypt(struct stk_token *token, struct stk_bytes rsa_part,
                                       struct stk_secret *ret_aes_key, struct stk_error *error)
{
    struct stk_secret aes = {0};
    size_t length = STK_WRAPPING_BITS_MAX / 8; /* some tokens ask for the modulus's room */
    enum stirkeep_status status = stk_custody_ready(token, error);
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_OK)
        return status;
    if (rsa_part.data == NULL || rsa_part.length != token->wrapping_length)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "the sealed key's RSA part has %zu bytes, this token's key has %zu",
                             rsa_part.length, token->wrapping_length);
    if (stk_secret_new(&aes, length) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory for a secret");
    rv = stk_session_decrypt(&token->custody, token->wrapping_key, rsa_part.data, rsa_part.length,
                             aes.data, &length);
    if (rv != CKR_OK) {
        token->custody_stale = true;
        status = stk_unwrap_error(token, "C_Decrypt", rv, error);
    } else if (length != STK_AES_KEY_LENGTH) {
        status =
            stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                          "the sealed key's RSA part holds %zu bytes, not an AES-256 key", length);
    }
    if (status != STIRKEEP_OK) {
        stk_secret_free(&aes);
        return status;
    }
    aes.length = length;
    *ret_aes_key = aes;
    return STIRKEEP_OK;
}

static bool says_bad_data(CK_RV rv)
{
    switch (rv) {
    case CKR_WRAPPED_KEY_INVALID:
    case CKR_WRAPPED_KEY_LEN_RANGE:
    case CKR_ENCRYPTED_DATA_INVALID:
    case CKR_ENCRYPTED_DATA_LEN_RANGE:
    case CKR_DATA_INVALID:
    case CKR_DATA_LEN_RANGE:
        return true;
    default:
        return false;
    }
}

enum stirkeep_status stk_unwrap_error(struct stk_token *token, const char *call, CK_RV rv,
                                      struct stk_error *error)
{
    /* SoftHSM says no more than this of a sealed key that is not for it. */
    bool vague = rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED;
    struct stk_error said = {0};

    (void)stk_ckr_error(&said, call, rv);
    if (says_bad_data(rv) || (vague && stk_wrapping_proves(token)))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "not a P-256 key sealed to this token's wrapping key (%s)",
                             said.message);
    return stk_error_set(error, said.status, "%s", said.message);
}
