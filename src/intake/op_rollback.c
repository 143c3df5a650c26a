/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "intake/proof.h"
#include <stdio.h>

/*
 * The generation before the active one signs again: only after the token has proven that its key
 * still does, and if nobody has changed the name meanwhile.
 */

struct rollback {
    struct stk_errand errand;
    struct stk_task *task;
    struct stk_certificate from;
    struct stk_certificate to;
};

static struct stk_act act_of(const struct rollback *rollback, enum stirkeep_status status,
                             const char *detail)
{
    const struct stk_task *task = rollback->task;

    return (struct stk_act){.act = "rollback",
                            .outcome = stirkeep_status_name(status),
                            .name = task->request.name.text,
                            .generation = rollback->to.generation,
                            .key_id = rollback->to.key_id,
                            .detail = detail,
                            .peer = task->peer,
                            .request_id = task->request.id};
}

static void refuse(struct rollback *rollback, const struct stk_error *error)
{
    struct stk_task *task = rollback->task;
    struct stk_act act = act_of(rollback, error->status, error->message);

    stk_acts_note(task->intake, &act);
    stk_errand_end(rollback);
    stk_task_refuse(task, error);
}

static void settled(void *context)
{
    stk_task_answer(context, STK_ADMIN_ROLLBACK);
}

static enum stirkeep_status activate(const struct rollback *rollback, struct stk_error *error)
{
    const struct stk_task *task = rollback->task;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = act_of(rollback, STIRKEEP_OK, detail);

    (void)snprintf(detail, sizeof(detail), "in the place of generation %u; proven to sign",
                   rollback->from.generation);
    return stk_catalog_roll_back(task->intake->catalog, task->request.name.text,
                                 rollback->from.generation, rollback->to.generation, &act, error);
}

static void proven(void *context, const struct stk_error *error)
{
    struct rollback *rollback = context;
    struct stk_task *task = rollback->task;
    struct stk_intake *intake = task->intake;
    struct stk_error reason = {0};

    if (error == NULL && activate(rollback, &reason) != STIRKEEP_OK)
        error = &reason;
    if (error != NULL) {
        refuse(rollback, error);
        return;
    }
    task->response.generation = rollback->to.generation;
    stk_errand_end(rollback);
    intake->acts_waiting = true;
    stk_acts_flush(intake);
    stk_settle(intake, stk_push_name(intake, &task->request.name), settled, task);
}

static enum stirkeep_status check(struct rollback *rollback, struct stk_error *error)
{
    struct stk_task *task = rollback->task;
    const char *name = task->request.name.text;
    enum stirkeep_status status =
        stk_catalog_earlier(task->intake->catalog, name, &rollback->from, &rollback->to, error);

    if (status == STIRKEEP_OK && rollback->to.not_after < stk_clock_seconds())
        status = stk_error_set(error, STIRKEEP_CERT_EXPIRED,
                               "%s: the certificate of generation %u has expired", name,
                               rollback->to.generation);
    return status;
}

void stk_op_rollback(struct stk_task *task)
{
    struct rollback *rollback = stk_errand_new(&task->intake->errands, sizeof(*rollback), NULL);
    struct stk_error error = {0};

    if (rollback == NULL) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
        stk_task_refuse(task, &error);
        return;
    }
    rollback->task = task;
    if (check(rollback, &error) != STIRKEEP_OK)
        refuse(rollback, &error);
    else
        stk_prove(task->intake, &rollback->to, proven, rollback);
}
