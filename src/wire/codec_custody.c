/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_order.h"

#include "wire/pack.h"
#include "wire/unpack.h"

#include "order.pb-c.h"
#include <string.h>

/* Limits of what is written into the trail as it is, and of what a token says of itself. */
#define WORD_MAX 64
#define DETAIL_MAX 2048
#define TOKEN_TEXT_MAX 256
#define SPKI_MAX 2048

static ProtobufCBinaryData view(const uint8_t *data, size_t length)
{
    return stk_pack_view((struct stk_bytes){data, length});
}

static bool is_zero(const struct stk_key_id *key_id)
{
    static const struct stk_key_id zero;

    return memcmp(key_id, &zero, sizeof(zero)) == 0;
}

/* ---- orders: intake's side */

static enum stirkeep_status encode_import(Stirkeep__V1__Order__CustodyOrder *message,
                                          const struct stk_custody_order *order,
                                          struct stk_buffer *out)
{
    Stirkeep__V1__Order__ImportOrder body = STIRKEEP__V1__ORDER__IMPORT_ORDER__INIT;
    ProtobufCBinaryData chain[STK_CHAIN_MAX];

    if (order->chain_count > STK_CHAIN_MAX)
        return STIRKEEP_TOO_LARGE;
    for (size_t i = 0; i < order->chain_count; i++)
        chain[i] = stk_pack_view(order->chain[i]);
    body.name = stk_pack_text(order->name.text);
    body.key_id = view(order->key_id.bytes, STK_KEY_ID_LENGTH);
    body.chain = chain;
    body.n_chain = order->chain_count;
    body.sealed = stk_pack_view(order->sealed);
    body.challenge = view(order->challenge, STK_CHALLENGE_LENGTH);
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_IMPORT;
    message->import = &body;
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status encode_prove(Stirkeep__V1__Order__CustodyOrder *message,
                                         const struct stk_custody_order *order,
                                         struct stk_buffer *out)
{
    Stirkeep__V1__Order__ProveOrder body = STIRKEEP__V1__ORDER__PROVE_ORDER__INIT;

    body.key_id = view(order->key_id.bytes, STK_KEY_ID_LENGTH);
    body.challenge = view(order->challenge, STK_CHALLENGE_LENGTH);
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_PROVE;
    message->prove = &body;
    return stk_pack(&message->base, out);
}

static enum stirkeep_status encode_destroy(Stirkeep__V1__Order__CustodyOrder *message,
                                           const struct stk_custody_order *order,
                                           struct stk_buffer *out)
{
    Stirkeep__V1__Order__DestroyOrder body = STIRKEEP__V1__ORDER__DESTROY_ORDER__INIT;

    body.key_id = view(order->key_id.bytes, STK_KEY_ID_LENGTH);
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_DESTROY;
    message->destroy = &body;
    return stk_pack(&message->base, out);
}

static enum stirkeep_status encode_record(Stirkeep__V1__Order__CustodyOrder *message,
                                          const struct stk_custody_order *order,
                                          struct stk_buffer *out)
{
    Stirkeep__V1__Order__RecordOrder body = STIRKEEP__V1__ORDER__RECORD_ORDER__INIT;

    body.act = stk_pack_text(order->act);
    body.outcome = stk_pack_text(order->outcome);
    body.name = stk_pack_text(order->name.text);
    body.generation = order->generation;
    if (!is_zero(&order->key_id))
        body.key_id = view(order->key_id.bytes, STK_KEY_ID_LENGTH);
    body.detail = stk_pack_text(order->detail);
    body.uid = order->peer.uid;
    body.gid = order->peer.gid;
    body.pid = (uint32_t)order->peer.pid;
    body.request_id = order->request_id;
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_RECORD;
    message->record = &body;
    return stk_pack_scrubbed(&message->base, out);
}

enum stirkeep_status stk_custody_order_encode(const struct stk_custody_order *order,
                                              struct stk_buffer *out)
{
    Stirkeep__V1__Order__CustodyOrder message = STIRKEEP__V1__ORDER__CUSTODY_ORDER__INIT;
    Stirkeep__V1__Order__TokenOrder token = STIRKEEP__V1__ORDER__TOKEN_ORDER__INIT;

