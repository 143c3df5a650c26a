/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/log.h"

#define RECORD_TIMEOUT_MS 10000

/* In a moment, unless something flushes it before. */
static void pause_flushing(struct stk_intake *intake, const struct stk_error *error)
{
    if (!intake->acts_told)
        stk_log(STK_LOG_WARNING, "an act waits for the audit trail: %s", error->message);
    intake->acts_told = true;
    stk_intake_timer(&intake->acts_again, STK_RETRY_MS);
}

/* It is in the trail, and is not to come there again because the catalog cannot forget it yet. */
static void forget(struct stk_intake *intake)
{
    struct stk_error error = {0};

    if (stk_catalog_act_done(intake->catalog, intake->act_id, &error) != STIRKEEP_OK) {
        intake->act_recorded = true;
        pause_flushing(intake, &error);
        return;
    }
    intake->act_recorded = false;
    if (intake->acts_told)
        stk_replay_run(intake); /* what could not be undone without a trail can be now */
    intake->acts_told = false;
    stk_acts_flush(intake);
}

static void recorded(void *context, enum stirkeep_status status,
                     const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_intake *intake = context;
    (void)answer;

    intake->acts_flushing = false;
    if (status == STIRKEEP_OK)
        forget(intake);
    else
        pause_flushing(intake, error);
}

static void send_act(struct stk_intake *intake, const struct stk_act *act)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_RECORD,
                                      .act = act->act,
                                      .outcome = act->outcome,
                                      .detail = act->detail,
                                      .key_id = act->key_id,
                                      .generation = act->generation,
                                      .peer = act->peer,
                                      .request_id = act->request_id};

    /* A refused request's name need not be one; then it is in the detail. */
    if (act->name[0] != '\0')
        (void)stk_name_parse(act->name, &order.name, NULL);
    intake->acts_flushing = true;
    intake->act_id = act->id;
    stk_call(intake, &order, RECORD_TIMEOUT_MS, recorded, intake);
}

void stk_acts_flush(struct stk_intake *intake)
{
    struct stk_act act = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (intake->acts_flushing)
        return;
    (void)event_del(&intake->acts_again);
    if (intake->act_recorded) {
        forget(intake);
        return;
    }
    stk_arena_reset(&intake->arena);
    status = stk_catalog_next_act(intake->catalog, &intake->arena, &act, &error);
    intake->acts_waiting = status != STIRKEEP_UNKNOWN_NAME;
    if (status == STIRKEEP_OK)
        send_act(intake, &act);
    else if (status == STIRKEEP_UNKNOWN_NAME)
        stk_settle_check(intake);
    else
        pause_flushing(intake, &error);
}

static void again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    stk_acts_flush(context);
}

void stk_acts_note(struct stk_intake *intake, const struct stk_act *act)
{
    struct stk_error error = {0};

    intake->acts_waiting = true;
    if (stk_catalog_act(intake->catalog, act, &error) != STIRKEEP_OK)
        stk_log(STK_LOG_ERROR, "%s could not be recorded: %s", act->act, error.message);
    stk_acts_flush(intake);
}

bool stk_acts_start(struct stk_intake *intake)
{
    if (evtimer_assign(&intake->acts_again, intake->base, again, intake) != 0)
        return false;
    stk_acts_flush(intake);
    return true;
}
