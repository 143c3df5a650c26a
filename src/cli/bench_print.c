/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/bench_print.h"

#include "cli/counters.h"
#include "cli/output.h"
#include <inttypes.h>
#include <stdio.h>

static uint64_t failures_of(const struct stk_bench_load *total)
{
    uint64_t failures = 0;

    for (int i = 0; i < STIRKEEP_STATUS_COUNT; i++)
        failures += i != STIRKEEP_OK ? total->statuses[i] : 0;
    return failures;
}

static double a_second(const struct stk_bench_result *result)
{
    return result->seconds > 0 ? (double)result->total->statuses[STIRKEEP_OK] / result->seconds : 0;
}

static double mean(const struct stk_histogram *histogram)
{
    uint64_t count = stk_histogram_count(histogram);

    return count > 0 ? (double)histogram->sum / (double)count : 0;
}

/* ---- JSON */

static json_t *failed_json(const struct stk_bench_load *total)
{
    json_t *failed = json_object();

    for (int i = 0; i < STIRKEEP_STATUS_COUNT; i++)
        if (i != STIRKEEP_OK && total->statuses[i] > 0)
            (void)json_object_set_new(failed, stirkeep_status_name((enum stirkeep_status)i),
                                      json_integer((json_int_t)total->statuses[i]));
    return failed;
}

static json_t *figures_json(const struct stk_bench_figures *figures)
{
    if (figures == NULL)
        return json_null();
    return json_pack("{s:i, s:f, s:{s:f, s:f, s:f, s:f, s:f}, s:I, s:f, s:o, s:o, s:o}", "cores",
                     (int)figures->cores, "machine_busy", figures->machine, "processors", "front",
                     figures->front, "keeper", figures->keeper, "intake", figures->intake, "client",
                     figures->client, "others", figures->others, "sessions",
                     (json_int_t)figures->signers, "sessions_busy", figures->sessions, "queue_us",
                     stk_histogram_json(&figures->queue), "token_us",
                     stk_histogram_json(&figures->token), "audit_us",
                     stk_histogram_json(&figures->audit));
}

json_t *stk_bench_json(const struct stk_bench_result *result)
{
    const struct stk_bench_load *total = result->total;
    const struct stk_histogram *served = &total->served;

    return json_pack(
        "{s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:b, "
        "s:{s:s, "
        "s:s, s:o}}",
        "signatures", (json_int_t)total->statuses[STIRKEEP_OK], "failures",
        (json_int_t)failures_of(total), "seconds", result->seconds, "signatures_per_second",
        a_second(result), "p50_us", (json_int_t)stk_histogram_at(served, 500), "p99_us",
        (json_int_t)stk_histogram_at(served, 990), "p99_9_us",
        (json_int_t)stk_histogram_at(served, 999), "max_us", (json_int_t)served->longest,
        "connections", (json_int_t)result->connections, "window", (json_int_t)result->window,
        "rate", result->rate > 0 ? json_real(result->rate) : json_null(), "failed",
        failed_json(total), "after_sending_us", stk_histogram_json(&total->served_sent),
        "failed_us", stk_histogram_json(&total->refused), "failed_after_sending_us",
        stk_histogram_json(&total->refused_sent), "unsent", (json_int_t)total->unsent, "recorded",
        true, "verdict", "is", stk_bench_limit_name(result->limit), "why",
        stk_bench_limit_text(result->limit), "figures", figures_json(result->figures));
}

/* ---- text */

static void print_failed(const struct stk_bench_load *total)
{
    char text[STK_HISTOGRAM_TEXT] = "";

    if (total->unsent > 0)
        (void)printf("not sent: %" PRIu64 " requests that were due\n", total->unsent);
    if (failures_of(total) == 0)
        return;
    (void)printf("failed:  ");
    for (int i = 0; i < STIRKEEP_STATUS_COUNT; i++)
        if (i != STIRKEEP_OK && total->statuses[i] > 0)
            (void)printf(" %" PRIu64 " %s", total->statuses[i],
                         stirkeep_status_name((enum stirkeep_status)i));
    stk_histogram_text(&total->refused, text);
    (void)printf("; after %s\n", text);
}

static void print_figures(const struct stk_bench_figures *figures)
{
    (void)printf("token:    %.1f us a signature, %zu sessions busy %.0f %% of the time\n",
                 mean(&figures->token), figures->signers, figures->sessions * 100);
    (void)printf("queue:    %.1f us before it, audit: %.1f us after it, on average\n",
                 mean(&figures->queue), mean(&figures->audit));
    (void)printf("machine:  %u processors %.0f %% used; of one: keeper %.0f %%, front %.0f %%, "
                 "intake %.0f %%, this client %.0f %%, others %.0f %%\n",
                 figures->cores, figures->machine * 100, figures->keeper * 100,
                 figures->front * 100, figures->intake * 100, figures->client * 100,
                 figures->others * 100);
}

void stk_bench_print(const struct stk_bench_result *result)
{
    const struct stk_bench_load *total = result->total;
    char text[STK_HISTOGRAM_TEXT] = "";

    if (total->statuses[STIRKEEP_OK] == 0)
        return; /* the complaint says all */
    stk_histogram_text(&total->served, text);
    (void)printf("%" PRIu64
                 " signatures in %.2f s: %.0f a second; all of them real, and recorded in the "
                 "audit trail\n"
                 "latency:  %s%s\n",
                 total->statuses[STIRKEEP_OK], result->seconds, a_second(result), text,
                 result->rate > 0 ? ", from when each was to be sent" : "");
    print_failed(total);
    if (result->figures != NULL)
        print_figures(result->figures);
    (void)printf("verdict:  %s: %s\n", stk_bench_limit_name(result->limit),
                 stk_bench_limit_text(result->limit));
}
