/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/intake.h"

#include "base/clock.h"
#include "base/digest.h"
#include "cert/csr.h"
#include "intake/proof.h"
#include "model/proof.h"
#include <stdio.h>
#include <string.h>

/*
 * A key pair made on the token, and a request for its certificate. Its key id is not known before:
 * a ticket stands for it in the journal and on the token until it is. A key of this name that waits
 * for its certificate already gets another request instead.
 */

#define GENERATE_TIMEOUT_MS 10000
#define TICKET_LENGTH STK_KEY_ID_LENGTH

struct generate {
    struct stk_errand errand;
    struct stk_task *task;
    struct stk_claim claim;
    struct stk_key_id ticket; /* zero: the key was there */
    struct stk_key_id key_id;
    uint8_t spki[STK_SPKI_LENGTH]; /* of a new key */
    uint8_t challenge[STK_CHALLENGE_LENGTH];
    bool held;
};

static void drop(void *errand)
{
    struct generate *generate = errand;

    stk_claim_drop(generate->task->intake, &generate->claim);
}

static struct stk_act act_of(const struct generate *generate, enum stirkeep_status status,
                             const char *detail)
{
    const struct stk_task *task = generate->task;

    return (struct stk_act){.act = "generate",
                            .outcome = stirkeep_status_name(status),
                            .name = task->request.name.text,
                            .key_id = generate->key_id,
                            .detail = detail,
                            .peer = task->peer,
                            .request_id = task->request.id};
}

/* What may be on the token, the replay takes off again. */
static void refuse(struct generate *generate, const struct stk_error *error)
{
    const struct stk_error reason = *error;
    struct stk_task *task = generate->task;
    struct stk_intake *intake = task->intake;
    struct stk_act act = act_of(generate, reason.status, reason.message);

    stk_acts_note(intake, &act);
    stk_errand_end(generate);
    stk_task_refuse(task, &reason);
    stk_replay_run(intake);
}

static void settled(void *context)
{
    stk_task_answer(context, STK_ADMIN_GENERATE);
}

static enum stirkeep_status hold(struct generate *generate, struct stk_error *error)
{
    struct stk_task *task = generate->task;
    char detail[STK_ACT_DETAIL_MAX] = "";
    struct stk_act act = act_of(generate, STIRKEEP_OK, detail);
    struct stk_new_key key = {.name = task->request.name.text,
                              .key_id = generate->key_id,
                              .attributes = task->response.attributes,
                              .created = stk_clock_seconds(),
                              .created_by = task->peer.uid,
                              .intent = generate->claim.intent,
                              .act = &act};

    (void)snprintf(detail, sizeof(detail), "%s; SPC %s; request for \"%s\"; %s",
                   generate->held ? "for the key made before" : "made on the token",
                   task->request.spc,
                   task->request.subject[0] != '\0' ? task->request.subject : "CN=SHAKEN <SPC>",
                   task->response.attributes);
    if (!generate->held)
        return stk_catalog_hold_key(task->intake->catalog, &key, error);
    stk_acts_note(task->intake, &act);
    return STIRKEEP_OK;
}

static enum stirkeep_status take_request(struct generate *generate,
                                         const struct stk_custody_answer *answer,
                                         struct stk_error *error)
{
    struct stk_task *task = generate->task;
    uint8_t digest[STK_DIGEST_LENGTH];

