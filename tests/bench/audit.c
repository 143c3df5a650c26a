/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a record costs: the writer's time for each, by batches of one and of sixteen, and how many a
 * second a verifier reads, with which memory. One line of JSON.
 *
 *   audit DIRECTORY [RECORDS]
 *
 * CPU seconds beside those of the clock, since others may be at work on the machine. The directory
 * should be in memory (/dev/shm) to tell this code's cost from the disk's.
 */
#include "audit/trail.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "base/digest.h"
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#define BATCH_MAX 16
#define SEAL_EVERY 100000
#define PACK_BLOCK ((size_t)1024 * 1024)

static EVP_PKEY *key;
static uint8_t spki[1][STK_SPKI_LENGTH];

static void must(bool good, const char *what, const struct stk_error *error)
{
    if (good)
        return;
    (void)fprintf(stderr, "audit: %s: %s\n", what, error != NULL ? error->message : "failed");
    exit(1);
}

struct clocks {
    double wall;
    double cpu;
};

static double seconds_of(clockid_t which)
{
    struct timespec time = {0};

    (void)clock_gettime(which, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct clocks now(void)
{
    return (struct clocks){seconds_of(CLOCK_MONOTONIC), seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct clocks since(struct clocks begin)
{
    struct clocks end = now();

    return (struct clocks){end.wall - begin.wall, end.cpu - begin.cpu};
}

/* As the keeper writes it when a call is signed. */
static struct stk_record sign_record(uint64_t number)
{
    static const struct stk_key_id key_id = {{0xab, 0xcd, 0xef, 0x01}};
    static const struct stk_peer peer = {.uid = 998, .gid = 998, .pid = 412345};
    static const char *const dest[] = {"12155550131"};
    static uint8_t digest[STK_DIGEST_LENGTH];

    stk_sha256(&number, sizeof(number), digest);
    return (struct stk_record){.act = "sign",
                               .outcome = "ok",
                               .name = "carrier-example-com",
                               .generation = 2,
                               .key_id = &key_id,
                               .ppt = "shaken",
                               .orig = "12155550121",
                               .dest = dest,
                               .dest_count = 1,
                               .attest = "A",
                               .origid = "123e4567-e89b-12d3-a456-426655440000",
                               .iat = 1764100000 + (int64_t)(number / 1000),
                               .peer = &peer,
                               .grant = "kamailio-edge",
                               .request_id = number,
                               .signature_digest = digest};
}

static void make_key(void)
{
    uint8_t *at = spki[0];

    key = EVP_EC_gen("P-256");
    must(key != NULL && i2d_PUBKEY(key, NULL) == STK_SPKI_LENGTH &&
             i2d_PUBKEY(key, &at) == STK_SPKI_LENGTH,
         "key", NULL);
}

static void sign_seal(struct stk_seal *seal)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    uint8_t digest[STK_DIGEST_LENGTH];
    uint8_t der[80];
    const uint8_t *at = der;
    size_t length = sizeof(der);
    ECDSA_SIG *pair = NULL;

    stk_clock_text(stk_clock_real_us(), seal->time);
    stk_sha256(spki[0], STK_SPKI_LENGTH, seal->key_id.bytes);
    stk_seal_digest(seal, digest);
    must(EVP_PKEY_sign_init(context) == 1 &&
             EVP_PKEY_sign(context, der, &length, digest, sizeof(digest)) == 1,
         "signature", NULL);
    pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    must(pair != NULL, "signature", NULL);
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(pair), seal->signature, STK_SIGNATURE_LENGTH / 2);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(pair), seal->signature + STK_SIGNATURE_LENGTH / 2,
                       STK_SIGNATURE_LENGTH / 2);
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX_free(context);
}

static struct clocks seal(struct stk_trail *trail)
{
    struct stk_error error = {0};
    struct stk_seal made = {0};
    struct clocks begin = {0};

    must(stk_trail_sync(trail, &error) == STIRKEEP_OK, "sync", &error);
    begin = now();
    must(stk_trail_seal_begin(trail, &made), "nothing to seal", NULL);
    sign_seal(&made);
    must(stk_trail_seal_end(trail, &made, stk_clock_real_us(), NULL, &error) == STIRKEEP_OK, "seal",
         &error);
    return since(begin);
}

static struct stk_trail *open_new(const char *path, enum stk_trail_sync sync)
{
    struct stk_trail *trail = NULL;
    struct stk_error error = {0};

    (void)unlink(path);
    must(stk_trail_open(path, sync, stk_clock_real_us(), &trail, &error) == STIRKEEP_OK, "open",
         &error);
    return trail;
}

static void append(struct stk_trail *trail, uint64_t first, size_t batch)
{
    struct stk_record records[BATCH_MAX];
    struct stk_error error = {0};

    for (size_t i = 0; i < batch; i++)
        records[i] = sign_record(first + i);
    must(stk_trail_append(trail, records, batch, stk_clock_real_us(), &error) == STIRKEEP_OK,
         "append", &error);
}

static void bench_append(const char *path, enum stk_trail_sync sync, const char *name, size_t batch,
                         uint64_t records)
{
    struct stk_trail *trail = open_new(path, sync);
    struct clocks begin = now();
    struct clocks took = {0};

    for (uint64_t i = 0; i < records; i += batch)
        append(trail, i, batch);
    took = since(begin);
    stk_trail_close(trail);
    (void)unlink(path);
    (void)printf("{\"sync\":\"%s\",\"batch\":%zu,\"ns\":%.0f,\"cpu_ns\":%.0f}", name, batch,
                 took.wall / (double)records * 1e9, took.cpu / (double)records * 1e9);
}

/* A trail with a seal every SEAL_EVERY records; returns its bytes. */
static uint64_t make_trail(const char *path, uint64_t records, struct clocks *ret_sealing)
{
    struct stk_trail *trail = open_new(path, STK_TRAIL_NONE);
    uint64_t bytes = 0;
    int64_t begun = 0;

    for (uint64_t i = 0; i < records; i += BATCH_MAX) {
        append(trail, i, BATCH_MAX);
        if ((i + BATCH_MAX) % SEAL_EVERY < BATCH_MAX)
            *ret_sealing = seal(trail);
    }
    stk_trail_extent(trail, &bytes, &begun);
    stk_trail_close(trail);
    return bytes;
}

static void pack(const char *path, const char *packed)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    FILE *from = fopen(path, "rbe");
    FILE *to = fopen(packed, "wbe");
    char *in = malloc(PACK_BLOCK);
    char *out = malloc(PACK_BLOCK);
    size_t got = 0;
    size_t left = 0;

    must(context != NULL && from != NULL && to != NULL && in != NULL && out != NULL, packed, NULL);
    do {
        ZSTD_inBuffer input = {.src = in};

        got = fread(in, 1, PACK_BLOCK, from);
        input.size = got;
        do {
            ZSTD_outBuffer output = {.dst = out, .size = PACK_BLOCK};

            left = ZSTD_compressStream2(context, &output, &input,
                                        got == 0 ? ZSTD_e_end : ZSTD_e_continue);
            must(!ZSTD_isError(left) && fwrite(out, 1, output.pos, to) == output.pos, packed, NULL);
        } while (got == 0 ? left != 0 : input.pos < input.size);
    } while (got > 0);
    (void)fclose(from);
    must(fclose(to) == 0, packed, NULL);
    (void)ZSTD_freeCCtx(context);
    free(in);
    free(out);
}

