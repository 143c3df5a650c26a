/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/import.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "intake/intake.h"
#include "intake/proof.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A certificate's way into service: checks, INTENT, the keeper imports the sealed key (or finds the
 * one that it has) and proves it, the generation exists (one transaction with the record of the
 * act), front and the trail know it. What fails after the intent takes a new key off the token
 * again.
 */

#define IMPORT_TIMEOUT_MS 10000

static void free_import(struct stk_import *import)
{
    TAILQ_REMOVE(&import->intake->imports, import, entry);
    stk_claim_drop(import->intake, &import->claim);
    stk_chain_free(import->chain);
    free(import);
}

void stk_imports_free(struct stk_import_list *imports)
{
    struct stk_import *import = NULL;

    while ((import = TAILQ_FIRST(imports)) != NULL)
        free_import(import);
}

static const char *act_name(const struct stk_import *import)
{
    return import->request->kind == STK_ADMIN_INSTALL ? "install" : "import";
}

static struct stk_act act_of(const struct stk_import *import, enum stirkeep_status status,
                             const char *detail)
{
    return (struct stk_act){.act = act_name(import),
                            .outcome = stirkeep_status_name(status),
                            .name = import->request->name.text,
                            .key_id = import->leaf.key_id,
                            .detail = detail,
                            .peer = import->peer,
                            .request_id = import->request->id};
}

static void end(struct stk_import *import, const struct stk_error *error)
{
    struct stk_intake *intake = import->intake;

    import->done(import->context, import, error);
    free_import(import);
    stk_intake_drain_check(intake);
}

/* "; source PATH", where there is one. */
static const char *source_text(const struct stk_import *import)
{
    return import->request->kind == STK_ADMIN_INSTALL ? "" : import->request->source;
}

/* Nothing is left of it: say why, on record and to the one who asked. */
static void refuse(struct stk_import *import, const struct stk_error *error)
{
    const struct stk_error reason = *error;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = act_of(import, reason.status, detail);
    const char *source = source_text(import);

    (void)snprintf(detail, sizeof(detail), "%s%s%s", reason.message,
                   source[0] == '\0' ? "" : "; source ", source);
    stk_acts_note(import->intake, &act);
    end(import, &reason);
}

/* ---- clean-up after the intent */

static void forget_intent(struct stk_import *import)
{
    struct stk_error error = {0};
    bool forgotten =
        stk_catalog_forget(import->intake->catalog, import->claim.intent, &error) == STIRKEEP_OK;

    stk_claim_drop(import->intake, &import->claim);
    if (forgotten)
        return;
    stk_log(STK_LOG_ERROR, "%s: %s", import->request->name.text, error.message);
    stk_replay_run(import->intake); /* it tries again */
}

/* The replay's from now on. */
static void leave(struct stk_import *import)
{
    struct stk_intake *intake = import->intake;
    const struct stk_error reason = import->reason;

    stk_claim_drop(intake, &import->claim);
    refuse(import, &reason);
    stk_replay_run(intake);
}

static void destroyed(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_import *import = context;
    (void)answer;

    if (status == STIRKEEP_OK || status == STIRKEEP_KEY_UNAVAILABLE) {
        forget_intent(import);
        refuse(import, &import->reason);
        return;
    }
    stk_log(STK_LOG_WARNING, "%s: the key of a failed import is still to be destroyed: %s",
            import->request->name.text, error->message);
    leave(import);
}

static void undo(struct stk_import *import, const struct stk_error *error)
{
    struct stk_custody_order order = {.kind = STK_CUSTODY_DESTROY, .key_id = import->leaf.key_id};
    struct stk_name holder = {0};

    import->reason = *error;
    switch (stk_catalog_holder(import->intake->catalog, &import->leaf.key_id, &holder, NULL)) {
    case STIRKEEP_OK:
        forget_intent(import);
        refuse(import, error);
        return;
    case STIRKEEP_UNKNOWN_NAME:
        stk_call(import->intake, &order, IMPORT_TIMEOUT_MS, destroyed, import);
        return;
    default: /* the catalog cannot be read: the replay decides when it can */
        leave(import);
    }
}

/* ---- after the keeper */

static void settled(void *context)
{
    end(context, NULL);
}

static void describe(const struct stk_import *import, char detail[STK_ACT_DETAIL_MAX])
{
    const char *source = source_text(import);
    char until[STK_SECONDS_TEXT] = "";
    const char *what = "";

    if (import->held && import->staged)
        what = import->activate_at == 0 ? "staged before, active now; " : "staged anew; ";
    else if (import->held)
        what = "held already, proven again; ";
    if (import->activate_at != 0)
        stk_seconds_text(import->activate_at, until);
    (void)snprintf(detail, STK_ACT_DETAIL_MAX, "%s%s%s%s%s%s", what, import->attributes,
                   until[0] == '\0' ? "" : "; staged until ", until,
                   source[0] == '\0' ? "" : "; source ", source);
}

/* What is asked for is a generation already: nothing of it changes but when it signs. */
static enum stirkeep_status take_held(struct stk_import *import, struct stk_act *act,
                                      struct stk_error *error)
{
    struct stk_catalog *catalog = import->intake->catalog;
    const char *name = import->request->name.text;
    enum stirkeep_status status = STIRKEEP_OK;

