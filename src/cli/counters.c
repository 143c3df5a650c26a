/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/counters.h"

#include "cli/output.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAMES_PRINTED 5

/* ---- JSON */

static json_t *classes_json(const struct stk_histogram *histogram)
{
    json_t *classes = json_array();

    for (unsigned i = 0; i < STK_HISTOGRAM_CLASSES; i++)
        if (histogram->classes[i] > 0)
            (void)json_array_append_new(classes,
                                        json_pack("[I, I]", (json_int_t)stk_histogram_class_end(i),
                                                  (json_int_t)histogram->classes[i]));
    return classes;
}

static double mean_of(const struct stk_histogram *histogram)
{
    uint64_t count = stk_histogram_count(histogram);

    return count > 0 ? (double)histogram->sum / (double)count : 0;
}

json_t *stk_histogram_json(const struct stk_histogram *histogram)
{
    return json_pack("{s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:o}", "count",
                     (json_int_t)stk_histogram_count(histogram), "mean", mean_of(histogram), "p50",
                     (json_int_t)stk_histogram_at(histogram, 500), "p99",
                     (json_int_t)stk_histogram_at(histogram, 990), "p99_9",
                     (json_int_t)stk_histogram_at(histogram, 999), "max",
                     (json_int_t)histogram->longest, "sum", (json_int_t)histogram->sum, "classes",
                     classes_json(histogram));
}

static json_t *statuses_json(const uint64_t counts[STIRKEEP_STATUS_COUNT])
{
    json_t *object = json_object();

    for (int i = 0; i < STIRKEEP_STATUS_COUNT; i++)
        if (counts[i] > 0)
            (void)json_object_set_new(object, stirkeep_status_name((enum stirkeep_status)i),
                                      json_integer((json_int_t)counts[i]));
    return object;
}

static json_t *names_json(const struct stk_front_counters *front)
{
    json_t *listed = json_array();

    for (size_t i = 0; i < front->name_count; i++)
        (void)json_array_append_new(
            listed, json_pack("{s:o, s:I}", "name", stk_json_text(front->names[i].name),
                              "signatures", (json_int_t)front->names[i].signatures));
    return json_pack("{s:I, s:o, s:I}", "used", (json_int_t)front->names_used, "listed", listed,
                     "other_signatures", (json_int_t)front->other_signatures);
}

static json_t *room_json(const struct stk_room_use *use)
{
    return json_pack("{s:I, s:I}", "cpu_us", (json_int_t)use->cpu_us, "up_us",
                     (json_int_t)use->up_us);
}

static json_t *front_json(const struct stk_front_counters *front)
{
    if (front == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "room", room_json(&front->room), "served_us",
                     stk_histogram_json(&front->served), "refused", statuses_json(front->refused),
                     "failed", statuses_json(front->failed), "certificates", names_json(front),
                     "in_flight", (json_int_t)front->in_flight);
}

static json_t *signers_json(const struct stk_keeper_counters *keeper)
{
    json_t *signers = json_array();

    for (size_t i = 0; i < keeper->signer_count; i++)
        (void)json_array_append_new(signers,
                                    json_pack("{s:I, s:I}", "signatures",
                                              (json_int_t)keeper->signers[i].signatures, "token_us",
                                              (json_int_t)keeper->signers[i].token_us));
    return signers;
}

static json_t *keeper_json(const struct stk_keeper_counters *keeper)
{
    if (keeper == NULL)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:o}", "room", room_json(&keeper->room), "queue_us",
                     stk_histogram_json(&keeper->queue), "token_us",
                     stk_histogram_json(&keeper->token), "audit_us",
                     stk_histogram_json(&keeper->audit), "busy_signers", (json_int_t)keeper->busy,
                     "signers", signers_json(keeper));
}

json_t *stk_counters_json(const struct stk_service_status *service)
{
    return json_pack("{s:o, s:o, s:{s:o}}", "front", front_json(service->front_counters), "keeper",
                     keeper_json(service->keeper_counters), "intake", "room",
                     room_json(&service->intake_use));
}

/* ---- text */

void stk_histogram_text(const struct stk_histogram *histogram, char ret_text[STK_HISTOGRAM_TEXT])
{
    (void)snprintf(ret_text, STK_HISTOGRAM_TEXT,
                   "p50 %" PRIu64 " us, p99 %" PRIu64 " us, p99.9 %" PRIu64 " us, longest %" PRIu64
                   " us",
                   stk_histogram_at(histogram, 500), stk_histogram_at(histogram, 990),
                   stk_histogram_at(histogram, 999), histogram->longest);
}

static void print_times(const char *label, const struct stk_histogram *histogram)
{
    char text[STK_HISTOGRAM_TEXT] = "";

    if (stk_histogram_count(histogram) == 0)
        return;
    stk_histogram_text(histogram, text);
    stk_print_field(label, text);
}

static void print_statuses(const char *label, const uint64_t counts[STIRKEEP_STATUS_COUNT])
{
    const char *separator = "";

    for (int i = 0; i < STIRKEEP_STATUS_COUNT; i++) {
        if (counts[i] == 0)
            continue;
        if (*separator == '\0')
            (void)printf("%-14s ", label);
        (void)printf("%s%" PRIu64 " %s", separator, counts[i],
                     stirkeep_status_name((enum stirkeep_status)i));
        separator = ", ";
    }
    if (*separator != '\0')
        (void)putchar('\n');
}

static void print_names(const struct stk_front_counters *front)
{
    for (size_t i = 0; i < front->name_count && i < NAMES_PRINTED; i++)
        (void)printf("%-14s %s: %" PRIu64 "\n", i == 0 ? "most used" : "", front->names[i].name,
                     front->names[i].signatures);
    if (front->names_used > NAMES_PRINTED)
        (void)printf("%-14s of %" PRIu32 " certificates that were used\n", "", front->names_used);
}

static void print_sessions(const struct stk_keeper_counters *keeper)
{
    double up = (double)keeper->room.up_us * (double)keeper->signer_count;

    (void)printf("%-14s %" PRIu32 " of %zu busy now, %.1f %% since the keeper started\n",
                 "sessions", keeper->busy, keeper->signer_count,
                 up > 0 ? (double)keeper->token.sum * 100 / up : 0);
}

void stk_counters_print(const struct stk_service_status *service)
{
    const struct stk_front_counters *front = service->front_counters;
    const struct stk_keeper_counters *keeper = service->keeper_counters;

    if (front != NULL) {
        print_statuses("refused", front->refused);
        print_statuses("failed", front->failed);
        print_names(front);
        print_times("served in", &front->served);
    }
    if (keeper != NULL) {
        print_times("... queued", &keeper->queue);
        print_times("... token", &keeper->token);
        print_times("... audit", &keeper->audit);
        print_sessions(keeper);
    }
}
