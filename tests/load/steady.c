/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A load that asks for nothing but what is right, verifies every signature that it is given with
 * OpenSSL, and says how well it was served while somebody disturbs the service:
 *
 *   steady SOCKET CERTIFICATES NAMES THREADS WINDOW DEADLINE-MS RATE FILE
 *
 * CERTIFICATES: directory with FINGERPRINT.pem for each x5u that ends so. NAMES: of certificates,
 * with commas. Every second thread has WINDOW requests under way at once, the others one. RATE:
 * requests a second of all threads. FILE: gets the origid of each signature, one a line. Ends at
 * SIGTERM; then one line of JSON on standard output. Exit status 1: a signature was wrong.
 */
#include "base/encode.h"
#include <assert.h>
#include <inttypes.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <stirkeep/client.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64
#define WINDOW_MAX 256
#define NAMES_MAX 16
#define KEYS_MAX 4096
#define STATUS_MAX 64
#define FINGERPRINT 64
#define SLOTS 20 /* of latencies: up to 2^n ms */

struct key {
    char fingerprint[FINGERPRINT + 1];
    EVP_PKEY *key;
};

/* One that is under way. */
struct asked {
    char origid[37];
    char dest[16];
    uint64_t began_us;
};

static const char *socket_path;
static const char *directory;
static const char *names[NAMES_MAX];
static size_t name_count;
static size_t window;
static uint32_t deadline_ms;
static uint64_t pause_us; /* between two requests of a thread */
static FILE *signed_file;
static atomic_bool over;

static pthread_mutex_t key_lock = PTHREAD_MUTEX_INITIALIZER;
static struct key keys[KEYS_MAX];
static size_t key_count;

static atomic_ullong asked_count;
static atomic_ullong signed_count;
static atomic_ullong wrong_count;
static atomic_ullong by_status[STATUS_MAX];
static atomic_ullong latencies[SLOTS + 1];
static atomic_ullong slowest_us;
static atomic_ullong last_signed_us;
static atomic_ullong longest_gap_us;

static uint64_t now_us(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void raise_to(atomic_ullong *most, uint64_t value)
{
    unsigned long long before = atomic_load(most);

    while (value > before && !atomic_compare_exchange_weak(most, &before, value))
        continue;
}

/* ---- verifying */

static EVP_PKEY *read_key(const char *fingerprint)
{
    char path[4096] = "";
    FILE *file = NULL;
    X509 *certificate = NULL;
    EVP_PKEY *key = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s.pem", directory, fingerprint);
    file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    certificate = PEM_read_X509(file, NULL, NULL, NULL);
    (void)fclose(file);
    if (certificate != NULL)
        key = X509_get_pubkey(certificate);
    X509_free(certificate);
    return key;
}

static EVP_PKEY *key_of(const char *fingerprint)
{
    EVP_PKEY *key = NULL;

    (void)pthread_mutex_lock(&key_lock);
    for (size_t i = key_count; i-- > 0 && key == NULL;)
        if (strcmp(keys[i].fingerprint, fingerprint) == 0)
            key = keys[i].key;
    if (key == NULL && key_count < KEYS_MAX) {
        key = read_key(fingerprint);
        if (key != NULL) {
            (void)snprintf(keys[key_count].fingerprint, sizeof(keys[0].fingerprint), "%s",
                           fingerprint);
            keys[key_count++].key = key;
        }
    }
    (void)pthread_mutex_unlock(&key_lock);
    return key;
}

static bool decode(const char *text, size_t length, char *ret_data, size_t capacity)
{
    size_t got = 0;

    if (!stk_base64url_decode(text, length, (uint8_t *)ret_data, capacity - 1, &got))
        return false;
    ret_data[got] = '\0';
    return true;
}

/* The 64 hexadecimal digits before ".pem" in the header's x5u. */
static bool fingerprint_of(const char *header, char ret_fingerprint[FINGERPRINT + 1])
{
    const char *end = strstr(header, ".pem\"");

    if (end == NULL || end - header < FINGERPRINT)
        return false;
    memcpy(ret_fingerprint, end - FINGERPRINT, FINGERPRINT);
    ret_fingerprint[FINGERPRINT] = '\0';
    return true;
}

static bool verifies(const char *text, size_t signed_length, const uint8_t raw[64], EVP_PKEY *key)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    BIGNUM *r = BN_bin2bn(raw, 32, NULL);
    BIGNUM *s = BN_bin2bn(raw + 32, 32, NULL);
    unsigned char *der = NULL;
    int der_length = 0;
    bool good = false;

    if (pair != NULL && context != NULL && r != NULL && s != NULL &&
        ECDSA_SIG_set0(pair, r, s) == 1) {
        der_length = i2d_ECDSA_SIG(pair, &der);
        good = der_length > 0 &&
               EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
               EVP_DigestVerify(context, der, (size_t)der_length, (const unsigned char *)text,
                                signed_length) == 1;
    }
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
    return good;
}

