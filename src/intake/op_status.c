/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/encode.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_TIMEOUT_MS 1500
#define UNSEALED_TIMES 10 /* seal-seconds: longer than that, something is in the way of seals */

static const char *keep(struct stk_task *task, const char *text)
{
    const char *copy = stk_arena_copy(&task->arena, text, strlen(text));

    return copy != NULL ? copy : "";
}

/* A copy that lives until the answer is written. */
static const void *keep_bytes(struct stk_task *task, const void *bytes, size_t size)
{
    void *copy = stk_arena_take(&task->arena, size);

    return copy != NULL ? memcpy(copy, bytes, size) : NULL;
}

static void not_ready(struct stk_service_status *service, const char *why)
{
    service->ready = false;
    if (service->detail[0] == '\0')
        service->detail = why;
}

static const char *key_id_text(struct stk_task *task, struct stk_bytes spki)
{
    char text[2 * STK_DIGEST_LENGTH + 1] = "";
    uint8_t digest[STK_DIGEST_LENGTH] = {0};

    stk_sha256(spki.data, spki.length, digest);
    stk_hex_encode(digest, sizeof(digest), text);
    return keep(task, text);
}

/* Before the others. */
static void warn(struct stk_task *task, const char *line)
{
    struct stk_service_status *service = &task->response.service;
    size_t count =
        service->warning_count < STK_WARNINGS_MAX ? service->warning_count : STK_WARNINGS_MAX - 1;
    const char **lines = stk_arena_take(&task->arena, (count + 1) * sizeof(*lines));

    if (lines == NULL)
        return;
    lines[0] = keep(task, line);
    for (size_t i = 0; i < count; i++)
        lines[i + 1] = service->warnings[i];
    service->warnings = lines;
    service->warning_count = count + 1;
}

/* What is not sealed, whoever owns the host can still change. */
static void warn_of_seals(struct stk_task *task, const struct stk_token_report *token)
{
    const int64_t patience = UNSEALED_TIMES * (int64_t)task->intake->config->audit.seal_seconds;
    char since[STK_SECONDS_TEXT] = "";
    char line[STK_ERROR_MAX] = "";

    if (token->audit_spki.length == 0)
        warn(task,
             "there is no audit key on the token: the audit trail is not sealed (the keeper's "
             "log says why)");
    if (token->audit_unsealed_since == 0 ||
        stk_clock_seconds() - token->audit_unsealed_since <= patience)
        return;
    stk_seconds_text(token->audit_unsealed_since, since);
    (void)snprintf(line, sizeof(line),
                   "%" PRIu64 " records of the audit trail are not sealed, since %s",
                   token->audit_unsealed, since);
    warn(task, line);
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
    service->audit_sealed = token->audit_sealed;
    service->audit_unsealed = token->audit_unsealed;
    service->audit_unsealed_since = token->audit_unsealed_since;
    if (token->audit_spki.length > 0)
        service->audit_key = key_id_text(task, token->audit_spki);
    if (token->counters != NULL)
        service->keeper_counters = keep_bytes(task, token->counters, sizeof(*token->counters));
    warn_of_seals(task, token);
    if (!token->audit_writable)
        not_ready(service, "the audit trail cannot be written, so nothing is signed");
}

/* Who is open is a warning, too. */
static void take_lockdown(struct stk_task *task)
{
    const struct stk_locked *locked = &task->intake->locked;
    struct stk_service_status *service = &task->response.service;
    const char **lines = stk_arena_take(&task->arena, STK_PROCESSES_MAX * sizeof(*lines));

    if (lines == NULL)
        return;
    for (size_t i = 0; i < locked->count; i++) {
        lines[i] = keep(task, locked->lines[i]);
        if (locked->open[i])
            warn(task, locked->lines[i]);
    }
    service->lock_down = lines;
    service->lock_down_count = locked->count;
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
    if (pushes->counted >= task->push)
        service->front_counters = keep_bytes(task, &pushes->counters, sizeof(pushes->counters));
}

static void finish(void *context)
{
    struct stk_task *task = context;

    take_front(task);
    take_lockdown(task);
    task->response.service.intake_use =
        (struct stk_room_use){stk_clock_cpu_us(), stk_clock_mono_us() - task->intake->started_us};
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

/* Somebody waits for who mends it. */
static void warn_of_trouble(struct stk_task *task, const char *trouble)
{
    if (trouble[0] != '\0')
        warn(task, trouble);
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
                                    .audit_key = "",
                                    .configuration = task->intake->reloads.facts.configuration,
                                    .attestation = task->intake->reloads.facts.attestation};
    if (stk_catalog_count(task->intake->catalog, &service->names, &error) != STIRKEEP_OK)
        not_ready(service, keep(task, error.message));
    stk_expiry_warn(task);
    if (stk_catalog_in_place(task->intake->catalog, &error) != STIRKEEP_OK)
        warn(task, error.message);
    warn_of_trouble(task, stk_push_trouble(task->intake));
    warn_of_trouble(task, stk_spool_trouble(task->intake));
    task->push = stk_push_ask(task->intake);
    if (!task->intake->keeper_up) {
        service->keeper = "starting";
        not_ready(service, "the keeper is starting");
        settle(task);
        return;
    }
    stk_call(task->intake, &order, TOKEN_TIMEOUT_MS, described, task);
}
