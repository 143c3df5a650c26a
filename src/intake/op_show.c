/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include <string.h>

#define SHOW_MAX 64 /* generations, the newest */
#define REQUESTED_MAX 16

/* Whose chain is shown: the one that was asked for, or the active one, else the newest. */
static uint32_t generation_of_interest(uint32_t asked, const struct stk_generation *generations,
                                       size_t count)
{
    if (asked != 0)
        return asked;
    for (size_t i = 0; i < count; i++)
        if (strcmp(generations[i].state, "active") == 0)
            return generations[i].generation;
    return generations[0].generation;
}

static enum stirkeep_status look_up_requested(struct stk_task *task, struct stk_error *error)
{
    struct stk_requested_key *keys = stk_arena_take(&task->arena, REQUESTED_MAX * sizeof(*keys));

    if (keys == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    task->response.requested = keys;
    return stk_catalog_requested(task->intake->catalog, task->request.name.text, &task->arena, keys,
                                 REQUESTED_MAX, &task->response.requested_count, error);
}

static enum stirkeep_status look_up(struct stk_task *task, struct stk_error *error)
{
    struct stk_catalog *catalog = task->intake->catalog;
    const char *name = task->request.name.text;
    struct stk_generation *generations =
        stk_arena_take(&task->arena, SHOW_MAX * sizeof(*generations));
    size_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (generations == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = look_up_requested(task, error);
    if (status == STIRKEEP_OK)
        status =
            stk_catalog_show(catalog, name, &task->arena, generations, SHOW_MAX, &count, error);
    if (status == STIRKEEP_UNKNOWN_NAME && task->response.requested_count > 0)
        return STIRKEEP_OK; /* it has no certificate yet */
    if (status != STIRKEEP_OK)
        return status;
    task->response.generations = generations;
    task->response.generation_count = count;
    return stk_catalog_chain(
        catalog, name, generation_of_interest(task->request.generation, generations, count),
        &task->arena, task->response.chain, &task->response.chain_count, error);
}

void stk_op_show(struct stk_task *task)
{
    struct stk_error error = {0};

    if (look_up(task, &error) == STIRKEEP_OK)
        stk_task_answer(task, STK_ADMIN_SHOW);
    else
        stk_task_refuse(task, &error);
}
