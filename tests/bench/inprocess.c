/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures a second where the key lies in this process's memory, with OpenSSL:
 *
 *   inprocess KEY.pem THREADS SECONDS          the key is read once
 *   inprocess KEY.pem THREADS SECONDS each     its PEM is parsed again for each signature
 *
 * ECDSA with P-256 over a digest that is there already. The PEM lies in memory: no file is read on
 * the way.
 */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_MAX 128
#define PEM_MAX 8192
#define SIGNATURE_ROOM 128

static struct {
    char pem[PEM_MAX];
    int length;
    bool each;
    atomic_bool stop;
} bench;

struct worker {
    pthread_t thread;
    uint64_t signatures;
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "inprocess: %s failed\n", what);
    exit(1);
}

static EVP_PKEY_CTX *context_of(void)
{
    BIO *bio = BIO_new_mem_buf(bench.pem, bench.length);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_PKEY_CTX *context = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;

    must(context != NULL && EVP_PKEY_sign_init(context) == 1, "reading the key");
    EVP_PKEY_free(key);
    BIO_free(bio);
    return context;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    EVP_PKEY_CTX *context = context_of();
    unsigned char digest[32] = {0};
    unsigned char signature[SIGNATURE_ROOM];

    while (!atomic_load_explicit(&bench.stop, memory_order_relaxed)) {
        size_t length = sizeof(signature);

        if (bench.each) {
            EVP_PKEY_CTX_free(context);
            context = context_of();
        }
        memcpy(digest, &worker->signatures, sizeof(worker->signatures));
        must(EVP_PKEY_sign(context, signature, &length, digest, sizeof(digest)) == 1, "signing");
        worker->signatures++;
    }
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments)
{
    static struct worker workers[THREADS_MAX];
    int threads = count >= 4 ? atoi(arguments[2]) : 0;
    double seconds = count >= 4 ? atof(arguments[3]) : 0;
    FILE *file = count >= 4 ? fopen(arguments[1], "r") : NULL;
    uint64_t total = 0;
    double begin = 0;

    if (threads < 1 || threads > THREADS_MAX || seconds <= 0 || file == NULL) {
        (void)fprintf(stderr, "usage: inprocess KEY.pem THREADS SECONDS [each]\n");
        return 2;
    }
    bench.length = (int)fread(bench.pem, 1, sizeof(bench.pem), file);
    (void)fclose(file);
    bench.each = count == 5 && strcmp(arguments[4], "each") == 0;
    begin = now();
    for (int i = 0; i < threads; i++)
        must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "a thread");
    while (now() - begin < seconds)
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    atomic_store(&bench.stop, true);
    for (int i = 0; i < threads; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        total += workers[i].signatures;
    }
    (void)printf("%.0f\n", (double)total / (now() - begin));
    return 0;
}
