/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "intake/destruction.h"
#include <stdio.h>
#include <string.h>

/*
 * Keys destroyed for good: in one transaction the name stops signing with them and they are
 * condemned; when front knows, they are destroyed one after the other. What is cut off, the replay
 * finishes.
 */

struct destroy {
    struct stk_errand errand;
    struct stk_task *task;
    int64_t after; /* intents done */
    struct stk_intent intent;
    uint32_t keys;
    uint32_t generations;
    char proof[STK_DESTRUCTION_PROOF]; /* of the last one */
};

static void next(struct destroy *destroy);

static bool one_key(const struct stk_task *task)
{
    static const struct stk_key_id none = {0};

    return memcmp(&task->request.key_id, &none, sizeof(none)) != 0;
}

static void note(const struct stk_task *task, const struct stk_error *error)
{
    struct stk_act act = {.act = "destroy",
                          .outcome = stirkeep_status_name(error->status),
                          .name = task->request.name.text,
                          .key_id = task->request.key_id,
                          .detail = error->message,
                          .peer = task->peer,
                          .request_id = task->request.id};

    stk_acts_note(task->intake, &act);
}

/* The replay goes on with what is left. */
static void give_up(struct destroy *destroy, const struct stk_error *error)
{
    struct stk_task *task = destroy->task;
    struct stk_intake *intake = task->intake;
    struct stk_error reason = *error;

    (void)stk_error_set(&reason, error->status,
                        "%s: it does not sign with it any more, but the key is still to be "
                        "destroyed, and will be as soon as it can: %s",
                        task->request.name.text, error->message);
    note(task, &reason);
    stk_errand_end(destroy);
    stk_task_refuse(task, &reason);
    intake->replay.destroying--;
    stk_replay_run(intake);
}

static void settled(void *context)
{
    stk_task_answer(context, STK_ADMIN_DESTROY);
}

static void finish(struct destroy *destroy)
{
    struct stk_task *task = destroy->task;
    struct stk_intake *intake = task->intake;

    task->response.keys = destroy->keys;
    task->response.affected = destroy->generations;
    task->response.proof = stk_arena_copy(&task->arena, destroy->proof, strlen(destroy->proof));
    stk_errand_end(destroy);
    intake->replay.destroying--;
    stk_acts_flush(intake);
    stk_settle(intake, stk_push_name(intake, &task->request.name), settled, task);
}

static void destructed(void *context, const struct stk_destruction *destruction,
                       const struct stk_error *error)
{
    struct destroy *destroy = context;

    if (error != NULL) {
        give_up(destroy, error);
        return;
    }
    destroy->keys++;
    destroy->generations += destruction->generations;
    (void)snprintf(destroy->proof, sizeof(destroy->proof), "%s", destruction->proof);
    destroy->after = destroy->intent.id;
    next(destroy);
}

/* The next condemned key of this name. */
static void next(struct destroy *destroy)
{
    struct stk_task *task = destroy->task;
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    do {
        status = stk_catalog_open_intent(task->intake->catalog, destroy->after, &destroy->intent,
                                         &error);
        destroy->after = destroy->intent.id;
    } while (status == STIRKEEP_OK &&
             (destroy->intent.kind != STK_INTENT_DESTROY ||
              strcmp(destroy->intent.name.text, task->request.name.text) != 0));
    if (status == STIRKEEP_OK)
        stk_destruct(task->intake, &destroy->intent, &task->peer, task->request.id, destructed,
                     destroy);
    else if (status == STIRKEEP_UNKNOWN_NAME)
        finish(destroy);
    else
        give_up(destroy, &error);
}

static void front_knows(void *context)
{
    next(context);
}

static enum stirkeep_status condemn(struct stk_task *task, struct stk_error *error)
{
    const struct stk_key_id *key_id = one_key(task) ? &task->request.key_id : NULL;
    struct stk_act act = {.act = "destroy",
                          .outcome = "begun",
                          .name = task->request.name.text,
                          .key_id = task->request.key_id,
                          .detail = key_id != NULL ? "one key of the name" : "all keys of the name",
                          .peer = task->peer,
                          .request_id = task->request.id};

    return stk_catalog_condemn(task->intake->catalog, task->request.name.text, key_id,
                               stk_clock_seconds(), &act, &task->response.stopped, error);
}

void stk_op_destroy(struct stk_task *task)
{
    struct stk_intake *intake = task->intake;
    struct destroy *destroy = stk_errand_new(&intake->errands, sizeof(*destroy), NULL);
    struct stk_error error = {0};

    if (destroy == NULL) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
    } else if (condemn(task, &error) == STIRKEEP_OK) {
        destroy->task = task;
        intake->replay.destroying++;
        intake->acts_waiting = true;
        stk_acts_flush(intake);
        stk_settle(intake, stk_push_name(intake, &task->request.name), front_knows, destroy);
        return;
    }
    stk_errand_end(destroy);
    note(task, &error);
    stk_task_refuse(task, &error);
    stk_replay_run(intake);
}
