/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_order.h"

#include "wire/examined.h"
#include "wire/unpack.h"

#include "order.pb-c.h"

#define TOKEN_TEXT_MAX 256 /* what a token says of itself */

/* Answers, intake's side. */

static enum stirkeep_status take_token(const Stirkeep__V1__Order__TokenAnswer *body,
                                       struct stk_arena *arena, struct stk_custody_answer *answer,
                                       struct stk_error *error)
{
    const struct {
        const char *field;
        const char *text;
    } texts[] = {
        {"token.label", body->label},       {"token.serial", body->serial},
        {"token.model", body->model},       {"token.seal_way", body->seal_way},
        {"token.sign_way", body->sign_way}, {"token.audit_attributes", body->audit_attributes}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        enum stirkeep_status status =
            stk_take_text(texts[i].text, texts[i].field, TOKEN_TEXT_MAX, error);

        if (status != STIRKEEP_OK)
            return status;
    }
    if (body->wrapping_spki.len > STK_SPKI_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "token.wrapping_spki: more than %d bytes",
                             STK_SPKI_MAX);
    if (body->audit_spki.len != 0 && body->audit_spki.len != STK_SPKI_LENGTH)
        return stk_error_set(error, STIRKEEP_INVALID, "token.audit_spki: is not %d bytes long",
                             STK_SPKI_LENGTH);
    answer->has_token = true;
    answer->token = (struct stk_token_report){
        .label = body->label,
        .serial = body->serial,
        .model = body->model,
        .hardware = body->hardware != 0,
        .seal_way = body->seal_way,
        .sign_way = body->sign_way,
        .signers = body->signers,
        .wrapping_spki = {body->wrapping_spki.data, body->wrapping_spki.len},
        .signatures = body->signatures,
        .audit_sequence = body->audit_sequence,
        .audit_writable = body->audit_writable != 0,
        .audit_spki = {body->audit_spki.data, body->audit_spki.len},
        .audit_attributes = body->audit_attributes,
        .audit_sealed = body->audit_sealed,
        .audit_unsealed = body->audit_unsealed,
        .audit_unsealed_since = body->audit_unsealed_since};
    return stk_keeper_counters_take(body->counters, arena, &answer->token.counters, error);
}

static enum stirkeep_status take_proof(const Stirkeep__V1__Order__ProofAnswer *body,
                                       struct stk_custody_answer *answer, struct stk_error *error)
{
    enum stirkeep_status status = stk_take_exact(&body->signature, "proof.signature",
                                                 STK_SIGNATURE_LENGTH, answer->signature, error);

    if (status == STIRKEEP_OK)
        status = stk_take_text(body->attributes, "proof.attributes", STK_ATTRIBUTES_MAX, error);
    answer->has_proof = true;
    answer->attributes = body->attributes;
    return status;
}

static enum stirkeep_status take_request(const Stirkeep__V1__Order__RequestAnswer *body,
                                         struct stk_custody_answer *answer, struct stk_error *error)
{
    enum stirkeep_status status =
        stk_take_bytes(&body->csr, "request.csr", STK_CSR_MAX, &answer->csr, error);

    if (status == STIRKEEP_OK)
        status = stk_take_exact(&body->signature, "request.signature", STK_SIGNATURE_LENGTH,
                                answer->signature, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->attributes, "request.attributes", STK_ATTRIBUTES_MAX, error);
    answer->has_request = true;
    answer->has_proof = true;
    answer->attributes = body->attributes;
    return status;
}

static enum stirkeep_status take_destroyed(const Stirkeep__V1__Order__DestroyAnswer *body,
                                           struct stk_custody_answer *answer,
                                           struct stk_error *error)
{
    answer->has_destroyed = true;
    answer->objects = body->objects;
    answer->proof = body->proof;
    return stk_take_text(body->proof, "destroy.proof", STK_ERROR_MAX - 1, error);
}

static enum stirkeep_status take_examined(const Stirkeep__V1__Order__ExamineAnswer *body,
                                          struct stk_arena *arena,
                                          struct stk_custody_answer *answer,
                                          struct stk_error *error)
{
    struct stk_examined examined = {0};
    enum stirkeep_status status =
        stk_examined_room(body->n_facts, body->n_troubles, arena, &examined, error);

