/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/key_plain.h"

#include "base/digest.h"
#include "cert/der.h"
#include "cert/kind.h"
#include "cert/p256.h"
#include <string.h>

/* PrivateKeyInfo {0, {id-ecPublicKey, prime256v1}, ECPrivateKey {1, scalar, [1] public key}}. */
static const uint8_t pkcs8_head[] = {0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06,
                                     0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                     0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
                                     0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20};
static const uint8_t pkcs8_middle[] = {0xa1, 0x44, 0x03, 0x42, 0x00};
#define SCALAR_AT sizeof(pkcs8_head)
#define POINT_AT (SCALAR_AT + STK_P256_SCALAR_LENGTH + sizeof(pkcs8_middle))
#define PKCS8_LENGTH (POINT_AT + STK_P256_POINT_LENGTH)

/* A private key's parts, as views into the file. */
struct parts {
    struct stk_bytes scalar;
    struct stk_bytes curve;     /* whole value; empty: not stated */
    struct stk_bytes points[2]; /* public keys that came with it: inside, and PKCS#8's own */
};

static enum stirkeep_status unreadable(struct stk_error *error, const char *why)
{
    return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "%s", why);
}

enum stirkeep_status stk_key_refuse_type(const char *kind, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_KEY_TYPE, "%s; STIR/SHAKEN needs P-256", kind);
}

static enum stirkeep_status check_curve(struct stk_bytes curve, struct stk_error *error)
{
    char kind[STK_KIND_TEXT];

    if (curve.length == 0 || stk_curve_is_p256(curve))
        return STIRKEEP_OK;
    stk_kind_of_curve(curve, kind);
    return stk_key_refuse_type(kind, error);
}

/* The point in a BIT STRING's contents, which begin with the number of unused bits. */
static bool point_of(struct stk_bytes bits, struct stk_bytes *ret_point)
{
    if (bits.length < 2 || bits.data[0] != 0)
        return false;
    *ret_point = (struct stk_bytes){bits.data + 1, bits.length - 1};
    return true;
}

/* ECPrivateKey: {1, OCTET STRING, [0] parameters OPTIONAL, [1] public key OPTIONAL}. */
static enum stirkeep_status read_sec1(struct stk_bytes der, struct parts *parts,
                                      struct stk_error *error)
{
    struct stk_bytes inside = {0};
    struct stk_bytes tagged = {0};
    struct stk_bytes bits = {0};
    uint64_t version = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_der_only(der, STK_DER_SEQUENCE, &inside) || !stk_der_take_uint(&inside, &version) ||
        version != 1 || !stk_der_take(&inside, STK_DER_OCTET_STRING, &parts->scalar))
        return unreadable(error, "not a well-formed EC private key");
    if (stk_der_take(&inside, STK_DER_CONSTRUCTED(0), &tagged)) {
        status = tagged.length > 0 ? check_curve(tagged, error) : STIRKEEP_OK;
        if (status != STIRKEEP_OK)
            return status;
        parts->curve = tagged;
    }
    if (stk_der_take(&inside, STK_DER_CONSTRUCTED(1), &tagged) &&
        (!stk_der_only(tagged, STK_DER_BIT_STRING, &bits) || !point_of(bits, &parts->points[0])))
        return unreadable(error, "the public key in it is not well-formed");
    if (inside.length > 0)
        return unreadable(error, "not a well-formed EC private key");
    return STIRKEEP_OK;
}

/* PrivateKeyInfo: {version, algorithm, OCTET STRING, [0] attributes, [1] public key}. */
static enum stirkeep_status read_pkcs8(struct stk_bytes der, struct parts *parts,
                                       struct stk_error *error)
{
    struct stk_bytes inside = {0};
    struct stk_bytes key = {0};
    struct stk_bytes bits = {0};
    struct stk_algorithm algorithm = {0};
    uint64_t version = 0;

    if (!stk_der_only(der, STK_DER_SEQUENCE, &inside) || !stk_der_take_uint(&inside, &version) ||
        version > 1 || !stk_algorithm_take(&inside, &algorithm) ||
        !stk_der_take(&inside, STK_DER_OCTET_STRING, &key))
        return unreadable(error, "not a well-formed PKCS#8 key");
    if (!stk_algorithm_is_ec(&algorithm)) {
        char kind[STK_KIND_TEXT];
        stk_kind_of_key(&algorithm, key, kind);
        return stk_key_refuse_type(kind, error);
    }
    (void)stk_der_take(&inside, STK_DER_CONSTRUCTED(0), NULL);
    if (stk_der_take(&inside, STK_DER_CONTEXT(1), &bits) && !point_of(bits, &parts->points[1]))
        return unreadable(error, "the public key in it is not well-formed");
    if (inside.length > 0)
        return unreadable(error, "not a well-formed PKCS#8 key");
    parts->curve = algorithm.parameters;
    if (check_curve(parts->curve, error) != STIRKEEP_OK)
        return STIRKEEP_KEY_TYPE;
    return read_sec1(key, parts, error);
}

