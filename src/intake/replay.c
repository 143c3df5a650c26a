/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/log.h"
#include <stdio.h>

/*
 * Intents that no import of this process finishes: a former intake was killed, or the keeper gave
 * no answer. The key may be on the token or not. Unless a generation has it, it is destroyed there;
 * its source was not removed, since that happens after the generation exists.
 */

#define DESTROY_TIMEOUT_MS 10000
#define AGAIN_MS 5000

static void next(struct stk_intake *intake);

static void try_later(struct stk_intake *intake, const struct stk_error *error)
{
    intake->replay_running = false;
    intake->replay_why = *error;
    stk_log(STK_LOG_WARNING, "%s: an unfinished import waits to be undone: %s",
            intake->replay_intent.name.text, error->message);
    stk_intake_timer(&intake->replay_again, AGAIN_MS);
}

/* The token does not do it for this key: those behind it need not wait for that. */
static void put_off(struct stk_intake *intake, const struct stk_error *error)
{
    stk_log(STK_LOG_WARNING, "%s: an unfinished import waits to be undone: %s",
            intake->replay_intent.name.text, error->message);
    intake->replay_put_off = true;
    intake->replay_why = *error;
    intake->replay_after = intake->replay_intent.id;
    next(intake);
}

/* The token has no such key, or it is held: the intent can go. */
static void forget(struct stk_intake *intake, const char *what)
{
    const struct stk_intent *intent = &intake->replay_intent;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = {.act = "import-undone",
                          .outcome = "ok",
                          .name = intent->name.text,
                          .key_id = intent->key_id,
                          .detail = detail};
    struct stk_error error = {0};

    if (stk_catalog_forget(intake->catalog, intent->id, &error) != STIRKEEP_OK) {
        try_later(intake, &error);
        return;
    }
    (void)snprintf(detail, sizeof(detail), "an import that was cut off: %s; source %s", what,
                   intent->source);
    stk_log(STK_LOG_INFO, "%s: %s", intent->name.text, detail);
    stk_acts_note(intake, &act);
    intake->replay_after = intent->id;
    next(intake);
}

static void destroyed(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_intake *intake = context;

    if (status == STIRKEEP_OK || status == STIRKEEP_KEY_UNAVAILABLE)
        forget(intake, "its key is not on the token any more");
    else if (answer != NULL)
        put_off(intake, error);
    else
        try_later(intake, error);
}

static void undo(struct stk_intake *intake)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_DESTROY,
                                      .key_id = intake->replay_intent.key_id};
    struct stk_name holder = {0};
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_catalog_holder(intake->catalog, &intake->replay_intent.key_id, &holder, &error);

    if (status == STIRKEEP_OK)
        forget(intake, "its key is in use already and stays");
    else if (status == STIRKEEP_UNKNOWN_NAME)
        stk_call(intake, &order, DESTROY_TIMEOUT_MS, destroyed, intake);
    else
        try_later(intake, &error);
}

static void end(struct stk_intake *intake)
{
    intake->replay_running = false;
    if (intake->replay_put_off)
        stk_intake_timer(&intake->replay_again, AGAIN_MS);
    else
        intake->replay_why = (struct stk_error){0};
}

static void next(struct stk_intake *intake)
{
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    do {
        status = stk_catalog_open_intent(intake->catalog, intake->replay_after,
                                         &intake->replay_intent, &error);
        if (status == STIRKEEP_OK && stk_import_owns(&intake->imports, intake->replay_intent.id))
            intake->replay_after = intake->replay_intent.id;
        else
            break;
    } while (true);
    if (status == STIRKEEP_OK)
        undo(intake);
    else if (status == STIRKEEP_UNKNOWN_NAME)
        end(intake);
    else
        try_later(intake, &error);
}

static void again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    stk_replay_run(context);
}

void stk_replay_run(struct stk_intake *intake)
{
    if (intake->replay_running)
        return;
    intake->replay_running = true;
    intake->replay_put_off = false;
    intake->replay_after = 0;
    (void)event_del(&intake->replay_again);
    next(intake);
}

bool stk_replay_start(struct stk_intake *intake)
{
    if (evtimer_assign(&intake->replay_again, intake->base, again, intake) != 0)
        return false;
    stk_replay_run(intake);
    return true;
}
