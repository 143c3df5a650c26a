/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "base/log.h"
#include "room/room.h"
#include <stdlib.h>

static bool start_all(struct stk_intake *intake)
{
    return stk_control_start(intake) && stk_calls_start(intake) && stk_pushes_start(intake) &&
           stk_acts_start(intake) && stk_reloads_start(intake) && stk_replay_start(intake) &&
           stk_staged_start(intake) && stk_expiry_start(intake) && stk_lost_start(intake) &&
           stk_spool_start(intake) && stk_listener_start(intake);
}

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config == NULL)
        return NULL;
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

enum stirkeep_status stk_intake_new(struct stk_config *config, struct stk_intake **ret_intake,
                                    struct stk_error *error)
{
    struct stk_intake *intake = calloc(1, sizeof(*intake));
    enum stirkeep_status status = STIRKEEP_OK;

    if (intake == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    *ret_intake = intake;
    intake->config = config;
    intake->started_us = stk_clock_mono_us();
    TAILQ_INIT(&intake->connections);
    TAILQ_INIT(&intake->tasks);
    LIST_INIT(&intake->errands);
    TAILQ_INIT(&intake->imports);
    TAILQ_INIT(&intake->replay.claims);
    intake->message = malloc(STK_LINK_MESSAGE_MAX);
    intake->base = new_base();
    if (intake->message == NULL || intake->base == NULL ||
        stk_arena_new(&intake->arena, STK_DECODE_ARENA_MAX) != STIRKEEP_OK)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    status = stk_catalog_open(config->storage.catalog, &intake->catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    if (!start_all(intake))
        return stk_error_set(error, STIRKEEP_INTERNAL, "event loop: cannot be set up");
    return STIRKEEP_OK;
}

int stk_intake_run(struct stk_intake *intake)
{
    if (!stk_control_send(STK_FD_CONTROL, STK_CONTROL_READY, STK_ROOM_INTAKE, intake->lockdown))
        return 1;
    (void)event_base_dispatch(intake->base);
    return intake->exit_status;
}

void stk_intake_timer(struct event *timer, unsigned milliseconds)
{
    const struct timeval after = {.tv_sec = milliseconds / 1000,
                                  .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000};

    if (event_add(timer, &after) != 0) {
        stk_log(STK_LOG_ERROR, "a timer cannot be set");
        abort();
    }
}

void stk_intake_drain_check(struct stk_intake *intake)
{
    const struct stk_connection *connection = NULL;

    if (!intake->draining)
        return;
    TAILQ_FOREACH(connection, &intake->connections, entry)
    if (connection->task != NULL || connection->out_sent < connection->out.length)
        return;
    if (!TAILQ_EMPTY(&intake->imports) || intake->acts_flushing || !stk_calls_idle(intake) ||
        !stk_spool_idle(intake))
        return;
    (void)event_base_loopbreak(intake->base);
}

void stk_intake_free(struct stk_intake *intake)
{
    struct stk_connection *connection = NULL;

    while ((connection = TAILQ_FIRST(&intake->connections)) != NULL)
        stk_connection_free(connection);
    stk_spool_stop(intake);
    stk_pushes_stop(intake);
    stk_calls_stop(intake);
    stk_imports_free(&intake->imports);
    stk_errands_end(&intake->errands);
    stk_rebuild_free(intake->rebuild);
    stk_reloads_stop(intake);
    stk_tasks_free(intake);
    stk_catalog_close(intake->catalog);
    stk_config_free(intake->config);
    stk_arena_free(&intake->arena);
    free(intake->message);
    event_base_free(intake->base);
    free(intake);
}
