/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures by many certificates, called PREFIX0, PREFIX1 and so on, with the public library.
 *
 *   load SOCKET PREFIX NAMES each                          one after the other, each name once
 *   load SOCKET PREFIX NAMES for SECONDS WINDOW            as many as can be had, the names in no
 *                                                          order, WINDOW requests under way
 * Prints one line of JSON.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <stirkeep/client.h>

#define TIMEOUT_MS 10000
#define NAME_ROOM 80
#define NAMES_MAX 1000000

static const char *const dest = "12155551213";
static const struct stirkeep_claims claims = {
    .ppt = "shaken", .orig_tn = "12155551212", .dest_tn = &dest, .dest_tn_count = 1, .attest = "A"};

struct load {
    struct stirkeep_client *client;
    const char *prefix;
    unsigned names;
    uint64_t seed;
    uint64_t signatures;
    uint64_t failures;
};

static uint64_t now_us(void)
{
    struct timespec time = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static const char *name_of(const struct load *load, unsigned number, char name[NAME_ROOM])
{
    (void)snprintf(name, NAME_ROOM, "%s%u", load->prefix, number);
    return name;
}

static unsigned any(struct load *load)
{
    load->seed = load->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((load->seed >> 33) % load->names);
}

static void complain(struct load *load, const char *message)
{
    if (load->failures++ == 0)
        (void)fprintf(stderr, "load: %s\n", message);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static int each(struct load *load)
{
    uint64_t *times = calloc(load->names, sizeof(*times));
    struct stirkeep_signature signature = {0};
    char name[NAME_ROOM] = "";

    if (times == NULL)
        return 1;
    for (unsigned i = 0; i < load->names; i++) {
        uint64_t before = now_us();

        if (stirkeep_sign(load->client, name_of(load, i, name), &claims, &signature) != STIRKEEP_OK)
            complain(load, stirkeep_client_error(load->client));
        times[i] = now_us() - before;
    }
    qsort(times, load->names, sizeof(*times), compare);
    (void)printf("{\"names\": %u, \"failures\": %" PRIu64 ", \"p50_us\": %" PRIu64
                 ", \"p99_us\": %" PRIu64 ", \"max_us\": %" PRIu64 "}\n",
                 load->names, load->failures, times[load->names / 2],
                 times[(uint64_t)load->names * 99 / 100], times[load->names - 1]);
    free(times);
    return 0;
}

static bool fetch(struct load *load)
{
    struct stirkeep_answer answer = {0};

    if (stirkeep_fetch(load->client, TIMEOUT_MS, &answer) != STIRKEEP_OK) {
        complain(load, stirkeep_client_error(load->client));
        return false;
    }
    if (answer.status == STIRKEEP_OK)
        load->signatures++;
    else
        complain(load, answer.message);
    return true;
}

static int as_many_as_can_be(struct load *load, double seconds, unsigned window)
{
    uint64_t begin = now_us();
    uint64_t until = begin + (uint64_t)(seconds * 1e6);
    char name[NAME_ROOM] = "";
    bool going = true;

    while (going || stirkeep_under_way(load->client) > 0) {
        while (going && stirkeep_under_way(load->client) < window)
            if (stirkeep_submit(load->client, name_of(load, any(load), name), &claims, 0, 0) !=
                STIRKEEP_OK)
                going = false;
        if (!fetch(load))
            return 1;
        going = going && now_us() < until;
    }
    (void)printf("{\"signatures\": %" PRIu64 ", \"failures\": %" PRIu64
                 ", \"signatures_per_second\": %.0f}\n",
                 load->signatures, load->failures,
                 (double)load->signatures * 1e6 / (double)(now_us() - begin));
    return 0;
}

static bool number(const char *text, unsigned long max, unsigned long *ret_number)
{
    char *end = NULL;

    *ret_number = strtoul(text, &end, 10);
    return *text != '\0' && *end == '\0' && *ret_number > 0 && *ret_number <= max;
}

int main(int count, char **arguments)
{
    struct load load = {.seed = 1};
    unsigned long names = 0;
    unsigned long seconds = 0;
    unsigned long window = 0;
    bool is_each = count == 5 && strcmp(arguments[4], "each") == 0;
    bool is_for = count == 7 && strcmp(arguments[4], "for") == 0 &&
                  number(arguments[5], 3600, &seconds) && number(arguments[6], 4096, &window);
    int status = 2;

    if ((!is_each && !is_for) || !number(arguments[3], NAMES_MAX, &names)) {
        (void)fprintf(stderr, "usage: load SOCKET PREFIX NAMES each | for SECONDS WINDOW\n");
        return status;
    }
    if (stirkeep_client_new(arguments[1], TIMEOUT_MS, &load.client) != STIRKEEP_OK)
        return 1;
    load.prefix = arguments[2];
    load.names = (unsigned)names;
    status = is_each ? each(&load) : as_many_as_can_be(&load, (double)seconds, (unsigned)window);
    stirkeep_client_free(load.client);
    return status;
}
