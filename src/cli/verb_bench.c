/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "cli/admin_call.h"
#include "cli/bench_print.h"
#include "cli/output.h"
#include "cli/sign_client.h"
#include "cli/verb.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64
#define LEAD_US 20000 /* before the first request that has a time: all threads are there by then */
#define PROGRESS_US 500000

struct options {
    const char *orig;
    const char *dest;
    const char *attest;
    long long connections;
    long long window;
    long long seconds;
    long long rate;
    long long deadline;
};

static const struct options defaults = {.orig = "12155551212",
                                        .dest = "12155551213",
                                        .attest = "A",
                                        .connections = 1,
                                        .window = 64,
                                        .seconds = 5};

static const struct stk_option table[] = {
    {"connections", "N", STK_OPTION_NUMBER, offsetof(struct options, connections),
     "so many connections (default: 1)", 1, STK_BENCH_CONNECTIONS_MAX},
    {"window", "N", STK_OPTION_NUMBER, offsetof(struct options, window),
     "requests under way on each (default: 64)", 1, STK_BENCH_WINDOW_MAX},
    {"rate", "N", STK_OPTION_NUMBER, offsetof(struct options, rate),
     "instead: so many requests a second, at set times", 1, 10000000},
    {"seconds", "S", STK_OPTION_NUMBER, offsetof(struct options, seconds),
     "for so long (default: 5)", 1, 3600},
    {"deadline-ms", "N", STK_OPTION_NUMBER, offsetof(struct options, deadline),
     "each is to be signed in so long (default: the service's)", 1, 10000},
    {"orig", "TN", STK_OPTION_TEXT, offsetof(struct options, orig),
     "calling number (default: 12155551212)", 0, 0},
    {"dest", "TN", STK_OPTION_TEXT, offsetof(struct options, dest),
     "called number (default: 12155551213)", 0, 0},
    {"attest", "A|B|C", STK_OPTION_TEXT, offsetof(struct options, attest),
     "attestation (default: A)", 0, 0},
    {0},
};

struct bench {
    size_t count; /* threads */
    size_t started;
    struct stk_bench_load *loads;
    pthread_t *threads;
    uint64_t begin_us;
    struct stk_bench_load total;
    double seconds;
    struct stk_bench_moment before;
    struct stk_bench_moment after;
    struct stk_bench_figures figures;
};

/* ---- the service, asked before and after */

static void look(const struct stk_cli *cli, struct stk_bench_moment *moment)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_STATUS};
    struct stk_admin_response response = {0};
    struct stk_admin *admin = NULL;
    bool told =
        stk_admin_connect(cli->admin_socket, STK_ADMIN_TIMEOUT_MS, &admin, NULL) == STIRKEEP_OK &&
        stk_admin_call(admin, &request, &response, NULL) == STIRKEEP_OK;

    stk_bench_look(told ? &response.service : NULL, moment);
    stk_admin_close(admin);
}

/* ---- load */

static size_t threads_for(const struct options *options)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = cores > 0 ? (size_t)cores : 1;

    if (count > (size_t)options->connections)
        count = (size_t)options->connections;
    return count < THREADS_MAX ? count : THREADS_MAX;
}

/* Each thread has its share of the connections, and of the times. */
static void prepare(const struct stk_cli *cli, const struct options *options, struct bench *bench)
{
    size_t connections = (size_t)options->connections;
    uint64_t every_ns = options->rate > 0 ? 1000000000ULL / (uint64_t)options->rate : 0;

    if (options->rate > 0 && every_ns == 0)
        every_ns = 1;
    bench->begin_us = stk_clock_mono_us() + (options->rate > 0 ? LEAD_US : 0);
    for (size_t i = 0; i < bench->count; i++) {
        struct stk_bench_load *load = &bench->loads[i];

        *load = (struct stk_bench_load){
            .socket = cli->sign_socket,
            .name = cli->positional,
            .orig = options->orig,
            .dest = options->dest,
            .attest = options->attest,
            .connections = connections / bench->count + (i < connections % bench->count ? 1 : 0),
            .window = (unsigned)options->window,
            .deadline_ms = (unsigned)options->deadline,
            .every_ns = every_ns * bench->count,
            .begin_us = bench->begin_us + i * every_ns / 1000,
            .until_us = bench->begin_us + (uint64_t)options->seconds * 1000000};
    }
}

static void show_progress(const struct bench *bench, uint64_t now_us, uint64_t *last)
{
    struct stk_histogram served = {0};
    uint64_t refused = 0;
    uint64_t count = 0;

    for (size_t i = 0; i < bench->started; i++) {
        struct stk_histogram copy = {0};

        stk_histogram_merge(&served, &bench->loads[i].served);
        stk_histogram_merge(&copy, &bench->loads[i].refused);
        refused += stk_histogram_count(&copy);
    }
    count = stk_histogram_count(&served);
    (void)fprintf(stderr,
                  "\r\033[K%4.1f s: %" PRIu64 " signatures, %.0f a second now, p99 %" PRIu64
                  " us, %" PRIu64 " failed",
                  (double)(now_us - bench->begin_us) / 1e6, count,
                  (double)(count - *last) * 1e6 / PROGRESS_US, stk_histogram_at(&served, 990),
                  refused);
    (void)fflush(stderr);
    *last = count;
}

