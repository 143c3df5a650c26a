/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/prepared.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define VERSION "OPENSSL_3.0.0" /* as in prepared.map */
#define EXPORTED __attribute__((visibility("default")))
#define STORE 2048

typedef EC_GROUP *(*curve_reader)(EC_GROUP **group, const unsigned char **in, long length);
typedef void (*curve_freer)(EC_GROUP *group);
typedef const EVP_CIPHER *(*cipher_getter)(void);
typedef int (*random_giver)(unsigned char *octets, int count);

/* P-256 as a named curve (RFC 5480, 2.1.1.1): what CKA_EC_PARAMS of each key here is. */
static const unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

/* Never freed, and never changed once they are there. */
static EC_GROUP *_Atomic curve;
static const EVP_CIPHER *_Atomic cipher;

static _Thread_local struct {
    bool signing;
    size_t left; /* at the end of `octets`; what was before them is given out */
    unsigned char octets[STORE];
} mine;

/* OpenSSL's own, which these stand before, into a pointer to a function (`size`: its size): C has no
 * cast to it. */
static bool find_own(void *_Atomic *found, const char *name, void *ret_function, size_t size)
{
    void *symbol = atomic_load_explicit(found, memory_order_acquire);

    if (symbol == NULL) {
        symbol = dlvsym(RTLD_NEXT, name, VERSION);
        atomic_store_explicit(found, symbol, memory_order_release);
    }
    memcpy(ret_function, &symbol, size);
    return symbol != NULL;
}

static EC_GROUP *read_curve(EC_GROUP **group, const unsigned char **in, long length)
{
    static void *_Atomic found;
    curve_reader own = NULL;

    return find_own(&found, "d2i_ECPKParameters", &own, sizeof(own)) ? own(group, in, length)
                                                                     : NULL;
}

EXPORTED EC_GROUP *d2i_ECPKParameters(EC_GROUP **group, const unsigned char **in, long length)
{
    EC_GROUP *made = atomic_load_explicit(&curve, memory_order_acquire);

    if (made == NULL || group != NULL || in == NULL || length != (long)sizeof(p256) ||
        memcmp(*in, p256, sizeof(p256)) != 0)
        return read_curve(group, in, length);
    if (!mine.signing)
        made = EC_GROUP_dup(made);
    if (made != NULL)
        *in += sizeof(p256);
    return made;
}

EXPORTED void EC_GROUP_free(EC_GROUP *group)
{
    static void *_Atomic found;
    curve_freer own = NULL;

    if (group != NULL && group != atomic_load_explicit(&curve, memory_order_relaxed) &&
        find_own(&found, "EC_GROUP_free", &own, sizeof(own)))
        own(group);
}

/* Called by OpenSSL itself too, while it starts. */
EXPORTED const EVP_CIPHER *EVP_aes_256_cbc(void)
{
    static void *_Atomic found;
    const EVP_CIPHER *made = atomic_load_explicit(&cipher, memory_order_acquire);
    cipher_getter own = NULL;

    if (made == NULL && find_own(&found, "EVP_aes_256_cbc", &own, sizeof(own)))
        made = own();
    return made;
}

static int make_random(unsigned char *octets, int count)
{
    static void *_Atomic found;
    random_giver own = NULL;

    return find_own(&found, "RAND_bytes", &own, sizeof(own)) ? own(octets, count) : 0;
}

EXPORTED int RAND_bytes(unsigned char *octets, int count)
{
    unsigned char *next = NULL;

    if (!mine.signing || count < 0 || count > STK_PREPARED_RANDOM_MAX)
        return make_random(octets, count);
    if (mine.left < (size_t)count) {
        mine.left = make_random(mine.octets, STORE) == 1 ? STORE : 0;
        if (mine.left == 0)
            return make_random(octets, count);
    }
    next = mine.octets + STORE - mine.left;
    memcpy(octets, next, (size_t)count);
    OPENSSL_cleanse(next, (size_t)count);
    mine.left -= (size_t)count;
    return 1;
}

void stk_prepared_make(void)
{
    const unsigned char *in = p256;

    if (atomic_load(&curve) == NULL)
        atomic_store(&curve, read_curve(NULL, &in, (long)sizeof(p256)));
    if (atomic_load(&cipher) == NULL)
        atomic_store(&cipher, EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL));
}

void stk_prepared_begin(void)
{
    mine.signing = true;
}

void stk_prepared_end(void)
{
    mine.signing = false;
}
