/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "cli/bench_load.h"
#include "cli/output.h"
#include "cli/sign_client.h"
#include "cli/verb.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECTIONS_MAX 64

struct options {
    const char *orig;
    const char *dest;
    const char *attest;
    long long connections;
    long long window;
    long long seconds;
};

static const struct options defaults = {.orig = "12155551212",
                                        .dest = "12155551213",
                                        .attest = "A",
                                        .connections = 1,
                                        .window = 64,
                                        .seconds = 5};

static const struct stk_option table[] = {
    {"connections", "N", STK_OPTION_NUMBER, offsetof(struct options, connections),
     "connections, each with a thread (default: 1)", 1, CONNECTIONS_MAX},
    {"window", "N", STK_OPTION_NUMBER, offsetof(struct options, window),
     "requests under way on each (default: 64)", 1, STK_BENCH_WINDOW_MAX},
    {"seconds", "S", STK_OPTION_NUMBER, offsetof(struct options, seconds),
     "for so long (default: 5)", 1, 3600},
    {"orig", "TN", STK_OPTION_TEXT, offsetof(struct options, orig),
     "calling number (default: 12155551212)", 0, 0},
    {"dest", "TN", STK_OPTION_TEXT, offsetof(struct options, dest),
     "called number (default: 12155551213)", 0, 0},
    {"attest", "A|B|C", STK_OPTION_TEXT, offsetof(struct options, attest),
     "attestation (default: A)", 0, 0},
    {0},
};

struct bench {
    struct stk_bench_load *loads;
    pthread_t *threads;
    size_t started;
    struct stk_bench_load total;
    double seconds;
};

static void add(struct stk_bench_load *total, const struct stk_bench_load *load)
{
    if (total->failures == 0 && load->failures > 0) {
        total->first_failure = load->first_failure;
        (void)snprintf(total->first_message, sizeof(total->first_message), "%s",
                       load->first_message);
    }
    total->signatures += load->signatures;
    total->failures += load->failures;
    if (load->longest_us > total->longest_us)
        total->longest_us = load->longest_us;
    for (size_t i = 0; i < STK_BENCH_CLASSES; i++)
        total->classes[i] += load->classes[i];
}

static void load_all(const struct stk_cli *cli, const struct options *options, struct bench *bench)
{
    uint64_t begin = stk_clock_mono_us();
    size_t count = (size_t)options->connections;

    for (; bench->started < count; bench->started++) {
        struct stk_bench_load *load = &bench->loads[bench->started];

        *load = (struct stk_bench_load){.socket = cli->sign_socket,
                                        .name = cli->positional,
                                        .orig = options->orig,
                                        .dest = options->dest,
                                        .attest = options->attest,
                                        .window = (unsigned)options->window,
                                        .until_us = begin + (uint64_t)options->seconds * 1000000};
        if (pthread_create(&bench->threads[bench->started], NULL, stk_bench_load_run, load) != 0)
            break;
    }
    for (size_t i = 0; i < bench->started; i++) {
        (void)pthread_join(bench->threads[i], NULL);
        add(&bench->total, &bench->loads[i]);
    }
    bench->seconds = (double)(stk_clock_mono_us() - begin) / 1e6;
}

static bool print(const struct stk_cli *cli, const struct options *options,
                  const struct bench *bench)
{
    const struct stk_bench_load *total = &bench->total;
    double rate = (double)total->signatures / bench->seconds;
    uint64_t p50 = stk_bench_latency(total->classes, 500);
    uint64_t p99 = stk_bench_latency(total->classes, 990);

    if (cli->json)
        return stk_json_print(json_pack(
            "{s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:I}", "signatures",
            (json_int_t)total->signatures, "failures", (json_int_t)total->failures, "seconds",
            bench->seconds, "signatures_per_second", rate, "p50_us", (json_int_t)p50, "p99_us",
            (json_int_t)p99, "max_us", (json_int_t)total->longest_us, "connections",
            (json_int_t)options->connections, "window", (json_int_t)options->window));
    if (total->signatures == 0)
        return true; /* the complaint says all */
    (void)printf("%" PRIu64 " signatures in %.2f s: %.0f a second\n"
                 "latency: p50 %" PRIu64 " us, p99 %" PRIu64 " us, longest %" PRIu64 " us\n",
                 total->signatures, bench->seconds, rate, p50, p99, total->longest_us);
    return true;
}

static void complain(const struct stk_cli *cli, const struct stk_bench_load *total)
{
    const char *message = total->first_message;

    if (total->first_failure == STIRKEEP_NOT_CONNECTED) /* names the socket */
        stk_complain(cli->sign_socket, "%s", message);
    else if (total->signatures == 0)
        stk_complain(cli->positional, "%s", message);
    else
        stk_complain(cli->positional, "%" PRIu64 " requests failed, the first: %s", total->failures,
                     message);
}

static enum stk_exit run(struct stk_cli *cli, const void *given)
{
    const struct options *options = given;
    struct bench bench = {.loads = calloc((size_t)options->connections, sizeof(*bench.loads)),
                          .threads = calloc((size_t)options->connections, sizeof(*bench.threads))};
    struct stirkeep_client *client = NULL;
    enum stk_exit result = STK_EXIT_FAILED;

    /* What is wrong with the socket's path is said once. */
    if (!stk_sign_client(cli, &client))
        goto out;
    if (bench.loads == NULL || bench.threads == NULL) {
        stk_complain(cli->verb->name, "out of memory");
        goto out;
    }
    load_all(cli, options, &bench);
    if (bench.started < (size_t)options->connections)
        stk_complain(cli->verb->name, "only %zu threads could be started", bench.started);
    else if (print(cli, options, &bench) && bench.total.failures == 0)
        result = STK_EXIT_DONE;
    if (bench.total.failures > 0)
        complain(cli, &bench.total);
out:
    stirkeep_client_free(client);
    free(bench.loads);
    free(bench.threads);
    return result;
}

const struct stk_verb stk_verb_bench = {
    .name = "bench",
    .positional = "NAME",
    .synopsis = "[--connections N] [--window N] [--seconds S] [...]",
    .summary = "Measure signatures a second and how long each takes",
    .flags = STK_VERB_JSON | STK_VERB_SIGN_SOCKET,
    .options = table,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
