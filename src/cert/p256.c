/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/p256.h"

#include "base/bytes.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <string.h>

/* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING without unused bits }; the point
 * follows (RFC 5480). */
static const uint8_t spki_head[STK_P256_SPKI_POINT] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

bool stk_p256_spki(struct stk_bytes point, uint8_t ret_spki[STK_P256_SPKI_LENGTH])
{
    EC_GROUP *group = NULL;
    EC_POINT *read = NULL;
    uint8_t plain[STK_P256_POINT_LENGTH] = {0};
    bool ok = false;

    /* Hybrid form (06, 07) is left out: RFC 5480 section 2.2 forbids it. */
    if (!(point.length == STK_P256_POINT_LENGTH && point.data[0] == 0x04) &&
        !(point.length == 33 && (point.data[0] == 0x02 || point.data[0] == 0x03)))
        return false;
    group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    read = group != NULL ? EC_POINT_new(group) : NULL;
    ok = read != NULL && EC_POINT_oct2point(group, read, point.data, point.length, NULL) == 1 &&
         EC_POINT_point2oct(group, read, POINT_CONVERSION_UNCOMPRESSED, plain, sizeof(plain),
                            NULL) == sizeof(plain);
    if (ok) {
        memcpy(ret_spki, spki_head, sizeof(spki_head));
        memcpy(ret_spki + STK_P256_SPKI_POINT, plain, sizeof(plain));
    }
    EC_POINT_free(read);
    EC_GROUP_free(group);
    ERR_clear_error();
    return ok;
}

bool stk_p256_scalar_ok(const uint8_t scalar[STK_P256_SCALAR_LENGTH])
{
    static const uint8_t order[STK_P256_SCALAR_LENGTH] = {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    uint32_t borrow = 0;
    uint32_t any = 0;

    for (size_t i = STK_P256_SCALAR_LENGTH; i-- > 0;) {
        borrow = ((uint32_t)scalar[i] - order[i] - borrow) >> 31;
        any |= scalar[i];
    }
    return (borrow & (uint32_t)(any != 0)) == 1;
}

bool stk_p256_public_point(const uint8_t scalar[STK_P256_SCALAR_LENGTH],
                           uint8_t ret_point[STK_P256_POINT_LENGTH])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
    BIGNUM *number = BN_secure_new();
    BN_CTX *context = BN_CTX_secure_new();
    bool ok = false;

    if (point != NULL && number != NULL && context != NULL &&
        BN_bin2bn(scalar, STK_P256_SCALAR_LENGTH, number) != NULL) {
        BN_set_flags(number, BN_FLG_CONSTTIME);
        ok = EC_POINT_mul(group, point, number, NULL, NULL, context) == 1 &&
             EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, ret_point,
                                STK_P256_POINT_LENGTH, context) == STK_P256_POINT_LENGTH;
    }
    BN_CTX_free(context);
    BN_clear_free(number);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    ERR_clear_error();
    return ok;
}

EVP_PKEY *stk_p256_pkey(struct stk_bytes spki)
{
    EVP_PKEY_CTX *context = NULL;
    EVP_PKEY *pkey = NULL;
    uint8_t canonical[STK_P256_SPKI_LENGTH];
    OSSL_PARAM parameters[3];
    char curve[] = SN_X9_62_prime256v1;

    if (spki.length != STK_P256_SPKI_LENGTH ||
        memcmp(spki.data, spki_head, sizeof(spki_head)) != 0 ||
        !stk_p256_spki((struct stk_bytes){spki.data + STK_P256_SPKI_POINT, STK_P256_POINT_LENGTH},
                       canonical))
        return NULL;
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(
        OSSL_PKEY_PARAM_PUB_KEY, canonical + STK_P256_SPKI_POINT, STK_P256_POINT_LENGTH);
    parameters[2] = OSSL_PARAM_construct_end();
    context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return pkey;
}

/* One INTEGER: no leading zeros, but one before a high bit. Returns its length. */
static size_t write_integer(const uint8_t number[STK_SIGNATURE_LENGTH / 2], uint8_t *ret_der)
{
    size_t zeros = 0;
    size_t pad = 0;
    size_t length = 0;

    while (zeros < STK_SIGNATURE_LENGTH / 2 - 1 && number[zeros] == 0)
        zeros++;
    pad = number[zeros] >> 7;
    length = STK_SIGNATURE_LENGTH / 2 - zeros;
    ret_der[0] = 0x02;
    ret_der[1] = (uint8_t)(pad + length);
    ret_der[2] = 0;
    memcpy(ret_der + 2 + pad, number + zeros, length);
    return 2 + pad + length;
}

size_t stk_ecdsa_der(const uint8_t signature[STK_SIGNATURE_LENGTH],
                     uint8_t ret_der[STK_ECDSA_DER_MAX])
{
    size_t length = 2;

    length += write_integer(signature, ret_der + length);
    length += write_integer(signature + STK_SIGNATURE_LENGTH / 2, ret_der + length);
    ret_der[0] = 0x30;
    ret_der[1] = (uint8_t)(length - 2);
    return length;
}

bool stk_p256_verifies(EVP_PKEY *pkey, const uint8_t digest[STK_DIGEST_LENGTH],
                       const uint8_t signature[STK_SIGNATURE_LENGTH])
{
    uint8_t der[STK_ECDSA_DER_MAX];
    size_t length = stk_ecdsa_der(signature, der);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool ok = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
              EVP_PKEY_verify(context, der, length, digest, STK_DIGEST_LENGTH) == 1;

    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return ok;
}
