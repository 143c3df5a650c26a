/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/encode.h"
#include "intake/intake.h"
#include "wire/bounds.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_ARENA_MAX ((size_t)256 * 1024) /* texts of one key's certificates */
#define ID_TEXT 17                         /* the beginning of a key id in hex */

void stk_rebuild_forget_key(struct stk_rebuild *rebuild)
{
    stk_chain_free(rebuild->leaf);
    rebuild->leaf = NULL;
}

void stk_rebuild_free(struct stk_rebuild *rebuild)
{
    if (rebuild == NULL)
        return;
    rebuild->intake->rebuild = NULL;
    stk_rebuild_forget_key(rebuild);
    stk_plan_free(&rebuild->plan);
    stk_arena_free(&rebuild->arena);
    free(rebuild);
}

/* ---- the end */

static void add_problem(struct stk_rebuild *rebuild, const char *line)
{
    const char *copy = NULL;

    if (rebuild->problem_count < STK_PROBLEMS_MAX - 1)
        copy = stk_arena_copy(&rebuild->task->arena, line, strlen(line));
    if (copy != NULL)
        rebuild->problems[rebuild->problem_count++] = copy;
    else
        rebuild->problems_left_out++;
}

void stk_rebuild_problem(struct stk_rebuild *rebuild, const struct stk_name *name,
                         const struct stk_key_id *key_id, const char *why)
{
    char line[STK_ERROR_MAX + STK_NAME_MAX + ID_TEXT + 16] = "";
    char id[ID_TEXT] = "";

    stk_hex_encode(key_id->bytes, (ID_TEXT - 1) / 2, id);
    (void)snprintf(line, sizeof(line), "%s: key %s: %s", name->text, id, why);
    add_problem(rebuild, line);
}

static void settled(void *context)
{
    stk_task_answer(context, STK_ADMIN_REBUILD);
}

void stk_rebuild_finish(struct stk_rebuild *rebuild)
{
    struct stk_task *task = rebuild->task;
    struct stk_admin_response *response = &task->response;
    char line[96] = "";
    const char *copy = NULL;
    uint64_t push = rebuild->push;

    if (rebuild->problems_left_out > 0) {
        (void)snprintf(line, sizeof(line), "%zu more problems, for which there is no room here",
                       rebuild->problems_left_out);
        copy = stk_arena_copy(&task->arena, line, strlen(line));
        if (copy != NULL)
            rebuild->problems[rebuild->problem_count++] = copy;
    }
    response->names = rebuild->names;
    response->affected = rebuild->generations;
    response->keys = rebuild->known;
    response->problems = rebuild->problems;
    response->problem_count = rebuild->problem_count;
    stk_rebuild_free(rebuild);
    stk_settle(task->intake, push, settled, task);
}

/* What was added stays, and the same command goes on from there. */
void stk_rebuild_stop(struct stk_rebuild *rebuild, const struct stk_error *error)
{
    struct stk_task *task = rebuild->task;
    struct stk_intake *intake = rebuild->intake;
    struct stk_error reason = {0};
    struct stk_act act = {.act = "rebuild",
                          .outcome = stirkeep_status_name(error->status),
                          .name = "",
                          .detail = reason.message,
                          .peer = task->peer,
                          .request_id = task->request.id};

    (void)stk_error_set(&reason, error->status,
                        "%s (%u generations were taken in before; the same command goes on)",
                        error->message, rebuild->generations);
    stk_acts_note(intake, &act);
    stk_rebuild_free(rebuild);
    stk_task_refuse(task, &reason);
}

bool stk_rebuild_drains(struct stk_rebuild *rebuild)
{
    struct stk_error error = {0};

    if (!rebuild->intake->draining)
        return false;
    (void)stk_error_set(&error, STIRKEEP_UNAVAILABLE, "the service is ending");
    stk_rebuild_stop(rebuild, &error);
    return true;
}

bool stk_rebuild_spares(enum stirkeep_status status)
{
    switch (status) {
    case STIRKEEP_STORAGE:
    case STIRKEEP_NO_MEMORY:
    case STIRKEEP_OVERLOADED:
    case STIRKEEP_TOKEN_LOCKED:
    case STIRKEEP_AUDIT_UNAVAILABLE:
        return false;
    default:
        return true;
    }
}

/* ---- the beginning */

void stk_op_rebuild(struct stk_task *task)
{
    struct stk_intake *intake = task->intake;
    struct stk_rebuild *rebuild = NULL;
    struct stk_error error = {0};

    if (intake->rebuild != NULL) {
        (void)stk_error_set(&error, STIRKEEP_BUSY, "the catalog is being rebuilt already");
        stk_task_refuse(task, &error);
        return;
    }
    rebuild = calloc(1, sizeof(*rebuild));
    if (rebuild != NULL) {
        rebuild->intake = intake;
        rebuild->task = task;
        rebuild->problems =
            stk_arena_take(&task->arena, STK_PROBLEMS_MAX * sizeof(*rebuild->problems));
        intake->rebuild = rebuild;
    }
    if (rebuild == NULL || rebuild->problems == NULL ||
        stk_arena_new(&rebuild->arena, KEY_ARENA_MAX) != STIRKEEP_OK) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
        stk_rebuild_free(rebuild);
        stk_task_refuse(task, &error);
        return;
    }
    stk_rebuild_walk(rebuild);
}
