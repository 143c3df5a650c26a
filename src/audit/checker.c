/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/checker.h"

#include "base/digest.h"
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#define HALF (STK_SIGNATURE_LENGTH / 2)

bool stk_checker_make(const uint8_t spki[STK_SPKI_LENGTH], struct stk_checker *ret_checker)
{
    /* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { 04, the point } } */
    static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    struct stk_checker checker = {0};
    const uint8_t *at = spki;

    if (memcmp(spki, head, sizeof(head)) != 0)
        return false;
    checker.key = d2i_PUBKEY(NULL, &at, STK_SPKI_LENGTH);
    ERR_clear_error();
    if (checker.key == NULL)
        return false;
    stk_sha256(spki, STK_SPKI_LENGTH, checker.key_id.bytes);
    *ret_checker = checker;
    return true;
}

/* r||s as ECDSA-Sig-Value (RFC 3279 section 2.2.3), which OPENSSL_free releases; its length, 0
 * without memory. */
static int der_of(const uint8_t signature[STK_SIGNATURE_LENGTH], uint8_t **ret_der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, HALF, NULL);
    BIGNUM *s = BN_bin2bn(signature + HALF, HALF, NULL);
    int length = 0;

    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        length = i2d_ECDSA_SIG(pair, ret_der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(pair);
    return length > 0 ? length : 0;
}

bool stk_checker_signed(const struct stk_checker *checker, const struct stk_seal *seal)
{
    uint8_t digest[STK_DIGEST_LENGTH];
    EVP_PKEY_CTX *context = NULL;
    uint8_t *der = NULL;
    int length = 0;
    bool good = false;

    if (memcmp(checker->key_id.bytes, seal->key_id.bytes, sizeof(seal->key_id.bytes)) != 0)
        return false;
    stk_seal_digest(seal, digest);
    length = der_of(seal->signature, &der);
    context = EVP_PKEY_CTX_new_from_pkey(NULL, checker->key, NULL);
    good = length > 0 && context != NULL && EVP_PKEY_verify_init(context) == 1 &&
           EVP_PKEY_verify(context, der, (size_t)length, digest, sizeof(digest)) == 1;
    EVP_PKEY_CTX_free(context);
    OPENSSL_free(der);
    ERR_clear_error();
    return good;
}

void stk_checker_free(struct stk_checker *checker)
{
    EVP_PKEY_free(checker->key);
    checker->key = NULL;
}
