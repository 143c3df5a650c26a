/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/outcomes.h"

#include "room/room.h"
#include <stdio.h>
#include <string.h>

#define AGAIN_US (100 * 1000ULL)

bool stk_askers_add(struct stk_askers *askers, uint64_t number)
{
    for (size_t i = 0; number == 0 && i < askers->count; i++)
        if (askers->numbers[i] == 0)
            return true;
    if (askers->count == STK_ASKERS_MAX)
        return false;
    askers->numbers[askers->count++] = number;
    return true;
}

void stk_askers_forget(struct stk_askers *askers)
{
    if (askers->count > 1)
        askers->count = 1;
    askers->numbers[0] = 0;
}

bool stk_outcomes_add(struct stk_outcomes *outcomes, uint64_t number, enum stirkeep_status status,
                      const char *text)
{
    struct stk_outcome *outcome = &outcomes->list[outcomes->count];

    if (outcomes->count == STK_OUTCOMES_MAX)
        return false;
    outcome->number = number;
    outcome->status = status;
    (void)snprintf(outcome->text, sizeof(outcome->text), "%s", text);
    outcomes->count++;
    return true;
}

void stk_outcomes_add_all(struct stk_outcomes *outcomes, struct stk_askers *askers,
                          enum stirkeep_status status, const char *text)
{
    for (size_t i = 0; i < askers->count; i++)
        (void)stk_outcomes_add(outcomes, askers->numbers[i], status, text);
    askers->count = 0;
}

bool stk_outcomes_tell_of(const struct stk_outcomes *outcomes, const char *policy)
{
    for (size_t i = 0; i < outcomes->count; i++)
        if (outcomes->list[i].status == STIRKEEP_OK && strcmp(outcomes->list[i].text, policy) == 0)
            return true;
    return false;
}

static bool is_same(const struct stk_outcome *one, const struct stk_outcome *other)
{
    return one->status == other->status && strcmp(one->text, other->text) == 0;
}

void stk_outcomes_forget(struct stk_outcomes *outcomes)
{
    size_t kept = 0;

    for (size_t i = 0; i < outcomes->count; i++) {
        outcomes->list[i].number = 0;
        if (kept == 0 || !is_same(&outcomes->list[i], &outcomes->list[kept - 1]))
            outcomes->list[kept++] = outcomes->list[i];
    }
    outcomes->count = kept;
    outcomes->again_us = 0;
}

static bool tell(const struct stk_outcome *outcome, int control)
{
    struct stk_control_message message = {.kind = STK_CONTROL_RELOADED,
                                          .room = STK_ROOM_INTAKE,
                                          .status = outcome->status,
                                          .number = outcome->number};

    (void)snprintf(message.text, sizeof(message.text), "%s", outcome->text);
    return stk_control_send_message(control, &message);
}

uint64_t stk_outcomes_tell(struct stk_outcomes *outcomes, int control, uint64_t now_us)
{
    size_t told = 0;

    if (outcomes->again_us != 0 && now_us < outcomes->again_us)
        return outcomes->again_us;
    while (told < outcomes->count && tell(&outcomes->list[told], control))
        told++;
    outcomes->count -= told;
    memmove(outcomes->list, outcomes->list + told, outcomes->count * sizeof(outcomes->list[0]));
    outcomes->again_us = outcomes->count > 0 ? now_us + AGAIN_US : 0;
    return outcomes->count > 0 ? outcomes->again_us : UINT64_MAX;
}
