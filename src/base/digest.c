/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;

static void free_context(void *context)
{
    EVP_MD_CTX_free(context);
}

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (sha256 == NULL || pthread_key_create(&context_key, free_context) != 0)
        abort();
}

/* One context per thread, kept: fetching and allocating cost more than the digest itself. */
static EVP_MD_CTX *context_of_thread(void)
{
    EVP_MD_CTX *context = NULL;

    (void)pthread_once(&sha256_once, fetch_sha256);
    context = pthread_getspecific(context_key);
    if (context == NULL) {
        context = EVP_MD_CTX_new();
        if (context == NULL || pthread_setspecific(context_key, context) != 0)
            abort();
    }
    return context;
}

void stk_sha256_two(const void *first, size_t first_length, const void *second,
                    size_t second_length, uint8_t ret_digest[STK_DIGEST_LENGTH])
{
    EVP_MD_CTX *context = context_of_thread();

    if (EVP_DigestInit_ex2(context, sha256, NULL) != 1 ||
        EVP_DigestUpdate(context, first, first_length) != 1 ||
        EVP_DigestUpdate(context, second, second_length) != 1 ||
        EVP_DigestFinal_ex(context, ret_digest, NULL) != 1)
        abort();
}

void stk_sha256(const void *data, size_t length, uint8_t ret_digest[STK_DIGEST_LENGTH])
{
    stk_sha256_two(data, length, NULL, 0, ret_digest);
}

void stk_random(void *ret_data, size_t length)
{
    uint8_t *at = ret_data;

    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        at += got;
        length -= (size_t)got;
    }
}
