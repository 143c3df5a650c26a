/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/digest.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OVER_MAX 64 /* not recorded yet, since the catalog cannot be written */

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

static enum stirkeep_status record(const struct stk_reload *reload, struct stk_error *error)
{
    static const struct stk_peer nobody;
    const struct stk_task *task = reload->task;
    const struct stk_act act = {.act = "policy",
                                .outcome = stirkeep_status_name(reload->status),
                                .name = "",
                                .detail = reload->text,
                                .peer = task != NULL ? task->peer : nobody,
                                .request_id = task != NULL ? task->request.id : 0};

    return stk_catalog_act(reload->intake->catalog, &act, error);
}

/* In their order, and none is answered before it is recorded. */
static void record_all(struct stk_intake *intake)
{
    struct stk_reloads *reloads = &intake->reloads;
    struct stk_reload *reload = NULL;
    struct stk_error error = {0};

    while ((reload = TAILQ_FIRST(&reloads->over)) != NULL) {
        if (record(reload, &error) != STIRKEEP_OK) {
            if (!reloads->told)
                stk_log(STK_LOG_ERROR, "policy: waits to be recorded: %s", error.message);
            reloads->told = true;
            stk_intake_timer(&reloads->again, STK_RETRY_MS);
            return;
        }
        reloads->told = false;
        TAILQ_REMOVE(&reloads->over, reload, entry);
        reloads->over_count--;
        intake->acts_waiting = true;
        stk_acts_flush(intake);
        if (reload->task != NULL) {
            prepare_answer(reload->task, reload);
            stk_settle(intake, 0, settled, reload->task);
        }
        free(reload);
    }
}

static void again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    record_all(context);
}

/* The one of this number, taken off the list; or a new one that nobody here asked for. */
static struct stk_reload *find(struct stk_intake *intake, uint64_t number)
{
    struct stk_reloads *reloads = &intake->reloads;
    struct stk_reload *reload = NULL;

    TAILQ_FOREACH(reload, &reloads->asked, entry)
    if (reload->number == number) {
        TAILQ_REMOVE(&reloads->asked, reload, entry);
        reloads->asked_count--;
        return reload;
    }
    reload = reloads->over_count < OVER_MAX ? calloc(1, sizeof(*reload)) : NULL;
    if (reload != NULL)
        reload->intake = intake;
    return reload;
}

void stk_reload_over(struct stk_intake *intake, const struct stk_control_message *message)
{
    struct stk_reloads *reloads = &intake->reloads;
    struct stk_reload *reload = find(intake, message->number);

    if (message->status == STIRKEEP_OK)
        (void)stk_policy_facts_read(message->text, &reloads->facts);
    if (reload == NULL) {
        stk_log(STK_LOG_ERROR, "policy: not recorded, since nothing can be: %s", message->text);
        return;
    }
    reload->status = (enum stirkeep_status)message->status;
    (void)snprintf(reload->text, sizeof(reload->text), "%.*s", (int)sizeof(reload->text) - 1,
                   message->text);
    TAILQ_INSERT_TAIL(&reloads->over, reload, entry);
    reloads->over_count++;
    record_all(intake);
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
    return evtimer_assign(&intake->reloads.again, intake->base, again, intake) == 0;
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
    free_list(&intake->reloads.asked);
    free_list(&intake->reloads.over);
}
