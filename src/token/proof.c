/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/internal.h"

#include "base/digest.h"
#include "model/proof.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#define POINT_UNCOMPRESSED 0x04

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { uncompressed point */
static const uint8_t p256_prefix[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, POINT_UNCOMPRESSED};

bool stk_spki_is_p256(struct stk_bytes spki)
{
    return spki.length == STK_P256_SPKI_LENGTH &&
           memcmp(spki.data, p256_prefix, sizeof(p256_prefix)) == 0;
}

bool stk_spki_from_point(const uint8_t point[STK_P256_POINT_LENGTH],
                         uint8_t ret_spki[STK_P256_SPKI_LENGTH])
{
    if (point[0] != POINT_UNCOMPRESSED)
        return false;
    memcpy(ret_spki, p256_prefix, sizeof(p256_prefix));
    memcpy(ret_spki + sizeof(p256_prefix), point + 1, STK_P256_POINT_LENGTH - 1);
    return true;
}

/* r||s as the DER that OpenSSL verifies; NULL when it cannot be had. */
static unsigned char *signature_der(const uint8_t signature[STK_SIGNATURE_LENGTH], int *ret_length)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, STK_SIGNATURE_LENGTH / 2, NULL);
    BIGNUM *s = BN_bin2bn(signature + STK_SIGNATURE_LENGTH / 2, STK_SIGNATURE_LENGTH / 2, NULL);
    unsigned char *der = NULL;

    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        *ret_length = i2d_ECDSA_SIG(pair, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return der;
}

bool stk_signature_verifies(const uint8_t spki[STK_P256_SPKI_LENGTH],
                            const uint8_t digest[STK_DIGEST_LENGTH],
                            const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    const unsigned char *at = spki;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, STK_P256_SPKI_LENGTH);
    EVP_PKEY_CTX *context = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
    int length = 0;
    unsigned char *der = signature_der(signature, &length);
    bool verifies = context != NULL && der != NULL && length > 0 &&
                    EVP_PKEY_verify_init(context) == 1 &&
                    EVP_PKEY_verify(context, der, (size_t)length, digest, STK_DIGEST_LENGTH) == 1;

    OPENSSL_free(der);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return verifies;
}

CK_RV stk_key_prove(struct stk_session *session, CK_OBJECT_HANDLE key,
                    const uint8_t spki[STK_P256_SPKI_LENGTH], bool *ret_proven)
{
    uint8_t challenge[STK_CHALLENGE_LENGTH] = {0};
    uint8_t digest[STK_DIGEST_LENGTH] = {0};
    uint8_t signature[STK_SIGNATURE_LENGTH] = {0};
    CK_RV rv = CKR_OK;

    stk_random(challenge, sizeof(challenge));
    stk_proof_digest(challenge, digest);
    rv = stk_session_sign(session, key, digest, signature);
    if (rv == CKR_SIGNATURE_LEN_RANGE) { /* of another curve */
        *ret_proven = false;
        return CKR_OK;
    }
    if (rv == CKR_OK)
        *ret_proven = stk_signature_verifies(spki, digest, signature);
    return rv;
}