/* For whoever sits before it. */
static void watch(const struct bench *bench, uint64_t until_us)
{
    const struct timespec pause = {.tv_nsec = PROGRESS_US * 1000};
    uint64_t last = 0;
    uint64_t now = 0;

    if (isatty(STDERR_FILENO) != 1)
        return;
    while ((now = stk_clock_mono_us()) + PROGRESS_US < until_us) {
        (void)nanosleep(&pause, NULL);
        show_progress(bench, stk_clock_mono_us(), &last);
    }
    (void)fprintf(stderr, "\r\033[K");
}

static void add(struct stk_bench_load *total, const struct stk_bench_load *load)
{
    if (total->first_failure == STIRKEEP_OK && load->first_failure != STIRKEEP_OK) {
        total->first_failure = load->first_failure;
        (void)snprintf(total->first_message, sizeof(total->first_message), "%s",
                       load->first_message);
    }
    stk_histogram_merge(&total->served, &load->served);
    stk_histogram_merge(&total->served_sent, &load->served_sent);
    stk_histogram_merge(&total->refused, &load->refused);
    stk_histogram_merge(&total->refused_sent, &load->refused_sent);
    for (int i = 0; i < STIRKEEP_STATUS_COUNT; i++)
        total->statuses[i] += load->statuses[i];
    total->unsent += load->unsent;
    total->every_ns = load->every_ns;
}

static void load_all(struct bench *bench)
{
    for (; bench->started < bench->count; bench->started++)
        if (pthread_create(&bench->threads[bench->started], NULL, stk_bench_load_run,
                           &bench->loads[bench->started]) != 0)
            break;
    if (bench->started > 0)
        watch(bench, bench->loads[0].until_us);
    for (size_t i = 0; i < bench->started; i++) {
        (void)pthread_join(bench->threads[i], NULL);
        add(&bench->total, &bench->loads[i]);
    }
    bench->seconds = (double)(stk_clock_mono_us() - bench->begin_us) / 1e6;
}

/* ---- told */

/* Nobody is to find out from the trail. */
static void announce(const struct stk_cli *cli, const struct options *options)
{
    if (isatty(STDERR_FILENO) == 1)
        (void)fprintf(stderr,
                      "real signatures with certificate %s for %lld s: each of them is recorded in "
                      "the audit trail, and counts towards rates and quotas\n",
                      cli->positional, options->seconds);
}

static bool print(const struct stk_cli *cli, const struct options *options, struct bench *bench)
{
    bool known = stk_bench_compare(&bench->before, &bench->after, &bench->figures);
    const struct stk_bench_result result = {
        .total = &bench->total,
        .seconds = bench->seconds,
        .connections = (size_t)options->connections,
        .window = (unsigned)options->window,
        .rate = (double)options->rate,
        .limit = stk_bench_judge(&bench->total, known ? &bench->figures : NULL),
        .figures = known ? &bench->figures : NULL};

    if (cli->json)
        return stk_json_print(stk_bench_json(&result));
    stk_bench_print(&result);
    return true;
}

static void complain(const struct stk_cli *cli, const struct stk_bench_load *total)
{
    const char *message = total->first_message;
    uint64_t failures = 0;

    for (int i = 0; i < STIRKEEP_STATUS_COUNT; i++)
        failures += i != STIRKEEP_OK ? total->statuses[i] : 0;
    if (total->first_failure == STIRKEEP_NOT_CONNECTED) /* names the socket */
        stk_complain(cli->sign_socket, "%s", message);
    else if (total->statuses[STIRKEEP_OK] == 0)
        stk_complain(cli->positional, "%s", message);
    else
        stk_complain(cli->positional, "%" PRIu64 " requests failed, the first: %s", failures,
                     message);
}

static enum stk_exit run_bench(const struct stk_cli *cli, const struct options *options,
                               struct bench *bench)
{
    enum stk_exit result = STK_EXIT_FAILED;

    announce(cli, options);
    look(cli, &bench->before);
    prepare(cli, options, bench);
    load_all(bench);
    look(cli, &bench->after);
    if (bench->started < bench->count)
        stk_complain(cli->verb->name, "only %zu threads could be started", bench->started);
    else if (print(cli, options, bench) && bench->total.first_failure == STIRKEEP_OK)
        result = STK_EXIT_DONE;
    if (bench->total.first_failure != STIRKEEP_OK)
        complain(cli, &bench->total);
    return result;
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct bench *bench = calloc(1, sizeof(*bench));
    struct stirkeep_client *client = NULL;
    enum stk_exit result = STK_EXIT_FAILED;

    /* What is wrong with the socket's path is said once. */
    if (!stk_sign_client(cli, &client))
        goto out;
    if (bench != NULL) {
        bench->count = threads_for(options);
        bench->loads = calloc(bench->count, sizeof(*bench->loads));
        bench->threads = calloc(bench->count, sizeof(*bench->threads));
    }
    if (bench == NULL || bench->loads == NULL || bench->threads == NULL)
        stk_complain(cli->verb->name, "out of memory");
    else
        result = run_bench(cli, options, bench);
out:
    stirkeep_client_free(client);
    if (bench != NULL) {
        free(bench->loads);
        free(bench->threads);
    }
    free(bench);
    return result;
}

const struct stk_verb stk_verb_bench = {
    .name = "bench",
    .positional = "NAME",
    .synopsis = "[--connections N] [--window N|--rate N] [--seconds S] [...]",
    .summary = "Measure signatures a second and how long each takes, with real signatures that are "
               "recorded",
    .flags = STK_VERB_JSON | STK_VERB_SIGN_SOCKET | STK_VERB_ADMIN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