    if (status != STIRKEEP_OK)
        return status;
    for (size_t i = 0; i < body->n_facts; i++)
        examined.facts[i] = (struct stk_fact){body->facts[i]->name, body->facts[i]->value};
    for (size_t i = 0; i < body->n_troubles; i++)
        examined.troubles[i] = (struct stk_trouble){
            body->troubles[i]->severity, body->troubles[i]->what, body->troubles[i]->cure};
    answer->has_examined = true;
    answer->facts = examined.facts;
    answer->fact_count = examined.fact_count;
    answer->troubles = examined.troubles;
    answer->trouble_count = examined.trouble_count;
    return stk_examined_check(&examined, error);
}

static enum stirkeep_status take_certificates(const Stirkeep__V1__Order__InventoryAnswer *body,
                                              struct stk_arena *arena,
                                              struct stk_custody_answer *answer,
                                              struct stk_error *error)
{
    struct stk_bytes *certificates = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (body->n_certificates > STK_INVENTORY_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "inventory.certificates: more than %d",
                             STK_INVENTORY_MAX);
    if (body->n_x5u != body->n_certificates)
        return stk_error_set(error, STIRKEEP_INVALID,
                             "inventory.x5u: must be one for each certificate");
    certificates = stk_arena_take(arena, body->n_certificates * sizeof(*certificates));
    if (certificates == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "inventory: takes too much memory");
    for (size_t i = 0; i < body->n_certificates && status == STIRKEEP_OK; i++) {
        status = stk_take_bytes(&body->certificates[i], "inventory.certificates", STK_CERT_DER_MAX,
                                &certificates[i], error);
        if (status == STIRKEEP_OK)
            status = stk_take_x5u(body->x5u[i], error);
    }
    answer->certificates = certificates;
    answer->x5u = (const char *const *)body->x5u;
    answer->certificate_count = body->n_certificates;
    return status;
}

static enum stirkeep_status take_inventory(const Stirkeep__V1__Order__InventoryAnswer *body,
                                           struct stk_arena *arena,
                                           struct stk_custody_answer *answer,
                                           struct stk_error *error)
{
    struct stk_name name = {0};
    enum stirkeep_status status =
        stk_take_id_or_none(&body->key_id, "inventory.key_id", &answer->key_id, error);

    if (status == STIRKEEP_OK && body->name[0] != '\0')
        status = stk_name_parse(body->name, &name, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->attributes, "inventory.attributes", STK_ATTRIBUTES_MAX, error);
    answer->has_inventory = true;
    answer->name = body->name;
    answer->attributes = body->attributes;
    return status == STIRKEEP_OK ? take_certificates(body, arena, answer, error) : status;
}

static enum stirkeep_status take_body(const Stirkeep__V1__Order__CustodyAnswer *message,
                                      struct stk_arena *arena, struct stk_custody_answer *answer,
                                      struct stk_error *error)
{
    switch (message->body_case) {
    case STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_TOKEN:
        return take_token(message->token, arena, answer, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_PROOF:
        return take_proof(message->proof, answer, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_GENERATE:
        answer->has_spki = true;
        return stk_take_bytes(&message->generate->spki, "generate.spki", STK_SPKI_MAX,
                              &answer->spki, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_REQUEST:
        return take_request(message->request, answer, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_DESTROY:
        return take_destroyed(message->destroy, answer, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_EXAMINE:
        return take_examined(message->examine, arena, answer, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_INVENTORY:
        return take_inventory(message->inventory, arena, answer, error);
    default: /* an error, or done: nothing more to tell */
        return STIRKEEP_OK;
    }
}

enum stirkeep_status stk_custody_answer_decode(struct stk_bytes message, struct stk_arena *arena,
                                               struct stk_custody_answer *ret_answer,
                                               struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_custody_answer answer = {.attributes = "", .proof = "", .name = ""};
    enum stirkeep_status status = STIRKEEP_OK;
    const Stirkeep__V1__Order__CustodyAnswer *unpacked =
        stk_unpack(&stirkeep__v1__order__custody_answer__descriptor, message, STK_UNKNOWN_REFUSED,
                   arena, &reason);

    if (unpacked == NULL)
        return stk_error_set(error, reason.status, "%s", reason.message);
    answer.id = unpacked->id;
    answer.status = stk_take_status(unpacked->status);
    answer.message = unpacked->message;
    status = stk_take_text(unpacked->message, "answer.message", STK_ERROR_MAX - 1, error);
    if (status == STIRKEEP_OK)
        status = take_body(unpacked, arena, &answer, error);
    if (status == STIRKEEP_OK)
        *ret_answer = answer;
    return status;
}