    stk_proof_digest(generate->challenge, digest);
    if (!answer->has_request ||
        (!generate->held && !stk_spki_verifies(generate->spki, digest, answer->signature)))
        return stk_error_set(error, STIRKEEP_NOT_VERIFIED,
                             "the token's signature does not verify with the new key");
    task->response.csr.data =
        (const uint8_t *)stk_arena_copy(&task->arena, answer->csr.data, answer->csr.length);
    task->response.csr.length = answer->csr.length;
    task->response.attributes =
        stk_arena_copy(&task->arena, answer->attributes, strlen(answer->attributes));
    if (task->response.csr.data == NULL || task->response.attributes == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    return hold(generate, error);
}

static void requested(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct generate *generate = context;
    struct stk_task *task = generate->task;
    struct stk_error reason = *error;

    if (status == STIRKEEP_OK)
        status = take_request(generate, answer, &reason);
    if (status != STIRKEEP_OK) {
        refuse(generate, &reason);
        return;
    }
    task->response.key_id = generate->key_id;
    task->response.already_held = generate->held;
    stk_errand_end(generate);
    task->intake->acts_waiting = true;
    stk_acts_flush(task->intake);
    stk_settle(task->intake, 0, settled, task);
}

static void order_request(struct generate *generate)
{
    const struct stk_admin_request *request = &generate->task->request;
    struct stk_custody_order order = {.kind = STK_CUSTODY_REQUEST,
                                      .name = request->name,
                                      .ticket = generate->ticket,
                                      .key_id = generate->key_id,
                                      .spc = request->spc,
                                      .subject = request->subject};

    stk_random(generate->challenge, sizeof(generate->challenge));
    memcpy(order.challenge, generate->challenge, sizeof(order.challenge));
    stk_call(generate->task->intake, &order, GENERATE_TIMEOUT_MS, requested, generate);
}

static enum stirkeep_status take_key(struct generate *generate,
                                     const struct stk_custody_answer *answer,
                                     struct stk_error *error)
{
    struct stk_intake *intake = generate->task->intake;

    if (!answer->has_spki || answer->spki.length != sizeof(generate->spki))
        return stk_error_set(error, STIRKEEP_KEY_TYPE, "the token made no P-256 key");
    memcpy(generate->spki, answer->spki.data, sizeof(generate->spki));
    stk_sha256(generate->spki, sizeof(generate->spki), generate->key_id.bytes);
    return stk_catalog_intent_key(intake->catalog, generate->claim.intent, &generate->key_id,
                                  error);
}

static void generated(void *context, enum stirkeep_status status,
                      const struct stk_custody_answer *answer, const struct stk_error *error)
{
    struct generate *generate = context;
    struct stk_error reason = *error;

    if (status == STIRKEEP_OK)
        status = take_key(generate, answer, &reason);
    if (status == STIRKEEP_OK)
        order_request(generate);
    else
        refuse(generate, &reason);
}

static enum stirkeep_status order_key(struct generate *generate, struct stk_error *error)
{
    struct stk_intake *intake = generate->task->intake;
    struct stk_custody_order order = {.kind = STK_CUSTODY_GENERATE,
                                      .name = generate->task->request.name};
    int64_t intent = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_random(generate->ticket.bytes, TICKET_LENGTH);
    status = stk_catalog_intend(intake->catalog, STK_INTENT_GENERATE, order.name.text,
                                &generate->ticket, "generate", stk_clock_seconds(), &intent, error);
    if (status != STIRKEEP_OK)
        return status;
    stk_claim_take(intake, &generate->claim, intent);
    order.ticket = generate->ticket;
    stk_call(intake, &order, GENERATE_TIMEOUT_MS, generated, generate);
    return STIRKEEP_OK;
}

static enum stirkeep_status begin(struct generate *generate, struct stk_error *error)
{
    struct stk_task *task = generate->task;
    struct stk_requested_key key = {0};
    size_t count = 0;
    enum stirkeep_status status = stk_csr_check(task->request.spc, task->request.subject, error);

    if (status == STIRKEEP_OK)
        status = stk_catalog_requested(task->intake->catalog, task->request.name.text, &task->arena,
                                       &key, 1, &count, error);
    if (status != STIRKEEP_OK)
        return status;
    if (count == 0)
        return order_key(generate, error);
    generate->held = true;
    generate->key_id = key.key_id;
    order_request(generate);
    return STIRKEEP_OK;
}

void stk_op_generate(struct stk_task *task)
{
    struct generate *generate = stk_errand_new(&task->intake->errands, sizeof(*generate), drop);
    struct stk_error error = {0};

    if (generate == NULL) {
        (void)stk_error_set(&error, STIRKEEP_NO_MEMORY, "out of memory");
        stk_task_refuse(task, &error);
        return;
    }
    generate->task = task;
    if (begin(generate, &error) != STIRKEEP_OK)
        refuse(generate, &error);
}
