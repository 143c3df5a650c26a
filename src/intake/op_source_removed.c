/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include <stdio.h>

static void settled(void *context)
{
    stk_task_answer(context, STK_ADMIN_SOURCE_REMOVED);
}

/* The command tells what it did to the file: on record with who said so. */
void stk_op_source_removed(struct stk_task *task)
{
    const struct stk_admin_request *request = &task->request;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = {.act = "source-removed",
                          .outcome = "ok",
                          .name = request->name.text,
                          .generation = request->generation,
                          .key_id = request->key_id,
                          .detail = detail,
                          .peer = task->peer,
                          .request_id = request->id};
    struct stk_error error = {0};

    (void)snprintf(detail, sizeof(detail), "%s: %s", request->source, request->how);
    if (stk_catalog_act(task->intake->catalog, &act, &error) != STIRKEEP_OK) {
        stk_task_refuse(task, &error);
        return;
    }
    task->intake->acts_waiting = true;
    stk_acts_flush(task->intake);
    stk_settle(task->intake, 0, settled, task);
}
