/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/digest.h"
#include "base/log.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define EXPONENT_ROOM 16
#define MODULUS_ROOM (STK_WRAPPING_BITS_MAX / 8)

static EVP_PKEY *public_key(const BIGNUM *modulus, const BIGNUM *exponent)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY *key = NULL;

    if (builder != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* The public half, from the private object itself: a public object beside it may be anybody's. */
static bool read_spki(struct stk_token *token, CK_OBJECT_HANDLE key, uint8_t **ret_spki,
                      size_t *ret_length, size_t *ret_modulus)
{
    uint8_t modulus[MODULUS_ROOM] = {0};
    uint8_t exponent[EXPONENT_ROOM] = {0};
    size_t modulus_length = 0;
    size_t exponent_length = 0;
    BIGNUM *n = NULL;
    BIGNUM *e = NULL;
    EVP_PKEY *public = NULL;
    int bits = 0;
    int length = 0;

    if (stk_session_read(&token->custody, key, CKA_MODULUS, modulus, sizeof(modulus),
                         &modulus_length) != CKR_OK ||
        stk_session_read(&token->custody, key, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent),
                         &exponent_length) != CKR_OK)
        return false;
    n = BN_bin2bn(modulus, (int)modulus_length, NULL);
    e = BN_bin2bn(exponent, (int)exponent_length, NULL);
    bits = n == NULL ? 0 : BN_num_bits(n);
    if (e != NULL && bits >= STK_WRAPPING_BITS_MIN && bits <= STK_WRAPPING_BITS_MAX)
    public = public_key(n, e);
    length = public == NULL ? 0 : i2d_PUBKEY(public, ret_spki);
    if (length > 0) {
        *ret_length = (size_t)length;
        *ret_modulus = (size_t)BN_num_bytes(n);
    }
    BN_free(n);
    BN_free(e);
    EVP_PKEY_free(public);
    ERR_clear_error();
    return length > 0;
}

/* RSA-OAEP as in seal/seal.h, of a value to prove the key with. */
static bool encrypt(struct stk_bytes spki, const uint8_t *plain, size_t plain_length,
                    uint8_t *ret_data, size_t *length)
{
    const unsigned char *at = spki.data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.length);
    EVP_PKEY_CTX *context = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
    bool done = context != NULL && EVP_PKEY_encrypt_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha1()) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha1()) == 1 &&
                EVP_PKEY_encrypt(context, ret_data, length, plain, plain_length) == 1;

    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return done;
}

/* CKR_OK and `*ret_proven`: does the private object decrypt what the public key encrypts? */
static CK_RV prove(struct stk_token *token, CK_OBJECT_HANDLE key, struct stk_bytes spki,
                   bool *ret_proven)
{
    uint8_t plain[STK_AES_KEY_LENGTH] = {0};
    uint8_t sealed[MODULUS_ROOM] = {0};
    uint8_t back[MODULUS_ROOM] = {0};
    size_t sealed_length = sizeof(sealed);
    size_t back_length = sizeof(back);
    CK_RV rv = CKR_OK;

    stk_random(plain, sizeof(plain));
    if (!encrypt(spki, plain, sizeof(plain), sealed, &sealed_length))
        return CKR_GENERAL_ERROR;
    rv = stk_session_decrypt(&token->custody, key, sealed, sealed_length, back, &back_length);
    *ret_proven = rv == CKR_OK && back_length == sizeof(plain) &&
                  CRYPTO_memcmp(back, plain, sizeof(plain)) == 0;
    return rv;
}

bool stk_wrapping_proves(struct stk_token *token)
{
    bool proven = false;

    return prove(token, token->wrapping_key, stk_token_wrapping_spki(token), &proven) == CKR_OK &&
           proven;
}

static CK_RV find_all(struct stk_token *token, struct stk_handles *ret_handles)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_RSA;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE attributes[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_KEY_TYPE, &type, sizeof(type)},
        {CKA_TOKEN, &yes, sizeof(yes)},
        {CKA_LABEL, (void *)STK_WRAPPING_LABEL, sizeof(STK_WRAPPING_LABEL) - 1},
    };

    return stk_session_find(&token->custody, attributes, 4, ret_handles);
}

/* A wrapping key candidate. */
struct candidate {
    CK_OBJECT_HANDLE handle;
    uint8_t *spki;
    size_t spki_length;
    size_t modulus_length;
};

static bool is_kept(struct stk_token *token, CK_OBJECT_HANDLE key)
{
    CK_BBOOL sensitive = CK_FALSE;
    CK_BBOOL extractable = CK_TRUE;
    size_t length = 0;

    return stk_session_read(&token->custody, key, CKA_SENSITIVE, &sensitive, sizeof(sensitive),
                            &length) == CKR_OK &&
           stk_session_read(&token->custody, key, CKA_EXTRACTABLE, &extractable,
                            sizeof(extractable), &length) == CKR_OK &&
           sensitive == CK_TRUE && extractable == CK_FALSE;
}

