/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/kind.h"

#include "cert/der.h"
#include <stdio.h>
#include <string.h>

struct oid_name {
    const char *oid;
    const char *name;
};

static const struct oid_name curves[] = {
    {"1.2.840.10045.3.1.1", "P-192"},
    {"1.3.132.0.33", "P-224"},
    {"1.2.840.10045.3.1.7", "P-256"},
    {"1.3.132.0.34", "P-384"},
    {"1.3.132.0.35", "P-521"},
    {"1.3.132.0.10", "secp256k1"},
    {"1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"},
    {"1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"},
    {"1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"},
    {"1.2.156.10197.1.301", "SM2"},
};

static const struct oid_name algorithms[] = {
    {"1.2.840.113549.1.1.1", "RSA"},
    {"1.2.840.113549.1.1.10", "RSASSA-PSS"},
    {"1.2.840.10040.4.1", "DSA"},
    {"1.2.840.113549.1.3.1", "DH"},
    {"1.2.840.10046.2.1", "DH"},
    {"1.3.101.110", "X25519"},
    {"1.3.101.111", "X448"},
    {"1.3.101.112", "Ed25519"},
    {"1.3.101.113", "Ed448"},
    {"2.16.840.1.101.3.4.3.17", "ML-DSA-44"},
    {"2.16.840.1.101.3.4.3.18", "ML-DSA-65"},
    {"2.16.840.1.101.3.4.3.19", "ML-DSA-87"},
};

static const uint8_t oid_ec_public_key[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_prime256v1[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

static const char *name_of(const struct oid_name *names, size_t count, const char *oid)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i].oid, oid) == 0)
            return names[i].name;
    return NULL;
}

bool stk_algorithm_take(struct stk_bytes *in, struct stk_algorithm *ret_algorithm)
{
    struct stk_bytes rest = *in;
    struct stk_bytes inside = {0};
    struct stk_algorithm algorithm = {0};

    if (!stk_der_take(&rest, STK_DER_SEQUENCE, &inside) ||
        !stk_der_take(&inside, STK_DER_OID, &algorithm.oid) || algorithm.oid.length == 0)
        return false;
    if (inside.length > 0 && !stk_der_next(&inside, NULL, NULL, &algorithm.parameters))
        return false;
    if (inside.length > 0)
        return false;
    *in = rest;
    *ret_algorithm = algorithm;
    return true;
}

bool stk_algorithm_is_ec(const struct stk_algorithm *algorithm)
{
    return stk_bytes_are(algorithm->oid, oid_ec_public_key, sizeof(oid_ec_public_key));
}

bool stk_curve_is_p256(struct stk_bytes parameters)
{
    struct stk_bytes oid = {0};

    return stk_der_only(parameters, STK_DER_OID, &oid) &&
           stk_bytes_are(oid, oid_prime256v1, sizeof(oid_prime256v1));
}

bool stk_algorithm_is_p256(const struct stk_algorithm *algorithm)
{
    return stk_algorithm_is_ec(algorithm) && stk_curve_is_p256(algorithm->parameters);
}

/* Size of the prime field of explicit parameters (X9.62 SpecifiedECDomain); 0: not readable. */
static size_t explicit_field_bits(struct stk_bytes domain)
{
    struct stk_bytes field = {0};
    struct stk_bytes prime = {0};
    uint64_t version = 0;

    if (!stk_der_take_uint(&domain, &version) || !stk_der_take(&domain, STK_DER_SEQUENCE, &field) ||
        !stk_der_take(&field, STK_DER_OID, &prime) ||
        !stk_der_take(&field, STK_DER_INTEGER, &prime))
        return 0;
    return stk_der_bits(prime);
}

void stk_kind_of_curve(struct stk_bytes parameters, char ret_text[STK_KIND_TEXT])
{
    struct stk_bytes inside = {0};
    char oid[STK_OID_TEXT];
    const char *name = NULL;

    if (stk_der_only(parameters, STK_DER_SEQUENCE, &inside)) {
        (void)snprintf(ret_text, STK_KIND_TEXT,
                       "EC key with explicit curve parameters (%zu-bit field)",
                       explicit_field_bits(inside));
        return;
    }
    if (!stk_der_only(parameters, STK_DER_OID, &inside)) {
        (void)snprintf(ret_text, STK_KIND_TEXT, "EC key that does not name its curve");
        return;
    }
    stk_der_oid_text(inside, oid);
    name = name_of(curves, sizeof(curves) / sizeof(curves[0]), oid);
    (void)snprintf(ret_text, STK_KIND_TEXT, "EC %s%.60s key", name != NULL ? "" : "curve ",
                   name != NULL ? name : oid);
}

/* Size of the first number that is one: the modulus in RSAPublicKey {n, e} and RSAPrivateKey
 * {0, n, e, ...}, the prime in a traditional DSA key {0, p, ...}. */
static size_t first_number_bits(struct stk_bytes key)
{
    struct stk_bytes inside = {0};
    struct stk_bytes number = {0};

    if (!stk_der_only(key, STK_DER_SEQUENCE, &inside) ||
        !stk_der_take(&inside, STK_DER_INTEGER, &number))
        return 0;
    if (stk_der_bits(number) <= 1 && !stk_der_take(&inside, STK_DER_INTEGER, &number))
        return 0;
    return stk_der_bits(number);
}

/* Size of the prime that begins DSA and DH parameters. */
static size_t prime_bits(struct stk_bytes parameters)
{
    struct stk_bytes inside = {0};
    struct stk_bytes prime = {0};

    if (!stk_der_only(parameters, STK_DER_SEQUENCE, &inside) ||
        !stk_der_take(&inside, STK_DER_INTEGER, &prime))
        return 0;
    return stk_der_bits(prime);
}

void stk_kind_of_key(const struct stk_algorithm *algorithm, struct stk_bytes key,
                     char ret_text[STK_KIND_TEXT])
{
    char oid[STK_OID_TEXT];
    const char *name = NULL;
    size_t bits = 0;

    if (stk_algorithm_is_ec(algorithm)) {
        stk_kind_of_curve(algorithm->parameters, ret_text);
        return;
    }
    stk_der_oid_text(algorithm->oid, oid);
    name = name_of(algorithms, sizeof(algorithms) / sizeof(algorithms[0]), oid);
    if (name != NULL && name[0] == 'R')
        bits = first_number_bits(key);
    else if (name != NULL && name[0] == 'D')
        bits = prime_bits(algorithm->parameters);
    if (name == NULL)
        (void)snprintf(ret_text, STK_KIND_TEXT, "key of algorithm %.64s", oid);
    else if (bits > 0)
        (void)snprintf(ret_text, STK_KIND_TEXT, "%s %zu key", name, bits);
    else
        (void)snprintf(ret_text, STK_KIND_TEXT, "%s key", name);
}

void stk_kind_of_traditional(enum stk_file_kind kind, struct stk_bytes der,
                             char ret_text[STK_KIND_TEXT])
{
    (void)snprintf(ret_text, STK_KIND_TEXT, "%s %zu key", kind == STK_FILE_RSA_KEY ? "RSA" : "DSA",
                   first_number_bits(der));
}
