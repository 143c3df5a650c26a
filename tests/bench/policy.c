/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a decision costs of a signature, and what a large policy takes: NUMBERS attestation rules
 * and GRANTS grants, all of which the peer has. A decision is stk_usage_decide and
 * stk_usage_charge, with a rate and a quota on the grant and on the certificate; a signature is
 * ECDSA on P-256 by libcrypto over a digest, in the same process and in turns with it.
 *
 *   policy [NUMBERS [GRANTS]]       fails when a decision costs 2 % of a signature or more
 */
#include "policy/policy.h"
#include "base/clock.h"
#include "policy/usage.h"
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NUMBERS 1000000
#define GRANTS 200
#define PATTERNS 1024 /* of each grant where they differ by numbers */
#define ASKED 65536   /* numbers that are asked for, spread over all */
#define ROUNDS 51
#define LIMIT 0.02
#define DECISIONS 20000 /* a round */
#define SIGNATURES 300
#define PEER 1000

/* How the grants differ, so that only the last one allows what is asked; or all allow it, and of
 * all but the last one nothing is left. */
enum shape {
    SHAPE_ALONE,    /* the peer has but one grant */
    SHAPE_NAMES,    /* by the certificate's name */
    SHAPE_PATTERNS, /* by a pattern for it, with a '*' in the middle */
    SHAPE_TYPES,    /* by the type of PASSporT */
    SHAPE_ATTESTS,
    SHAPE_NUMBERS, /* by PATTERNS numbers, ranges and prefixes each */
    SHAPE_USED_UP, /* their quotas are used up */
    SHAPE_TRICKLE, /* their buckets are empty, and for each decision one of them has a token again */
    SHAPE_REFUSED, /* the last one's quota is used up, too: nothing is signed, and the reason is
                      spelled out, so it is shown without a limit */
    SHAPES
};
static const char *const shape_names[] = {"alone",   "names",   "patterns", "types",  "attests",
                                          "numbers", "used-up", "trickle",  "refused"};

struct bench {
    size_t numbers;
    size_t grants;
    uint64_t seed;
    const char *csv_name;
    struct stk_rules *rules;
    char (*asked)[STK_TN_MAX + 1];
    EVP_PKEY *key;
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    (void)fprintf(stderr, "policy: %s\n", what);
    exit(1);
}

static uint64_t any(struct bench *bench, uint64_t below)
{
    bench->seed = bench->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (bench->seed >> 20) % below;
}

static double seconds_since(uint64_t start_us)
{
    return (double)(stk_clock_mono_us() - start_us) / 1e6;
}