/* At opening any will do, the smallest where there are two; later only the one given out. */
static bool is_wanted(const struct stk_token *token, const struct candidate *best,
                      const struct candidate *candidate)
{
    struct stk_bytes given = stk_token_wrapping_spki(token);

    if (given.data != NULL)
        return candidate->spki_length == given.length &&
               memcmp(candidate->spki, given.data, given.length) == 0;
    return best->spki == NULL || candidate->spki_length < best->spki_length ||
           (candidate->spki_length == best->spki_length &&
            memcmp(candidate->spki, best->spki, best->spki_length) < 0);
}

static CK_RV consider(struct stk_token *token, CK_OBJECT_HANDLE handle, struct candidate *best)
{
    struct candidate candidate = {.handle = handle};
    bool proven = false;
    CK_RV rv = CKR_OK;

    /* What a kill tore while it was generated has no modulus; it is passed over. */
    if (!read_spki(token, handle, &candidate.spki, &candidate.spki_length,
                   &candidate.modulus_length))
        return CKR_OK;
    if (!is_kept(token, handle))
        stk_log(STK_LOG_WARNING,
                "token \"%s\": a key labelled \"%s\" may leave the token: not used", token->label,
                STK_WRAPPING_LABEL);
    else if (is_wanted(token, best, &candidate))
        rv = prove(token, handle, (struct stk_bytes){candidate.spki, candidate.spki_length},
                   &proven);
    if (proven) {
        OPENSSL_free(best->spki);
        *best = candidate;
    } else {
        OPENSSL_free(candidate.spki);
    }
    return rv;
}

/* A whole key that fails to decrypt ends it: to make another one would make every key that was
 * sealed elsewhere unreadable, for what may be the token's passing trouble. */
static CK_RV take_one(struct stk_token *token, bool *ret_taken)
{
    struct stk_handles found = {0};
    struct candidate best = {0};
    CK_RV rv = find_all(token, &found);

    for (size_t i = 0; rv == CKR_OK && i < found.count; i++)
        rv = consider(token, found.items[i], &best);
    stk_handles_free(&found);
    *ret_taken = rv == CKR_OK && best.spki != NULL;
    if (*ret_taken)
        token->wrapping_key = best.handle;
    if (*ret_taken && token->wrapping_spki == NULL) {
        token->wrapping_spki = best.spki;
        token->wrapping_spki_length = best.spki_length;
        token->wrapping_length = best.modulus_length;
    } else {
        OPENSSL_free(best.spki);
    }
    return rv;
}

static CK_RV generate(struct stk_token *token)
{
    CK_RV rv = CKR_OK;

    (void)pthread_mutex_lock(&token->objects);
    rv = stk_wrapping_generate(token->p11, token->custody.handle, STK_WRAPPING_BITS);
    (void)pthread_mutex_unlock(&token->objects);
    return rv;
}

enum stirkeep_status stk_wrapping_open(struct stk_token *token, struct stk_error *error)
{
    bool taken = false;
    CK_RV rv = take_one(token, &taken);

    if (rv != CKR_OK)
        return stk_ckr_error(error, "finding the wrapping key", rv);
    if (taken)
        return STIRKEEP_OK;
    /* Another one would make what was sealed elsewhere unreadable. */
    if (stk_sight_hides_whole(token))
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                             "the wrapping key is not shown: SoftHSM could not read all of its "
                             "files in %s",
                             token->softhsm.token);
    stk_log(STK_LOG_INFO, "token \"%s\": generating a wrapping key (RSA, %d bits)", token->label,
            STK_WRAPPING_BITS);
    rv = generate(token);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "generating a wrapping key: C_GenerateKeyPair", rv);
    rv = take_one(token, &taken);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "finding the new wrapping key", rv);
    if (!taken)
        return stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                             "the wrapping key that the token generated does not decrypt");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_wrapping_reopen(struct stk_token *token, struct stk_error *error)
{
    bool taken = false;
    CK_RV rv = CKR_OK;

    /* The handle of a token object usually outlives a session. */
    if (stk_wrapping_proves(token))
        return STIRKEEP_OK;
    rv = take_one(token, &taken);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "finding the wrapping key", rv);
    if (taken)
        return STIRKEEP_OK;
    return stk_sight_is_whole(&token->custody)
               ? stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                               "the wrapping key is no longer on the token")
               : stk_error_set(error, STIRKEEP_TOKEN_ERROR,
                               "the wrapping key is not shown at the moment: SoftHSM could not "
                               "read its files, and has to be opened anew");
}

struct stk_bytes stk_token_wrapping_spki(const struct stk_token *token)
{
    return (struct stk_bytes){token->wrapping_spki, token->wrapping_spki_length};
}
