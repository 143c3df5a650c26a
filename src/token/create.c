/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#define SCALAR_LENGTH 32

static EVP_PKEY *read_pkcs8(const struct stk_secret *pkcs8)
{
    const unsigned char *at = pkcs8->data;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)pkcs8->length);
    EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);

    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    return key;
}

static bool is_p256(const EVP_PKEY *key)
{
    char group[32] = "";

    return EVP_PKEY_is_a(key, "EC") == 1 &&
           EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                          NULL) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

/* The private scalar of a PKCS#8 in locked memory. OpenSSL's own copies are wiped by it. */
static enum stirkeep_status read_scalar(const struct stk_secret *pkcs8,
                                        struct stk_secret *ret_scalar, struct stk_error *error)
{
    EVP_PKEY *key = read_pkcs8(pkcs8);
    BIGNUM *number = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (key == NULL || !is_p256(key) ||
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) {
        status = stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                               "what was sealed is not a P-256 private key in PKCS#8");
        goto out;
    }
    if (stk_secret_new(ret_scalar, SCALAR_LENGTH) != STIRKEEP_OK) {
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory for a secret");
        goto out;
    }
    ret_scalar->length = SCALAR_LENGTH;
    if (BN_bn2binpad(number, ret_scalar->data, SCALAR_LENGTH) != SCALAR_LENGTH) {
        stk_secret_free(ret_scalar);
        status = stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "the private key is out of range");
    }
out:
    BN_clear_free(number);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return status;
}

enum stirkeep_status stk_create(struct stk_token *token, const struct stk_secret *pkcs8,
                                struct stk_key_template *template, CK_OBJECT_HANDLE *ret_key,
                                struct stk_error *error)
{
    struct stk_secret scalar = {0};
    enum stirkeep_status status = read_scalar(pkcs8, &scalar, error);
    CK_RV rv = CKR_OK;

    if (status != STIRKEEP_OK)
        return status;
    stk_template_add_p256(template);
    stk_template_add(template, CKA_VALUE, scalar.data, scalar.length);
    rv = stk_session_create(&token->custody, template->attributes, template->count, ret_key);
    stk_secret_free(&scalar);
    return rv == CKR_OK ? STIRKEEP_OK : stk_ckr_error(error, "C_CreateObject", rv);
}