    if (import->staged && import->activate_at == 0) {
        /* From now on is what its time is to be: what else is staged for before then is earlier. */
        status = stk_catalog_restage(catalog, name, import->generation, stk_clock_seconds(), NULL,
                                     error);
        if (status == STIRKEEP_OK)
            status = stk_catalog_activate(catalog, name, import->generation, act, error);
    } else if (import->staged)
        status =
            stk_catalog_restage(catalog, name, import->generation, import->activate_at, act, error);
    if (status != STIRKEEP_OK)
        return status;
    forget_intent(import);
    act->generation = import->generation;
    if (!import->staged)
        stk_acts_note(import->intake, act);
    return STIRKEEP_OK;
}

static const char *origin_of(const struct stk_import *import)
{
    if (import->request->kind == STK_ADMIN_INSTALL)
        return "generated"; /* the key is held, and keeps its own */
    return import->request->elsewhere ? "sealed" : "imported";
}

static enum stirkeep_status add(struct stk_import *import, struct stk_error *error)
{
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = act_of(import, STIRKEEP_OK, detail);
    struct stk_generation about = {.name = import->request->name.text,
                                   .activate_at = import->activate_at,
                                   .spc = import->leaf.spc,
                                   .numbers = import->leaf.numbers,
                                   .subject = import->leaf.subject,
                                   .issuer = import->leaf.issuer,
                                   .serial = import->leaf.serial,
                                   .fingerprint = import->leaf.fingerprint,
                                   .x5u = import->x5u,
                                   .not_before = import->leaf.not_before,
                                   .not_after = import->leaf.not_after,
                                   .key_id = import->leaf.key_id,
                                   .origin = origin_of(import),
                                   .attributes = import->attributes,
                                   .created = stk_clock_seconds(),
                                   .created_by = import->peer.uid};
    struct stk_new_generation generation = {.about = &about,
                                            .chain = import->request->chain,
                                            .chain_count = import->request->chain_count,
                                            .intent = import->claim.intent,
                                            .act = &act};
    enum stirkeep_status status = STIRKEEP_OK;

    describe(import, detail);
    if (import->held)
        return take_held(import, &act, error);
    status = stk_catalog_add(import->intake->catalog, &generation, &import->generation, error);
    if (status == STIRKEEP_OK)
        stk_claim_drop(import->intake, &import->claim);
    return status;
}

static enum stirkeep_status check_proof(struct stk_import *import,
                                        const struct stk_custody_answer *answer,
                                        struct stk_error *error)
{
    if (!answer->has_proof ||
        !stk_proof_verifies(import->chain, import->challenge, answer->signature))
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "the token's signature does not verify with the certificate");
    (void)snprintf(import->attributes, sizeof(import->attributes), "%s", answer->attributes);
    return STIRKEEP_OK;
}

static void imported(void *context, enum stirkeep_status status,
                     const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct stk_import *import = context;
    struct stk_intake *intake = import->intake;
    struct stk_error reason = *error;

    if (answer == NULL) { /* it may be carried out yet: the replay undoes it */
        import->reason = reason;
        leave(import);
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
    intake->acts_waiting = true;
    stk_acts_flush(intake);
    stk_staged_look(intake);
    stk_settle(intake, stk_push_name(intake, &import->request->name), settled, import);
}

/* ---- the beginning */

/* Perhaps by an import that nobody finishes any more: it is undone, or one learns why not. */
static void explain_busy(const struct stk_import *import, struct stk_error *error)
{
    struct stk_intake *intake = import->intake;
    bool alone = import == TAILQ_FIRST(&intake->imports) && TAILQ_NEXT(import, entry) == NULL;

    if (alone && intake->replay.why.status != STIRKEEP_OK)
        (void)stk_error_set(error, STIRKEEP_BUSY, "%s (it was cut off, and waits to be undone: %s)",
                            error->message, intake->replay.why.message);
    stk_replay_run(intake);
}

static void order_import(struct stk_import *import)
{
    const struct stk_admin_request *request = import->request;
    struct stk_custody_order order = {.kind = STK_CUSTODY_IMPORT,
                                      .name = request->name,
                                      .key_id = import->leaf.key_id,
                                      .chain_count = request->chain_count,
                                      .x5u = import->x5u};

    if (request->kind == STK_ADMIN_IMPORT)
        order.sealed = request->sealed;
    stk_random(import->challenge, sizeof(import->challenge));
    memcpy(order.challenge, import->challenge, sizeof(order.challenge));
    memcpy(order.chain, request->chain, sizeof(order.chain));
    stk_call(import->intake, &order, IMPORT_TIMEOUT_MS, imported, import);
}

void stk_import_begin(struct stk_intake *intake, const struct stk_admin_request *request,
                      const struct stk_peer *peer, struct stk_arena *arena, stk_import_done *done,
                      void *context)
{
    struct stk_import *import = calloc(1, sizeof(*import));
    struct stk_error error = {0};

    if (import == NULL) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
        done(context, NULL, &error);
        return;
    }
    *import = (struct stk_import){.intake = intake,
                                  .request = request,
                                  .arena = arena,
                                  .peer = *peer,
                                  .done = done,
                                  .context = context};
    TAILQ_INSERT_TAIL(&intake->imports, import, entry);
    if (stk_import_check(import, &error) == STIRKEEP_OK) {
        order_import(import);
        return;
    }
    if (error.status == STIRKEEP_BUSY)
        explain_busy(import, &error);
    refuse(import, &error);
}
