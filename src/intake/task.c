/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include <stdlib.h>

/* Room for a decoded request, and for a page of a list. */
#define TASK_ARENA_MAX ((size_t)1024 * 1024)

static void (*const operations[STK_ADMIN_KIND_COUNT])(struct stk_task *task) = {
    [STK_ADMIN_WRAPPING_KEY] = stk_op_wrapping_key,
    [STK_ADMIN_IMPORT] = stk_op_import,
    [STK_ADMIN_SOURCE_REMOVED] = stk_op_source_removed,
    [STK_ADMIN_LIST] = stk_op_list,
    [STK_ADMIN_SHOW] = stk_op_show,
    [STK_ADMIN_RETIRE] = stk_op_retire,
    [STK_ADMIN_ROLLBACK] = stk_op_rollback,
    [STK_ADMIN_STATUS] = stk_op_status,
    [STK_ADMIN_GENERATE] = stk_op_generate,
    [STK_ADMIN_INSTALL] = stk_op_import,
    [STK_ADMIN_DESTROY] = stk_op_destroy,
    [STK_ADMIN_DOCTOR] = stk_op_doctor,
    [STK_ADMIN_REBUILD] = stk_op_rebuild,
    [STK_ADMIN_RELOAD] = stk_op_reload,
    [STK_ADMIN_AUDIT_KEY] = stk_op_audit_key,
};

static void free_task(struct stk_task *task)
{
    TAILQ_REMOVE(&task->intake->tasks, task, entry);
    stk_buffer_free(&task->message);
    stk_arena_free(&task->arena);
    free(task);
}

void stk_tasks_free(struct stk_intake *intake)
{
    struct stk_task *task = NULL;

    while ((task = TAILQ_FIRST(&intake->tasks)) != NULL)
        free_task(task);
}

void stk_task_answer(struct stk_task *task, enum stk_admin_kind kind)
{
    struct stk_intake *intake = task->intake;

    task->response.id = task->request.id;
    task->response.kind = kind;
    if (task->connection != NULL)
        stk_connection_answered(task->connection, &task->response);
    free_task(task);
    stk_intake_drain_check(intake);
}

void stk_task_refuse(struct stk_task *task, const struct stk_error *error)
{
    task->response =
        (struct stk_admin_response){.status = error->status, .message = error->message};
    stk_task_answer(task, STK_ADMIN_NONE);
}

/* Decode into the task: the frame's bytes are copied, and dropped from the connection. */
static enum stirkeep_status take(struct stk_task *task, struct stk_bytes message)
{
    struct stk_connection *connection = task->connection;
    enum stirkeep_status status = stk_buffer_add(&task->message, message.data, message.length);

    if (status == STIRKEEP_OK)
        stk_buffer_drop(&connection->in, message.length + STK_FRAME_HEADER);
    return status;
}

enum stirkeep_status stk_task_begin(struct stk_connection *connection, struct stk_bytes message)
{
    struct stk_task *task = calloc(1, sizeof(*task));
    struct stk_error error = {0};

    if (task == NULL)
        return STIRKEEP_NO_MEMORY;
    task->intake = connection->intake;
    task->connection = connection;
    task->peer = connection->peer;
    TAILQ_INSERT_TAIL(&task->intake->tasks, task, entry);
    if (stk_arena_new(&task->arena, TASK_ARENA_MAX) != STIRKEEP_OK ||
        take(task, message) != STIRKEEP_OK) {
        free_task(task);
        return STIRKEEP_NO_MEMORY;
    }
    connection->task = task;
    if (stk_admin_request_decode((struct stk_bytes){task->message.data, task->message.length},
                                 &task->arena, &task->request, &error) != STIRKEEP_OK)
        stk_task_refuse(task, &error);
    else
        operations[task->request.kind](task);
    return STIRKEEP_OK;
}