    message.id = order->id;
    switch (order->kind) {
    case STK_CUSTODY_TOKEN:
        message.body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_TOKEN;
        message.token = &token;
        return stk_pack(&message.base, out);
    case STK_CUSTODY_IMPORT:
        return encode_import(&message, order, out);
    case STK_CUSTODY_PROVE:
        return encode_prove(&message, order, out);
    case STK_CUSTODY_DESTROY:
        return encode_destroy(&message, order, out);
    case STK_CUSTODY_RECORD:
        return encode_record(&message, order, out);
    }
    return STIRKEEP_INTERNAL;
}

/* ---- orders: the keeper's side */

static enum stirkeep_status take_key_id(const ProtobufCBinaryData *bytes,
                                        struct stk_custody_order *order, struct stk_error *error)
{
    return stk_take_exact(bytes, "key_id", STK_KEY_ID_LENGTH, order->key_id.bytes, error);
}

static enum stirkeep_status take_challenge(const ProtobufCBinaryData *bytes,
                                           struct stk_custody_order *order, struct stk_error *error)
{
    return stk_take_exact(bytes, "challenge", STK_CHALLENGE_LENGTH, order->challenge, error);
}

static enum stirkeep_status take_import(const Stirkeep__V1__Order__ImportOrder *body,
                                        struct stk_custody_order *order, struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(body->name, &order->name, error);

    order->kind = STK_CUSTODY_IMPORT;
    if (status == STIRKEEP_OK)
        status = take_key_id(&body->key_id, order, error);
    if (status == STIRKEEP_OK)
        status =
            stk_take_chain(body->chain, body->n_chain, order->chain, &order->chain_count, error);
    if (status == STIRKEEP_OK)
        status = stk_take_bytes(&body->sealed, "sealed", STK_SEALED_MAX, &order->sealed, error);
    if (status == STIRKEEP_OK)
        status = take_challenge(&body->challenge, order, error);
    return status;
}

static enum stirkeep_status take_prove(const Stirkeep__V1__Order__ProveOrder *body,
                                       struct stk_custody_order *order, struct stk_error *error)
{
    enum stirkeep_status status = take_key_id(&body->key_id, order, error);

    order->kind = STK_CUSTODY_PROVE;
    return status == STIRKEEP_OK ? take_challenge(&body->challenge, order, error) : status;
}

static enum stirkeep_status take_record(const Stirkeep__V1__Order__RecordOrder *body,
                                        struct stk_custody_order *order, struct stk_error *error)
{
    enum stirkeep_status status = stk_take_text(body->act, "act", WORD_MAX, error);

