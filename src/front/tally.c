/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/tally.h"

#include "base/clock.h"
#include "base/hash.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_FIRST 64

void stk_tally_start(struct stk_tally *tally, uint64_t now_us)
{
    *tally = (struct stk_tally){.started_us = now_us};
}

void stk_tally_clear(struct stk_tally *tally)
{
    free(tally->names);
    free(tally->signatures);
    tally->names = NULL;
    tally->signatures = NULL;
    tally->place_count = 0;
    tally->name_count = 0;
}

/* ---- by name */

/* Only names that are held come here, and who imports them is trusted: no secret is needed. */
static size_t hash_of(const char *name)
{
    return (size_t)stk_hash(name, strlen(name), 0);
}

/* Where it is, or belongs. */
static struct stk_tally_name *place_of(struct stk_tally_name *names, size_t place_count,
                                       const char *name)
{
    size_t place = hash_of(name) & (place_count - 1);

    while (names[place].number != 0 && strcmp(names[place].name, name) != 0)
        place = (place + 1) & (place_count - 1);
    return &names[place];
}

/* So that a quarter of the places stays free. */
static bool make_room(struct stk_tally *tally)
{
    size_t wanted = tally->place_count > 0 ? tally->place_count * 2 : PLACES_FIRST;
    uint64_t *signatures = NULL;
    struct stk_tally_name *names = NULL;

    if (tally->name_count >= STK_NAMES_MAX)
        return false;
    if (tally->name_count + 1 <= tally->place_count / 4 * 3)
        return true;
    signatures = reallocarray(tally->signatures, wanted, sizeof(*signatures));
    if (signatures == NULL)
        return false;
    tally->signatures = signatures;
    names = calloc(wanted, sizeof(*names));
    if (names == NULL)
        return false;
    for (size_t i = 0; i < tally->place_count; i++)
        if (tally->names[i].number != 0)
            *place_of(names, wanted, tally->names[i].name) = tally->names[i];
    free(tally->names);
    tally->names = names;
    tally->place_count = wanted;
    return true;
}

uint32_t stk_tally_number(struct stk_tally *tally, const char *name)
{
    struct stk_tally_name *found = NULL;

    if (tally->place_count > 0)
        found = place_of(tally->names, tally->place_count, name);
    if (found != NULL && found->number != 0)
        return found->number;
    if (!make_room(tally))
        return 0;
    found = place_of(tally->names, tally->place_count, name);
    (void)snprintf(found->name, sizeof(found->name), "%s", name);
    found->number = (uint32_t)++tally->name_count;
    tally->signatures[found->number] = 0;
    return found->number;
}

/* ---- on the way */

void stk_tally_sent(struct stk_tally *tally, uint64_t now_us)
{
    for (size_t i = 0; i < tally->answered_count; i++)
        stk_histogram_add(&tally->served, now_us - tally->answered[i], 1);
    tally->answered_count = 0;
}

void stk_tally_answer(struct stk_tally *tally, enum stirkeep_status status, uint32_t number,
                      uint64_t asked_us)
{
    if (status != STIRKEEP_OK) {
        tally->failed[status]++;
        return;
    }
    if (tally->answered_count == STK_TALLY_ANSWERED_MAX)
        stk_tally_sent(tally, stk_clock_mono_us());
    tally->answered[tally->answered_count++] = asked_us;
    if (number != 0)
        tally->signatures[number]++;
    else
        tally->unnamed++;
}

/* ---- told */

/* Into the list of the most used ones, which is in order. */
static void list(const char *name, uint64_t signatures, struct stk_front_counters *counters)
{
    size_t place = counters->name_count;

    while (place > 0 && counters->names[place - 1].signatures < signatures)
        place--;
    if (place == STK_NAME_COUNTS_MAX)
        return;
    if (counters->name_count < STK_NAME_COUNTS_MAX)
        counters->name_count++;
    memmove(&counters->names[place + 1], &counters->names[place],
            (counters->name_count - 1 - place) * sizeof(counters->names[0]));
    (void)snprintf(counters->names[place].name, sizeof(counters->names[place].name), "%s", name);
    counters->names[place].signatures = signatures;
}

void stk_tally_report(const struct stk_tally *tally, struct stk_front_counters *ret_counters)
{
    uint64_t all = tally->unnamed;

    memset(ret_counters, 0, sizeof(*ret_counters));
    ret_counters->room =
        (struct stk_room_use){stk_clock_cpu_us(), stk_clock_mono_us() - tally->started_us};
    stk_histogram_merge(&ret_counters->served, &tally->served);
    memcpy(ret_counters->failed, tally->failed, sizeof(tally->failed));
    for (size_t i = 0; i < tally->place_count; i++) {
        uint32_t number = tally->names[i].number;
        uint64_t signatures = number == 0 ? 0 : tally->signatures[number];

        if (signatures == 0)
            continue;
        all += signatures;
        ret_counters->names_used++;
        list(tally->names[i].name, signatures, ret_counters);
    }
    for (size_t i = 0; i < ret_counters->name_count; i++)
        all -= ret_counters->names[i].signatures;
    ret_counters->other_signatures = all;
}
