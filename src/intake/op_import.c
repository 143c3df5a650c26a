/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include <string.h>

static const char *keep(struct stk_task *task, const char *text)
{
    return stk_arena_copy(&task->arena, text, strlen(text));
}

static void done(void *context, const struct stk_import *import, const struct stk_error *error)
{
    struct stk_task *task = context;
    struct stk_admin_response *response = &task->response;

    if (error != NULL) {
        stk_task_refuse(task, error);
        return;
    }
    response->generation = import->generation;
    response->key_id = import->leaf.key_id;
    response->already_held = import->held && !import->staged;
    response->activate_at = import->activate_at;
    response->x5u = keep(task, import->x5u);
    response->attributes = keep(task, import->attributes);
    response->warnings = import->warnings;
    response->warning_count = import->warning_count;
    stk_task_answer(task, task->request.kind);
}

void stk_op_import(struct stk_task *task)
{
    stk_import_begin(task->intake, &task->request, &task->peer, &task->arena, done, task);
}
