/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "model/proof.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A sealed key's way in: checks, INTENT, the keeper imports and proves, the generation exists (one
 * transaction with the record of the act), front and the trail know it, the answer. What fails after
 * the intent takes the key off the token again, unless a generation has it.
 */

#define IMPORT_TIMEOUT_MS 10000

bool stk_import_owns(const struct stk_import_list *imports, int64_t intent)
{
    const struct stk_import *import = NULL;

    TAILQ_FOREACH(import, imports, entry)
    if (import->intent == intent)
        return true;
    return false;
}

static void free_import(struct stk_import *import)
{
    TAILQ_REMOVE(&import->task->intake->imports, import, entry);
    stk_chain_free(import->chain);
    free(import);
}

void stk_imports_free(struct stk_import_list *imports)
{
    struct stk_import *import = NULL;

    while ((import = TAILQ_FIRST(imports)) != NULL)
        free_import(import);
}

static struct stk_act act_of(const struct stk_import *import, enum stirkeep_status status,
                             const char *detail)
{
    const struct stk_task *task = import->task;

    return (struct stk_act){.act = "import",
                            .outcome = stirkeep_status_name(status),
                            .name = task->request.name.text,
                            .key_id = import->leaf.key_id,
                            .detail = detail,
                            .peer = task->peer,
                            .request_id = task->request.id};
}

/* Nothing is left of it: say why, on record and to the one who asked. */
static void refuse(struct stk_import *import, const struct stk_error *error)
{
    struct stk_task *task = import->task;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = act_of(import, error->status, detail);

    (void)snprintf(detail, sizeof(detail), "%s; source %s", error->message, task->request.source);
    stk_acts_note(task->intake, &act);
    free_import(import);
    stk_task_refuse(task, error);
}

/* ---- clean-up after the intent */

static void forget_intent(struct stk_import *import)
{
    struct stk_error error = {0};

    if (stk_catalog_forget(import->task->intake->catalog, import->intent, &error) != STIRKEEP_OK)
        stk_log(STK_LOG_ERROR, "%s: %s", import->task->request.name.text, error.message);
    import->intent = 0;
}

static void destroyed(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_import *import = context;
    struct stk_intake *intake = import->task->intake;
    struct stk_error reason = import->reason;
    (void)answer;

    if (status == STIRKEEP_OK || status == STIRKEEP_KEY_UNAVAILABLE) {
        forget_intent(import);
        refuse(import, &reason);
        return;
    }
    stk_log(STK_LOG_WARNING, "%s: the key of a failed import is still to be destroyed: %s",
            import->task->request.name.text, error->message);
    import->intent = 0; /* the replay's from now on */
    refuse(import, &reason);
    stk_replay_run(intake);
}

static void undo(struct stk_import *import, const struct stk_error *error)
{
    struct stk_intake *intake = import->task->intake;
    struct stk_custody_order order = {.kind = STK_CUSTODY_DESTROY, .key_id = import->leaf.key_id};
    struct stk_name holder = {0};

    import->reason = *error;
    switch (stk_catalog_holder(intake->catalog, &import->leaf.key_id, &holder, NULL)) {
    case STIRKEEP_OK:
        forget_intent(import);
        refuse(import, error);
        return;
    case STIRKEEP_UNKNOWN_NAME:
        stk_call(intake, &order, IMPORT_TIMEOUT_MS, destroyed, import);
        return;
    default: /* the catalog cannot be read: the replay decides when it can */
        import->intent = 0;
        refuse(import, error);
        stk_replay_run(intake);
    }
}

/* ---- after the keeper */

static void settled(void *context)
{
    struct stk_import *import = context;
    struct stk_task *task = import->task;
    struct stk_admin_response *response = &task->response;

    response->generation = import->generation;
    response->key_id = import->leaf.key_id;
    response->already_held = import->held;
    response->x5u = stk_arena_copy(&task->arena, import->x5u, strlen(import->x5u));
    response->attributes =
        stk_arena_copy(&task->arena, import->attributes, strlen(import->attributes));
    free_import(import);
    stk_task_answer(task, STK_ADMIN_IMPORT);
}

static void describe(const struct stk_import *import, char detail[STK_ACT_DETAIL_MAX])
{
    (void)snprintf(detail, STK_ACT_DETAIL_MAX, "%s%s; source %s",
                   import->held ? "held already, proven again; " : "", import->attributes,
                   import->task->request.source);
}

