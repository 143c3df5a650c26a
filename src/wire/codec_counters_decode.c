/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_counters.h"

#include "wire/unpack.h"

#include "counters.pb-c.h"
#include <stdio.h>
#include <string.h>

static void take_room(const Stirkeep__V1__RoomUse *message, struct stk_room_use *use)
{
    if (message != NULL)
        *use = (struct stk_room_use){.cpu_us = message->cpu_us, .up_us = message->up_us};
}

static enum stirkeep_status take_histogram(const Stirkeep__V1__Histogram *message,
                                           const char *field, struct stk_histogram *histogram,
                                           struct stk_error *error)
{
    if (message == NULL)
        return STIRKEEP_OK;
    histogram->sum = message->sum_us;
    histogram->longest = message->longest_us;
    for (size_t i = 0; i < message->n_classes; i++) {
        uint64_t end = message->classes[i]->up_to_us;
        unsigned place = stk_histogram_class(end);

        if (stk_histogram_class_end(place) != end)
            return stk_error_set(error, STIRKEEP_INVALID, "%s.classes: is no class", field);
        histogram->classes[place] += message->classes[i]->count;
    }
    return STIRKEEP_OK;
}

static void take_statuses(Stirkeep__V1__StatusCount *const *messages, size_t count,
                          uint64_t counts[STIRKEEP_STATUS_COUNT])
{
    for (size_t i = 0; i < count; i++)
        counts[stk_take_status(messages[i]->status)] += messages[i]->count;
}

static enum stirkeep_status take_names(const Stirkeep__V1__FrontCounters *message,
                                       struct stk_front_counters *counters, struct stk_error *error)
{
    if (message->n_names > STK_NAME_COUNTS_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "front_counters.names: more than %d",
                             STK_NAME_COUNTS_MAX);
    for (size_t i = 0; i < message->n_names; i++) {
        const Stirkeep__V1__NameCount *name = message->names[i];
        enum stirkeep_status status =
            stk_take_text(name->name, "front_counters.names.name", STK_NAME_MAX, error);

        if (status != STIRKEEP_OK)
            return status;
        (void)snprintf(counters->names[i].name, sizeof(counters->names[i].name), "%s", name->name);
        counters->names[i].signatures = name->signatures;
    }
    counters->name_count = message->n_names;
    return STIRKEEP_OK;
}

static void *take_memory(struct stk_arena *arena, size_t size, const char *what,
                         struct stk_error *error)
{
    void *memory = stk_arena_take(arena, size);

    if (memory == NULL)
        (void)stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: takes too much memory", what);
    else
        memset(memory, 0, size);
    return memory;
}

enum stirkeep_status stk_front_counters_take(const Stirkeep__V1__FrontCounters *message,
                                             struct stk_arena *arena,
                                             const struct stk_front_counters **ret_counters,
                                             struct stk_error *error)
{
    struct stk_front_counters *counters = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_counters = NULL;
    if (message == NULL)
        return STIRKEEP_OK;
    counters = take_memory(arena, sizeof(*counters), "front_counters", error);
    if (counters == NULL)
        return STIRKEEP_TOO_LARGE;
    take_room(message->room, &counters->room);
    status = take_histogram(message->served, "front_counters.served", &counters->served, error);
    if (status == STIRKEEP_OK)
        status = take_names(message, counters, error);
    if (status != STIRKEEP_OK)
        return status;
    take_statuses(message->refused, message->n_refused, counters->refused);
    take_statuses(message->failed, message->n_failed, counters->failed);
    counters->names_used = message->names_used;
    counters->other_signatures = message->other_signatures;
    counters->in_flight = message->in_flight;
    *ret_counters = counters;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_keeper_counters_take(const Stirkeep__V1__KeeperCounters *message,
                                              struct stk_arena *arena,
                                              const struct stk_keeper_counters **ret_counters,
                                              struct stk_error *error)
{
    struct stk_keeper_counters *counters = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_counters = NULL;
    if (message == NULL)
        return STIRKEEP_OK;
    if (message->n_signers > STK_SIGNERS_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "keeper_counters.signers: more than %d",
                             STK_SIGNERS_MAX);
    counters = take_memory(arena, sizeof(*counters), "keeper_counters", error);
    if (counters == NULL)
        return STIRKEEP_TOO_LARGE;
    take_room(message->room, &counters->room);
    status = take_histogram(message->queue, "keeper_counters.queue", &counters->queue, error);
    if (status == STIRKEEP_OK)
        status = take_histogram(message->token, "keeper_counters.token", &counters->token, error);
    if (status == STIRKEEP_OK)
        status = take_histogram(message->audit, "keeper_counters.audit", &counters->audit, error);
    if (status != STIRKEEP_OK)
        return status;
    for (size_t i = 0; i < message->n_signers; i++)
        counters->signers[i] =
            (struct stk_signer_use){.signatures = message->signers[i]->signatures,
                                    .token_us = message->signers[i]->token_us};
    counters->signer_count = message->n_signers;
    counters->busy = message->busy;
    *ret_counters = counters;
    return STIRKEEP_OK;
}
