/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "base/digest.h"
#include "cert/cert.h"
#include "model/proof.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The generation before the active one signs again: only after the token has proven that its key
 * still does, and if nobody has changed the name meanwhile.
 */

#define PROVE_TIMEOUT_MS 10000

struct rollback {
    struct stk_task *task;
    struct stk_certificate from;
    struct stk_certificate to;
    struct stk_chain *chain; /* of `to` */
    uint8_t challenge[STK_CHALLENGE_LENGTH];
};

static struct stk_act act_of(const struct rollback *rollback, enum stirkeep_status status,
                             const char *detail)
{
    const struct stk_task *task = rollback->task;

    return (struct stk_act){.act = "rollback",
                            .outcome = stirkeep_status_name(status),
                            .name = task->request.name.text,
                            .generation = rollback->to.generation,
                            .key_id = rollback->to.key_id,
                            .detail = detail,
                            .peer = task->peer,
                            .request_id = task->request.id};
}

static void free_rollback(struct rollback *rollback)
{
    stk_chain_free(rollback->chain);
    free(rollback);
}

static void refuse(struct rollback *rollback, const struct stk_error *error)
{
    struct stk_task *task = rollback->task;
    struct stk_act act = act_of(rollback, error->status, error->message);

    stk_acts_note(task->intake, &act);
    free_rollback(rollback);
    stk_task_refuse(task, error);
}

static void settled(void *context)
{
    stk_task_answer(context, STK_ADMIN_ROLLBACK);
}

static enum stirkeep_status check_proof(const struct rollback *rollback,
                                        const struct stk_custody_answer *answer,
                                        struct stk_error *error)
{
    uint8_t digest[STK_DIGEST_LENGTH];

    stk_proof_digest(rollback->challenge, digest);
    if (answer->has_proof && stk_chain_verifies(rollback->chain, digest, answer->signature))
        return STIRKEEP_OK;
    return stk_error_set(
        error, STIRKEEP_NOT_VERIFIED,
        "generation %u: the token's signature does not verify with its certificate",
        rollback->to.generation);
}

static enum stirkeep_status activate(const struct rollback *rollback, struct stk_error *error)
{
    const struct stk_task *task = rollback->task;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = act_of(rollback, STIRKEEP_OK, detail);

    (void)snprintf(detail, sizeof(detail), "in the place of generation %u; proven to sign",
                   rollback->from.generation);
    return stk_catalog_roll_back(task->intake->catalog, task->request.name.text,
                                 rollback->from.generation, rollback->to.generation, &act, error);
}

static void proven(void *context, enum stirkeep_status status,
                   const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct rollback *rollback = context;
    struct stk_task *task = rollback->task;
    struct stk_intake *intake = task->intake;
    struct stk_error reason = *error;

    if (status == STIRKEEP_OK)
        status = check_proof(rollback, answer, &reason);
    if (status == STIRKEEP_OK)
        status = activate(rollback, &reason);
    if (status != STIRKEEP_OK) {
        refuse(rollback, &reason);
        return;
    }
    task->response.generation = rollback->to.generation;
    free_rollback(rollback);
    intake->acts_waiting = true;
    stk_acts_flush(intake);
    stk_settle(intake, stk_push_name(intake, &task->request.name), settled, task);
}

static enum stirkeep_status check(struct rollback *rollback, struct stk_error *error)
{
    struct stk_task *task = rollback->task;
    struct stk_catalog *catalog = task->intake->catalog;
    const char *name = task->request.name.text;
    struct stk_bytes chain[STK_CHAIN_MAX] = {0};
    size_t count = 0;
    enum stirkeep_status status =
        stk_catalog_earlier(catalog, name, &rollback->from, &rollback->to, error);

    if (status == STIRKEEP_OK && rollback->to.not_after < stk_clock_seconds())
        status = stk_error_set(error, STIRKEEP_CERT_EXPIRED,
                               "%s: the certificate of generation %u has expired", name,
                               rollback->to.generation);
    if (status == STIRKEEP_OK)
        status = stk_catalog_chain(catalog, name, rollback->to.generation, &task->arena, chain,
                                   &count, error);
    if (status == STIRKEEP_OK)
        status = stk_chain_from_der(chain, count, &rollback->chain, error);
    return status;
}

void stk_op_rollback(struct stk_task *task)
{
    struct rollback *rollback = calloc(1, sizeof(*rollback));
    struct stk_custody_order order = {.kind = STK_CUSTODY_PROVE};
    struct stk_error error = {0};

    if (rollback == NULL) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
        stk_task_refuse(task, &error);
        return;
    }
    rollback->task = task;
    if (check(rollback, &error) != STIRKEEP_OK) {
        refuse(rollback, &error);
        return;
    }
    stk_random(rollback->challenge, sizeof(rollback->challenge));
    order.key_id = rollback->to.key_id;
    memcpy(order.challenge, rollback->challenge, sizeof(order.challenge));
    stk_call(task->intake, &order, PROVE_TIMEOUT_MS, proven, rollback);
}