/* Of this thread alone, in nanoseconds: what others of the host take does not count. */
static double used_ns(void)
{
    struct timespec time = {0};

    must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0, "clock_gettime");
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static size_t resident(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    (void)malloc_trim(0);
    must(file != NULL && fscanf(file, "%*u %lu", &pages) == 1, "/proc/self/statm");
    (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* The number at a place: all differ, in no order. An odd factor permutes what is below 2^30. */
static uint64_t number_at(size_t place)
{
    return 12000000000ULL + ((place * 0x2545f491ULL + 12345) & 0x3fffffff);
}

/* ---- the rules */

static char *make_csv(const struct bench *bench, size_t *ret_length)
{
    static const char *const levels[] = {"A", "A", "B", "A"};
    char *text = malloc(bench->numbers * 16 + 64);
    size_t length = 0;

    must(text != NULL, "out of memory");
    length = (size_t)sprintf(text, "number,level\n");
    for (size_t i = 0; i < bench->numbers; i++)
        length += (size_t)sprintf(text + length, "%" PRIu64 ",%s\n", number_at(i), levels[i & 3]);
    *ret_length = length;
    return text;
}

/* As the porter hands it to front: a sealed memfd, mapped. */
static struct stk_bytes mapped(const struct stk_buffer *image)
{
    int fd = memfd_create("rules", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct stk_bytes bytes = {.length = image->length};
    size_t done = 0;

    must(fd >= 0, "memfd_create");
    while (done < image->length) {
        ssize_t count = write(fd, image->data + done, image->length - done);
        must(count > 0, "write");
        done += (size_t)count;
    }
    must(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0,
         "seals");
    bytes.data = mmap(NULL, image->length, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    must(bytes.data != MAP_FAILED, "mmap");
    (void)close(fd);
    return bytes;
}

static void load_rules(struct bench *bench)
{
    struct stk_error error = {0};
    struct stk_buffer image = {0};
    size_t length = 0;
    char *text = make_csv(bench, &length);
    struct stk_rules_draft *draft = stk_rules_draft_new();
    uint64_t start = stk_clock_mono_us();
    double reading = 0;
    double building = 0;

    must(draft != NULL, "out of memory");
    must(stk_rules_draft_csv(draft, text, length, "attest.csv", &error) == STIRKEEP_OK,
         error.message);
    reading = seconds_since(start);
    start = stk_clock_mono_us();
    must(stk_rules_build(draft, &image, &error) == STIRKEEP_OK, error.message);
    building = seconds_since(start);
    must(stk_rules_open(mapped(&image), &bench->rules, &error) == STIRKEEP_OK, error.message);
    (void)printf("{\"rules\": %zu, \"csv_bytes\": %zu, \"read_s\": %.3f, \"build_s\": %.3f, "
                 "\"image_bytes\": %zu, \"bytes_per_rule\": %.2f}\n",
                 stk_rules_count(bench->rules), length, reading, building, image.length,
                 (double)image.length / (double)bench->numbers);
    stk_rules_draft_free(draft);
    stk_buffer_free(&image);
    free(text);
}

/* ---- the grants */

static void one_pattern(struct bench *bench, size_t i, struct stk_number_pattern *pattern)
{
    char text[64] = "";
    uint64_t at = 20000000000ULL + any(bench, 70000000000ULL);
    struct stk_error error = {0};

    if (i % 4 == 0)
        (void)snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu64, at, at + any(bench, 100000));
    else if (i % 4 == 1)
        (void)snprintf(text, sizeof(text), "%" PRIu64 "*", at / 10000);
    else
        (void)snprintf(text, sizeof(text), "%" PRIu64, at);
    must(stk_number_pattern_read(text, "orig", pattern, &error) == STIRKEEP_OK, error.message);
}

static void add_grant(struct bench *bench, struct stk_policy *policy, enum shape shape,
                      size_t index, bool last)
{
    static const uid_t uid = PEER;
    static struct stk_number_pattern patterns[PATTERNS];
    char certificate[STK_NAME_MAX + 1] = "Carrier-Exchange-*";
    const char *certificates = certificate;
    struct stk_grant grant = {.uids = &uid,
                              .uid_count = 1,
                              .certificates = &certificates,
                              .certificate_count = 1,
                              .ppts = STK_PPT_SHAKEN,
                              .attests = 7,
                              .rate = {.rate = 4000000000U, .quota = UINT64_MAX}};
    struct stk_error error = {0};

    (void)snprintf(grant.name, sizeof(grant.name), "kamailio-%zu", index);
    if (shape == SHAPE_NAMES || shape == SHAPE_PATTERNS)
        (void)snprintf(certificate, sizeof(certificate),
                       shape == SHAPE_NAMES ? "Carrier-Exchange-%zu" : "Carrier-*-%zu", index);
    if (shape == SHAPE_TYPES && !last)
        grant.ppts = STK_PPT_DIV;
    if (shape == SHAPE_ATTESTS && !last)
        grant.attests = 6;
    if (shape == SHAPE_NUMBERS) {
        for (size_t i = 0; i < PATTERNS; i++)
            one_pattern(bench, i, &patterns[i]);
        if (last)
            must(stk_number_pattern_read("1*", "orig", &patterns[0], &error) == STIRKEEP_OK, "1*");
        grant.numbers = patterns;
        grant.number_count = PATTERNS;
    }
    if ((shape == SHAPE_USED_UP && !last) || shape == SHAPE_REFUSED)
        grant.rate.quota = 1;
    if (shape == SHAPE_TRICKLE && !last) /* the clock goes on by 1 us with each decision */
        grant.rate = (struct stk_rate){.rate = (uint32_t)(1000000 / bench->grants + 1), .burst = 1};
    must(stk_policy_add(policy, &grant, &error) == STIRKEEP_OK, error.message);
}

static struct stk_policy *make_policy(struct bench *bench, enum shape shape)
{
    struct stk_policy *policy = NULL;
    size_t count = shape == SHAPE_ALONE ? 1 : bench->grants;
    struct stk_certificate_limit limit = {.pattern = "*",
                                          .rate = {.rate = 4000000000U, .quota = UINT64_MAX}};
    struct stk_error error = {0};

    must(stk_policy_new(&policy) == STIRKEEP_OK, "out of memory");
    for (size_t i = 0; i < count; i++)
        add_grant(bench, policy, shape, i, i + 1 == count);
    must(stk_policy_limit(policy, &limit, &error) == STIRKEEP_OK, error.message);
    stk_policy_attest_rules(policy, bench->rules, true, "attest.csv");
    return policy;
}

/* ---- one turn each */

struct desk {
    struct stk_policy *policy;
    struct stk_grants *grants;
    struct stk_usage *usage;
    char name[STK_NAME_MAX + 1];
    size_t next;
    enum stirkeep_status expected;
};

/* Nanoseconds for one. */
static double decide(struct bench *bench, struct desk *desk, size_t count)
{
    struct stk_claims claims = {.ppt = STK_PPT_SHAKEN, .attest = 'A'};
    struct stk_question question = {.name = desk->name, .claims = &claims};
    uint64_t now_us = stk_clock_mono_us();
    double start = used_ns();

    for (size_t i = 0; i < count; i++) {
        struct stk_decision decision = {0};
        struct stk_error error = {0};

        claims.orig_tn = bench->asked[desk->next++ % ASKED];
        if (stk_usage_decide(desk->usage, desk->policy, desk->grants, &question, now_us + i,
                             1764100000, &decision, &error) != STIRKEEP_OK ||
            stk_usage_charge(desk->usage, desk->policy, desk->grants, &question, 1, now_us + i,
                             1764100000, &decision, &error) != desk->expected)
            must(false, "a decision went the other way");
        if (desk->expected == STIRKEEP_OK && decision.lowered != (decision.attest == 'B'))
            must(false, "a level went the other way");
    }
    return (used_ns() - start) / (double)count;
}

static double sign(struct bench *bench, size_t count)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(bench->key, NULL);
    unsigned char digest[STK_DIGEST_LENGTH] = "digest";
    unsigned char signature[80] = "";
    double start = 0;

    must(context != NULL && EVP_PKEY_sign_init(context) == 1, "EVP_PKEY_sign_init");
    start = used_ns();
    for (size_t i = 0; i < count; i++) {
        size_t length = sizeof(signature);

        memcpy(digest, &i, sizeof(i));
        must(EVP_PKEY_sign(context, signature, &length, digest, sizeof(digest)) == 1,
             "EVP_PKEY_sign");
    }
    EVP_PKEY_CTX_free(context);
    return (used_ns() - start) / (double)count;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof(*values), compare);
    return values[ROUNDS / 2];
}

/* Beforehand, as often as there are grants that have but one. */
static void use_up(struct bench *bench, struct desk *desk, enum shape shape)
{
    if (shape < SHAPE_USED_UP)
        return;
    (void)decide(bench, desk, shape == SHAPE_REFUSED ? bench->grants : bench->grants - 1);
    if (shape == SHAPE_REFUSED)
        desk->expected = STIRKEEP_RATE_LIMITED;
}

static bool measure(struct bench *bench, enum shape shape)
{
    size_t before = resident();
    uint64_t start = stk_clock_mono_us();
    struct desk desk = {.policy = make_policy(bench, shape), .usage = stk_usage_new()};
    size_t count = stk_policy_grant_count(desk.policy);
    struct stk_who who = {.uid = PEER};
    double decisions[ROUNDS];
    double signatures[ROUNDS];
    double ratios[ROUNDS];
    double building = 0;
    double ratio = 0;

    desk.grants = stk_policy_grants_for(desk.policy, &who);
    must(desk.grants != NULL && desk.grants->count == count, "the peer has not all grants");
    must(stk_usage_adopt(desk.usage, desk.policy) == STIRKEEP_OK, "out of memory");
    building = seconds_since(start);
    (void)snprintf(desk.name, sizeof(desk.name), "Carrier-Exchange-%zu", count - 1);
    use_up(bench, &desk, shape);
    for (size_t i = 0; i < ROUNDS; i++) {
        signatures[i] = sign(bench, SIGNATURES);
        decisions[i] = decide(bench, &desk, DECISIONS);
        ratios[i] = decisions[i] / signatures[i];
    }
    ratio = median(ratios);
    (void)printf("{\"shape\": \"%s\", \"grants\": %zu, \"build_s\": %.3f, \"memory_bytes\": %zu, "
                 "\"decision_ns\": %.0f, \"signature_ns\": %.0f, \"ratio\": %.4f}\n",
                 shape_names[shape], count, building, resident() - before, median(decisions),
                 median(signatures), ratio);
    free(desk.grants);
    stk_policy_free(desk.policy);
    stk_usage_free(desk.usage);
    if (shape == SHAPE_REFUSED)
        return true;
    if (ratio >= LIMIT)
        (void)fprintf(stderr, "policy: %s: a decision costs %.1f %% of a signature\n",
                      shape_names[shape], ratio * 100);
    return ratio < LIMIT;
}

int main(int argc, char **argv)
{
    struct bench bench = {.numbers = argc > 1 ? strtoul(argv[1], NULL, 10) : NUMBERS,
                          .grants = argc > 2 ? strtoul(argv[2], NULL, 10) : GRANTS,
                          .seed = 1,
                          .key = EVP_EC_gen("P-256")};
    size_t before = 0;
    bool good = true;

    must(bench.key != NULL, "EVP_EC_gen");
    must(bench.numbers > 0 && bench.grants > 1 && bench.grants <= STK_GRANTS_MAX,
         "usage: policy [NUMBERS [GRANTS]]");
    bench.asked = calloc(ASKED, sizeof(*bench.asked));
    must(bench.asked != NULL, "out of memory");
    for (size_t i = 0; i < ASKED; i++)
        (void)snprintf(bench.asked[i], sizeof(bench.asked[i]), "%" PRIu64,
                       number_at(any(&bench, bench.numbers)));
    (void)sign(&bench, 1);
    before = resident();
    load_rules(&bench);
    (void)printf("{\"rules_memory_bytes\": %zu}\n", resident() - before);
    for (enum shape shape = SHAPE_ALONE; shape < SHAPES; shape++)
        good = measure(&bench, shape) && good;
    return good ? 0 : 1;
}
