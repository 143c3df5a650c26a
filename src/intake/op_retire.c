/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

static void settled(void *context)
{
    stk_task_answer(context, STK_ADMIN_RETIRE);
}

/* The name signs no more from the moment of the answer on; its key stays on the token. */
void stk_op_retire(struct stk_task *task)
{
    const struct stk_name *name = &task->request.name;
    struct stk_act act = {.act = "retire",
                          .outcome = "ok",
                          .name = name->text,
                          .detail = "",
                          .peer = task->peer,
                          .request_id = task->request.id};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_catalog_retire(task->intake->catalog, name->text, &act,
                                                     &task->response.generation, &error);

    if (status != STIRKEEP_OK) {
        act.outcome = stirkeep_status_name(status);
        act.detail = error.message;
        stk_acts_note(task->intake, &act);
        stk_task_refuse(task, &error);
        return;
    }
    task->intake->acts_waiting = true;
    stk_staged_look(task->intake);
    stk_acts_flush(task->intake);
    stk_settle(task->intake, stk_push_name(task->intake, name), settled, task);
}
