/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/bench_load.h"

#include "base/clock.h"
#include <stdio.h>

#define TIMEOUT_MS 10000
#define STEPS 16 /* classes to a power of two */

static unsigned class_of(uint64_t us)
{
    unsigned power = 0;

    if (us < STEPS)
        return (unsigned)us;
    while (us >= (uint64_t)2 * STEPS) {
        us >>= 1;
        power++;
    }
    power = (power + 1) * STEPS + (unsigned)(us - STEPS);
    return power < STK_BENCH_CLASSES ? power : STK_BENCH_CLASSES - 1;
}

/* The largest latency of a class. */
static uint64_t end_of(unsigned class)
{
    unsigned power = class / STEPS;

    if (power == 0)
        return class;
    return (((uint64_t)STEPS + class % STEPS + 1) << (power - 1)) - 1;
}

uint64_t stk_bench_latency(const uint64_t classes[STK_BENCH_CLASSES], uint64_t thousandths)
{
    uint64_t total = 0;
    uint64_t seen = 0;

    for (unsigned i = 0; i < STK_BENCH_CLASSES; i++)
        total += classes[i];
    for (unsigned i = 0; i < STK_BENCH_CLASSES; i++) {
        seen += classes[i];
        if (seen * 1000 >= total * thousandths && seen > 0)
            return end_of(i);
    }
    return 0;
}

static void note_failure(struct stk_bench_load *load, enum stirkeep_status status,
                         const char *message)
{
    if (load->failures++ > 0)
        return;
    load->first_failure = status;
    (void)snprintf(load->first_message, sizeof(load->first_message), "%s", message);
}

/* The tag of a request is the time when it was asked. */
static void take(struct stk_bench_load *load, const struct stirkeep_answer *answer)
{
    uint64_t latency = stk_clock_mono_us() - answer->tag;

    if (answer->status != STIRKEEP_OK) {
        note_failure(load, answer->status, answer->message);
        return;
    }
    load->signatures++;
    load->classes[class_of(latency)]++;
    if (latency > load->longest_us)
        load->longest_us = latency;
}

static bool ask(struct stk_bench_load *load, struct stirkeep_client *client)
{
    const struct stirkeep_claims claims = {.ppt = "shaken",
                                           .orig_tn = load->orig,
                                           .dest_tn = &load->dest,
                                           .dest_tn_count = 1,
                                           .attest = load->attest};
    enum stirkeep_status status =
        stirkeep_submit(client, load->name, &claims, 0, stk_clock_mono_us());

    if (status != STIRKEEP_OK)
        note_failure(load, status, stirkeep_client_error(client));
    return status == STIRKEEP_OK;
}

/* Keep the window full until the time is up, or nothing comes but refusals; then wait for the
 * rest. */
static void run(struct stk_bench_load *load, struct stirkeep_client *client)
{
    bool going = true;

    while (going || stirkeep_under_way(client) > 0) {
        struct stirkeep_answer answer = {0};
        enum stirkeep_status status = STIRKEEP_OK;

        while (going && stirkeep_under_way(client) < load->window)
            going = ask(load, client);
        status = stirkeep_fetch(client, TIMEOUT_MS, &answer);
        if (status == STIRKEEP_OK)
            take(load, &answer);
        else
            note_failure(load, status, stirkeep_client_error(client));
        going = going && status == STIRKEEP_OK && stk_clock_mono_us() < load->until_us &&
                !(load->signatures == 0 && load->failures >= load->window);
        if (status != STIRKEEP_OK)
            return;
    }
}

void *stk_bench_load_run(void *argument)
{
    struct stk_bench_load *load = argument;
    struct stirkeep_client *client = NULL;
    enum stirkeep_status status = stirkeep_client_new(load->socket, TIMEOUT_MS, &client);

    if (status == STIRKEEP_OK)
        run(load, client);
    else
        note_failure(load, status, stirkeep_status_text(status));
    stirkeep_client_free(client);
    return NULL;
}
