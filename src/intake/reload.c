/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/digest.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OVER_MAX 64 /* not recorded yet, since the trail cannot be written */
#define RECORD_TIMEOUT_MS 8000

/* Exactly as stirkeepd writes it: the digests are answered to administrators. */
bool stk_policy_facts_read(const char *text, struct stk_policy_facts *ret_facts)
{
    struct stk_policy_facts facts = {0};
    char again[STK_ERROR_MAX] = "";

    if (sscanf(text, "configuration %64[0-9a-f] attestation %64[-0-9a-f] grants %zu rules %zu",
               facts.configuration, facts.attestation, &facts.grants, &facts.rules) != 4)
        return false;
    (void)snprintf(again, sizeof(again), STK_POLICY_TEXT, facts.configuration, facts.attestation,
                   facts.grants, facts.rules);
    if (strcmp(again, text) != 0)
        return false;
    if (strcmp(facts.attestation, "-") == 0)
        facts.attestation[0] = '\0';
    *ret_facts = facts;
    return true;
}

/* ---- the answer */

static const char *keep(struct stk_task *task, const char *text)
{
    const char *copy = stk_arena_copy(&task->arena, text, strlen(text));

    return copy != NULL ? copy : "";
}

static void prepare_answer(struct stk_task *task, const struct stk_reload *reload)
{
    struct stk_admin_response *response = &task->response;
    struct stk_policy_facts facts = {0};

    response->status = reload->status;
    if (reload->status == STIRKEEP_OK && !stk_policy_facts_read(reload->text, &facts))
        response->status = STIRKEEP_INTERNAL;
    if (response->status != STIRKEEP_OK) {
        response->message = keep(task, reload->text);
        return;
    }
    response->configuration = keep(task, facts.configuration);
    response->attestation = keep(task, facts.attestation);
    response->grants = (uint32_t)facts.grants;
    response->attest_rules = facts.rules;
}

static void settled(void *context)
{
    struct stk_task *task = context;

    stk_task_answer(task, task->response.status == STIRKEEP_OK ? STK_ADMIN_RELOAD : STK_ADMIN_NONE);
}

/* ---- the record */

static void record_next(struct stk_intake *intake);

static const char *outcome_of(const struct stk_reload *reload)
{
    return reload->kind == STK_CONTROL_POLICY_NEXT ? "begun" : stirkeep_status_name(reload->status);
}

static void say_recorded(const struct stk_reload *reload, enum stirkeep_status status,
                         const char *text)
{
    struct stk_control_message message = {.kind = STK_CONTROL_RECORDED,
                                          .room = STK_ROOM_INTAKE,
                                          .status = status,
                                          .number = reload->number};

    (void)snprintf(message.text, sizeof(message.text), "%s", text);
    (void)stk_control_send_message(STK_FD_CONTROL, &message);
}

static void answer(struct stk_reload *reload)
{
    if (reload->task == NULL)
        return;
    prepare_answer(reload->task, reload);
    stk_settle(reload->intake, 0, settled, reload->task);
    reload->task = NULL;
}

static void take_off(struct stk_reload *reload)
{
    struct stk_reloads *reloads = &reload->intake->reloads;

    TAILQ_REMOVE(&reloads->over, reload, entry);
    reloads->over_count--;
    free(reload);
}

/* What is still to happen does not; what happened is answered, and waits to be recorded. */
static void not_recorded(struct stk_intake *intake, const struct stk_error *reason)
{
    struct stk_reloads *reloads = &intake->reloads;
    struct stk_reload *next = NULL;

    for (struct stk_reload *reload = TAILQ_FIRST(&reloads->over); reload != NULL; reload = next) {
        next = TAILQ_NEXT(reload, entry);
        if (reload->kind == STK_CONTROL_RELOADED) {
            answer(reload);
        } else {
            say_recorded(reload, STIRKEEP_AUDIT_UNAVAILABLE, reason->message);
            take_off(reload);
        }
    }
    if (TAILQ_EMPTY(&reloads->over))
        return;
    if (!reloads->told)
        stk_log(STK_LOG_ERROR, "policy: waits to be recorded: %s", reason->message);
    reloads->told = true;
    stk_intake_timer(&reloads->again, STK_RETRY_MS);
}

static void recorded(void *context, enum stirkeep_status status,
                     const struct stk_custody_answer *said, const struct stk_error *error)
{
    struct stk_intake *intake = context;
    struct stk_reload *reload = TAILQ_FIRST(&intake->reloads.over);
    (void)said;

    intake->reloads.recording = false;
    (void)event_del(&intake->reloads.late);
    if (status != STIRKEEP_OK) {
        not_recorded(intake, error);
        return;
    }
    intake->reloads.told = false;
    if (reload->kind == STK_CONTROL_RELOADED)
        answer(reload);
    else
        say_recorded(reload, STIRKEEP_OK, "");
    take_off(reload);
    record_next(intake);
}

/* In their order. Not by way of the catalog, whose disk may be full: it is the trail that counts. */
static void record_next(struct stk_intake *intake)
{
    struct stk_reloads *reloads = &intake->reloads;
    const struct stk_reload *reload = TAILQ_FIRST(&reloads->over);
    struct stk_custody_order order = {.kind = STK_CUSTODY_RECORD, .act = "policy"};

    if (reload == NULL || reloads->recording)
        return;
    (void)event_del(&reloads->again);
    order.outcome = outcome_of(reload);
    order.detail = reload->text;
    order.peer = reload->peer;
    order.request_id = reload->request_id;
    reloads->recording = true;
    if (reload->task != NULL)
        stk_intake_timer(&reloads->late, STK_SETTLE_MS);
    stk_call(intake, &order, RECORD_TIMEOUT_MS, recorded, intake);
}

