/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "base/encode.h"
#include "run.h"
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static struct stk_bytes certificate_of(EVP_PKEY *key, const char *subject)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    unsigned char *der = NULL;
    int length = 0;

    assert_non_null(certificate);
    (void)X509_set_version(certificate, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)subject, -1,
                                     -1, 0);
    (void)X509_set_issuer_name(certificate, name);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    (void)X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    length = i2d_X509(certificate, &der);
    assert_true(length > 0);
    X509_free(certificate);
    return (struct stk_bytes){der, (size_t)length};
}

struct test_key test_key_make(const char *subject)
{
    struct test_key key = {.key = EVP_EC_gen("P-256")};
    unsigned char *spki = NULL;
    int length = 0;

    assert_non_null(key.key);
    length = i2d_PUBKEY(key.key, &spki);
    assert_int_equal(length, 91);
    stk_sha256(spki, (size_t)length, key.id.bytes);
    OPENSSL_free(spki);
    key.certificate = certificate_of(key.key, subject);
    return key;
}

void test_key_free(struct test_key *key)
{
    EVP_PKEY_free(key->key);
    OPENSSL_free((void *)key->certificate.data);
    *key = (struct test_key){0};
}

/* r||s to what OpenSSL verifies. */
static int der_of(const uint8_t raw[STK_SIGNATURE_LENGTH], unsigned char **ret_der)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    int length = 0;

    (void)ECDSA_SIG_set0(signature, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
    length = i2d_ECDSA_SIG(signature, ret_der);
    ECDSA_SIG_free(signature);
    return length;
}

bool test_key_verifies_digest(const struct test_key *key, const uint8_t digest[STK_DIGEST_LENGTH],
                              const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->key, NULL);
    unsigned char *der = NULL;
    int length = der_of(signature, &der);
    bool good = EVP_PKEY_verify_init(context) == 1 &&
                EVP_PKEY_verify(context, der, (size_t)length, digest, STK_DIGEST_LENGTH) == 1;

    OPENSSL_free(der);
    EVP_PKEY_CTX_free(context);
    return good;
}

bool test_key_verifies(const struct test_key *key, const struct stk_answer *answer)
{
    const char *identity = answer->identity;
    const char *end = identity + answer->passport_length;
    const char *dot = answer->status == STIRKEEP_OK && answer->passport_length > 0
                          ? memrchr(identity, '.', answer->passport_length)
                          : NULL;
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    size_t length = 0;

    if (dot == NULL || *end != ';' ||
        !stk_base64url_decode(dot + 1, (size_t)(end - dot - 1), signature, sizeof(signature),
                              &length) ||
        length != sizeof(signature))
        return false;
    stk_sha256(identity, (size_t)(dot - identity), digest);
    return test_key_verifies_digest(key, digest, signature);
}