/* Why it is not what was asked for; NULL: it is. */
static const char *judge(const struct stirkeep_signature *signature, const struct asked *asked)
{
    const char *text = signature->identity;
    const char *first = memchr(text, '.', signature->passport_length);
    const char *second =
        first == NULL
            ? NULL
            : memchr(first + 1, '.', signature->passport_length - (size_t)(first + 1 - text));
    char header[4096] = "";
    char payload[4096] = "";
    char fingerprint[FINGERPRINT + 1] = "";
    char dest[64] = "";
    uint8_t raw[64] = {0};
    size_t raw_length = 0;
    EVP_PKEY *key = NULL;

    if (second == NULL || !decode(text, (size_t)(first - text), header, sizeof(header)) ||
        !decode(first + 1, (size_t)(second - first - 1), payload, sizeof(payload)) ||
        !stk_base64url_decode(second + 1, signature->passport_length - (size_t)(second + 1 - text),
                              raw, sizeof(raw), &raw_length) ||
        raw_length != sizeof(raw))
        return "it is no PASSporT";
    (void)snprintf(dest, sizeof(dest), "\"dest\":{\"tn\":[\"%s\"]}", asked->dest);
    if (strstr(payload, dest) == NULL || strstr(payload, asked->origid) == NULL)
        return "it is another call's";
    if (!fingerprint_of(header, fingerprint))
        return "its x5u names no certificate";
    key = key_of(fingerprint);
    if (key == NULL)
        return "its x5u names a certificate that nobody gave it";
    return verifies(text, (size_t)(second - text), raw, key) ? NULL : "it does not verify";
}

/* ---- answers */

static void count_latency(uint64_t us)
{
    unsigned slot = 0;

    while (slot < SLOTS && us > (1000ULL << slot))
        slot++;
    atomic_fetch_add(&latencies[slot], 1);
    raise_to(&slowest_us, us);
}

static void take(enum stirkeep_status status, const struct stirkeep_signature *signature,
                 const struct asked *asked, const char *message)
{
    const char *fault = status == STIRKEEP_OK ? judge(signature, asked) : NULL;
    uint64_t now = now_us();
    uint64_t before = 0;

    if ((unsigned)status < STATUS_MAX)
        atomic_fetch_add(&by_status[status], 1);
    if (status != STIRKEEP_OK) {
        (void)fprintf(stderr, "%s: %s\n", stirkeep_status_name(status), message);
        return;
    }
    if (fault != NULL) {
        atomic_fetch_add(&wrong_count, 1);
        (void)fprintf(stderr, "WRONG: %s: %s\n", fault, signature->identity);
        return;
    }
    atomic_fetch_add(&signed_count, 1);
    count_latency(now - asked->began_us);
    before = atomic_exchange(&last_signed_us, now);
    if (before != 0 && now > before)
        raise_to(&longest_gap_us, now - before);
    (void)fprintf(signed_file, "%s\n", asked->origid);
}

/* ---- asking */

static void compose(unsigned thread, uint64_t number, struct asked *ret_asked)
{
    (void)snprintf(ret_asked->origid, sizeof(ret_asked->origid), "%08x-%04x-4000-8000-%012" PRIx64,
                   (unsigned)getpid(), thread, number);
    (void)snprintf(ret_asked->dest, sizeof(ret_asked->dest), "1215%07" PRIu64, number % 10000000);
    ret_asked->began_us = now_us();
    atomic_fetch_add(&asked_count, 1);
}

static struct stirkeep_claims claims_of(const struct asked *asked, const char *const *dest)
{
    return (struct stirkeep_claims){.ppt = "shaken",
                                    .orig_tn = "12155551212",
                                    .dest_tn = dest,
                                    .dest_tn_count = 1,
                                    .attest = "A",
                                    .origid = asked->origid};
}

/* No faster than the rate, but not faster afterwards either, to catch up. */
static void keep_pace(uint64_t *due_us)
{
    uint64_t now = now_us();

    if (*due_us > now)
        (void)usleep((useconds_t)(*due_us - now));
    *due_us = (*due_us > now ? *due_us : now) + pause_us;
}

static void run_one_by_one(struct stirkeep_client *client, unsigned thread)
{
    uint64_t due_us = now_us();

    for (uint64_t number = 1; !atomic_load(&over); number++) {
        struct stirkeep_signature signature = {0};
        struct stirkeep_claims claims;
        const char *dest[1] = {NULL};
        struct asked asked;
        enum stirkeep_status status = STIRKEEP_OK;

        keep_pace(&due_us);
        compose(thread, number, &asked);
        dest[0] = asked.dest;
        claims = claims_of(&asked, dest);
        status = stirkeep_sign(client, names[number % name_count], &claims, &signature);
        take(status, &signature, &asked, stirkeep_client_error(client));
    }
}

static void fetch(struct stirkeep_client *client, int wait_ms, const struct asked *table,
                  bool *busy)
{
    struct stirkeep_answer answer = {0};

    if (stirkeep_fetch(client, wait_ms, &answer) != STIRKEEP_OK)
        return;
    assert(answer.tag < window && busy[answer.tag]);
    take(answer.status, &answer.signature, &table[answer.tag], answer.message);
    busy[answer.tag] = false;
}

