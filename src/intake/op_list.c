/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#define LIST_PAGE 64 /* a page fits a message, and with its texts the task's arena */

void stk_op_list(struct stk_task *task)
{
    struct stk_generation *generations =
        stk_arena_take(&task->arena, LIST_PAGE * sizeof(*generations));
    struct stk_error error = {0};
    enum stirkeep_status status =
        generations == NULL
            ? stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory")
            : stk_catalog_list(task->intake->catalog, task->request.after, &task->arena,
                               generations, LIST_PAGE, &task->response.generation_count, &error);

    if (status != STIRKEEP_OK) {
        stk_task_refuse(task, &error);
        return;
    }
    task->response.generations = generations;
    task->response.more = task->response.generation_count == LIST_PAGE;
    stk_task_answer(task, STK_ADMIN_LIST);
}
