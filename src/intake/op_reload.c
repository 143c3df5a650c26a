/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include <stdlib.h>

static enum stirkeep_status ask(struct stk_task *task, struct stk_reload *reload,
                                struct stk_error *error)
{
    struct stk_reloads *reloads = &task->intake->reloads;
    struct stk_control_message message = {.kind = STK_CONTROL_RELOAD, .room = STK_ROOM_INTAKE};

    if (reload == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    if (reloads->asked_count >= STK_RELOADS_MAX)
        return stk_error_set(error, STIRKEEP_BUSY,
                             "so many reloads are asked for already: try again");
    if (++reloads->last_number == 0)
        reloads->last_number++; /* 0 is nobody's */
    message.number = reloads->last_number;
    if (!stk_control_send_message(STK_FD_CONTROL, &message))
        return stk_error_set(error, STIRKEEP_UNAVAILABLE,
                             "stirkeepd, which reads the configuration, takes no request: "
                             "try again");
    *reload = (struct stk_reload){.intake = task->intake,
                                  .task = task,
                                  .peer = task->peer,
                                  .request_id = task->request.id,
                                  .number = reloads->last_number};
    TAILQ_INSERT_TAIL(&reloads->asked, reload, entry);
    reloads->asked_count++;
    return STIRKEEP_OK;
}

/* stirkeepd always says how it ended, and when it cannot any more this process ends, too. */
void stk_op_reload(struct stk_task *task)
{
    struct stk_reload *reload = calloc(1, sizeof(*reload));
    struct stk_error error = {0};

    if (ask(task, reload, &error) == STIRKEEP_OK)
        return;
    free(reload);
    stk_task_refuse(task, &error);
}