static void run_pipelined(struct stirkeep_client *client, unsigned thread)
{
    static _Thread_local struct asked table[WINDOW_MAX];
    bool busy[WINDOW_MAX] = {false};
    uint64_t due_us = now_us();
    uint64_t number = 0;

    while (!atomic_load(&over) || stirkeep_under_way(client) > 0) {
        size_t place = 0;

        while (place < window && busy[place])
            place++;
        if (place == window || atomic_load(&over)) {
            fetch(client, 100, table, busy);
        } else if (now_us() < due_us && stirkeep_under_way(client) > 0) {
            fetch(client, 1, table, busy);
        } else {
            const char *dest[1] = {table[place].dest};
            struct stirkeep_claims claims;
            enum stirkeep_status status = STIRKEEP_OK;

            keep_pace(&due_us);
            compose(thread, ++number, &table[place]);
            claims = claims_of(&table[place], dest);
            status =
                stirkeep_submit(client, names[number % name_count], &claims, deadline_ms, place);
            busy[place] = status == STIRKEEP_OK;
            if (status != STIRKEEP_OK)
                take(status, NULL, &table[place], stirkeep_client_error(client));
        }
    }
}

static void *run(void *argument)
{
    unsigned thread = (unsigned)(uintptr_t)argument;
    struct stirkeep_client *client = NULL;

    if (stirkeep_client_new(socket_path, deadline_ms, &client) != STIRKEEP_OK)
        abort();
    if (thread % 2 == 0)
        run_one_by_one(client, thread);
    else
        run_pipelined(client, thread);
    stirkeep_client_free(client);
    return NULL;
}

/* ---- the whole */

static void print_figures(uint64_t took_us)
{
    uint64_t gap_us = now_us() - atomic_load(&last_signed_us);

    /* The end may be in the middle of one. */
    raise_to(&longest_gap_us, gap_us);
    (void)printf("{\"seconds\":%.1f,\"asked\":%llu,\"signed\":%llu,\"wrong\":%llu,"
                 "\"longest_gap_ms\":%.1f,\"slowest_ms\":%.1f,\"refused\":{",
                 (double)took_us / 1e6, atomic_load(&asked_count), atomic_load(&signed_count),
                 atomic_load(&wrong_count), (double)atomic_load(&longest_gap_us) / 1000,
                 (double)atomic_load(&slowest_us) / 1000);
    for (unsigned status = 1, any = 0; status < STATUS_MAX; status++)
        if (atomic_load(&by_status[status]) > 0)
            (void)printf("%s\"%s\":%llu", any++ > 0 ? "," : "",
                         stirkeep_status_name((enum stirkeep_status)status),
                         atomic_load(&by_status[status]));
    (void)printf("},\"up_to_ms\":{");
    for (unsigned slot = 0, any = 0; slot <= SLOTS; slot++)
        if (atomic_load(&latencies[slot]) > 0)
            (void)printf("%s\"%u\":%llu", any++ > 0 ? "," : "", 1u << slot,
                         atomic_load(&latencies[slot]));
    (void)printf("}}\n");
}

static unsigned long number_of(const char *text, unsigned long least, unsigned long most)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value < least || value > most) {
        (void)fprintf(stderr, "steady: not a number from %lu to %lu: %s\n", least, most, text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    unsigned long thread_count = 0;
    sigset_t ends;
    uint64_t began_us = 0;
    int number = 0;

    if (argc != 9) {
        (void)fprintf(stderr, "steady: SOCKET CERTIFICATES NAMES THREADS WINDOW DEADLINE-MS RATE "
                              "FILE\n");
        return 2;
    }
    socket_path = argv[1];
    directory = argv[2];
    for (char *rest = argv[3], *name = NULL; (name = strsep(&rest, ",")) != NULL;)
        if (name_count < NAMES_MAX)
            names[name_count++] = name;
    thread_count = number_of(argv[4], 1, THREADS_MAX);
    window = number_of(argv[5], 1, WINDOW_MAX);
    deadline_ms = (uint32_t)number_of(argv[6], 1, 600000);
    pause_us = 1000000ULL * thread_count / number_of(argv[7], 1, 1000000);
    signed_file = fopen(argv[8], "we");
    if (signed_file == NULL)
        return 2;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
    began_us = now_us();
    for (size_t i = 0; i < thread_count; i++)
        if (pthread_create(&threads[i], NULL, run, (void *)i) != 0)
            return 2;
    (void)sigwait(&ends, &number);
    atomic_store(&over, true);
    for (size_t i = 0; i < thread_count; i++)
        (void)pthread_join(threads[i], NULL);
    (void)fclose(signed_file);
    print_figures(now_us() - began_us);
    for (size_t i = 0; i < key_count; i++)
        EVP_PKEY_free(keys[i].key);
    return atomic_load(&wrong_count) > 0 ? 1 : 0;
}