    order->kind = STK_CUSTODY_RECORD;
    if (status == STIRKEEP_OK && body->act[0] == '\0')
        status = stk_error_set(error, STIRKEEP_INVALID, "act: is empty");
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->outcome, "outcome", WORD_MAX, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(body->detail, "detail", DETAIL_MAX, error);
    if (status == STIRKEEP_OK && body->name[0] != '\0')
        status = stk_name_parse(body->name, &order->name, error);
    if (status == STIRKEEP_OK && body->key_id.len > 0)
        status = take_key_id(&body->key_id, order, error);
    order->act = body->act;
    order->outcome = body->outcome;
    order->detail = body->detail;
    order->generation = body->generation;
    order->peer = (struct stk_peer){.uid = body->uid, .gid = body->gid, .pid = (pid_t)body->pid};
    order->request_id = body->request_id;
    return status;
}

static enum stirkeep_status take_order(const Stirkeep__V1__Order__CustodyOrder *message,
                                       struct stk_custody_order *order, struct stk_error *error)
{
    switch (message->body_case) {
    case STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_TOKEN:
        order->kind = STK_CUSTODY_TOKEN;
        return STIRKEEP_OK;
    case STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_IMPORT:
        return take_import(message->import, order, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_PROVE:
        return take_prove(message->prove, order, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_DESTROY:
        order->kind = STK_CUSTODY_DESTROY;
        return take_key_id(&message->destroy->key_id, order, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_RECORD:
        return take_record(message->record, order, error);
    default:
        return stk_error_set(error, STIRKEEP_UNSUPPORTED, "custody order: has no known body");
    }
}

enum stirkeep_status stk_custody_order_decode(struct stk_bytes message, struct stk_arena *arena,
                                              struct stk_custody_order *ret_order,
                                              struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_custody_order order = {.act = "", .outcome = "", .detail = ""};
    enum stirkeep_status status = STIRKEEP_OK;
    const Stirkeep__V1__Order__CustodyOrder *unpacked =
        stk_unpack(&stirkeep__v1__order__custody_order__descriptor, message, STK_UNKNOWN_REFUSED,
                   arena, &reason);

    if (unpacked == NULL) {
        ret_order->id = stk_scan_id(message);
        return stk_error_set(error, reason.status, "%s", reason.message);
    }
    ret_order->id = unpacked->id;
    order.id = unpacked->id;
    status = take_order(unpacked, &order, error);
    if (status == STIRKEEP_OK)
        *ret_order = order;
    return status;
}

/* ---- answers: the keeper's side */

enum stirkeep_status stk_custody_answer_encode(const struct stk_custody_answer *answer,
                                               struct stk_buffer *out)
{
    Stirkeep__V1__Order__CustodyAnswer message = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__INIT;
    Stirkeep__V1__Order__TokenAnswer token = STIRKEEP__V1__ORDER__TOKEN_ANSWER__INIT;
    Stirkeep__V1__Order__ProofAnswer proof = STIRKEEP__V1__ORDER__PROOF_ANSWER__INIT;
    const struct stk_token_report *report = &answer->token;

    message.id = answer->id;
    message.status = (uint32_t)answer->status;
    message.message = stk_pack_text(answer->message);
    if (answer->has_token) {
        token.label = stk_pack_text(report->label);
        token.serial = stk_pack_text(report->serial);
        token.model = stk_pack_text(report->model);
        token.hardware = report->hardware;
        token.seal_way = stk_pack_text(report->seal_way);
        token.sign_way = stk_pack_text(report->sign_way);
        token.signers = report->signers;
        token.wrapping_spki = stk_pack_view(report->wrapping_spki);
        token.signatures = report->signatures;
        token.audit_sequence = report->audit_sequence;
        token.audit_writable = report->audit_writable;
        message.body_case = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_TOKEN;
        message.token = &token;
    } else if (answer->has_proof) {
        proof.signature = view(answer->signature, STK_SIGNATURE_LENGTH);
        proof.attributes = stk_pack_text(answer->attributes);
        message.body_case = STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_PROOF;
        message.proof = &proof;
    }
    return stk_pack_scrubbed(&message.base, out);
}

/* ---- answers: intake's side */

static enum stirkeep_status take_token(const Stirkeep__V1__Order__TokenAnswer *body,
                                       struct stk_custody_answer *answer, struct stk_error *error)
{
    const struct {
        const char *field;
        const char *text;
    } texts[] = {{"token.label", body->label},
                 {"token.serial", body->serial},
                 {"token.model", body->model},
                 {"token.seal_way", body->seal_way},
                 {"token.sign_way", body->sign_way}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        enum stirkeep_status status =
            stk_take_text(texts[i].text, texts[i].field, TOKEN_TEXT_MAX, error);

        if (status != STIRKEEP_OK)
            return status;
    }
    if (body->wrapping_spki.len > SPKI_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "token.wrapping_spki: more than %d bytes",
                             SPKI_MAX);
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
        .audit_writable = body->audit_writable != 0};
    return STIRKEEP_OK;
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

enum stirkeep_status stk_custody_answer_decode(struct stk_bytes message, struct stk_arena *arena,
                                               struct stk_custody_answer *ret_answer,
                                               struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_custody_answer answer = {.attributes = ""};
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
    if (status == STIRKEEP_OK &&
        unpacked->body_case == STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_TOKEN)
        status = take_token(unpacked->token, &answer, error);
    if (status == STIRKEEP_OK &&
        unpacked->body_case == STIRKEEP__V1__ORDER__CUSTODY_ANSWER__BODY_PROOF)
        status = take_proof(unpacked->proof, &answer, error);
    if (status == STIRKEEP_OK)
        *ret_answer = answer;
    return status;
}