static enum stirkeep_status add(struct stk_import *import, struct stk_error *error)
{
    struct stk_task *task = import->task;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = act_of(import, STIRKEEP_OK, detail);
    struct stk_generation about = {.name = task->request.name.text,
                                   .spc = import->leaf.spc,
                                   .subject = import->leaf.subject,
                                   .issuer = import->leaf.issuer,
                                   .serial = import->leaf.serial,
                                   .fingerprint = import->leaf.fingerprint,
                                   .x5u = import->x5u,
                                   .not_before = import->leaf.not_before,
                                   .not_after = import->leaf.not_after,
                                   .key_id = import->leaf.key_id,
                                   .origin = "imported",
                                   .attributes = import->attributes,
                                   .created = stk_clock_seconds(),
                                   .created_by = task->peer.uid};
    struct stk_new_generation generation = {.about = &about,
                                            .chain = task->request.chain,
                                            .chain_count = task->request.chain_count,
                                            .intent = import->intent,
                                            .act = &act};
    enum stirkeep_status status = STIRKEEP_OK;

    describe(import, detail);
    if (import->held) {
        forget_intent(import);
        act.generation = import->generation;
        stk_acts_note(task->intake, &act);
        return STIRKEEP_OK;
    }
    status = stk_catalog_add(task->intake->catalog, &generation, &import->generation, error);
    if (status == STIRKEEP_OK)
        import->intent = 0;
    return status;
}

static enum stirkeep_status check_proof(struct stk_import *import,
                                        const struct stk_custody_answer *answer,
                                        struct stk_error *error)
{
    uint8_t digest[STK_DIGEST_LENGTH];

    stk_proof_digest(import->challenge, digest);
    if (!answer->has_proof || !stk_chain_verifies(import->chain, digest, answer->signature))
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "the token's signature does not verify with the certificate");
    (void)snprintf(import->attributes, sizeof(import->attributes), "%s", answer->attributes);
    return STIRKEEP_OK;
}

static void imported(void *context, enum stirkeep_status status,
                     const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_import *import = context;
    struct stk_intake *intake = import->task->intake;
    struct stk_error reason = *error;

    if (answer == NULL) { /* it may be carried out yet: the replay undoes it */
        import->intent = 0;
        refuse(import, &reason);
        stk_replay_run(intake);
        return;
    }
    if (status == STIRKEEP_OK)
        status = check_proof(import, answer, &reason);
    if (status == STIRKEEP_OK)
        status = add(import, &reason);
    if (status != STIRKEEP_OK) {
        undo(import, &reason);
        return;
    }
    stk_acts_flush(intake);
    stk_settle(intake, stk_push_name(intake, &import->task->request.name), settled, import);
}

/* ---- the beginning */

/* Perhaps by an import that nobody finishes any more: it is undone, or one learns why not. */
static void explain_busy(const struct stk_import *import, struct stk_error *error)
{
    struct stk_intake *intake = import->task->intake;
    bool alone = import == TAILQ_FIRST(&intake->imports) && TAILQ_NEXT(import, entry) == NULL;

    if (alone && intake->replay_why.status != STIRKEEP_OK)
        (void)stk_error_set(error, STIRKEEP_BUSY, "%s (it was cut off, and waits to be undone: %s)",
                            error->message, intake->replay_why.message);
    stk_replay_run(intake);
}

void stk_op_import(struct stk_task *task)
{
    struct stk_import *import = calloc(1, sizeof(*import));
    struct stk_custody_order order = {.kind = STK_CUSTODY_IMPORT,
                                      .name = task->request.name,
                                      .chain_count = task->request.chain_count,
                                      .sealed = task->request.sealed};
    struct stk_error error = {0};

    if (import == NULL) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
        stk_task_refuse(task, &error);
        return;
    }
    import->task = task;
    TAILQ_INSERT_TAIL(&task->intake->imports, import, entry);
    if (stk_import_check(import, &error) != STIRKEEP_OK) {
        if (error.status == STIRKEEP_BUSY)
            explain_busy(import, &error);
        refuse(import, &error);
        return;
    }
    stk_random(import->challenge, sizeof(import->challenge));
    order.key_id = import->leaf.key_id;
    memcpy(order.challenge, import->challenge, sizeof(order.challenge));
    memcpy(order.chain, task->request.chain, sizeof(order.chain));
    stk_call(task->intake, &order, IMPORT_TIMEOUT_MS, imported, import);
}