/* Who asked does not wait for the trail for ever. */
static void late(evutil_socket_t fd, short what, void *context)
{
    const struct stk_intake *intake = context;
    (void)fd;
    (void)what;
    answer(TAILQ_FIRST(&intake->reloads.over));
}

static void again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    record_next(context);
}

/* One that nobody here asked for. */
static struct stk_reload *make(const struct stk_intake *intake, uint64_t number)
{
    struct stk_reload *reload =
        intake->reloads.over_count < OVER_MAX ? calloc(1, sizeof(*reload)) : NULL;

    if (reload == NULL)
        stk_log(STK_LOG_ERROR, "policy: not recorded, since nothing can be");
    else
        reload->number = number;
    return reload;
}

/* The one of this number, taken off the list. */
static struct stk_reload *find_or_make(struct stk_intake *intake, uint64_t number)
{
    struct stk_reloads *reloads = &intake->reloads;
    struct stk_reload *reload = NULL;

    TAILQ_FOREACH(reload, &reloads->asked, entry)
    if (reload->number == number) {
        TAILQ_REMOVE(&reloads->asked, reload, entry);
        reloads->asked_count--;
        return reload;
    }
    return make(intake, number);
}

static void put(struct stk_intake *intake, struct stk_reload *reload,
                const struct stk_control_message *message)
{
    struct stk_reloads *reloads = &intake->reloads;

    reload->intake = intake;
    reload->kind = (enum stk_control_kind)message->kind;
    reload->status = (enum stirkeep_status)message->status;
    (void)snprintf(reload->text, sizeof(reload->text), "%.*s", (int)sizeof(reload->text) - 1,
                   message->text);
    TAILQ_INSERT_TAIL(&reloads->over, reload, entry);
    reloads->over_count++;
    record_next(intake);
}

void stk_reload_over(struct stk_intake *intake, const struct stk_control_message *message)
{
    struct stk_reload *reload = find_or_make(intake, message->number);

    if (message->status == STIRKEEP_OK)
        (void)stk_policy_facts_read(message->text, &intake->reloads.facts);
    if (reload != NULL)
        put(intake, reload, message);
}

void stk_reload_record(struct stk_intake *intake, const struct stk_control_message *message)
{
    struct stk_reload *reload = make(intake, message->number);
    const struct stk_reload refused = {.number = message->number};

    if (message->kind == STK_CONTROL_POLICY)
        (void)stk_policy_facts_read(message->text, &intake->reloads.facts);
    if (reload == NULL) {
        say_recorded(&refused, STIRKEEP_AUDIT_UNAVAILABLE, "too much waits to be recorded");
        return;
    }
    put(intake, reload, message);
}

/* ---- another configuration */

/* Who is no administrator any more does not stay. What somebody has under way is finished; the next
 * request is not begun. */
static void dismiss_strangers(struct stk_intake *intake)
{
    struct stk_connection *connection = TAILQ_FIRST(&intake->connections);

    while (connection != NULL) {
        struct stk_connection *next = TAILQ_NEXT(connection, entry);

        if (connection->state == STK_CONNECTION_OPEN && connection->task == NULL &&
            connection->out_sent == connection->out.length &&
            !stk_is_administrator(intake, &connection->peer))
            stk_connection_dismiss(connection);
        connection = next;
    }
}

void stk_reload_take(struct stk_intake *intake, const struct stk_control_message *message)
{
    struct stk_control_message taken = {
        .kind = STK_CONTROL_TAKEN, .room = STK_ROOM_INTAKE, .number = message->number};
    struct stk_config *config = NULL;
    struct stk_error error = {0};

    taken.status = stk_room_read_config(message->fds[0], &config, &error);
    if (taken.status == STIRKEEP_OK) {
        /* Of what may change, intake has use for this alone. */
        intake->config->admin = config->admin;
        stk_config_free(config);
    } else {
        (void)snprintf(taken.text, sizeof(taken.text), "%s", error.message);
    }
    (void)stk_control_send_message(STK_FD_CONTROL, &taken);
    dismiss_strangers(intake);
}

/* ---- start and end */

bool stk_reloads_start(struct stk_intake *intake)
{
    TAILQ_INIT(&intake->reloads.asked);
    TAILQ_INIT(&intake->reloads.over);
    stk_random(&intake->reloads.last_number, sizeof(intake->reloads.last_number));
    return evtimer_assign(&intake->reloads.again, intake->base, again, intake) == 0 &&
           evtimer_assign(&intake->reloads.late, intake->base, late, intake) == 0;
}

static void free_list(struct stk_reload_list *list)
{
    struct stk_reload *reload = NULL;

    while ((reload = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, reload, entry);
        free(reload);
    }
}

void stk_reloads_stop(struct stk_intake *intake)
{
    (void)event_del(&intake->reloads.again);
    (void)event_del(&intake->reloads.late);
    free_list(&intake->reloads.asked);
    free_list(&intake->reloads.over);
}
