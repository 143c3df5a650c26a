/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include <string.h>

#define TOKEN_TIMEOUT_MS 1500

static const char *keep(struct stk_task *task, const char *text)
{
    const char *copy = stk_arena_copy(&task->arena, text, strlen(text));

    return copy != NULL ? copy : "";
}

static void not_ready(struct stk_service_status *service, const char *why)
{
    service->ready = false;
    if (service->detail[0] == '\0')
        service->detail = why;
}

static void take_token(struct stk_task *task, const struct stk_token_report *token)
{
    struct stk_service_status *service = &task->response.service;

    service->token_label = keep(task, token->label);
    service->token_serial = keep(task, token->serial);
    service->token_model = keep(task, token->model);
    service->seal_way = keep(task, token->seal_way);
    service->sign_way = keep(task, token->sign_way);
    service->signers = token->signers;
    service->hardware = token->hardware;
    service->signatures = token->signatures;
    service->audit_sequence = token->audit_sequence;
    if (!token->audit_writable)
        not_ready(service, "the audit trail cannot be written, so nothing is signed");
}

static void take_front(struct stk_task *task)
{
    const struct stk_pushes *pushes = &task->intake->pushes;
    struct stk_service_status *service = &task->response.service;

    if (!task->intake->front_up) {
        service->front = "starting";
        not_ready(service, "front is starting");
        return;
    }
    service->front = "up";
    if (pushes->heard < task->push)
        not_ready(service, "front, which signing clients talk to, gives no answer: try again");
    service->refusals = pushes->report.refusals;
    service->connections = pushes->report.connections;
}

static void finish(void *context)
{
    struct stk_task *task = context;

    take_front(task);
    stk_task_answer(task, STK_ADMIN_STATUS);
}

/* Front has mostly answered while the keeper did. */
static void settle(struct stk_task *task)
{
    struct stk_intake *intake = task->intake;

    if (intake->front_up && intake->pushes.heard < task->push)
        stk_settle(intake, task->push, finish, task);
    else
        finish(task);
}

static void described(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_task *task = context;
    struct stk_service_status *service = &task->response.service;

    service->keeper = "up";
    if (status == STIRKEEP_OK && answer->has_token) {
        take_token(task, &answer->token);
    } else {
        service->keeper = answer != NULL ? "up, without the token" : "starting";
        not_ready(service, keep(task, error->message));
    }
    settle(task);
}

/* Before the others: somebody waits for who mends it. */
static void warn_first(struct stk_task *task, const char *trouble)
{
    struct stk_service_status *service = &task->response.service;
    const char **lines =
        stk_arena_take(&task->arena, (service->warning_count + 1) * sizeof(*lines));

    if (trouble[0] == '\0' || lines == NULL)
        return;
    lines[0] = keep(task, trouble);
    for (size_t i = 0; i < service->warning_count; i++)
        lines[i + 1] = service->warnings[i];
    service->warnings = lines;
    service->warning_count++;
}

/* What the whole service stands on: asked now, not remembered. */
void stk_op_status(struct stk_task *task)
{
    struct stk_service_status *service = &task->response.service;
    struct stk_custody_order order = {.kind = STK_CUSTODY_TOKEN};
    struct stk_error error = {0};

    *service =
        (struct stk_service_status){.ready = true,
                                    .version = STIRKEEP_VERSION,
                                    .detail = "",
                                    .front = "",
                                    .keeper = "",
                                    .token_label = "",
                                    .token_serial = "",
                                    .token_model = "",
                                    .seal_way = "",
                                    .sign_way = "",
                                    .configuration = task->intake->reloads.facts.configuration,
                                    .attestation = task->intake->reloads.facts.attestation};
    if (stk_catalog_count(task->intake->catalog, &service->names, &error) != STIRKEEP_OK)
        not_ready(service, keep(task, error.message));
    stk_expiry_warn(task);
    warn_first(task, stk_push_trouble(task->intake));
    warn_first(task, stk_spool_trouble(task->intake));
    task->push = stk_push_ask(task->intake);
    if (!task->intake->keeper_up) {
        service->keeper = "starting";
        not_ready(service, "the keeper is starting");
        settle(task);
        return;
    }
    stk_call(task->intake, &order, TOKEN_TIMEOUT_MS, described, task);
}