/* Put the scalar into its place: RFC 5915 has 32 octets; some programs leave leading zeros out or
 * put one before. */
static bool place_scalar(struct stk_bytes scalar, uint8_t *ret_scalar)
{
    if (scalar.length == STK_P256_SCALAR_LENGTH + 1 && scalar.data[0] == 0) {
        scalar.data++;
        scalar.length--;
    }
    if (scalar.length == 0 || scalar.length > STK_P256_SCALAR_LENGTH)
        return false;
    memcpy(ret_scalar + STK_P256_SCALAR_LENGTH - scalar.length, scalar.data, scalar.length);
    return true;
}

/* Does a public key that came with it belong to it? `spki` has the one made from the scalar. */
static bool point_belongs(struct stk_bytes point, const uint8_t spki[STK_P256_SPKI_LENGTH])
{
    uint8_t other[STK_P256_SPKI_LENGTH] = {0};

    return point.length == 0 ||
           (stk_p256_spki(point, other) && memcmp(other, spki, sizeof(other)) == 0);
}

static enum stirkeep_status check_points(const struct parts *parts,
                                         const uint8_t spki[STK_P256_SPKI_LENGTH],
                                         struct stk_error *error)
{
    bool belongs = point_belongs(parts->points[0], spki) && point_belongs(parts->points[1], spki);
    bool has_one = parts->points[0].length > 0 || parts->points[1].length > 0;

    /* Without a named curve, a public key that P-256 makes from the scalar names it. */
    if (parts->curve.length == 0 && !has_one)
        return unreadable(error, "it does not name its curve");
    if (!belongs)
        return unreadable(error, parts->curve.length > 0
                                     ? "the public key in it does not belong to the private key"
                                     : "it does not name its curve, which is not P-256");
    return STIRKEEP_OK;
}

/* Fill the fixed form from the scalar. */
static enum stirkeep_status compose(const struct parts *parts, struct stk_private_key *key,
                                    struct stk_error *error)
{
    uint8_t *at = key->pkcs8.data;

    if (!place_scalar(parts->scalar, at + SCALAR_AT))
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "its private number has %zu bytes; P-256 has %d", parts->scalar.length,
                             STK_P256_SCALAR_LENGTH);
    if (!stk_p256_scalar_ok(at + SCALAR_AT))
        return unreadable(error, "its private number is not in the range of P-256");
    memcpy(at, pkcs8_head, sizeof(pkcs8_head));
    memcpy(at + SCALAR_AT + STK_P256_SCALAR_LENGTH, pkcs8_middle, sizeof(pkcs8_middle));
    if (!stk_p256_public_point(at + SCALAR_AT, at + POINT_AT) ||
        !stk_p256_spki((struct stk_bytes){at + POINT_AT, STK_P256_POINT_LENGTH}, key->spki))
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "no memory for the public key");
    key->pkcs8.length = PKCS8_LENGTH;
    stk_sha256(key->spki, sizeof(key->spki), key->id.bytes);
    return check_points(parts, key->spki, error);
}

enum stirkeep_status stk_key_from_plain(struct stk_bytes der, struct stk_bytes curve,
                                        struct stk_private_key *ret_key, struct stk_error *error)
{
    struct stk_private_key key = {0};
    struct parts parts = {0};
    enum stirkeep_status status = check_curve(curve, error);

    if (status != STIRKEEP_OK)
        return status;
    if (stk_file_kind_of(der) == STK_FILE_PKCS8)
        status = read_pkcs8(der, &parts, error);
    else
        status = read_sec1(der, &parts, error);
    if (status != STIRKEEP_OK)
        return status;
    if (parts.curve.length == 0)
        parts.curve = curve;
    if (stk_secret_new(&key.pkcs8, PKCS8_LENGTH) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "no memory");
    status = compose(&parts, &key, error);
    if (status == STIRKEEP_OK)
        *ret_key = key;
    else
        stk_secret_free(&key.pkcs8);
    return status;
}
