/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/replay.h"

#include "base/log.h"
#include "intake/destruction.h"
#include "intake/intake.h"
#include <stdio.h>
#include <string.h>

#define DESTROY_TIMEOUT_MS 10000
#define AGAIN_MS 5000

static void next(struct stk_intake *intake);

/* ---- claims */

void stk_claim_take(struct stk_intake *intake, struct stk_claim *claim, int64_t intent)
{
    claim->intent = intent;
    TAILQ_INSERT_TAIL(&intake->replay.claims, claim, entry);
}

void stk_claim_drop(struct stk_intake *intake, struct stk_claim *claim)
{
    if (claim->intent == 0)
        return;
    TAILQ_REMOVE(&intake->replay.claims, claim, entry);
    claim->intent = 0;
}

static bool is_claimed(const struct stk_replay *replay, const struct stk_intent *intent)
{
    const struct stk_claim *claim = NULL;

    if (intent->kind == STK_INTENT_DESTROY && replay->destroying > 0)
        return true;
    TAILQ_FOREACH(claim, &replay->claims, entry)
    if (claim->intent == intent->id)
        return true;
    return false;
}

/* ---- one intent */

static void tell_waiting(const struct stk_intake *intake, const struct stk_error *error)
{
    const struct stk_intent *intent = &intake->replay.intent;

    stk_log(STK_LOG_WARNING, "%s: %s: %s", intent->name.text,
            intent->kind == STK_INTENT_DESTROY ? "a key is still to be destroyed"
                                               : "an unfinished import waits to be undone",
            error->message);
}

static void try_later(struct stk_intake *intake, const struct stk_error *error)
{
    intake->replay.running = false;
    intake->replay.why = *error;
    tell_waiting(intake, error);
    stk_intake_timer(&intake->replay.again, AGAIN_MS);
}

/* The token does not do it for this key: those behind it need not wait for that. */
static void put_off(struct stk_intake *intake, const struct stk_error *error)
{
    tell_waiting(intake, error);
    intake->replay.put_off = true;
    intake->replay.why = *error;
    intake->replay.after = intake->replay.intent.id;
    next(intake);
}

/* The token has no such key, or it is held: the intent can go. */
static void forget(struct stk_intake *intake, const char *what)
{
    const struct stk_intent *intent = &intake->replay.intent;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = {.act = "import-undone",
                          .outcome = "ok",
                          .name = intent->name.text,
                          .key_id = intent->key_id,
                          .detail = detail};
    struct stk_error error = {0};

    if (intent->kind == STK_INTENT_GENERATE)
        act.act = "generate-undone";
    if (stk_catalog_forget(intake->catalog, intent->id, &error) != STIRKEEP_OK) {
        try_later(intake, &error);
        return;
    }
    (void)snprintf(detail, sizeof(detail), "%s that was cut off: %s; source %s",
                   intent->kind == STK_INTENT_GENERATE ? "a generation" : "an import", what,
                   intent->source);
    stk_log(STK_LOG_INFO, "%s: %s", intent->name.text, detail);
    stk_acts_note(intake, &act);
    intake->replay.after = intent->id;
    next(intake);
}

static void destroy(struct stk_intake *intake, const struct stk_key_id *key_id, stk_call_done *done)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_DESTROY, .key_id = *key_id};

    stk_call(intake, &order, DESTROY_TIMEOUT_MS, done, intake);
}

static bool is_gone(struct stk_intake *intake, enum stirkeep_status status,
                    const struct stk_custody_answer *answer, const struct stk_error *error)
{
    if (status == STIRKEEP_OK || status == STIRKEEP_KEY_UNAVAILABLE)
        return true;
    if (answer != NULL)
        put_off(intake, error);
    else
        try_later(intake, error);
    return false;
}

static void ticket_gone(void *context, enum stirkeep_status status,
                        const struct stk_custody_answer *answer, const struct stk_error *error)
{
    if (is_gone(context, status, answer, error))
        forget(context, "its key is not on the token any more");
}

static void key_gone(void *context, enum stirkeep_status status,
                     const struct stk_custody_answer *answer, const struct stk_error *error)
{
    static const struct stk_key_id none = {0};
    struct stk_intake *intake = context;
    const struct stk_key_id *ticket = &intake->replay.intent.ticket;

    if (!is_gone(intake, status, answer, error))
        return;
    if (memcmp(ticket, &none, sizeof(none)) == 0)
        forget(intake, "its key is not on the token any more");
    else
        destroy(intake, ticket, ticket_gone);
}

static void undo(struct stk_intake *intake)
{
    struct stk_name holder = {0};
    struct stk_error error = {0};
    enum stirkeep_status status =
        stk_catalog_holder(intake->catalog, &intake->replay.intent.key_id, &holder, &error);

    if (status == STIRKEEP_OK)
        forget(intake, "its key is in use already and stays");
    else if (status == STIRKEEP_UNKNOWN_NAME)
        destroy(intake, &intake->replay.intent.key_id, key_gone);
    else
        try_later(intake, &error);
}

/* A condemned key is gone, with the record of it. */
static void destructed(void *context, const struct stk_destruction *destruction,
                       const struct stk_error *error)
{
    struct stk_intake *intake = context;

    (void)destruction;
    if (error == NULL) {
        stk_acts_flush(intake);
        (void)stk_push_name(intake, &intake->replay.intent.name);
        intake->replay.after = intake->replay.intent.id;
        next(intake);
    } else if (error->status == STIRKEEP_UNAVAILABLE || error->status == STIRKEEP_STORAGE) {
        try_later(intake, error);
    } else {
        put_off(intake, error);
    }
}

/* ---- all of them */

static void end(struct stk_intake *intake)
{
    intake->replay.running = false;
    if (intake->replay.put_off)
        stk_intake_timer(&intake->replay.again, AGAIN_MS);
    else
        intake->replay.why = (struct stk_error){0};
}

static void next(struct stk_intake *intake)
{
    static const struct stk_peer nobody = {0};
    struct stk_replay *replay = &intake->replay;
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    do {
        status = stk_catalog_open_intent(intake->catalog, replay->after, &replay->intent, &error);
        if (status == STIRKEEP_OK && is_claimed(replay, &replay->intent))
            replay->after = replay->intent.id;
        else
            break;
    } while (true);
    if (status == STIRKEEP_OK && replay->intent.kind == STK_INTENT_DESTROY)
        stk_destruct(intake, &replay->intent, &nobody, 0, destructed, intake);
    else if (status == STIRKEEP_OK)
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
    struct stk_replay *replay = &intake->replay;

    if (replay->running)
        return;
    replay->running = true;
    replay->put_off = false;
    replay->after = 0;
    (void)event_del(&replay->again);
    next(intake);
}

bool stk_replay_start(struct stk_intake *intake)
{
    if (evtimer_assign(&intake->replay.again, intake->base, again, intake) != 0)
        return false;
    stk_replay_run(intake);
    return true;
}
