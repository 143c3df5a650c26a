/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include "base/digest.h"
#include "seal/seal.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <string.h>

void fx_certificate(EVP_PKEY *pkey, struct stk_buffer *ret_der)
{
    X509 *certificate = X509_new();
    unsigned char *der = NULL;
    int length = 0;

    assert_non_null(certificate);
    assert_int_equal(X509_set_version(certificate, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
                                                MBSTRING_ASC, (const unsigned char *)"SHAKEN", -1,
                                                -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 86400));
    assert_int_equal(X509_set_pubkey(certificate, pkey), 1);
    assert_true(X509_sign(certificate, pkey, EVP_sha256()) > 0);
    length = i2d_X509(certificate, &der);
    assert_true(length > 0);
    assert_int_equal(stk_buffer_add(ret_der, der, (size_t)length), STIRKEEP_OK);
    OPENSSL_free(der);
    X509_free(certificate);
}

void fx_pkcs8(EVP_PKEY *pkey, struct stk_secret *ret_pkcs8)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    uint8_t *at = NULL;
    int length = info == NULL ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info, NULL);

    assert_true(length > 0);
    assert_int_equal(stk_secret_new(ret_pkcs8, (size_t)length), STIRKEEP_OK);
    at = ret_pkcs8->data;
    ret_pkcs8->length = (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, &at);
    PKCS8_PRIV_KEY_INFO_free(info);
}

void fx_key_new(struct fx_key *ret_key)
{
    uint8_t *at = ret_key->spki;

    *ret_key = (struct fx_key){.pkey = EVP_EC_gen("P-256")};
    assert_non_null(ret_key->pkey);
    assert_int_equal(i2d_PUBKEY(ret_key->pkey, &at), STK_P256_SPKI_LENGTH);
    stk_sha256(ret_key->spki, sizeof(ret_key->spki), ret_key->key_id.bytes);
    fx_certificate(ret_key->pkey, &ret_key->certificate);
    fx_pkcs8(ret_key->pkey, &ret_key->pkcs8);
}

void fx_key_free(struct fx_key *key)
{
    stk_secret_free(&key->pkcs8);
    stk_buffer_free(&key->certificate);
    EVP_PKEY_free(key->pkey);
}

void fx_seal(struct stk_token *token, const struct stk_secret *pkcs8, struct stk_buffer *ret_sealed)
{
    struct stk_error error = {0};

    if (stk_seal(stk_token_wrapping_spki(token), pkcs8, ret_sealed, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
}

struct stk_token_import fx_import_of(const struct fx_key *key, const struct stk_buffer *sealed,
                                     struct stk_bytes chain[1])
{
    chain[0] = (struct stk_bytes){key->certificate.data, key->certificate.length};
    return (struct stk_token_import){.key_id = key->key_id,
                                     .spki = {key->spki, sizeof(key->spki)},
                                     .name = "Alpha",
                                     .sealed = {sealed->data, sealed->length},
                                     .chain = chain,
                                     .chain_count = 1};
}

void fx_import(struct stk_token *token, const struct fx_key *key)
{
    struct stk_buffer sealed = {0};
    struct stk_bytes chain[1] = {0};
    struct stk_token_import import = {0};
    struct stk_error error = {0};

    fx_seal(token, &key->pkcs8, &sealed);
    import = fx_import_of(key, &sealed, chain);
    if (stk_token_import(token, &import, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    stk_buffer_free(&sealed);
}

bool fx_verifies(const struct fx_key *key, const uint8_t digest[STK_DIGEST_LENGTH],
                 const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, 32, NULL);
    BIGNUM *s = BN_bin2bn(signature + 32, 32, NULL);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);
    unsigned char *der = NULL;
    int length = 0;
    bool verifies = false;

    assert_int_equal(ECDSA_SIG_set0(pair, r, s), 1);
    length = i2d_ECDSA_SIG(pair, &der);
    verifies = EVP_PKEY_verify_init(context) == 1 &&
               EVP_PKEY_verify(context, der, (size_t)length, digest, STK_DIGEST_LENGTH) == 1;
    OPENSSL_free(der);
    EVP_PKEY_CTX_free(context);
    ECDSA_SIG_free(pair);
    return verifies;
}

size_t fx_count(struct stk_token *token, const struct stk_key_id *key_id, CK_OBJECT_CLASS class)
{
    struct stk_indexed_list found = {0};
    size_t count = 0;

    assert_int_equal(stk_lookup_search(&token->custody, key_id, &found), CKR_OK);
    for (size_t i = 0; i < found.count; i++)
        count += class == CK_UNAVAILABLE_INFORMATION || found.items[i].class == class ? 1 : 0;
    stk_indexed_free(&found);
    return count;
}

void fx_plant(struct stk_token *token, const struct fx_key *scalar_of,
              const struct stk_key_id *key_id)
{
    struct stk_key_template template = {0};
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    struct stk_error error = {0};

    stk_template_ec(&template, "stirkeep:planted", key_id, true);
    if (stk_create(token, &scalar_of->pkcs8, &template, &handle, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
}
