/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/prepared.h"

#include <dlfcn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <string.h>

#define VERSION "OPENSSL_3.0.0" /* as in prepared.map */
#define EXPORTED __attribute__((visibility("default")))

typedef EC_GROUP *(*curve_reader)(EC_GROUP **group, const unsigned char **in, long length);
typedef const EVP_CIPHER *(*cipher_getter)(void);

/* P-256 as a named curve (RFC 5480, 2.1.1.1): what CKA_EC_PARAMS of each key here is. */
static const unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

/* Never freed, and never changed once they are there. */
static const EC_GROUP *_Atomic curve;
static const EVP_CIPHER *_Atomic cipher;

/* OpenSSL's own, which these stand before. C has no cast from object to function. */
static curve_reader own_curve_reader(void)
{
    void *symbol = dlvsym(RTLD_NEXT, "d2i_ECPKParameters", VERSION);
    curve_reader reader = NULL;

    memcpy(&reader, &symbol, sizeof(reader));
    return reader;
}

static cipher_getter own_cipher_getter(void)
{
    void *symbol = dlvsym(RTLD_NEXT, "EVP_aes_256_cbc", VERSION);
    cipher_getter getter = NULL;

    memcpy(&getter, &symbol, sizeof(getter));
    return getter;
}

EXPORTED EC_GROUP *d2i_ECPKParameters(EC_GROUP **group, const unsigned char **in, long length)
{
    const EC_GROUP *made = atomic_load_explicit(&curve, memory_order_acquire);
    curve_reader reader = NULL;
    EC_GROUP *copy = NULL;

    if (made != NULL && group == NULL && in != NULL && length == (long)sizeof(p256) &&
        memcmp(*in, p256, sizeof(p256)) == 0) {
        copy = EC_GROUP_dup(made);
        if (copy != NULL)
            *in += sizeof(p256);
        return copy;
    }
    reader = own_curve_reader();
    return reader == NULL ? NULL : reader(group, in, length);
}

/* Called by OpenSSL itself too, while it starts. */
EXPORTED const EVP_CIPHER *EVP_aes_256_cbc(void)
{
    const EVP_CIPHER *made = atomic_load_explicit(&cipher, memory_order_acquire);
    cipher_getter getter = made == NULL ? own_cipher_getter() : NULL;

    return getter == NULL ? made : getter();
}

void stk_prepared_make(void)
{
    const unsigned char *in = p256;
    curve_reader reader = own_curve_reader();

    if (atomic_load(&curve) == NULL && reader != NULL)
        atomic_store(&curve, reader(NULL, &in, (long)sizeof(p256)));
    if (atomic_load(&cipher) == NULL)
        atomic_store(&cipher, EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL));
}