/* In a process of its own, whose memory is the verifier's alone. */
static void bench_verify(const char *name, const char *path)
{
    static const struct stk_verifier_options with_key = {
        .keys = (const uint8_t(*)[STK_SPKI_LENGTH])spki, .key_count = 1};
    struct stk_verifier *verifier = NULL;
    struct stk_verdict verdict = {0};
    struct stk_error error = {0};
    struct clocks begin = now();
    struct clocks took = {0};
    struct rusage usage = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    must(fd >= 0, path, NULL);
    must(stk_verifier_new(&with_key, &verifier, &error) == STIRKEEP_OK, "verifier", &error);
    must(stk_verifier_file(verifier, fd, path, &error) == STIRKEEP_OK, path, &error);
    must(stk_verifier_end(verifier, &verdict, &error) == STIRKEEP_OK, path, &error);
    took = since(begin);
    stk_verifier_free(verifier);
    (void)close(fd);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("{\"of\":\"%s\",\"records\":%" PRIu64 ",\"seals\":%" PRIu64
                 ",\"per_second\":%.0f,\"per_cpu_second\":%.0f,\"memory_kib\":%ld}",
                 name, verdict.records, verdict.seals, (double)verdict.records / took.wall,
                 (double)verdict.records / took.cpu, usage.ru_maxrss);
}

static void verify_in_child(const char *name, const char *path)
{
    int status = 0;
    pid_t child = 0;

    (void)fflush(stdout);
    child = fork();
    if (child == 0) {
        bench_verify(name, path);
        (void)fflush(stdout);
        _exit(0);
    }
    must(child > 0 && waitpid(child, &status, 0) == child && status == 0, name, NULL);
}

int main(int argc, char **argv)
{
    uint64_t records = argc == 3 ? strtoull(argv[2], NULL, 10) : 1000000;
    char path[PATH_MAX - 8] = "";
    char packed[PATH_MAX] = "";
    struct clocks sealing = {0};
    uint64_t bytes = 0;

    if (argc < 2 || argc > 3 || argv[1][0] != '/' || records < SEAL_EVERY) {
        (void)fprintf(stderr, "usage: audit DIRECTORY [RECORDS], %d at least\n", SEAL_EVERY);
        return 2;
    }
    (void)snprintf(path, sizeof(path), "%s/bench-audit.jsonl", argv[1]);
    (void)snprintf(packed, sizeof(packed), "%s.zst", path);
    make_key();
    /* First the small trail, so that the children's memory tells whether it grows with the trail. */
    bytes = make_trail(path, records / 10, &sealing);
    (void)printf("{\"verify\":[");
    verify_in_child("a tenth", path);
    bytes = make_trail(path, records, &sealing);
    (void)printf(",");
    verify_in_child("plain", path);
    pack(path, packed);
    (void)printf(",");
    verify_in_child("zstd", packed);
    (void)unlink(packed);
    (void)printf("],\"bytes_per_record\":%.0f,\"seal_ms_per_%d\":%.1f,\"append\":[",
                 (double)bytes / (double)records, SEAL_EVERY, sealing.wall * 1e3);
    bench_append(path, STK_TRAIL_NONE, "none", 1, records);
    (void)printf(",");
    bench_append(path, STK_TRAIL_NONE, "none", BATCH_MAX, records);
    (void)printf(",");
    bench_append(path, STK_TRAIL_INTERVAL, "interval", 1, records);
    (void)printf(",");
    bench_append(path, STK_TRAIL_INTERVAL, "interval", BATCH_MAX, records);
    (void)printf("]}\n");
    EVP_PKEY_free(key);
    return 0;
}
