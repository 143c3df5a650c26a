/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_order.h"

#include "wire/pack.h"
#include "wire/unpack.h"

#include "order.pb-c.h"

/* Limits of what is written into the trail as it is. */
#define WORD_MAX 64
#define DETAIL_MAX 2048

static ProtobufCBinaryData challenge_of(const struct stk_custody_order *order)
{
    return stk_pack_view((struct stk_bytes){order->challenge, STK_CHALLENGE_LENGTH});
}

/* ---- intake's side */

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
    body.key_id = stk_pack_id(&order->key_id);
    body.chain = chain;
    body.n_chain = order->chain_count;
    body.sealed = stk_pack_view(order->sealed);
    body.challenge = challenge_of(order);
    body.x5u = stk_pack_text(order->x5u);
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_IMPORT;
    message->import = &body;
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status encode_prove(Stirkeep__V1__Order__CustodyOrder *message,
                                         const struct stk_custody_order *order,
                                         struct stk_buffer *out)
{
    Stirkeep__V1__Order__ProveOrder body = STIRKEEP__V1__ORDER__PROVE_ORDER__INIT;

    body.key_id = stk_pack_id(&order->key_id);
    body.challenge = challenge_of(order);
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_PROVE;
    message->prove = &body;
    return stk_pack(&message->base, out);
}

static enum stirkeep_status encode_destroy(Stirkeep__V1__Order__CustodyOrder *message,
                                           const struct stk_custody_order *order,
                                           struct stk_buffer *out)
{
    Stirkeep__V1__Order__DestroyOrder body = STIRKEEP__V1__ORDER__DESTROY_ORDER__INIT;

    body.key_id = stk_pack_id(&order->key_id);
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
    body.key_id = stk_pack_id_or_none(&order->key_id);
    body.detail = stk_pack_text(order->detail);
    body.uid = order->peer.uid;
    body.gid = order->peer.gid;
    body.pid = (uint32_t)order->peer.pid;
    body.request_id = order->request_id;
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_RECORD;
    message->record = &body;
    return stk_pack_scrubbed(&message->base, out);
}

static enum stirkeep_status encode_generate(Stirkeep__V1__Order__CustodyOrder *message,
                                            const struct stk_custody_order *order,
                                            struct stk_buffer *out)
{
    Stirkeep__V1__Order__GenerateOrder body = STIRKEEP__V1__ORDER__GENERATE_ORDER__INIT;

    body.name = stk_pack_text(order->name.text);
    body.ticket = stk_pack_id_or_none(&order->ticket);
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_GENERATE;
    message->generate = &body;
    return stk_pack(&message->base, out);
}

static enum stirkeep_status encode_request(Stirkeep__V1__Order__CustodyOrder *message,
                                           const struct stk_custody_order *order,
                                           struct stk_buffer *out)
{
    Stirkeep__V1__Order__RequestOrder body = STIRKEEP__V1__ORDER__REQUEST_ORDER__INIT;

    body.name = stk_pack_text(order->name.text);
    body.ticket = stk_pack_id_or_none(&order->ticket);
    body.key_id = stk_pack_id(&order->key_id);
    body.spc = stk_pack_text(order->spc);
    body.subject = stk_pack_text(order->subject);
    body.challenge = challenge_of(order);
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_REQUEST;
    message->request = &body;
    return stk_pack(&message->base, out);
}

static enum stirkeep_status encode_inventory(Stirkeep__V1__Order__CustodyOrder *message,
                                             const struct stk_custody_order *order,
                                             struct stk_buffer *out)
{
    Stirkeep__V1__Order__InventoryOrder body = STIRKEEP__V1__ORDER__INVENTORY_ORDER__INIT;

    body.after = stk_pack_id_or_none(&order->key_id);
    message->body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_INVENTORY;
    message->inventory = &body;
    return stk_pack(&message->base, out);
}

enum stirkeep_status stk_custody_order_encode(const struct stk_custody_order *order,
                                              struct stk_buffer *out)
{
    Stirkeep__V1__Order__CustodyOrder message = STIRKEEP__V1__ORDER__CUSTODY_ORDER__INIT;
    Stirkeep__V1__Order__TokenOrder token = STIRKEEP__V1__ORDER__TOKEN_ORDER__INIT;
    Stirkeep__V1__Order__ExamineOrder examine = STIRKEEP__V1__ORDER__EXAMINE_ORDER__INIT;

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
    case STK_CUSTODY_GENERATE:
        return encode_generate(&message, order, out);
    case STK_CUSTODY_REQUEST:
        return encode_request(&message, order, out);
    case STK_CUSTODY_EXAMINE:
        message.body_case = STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_EXAMINE;
        message.examine = &examine;
        return stk_pack(&message.base, out);
    case STK_CUSTODY_INVENTORY:
        return encode_inventory(&message, order, out);
    case STK_CUSTODY_KIND_COUNT:
        break;
    }
    return STIRKEEP_INTERNAL;
}

/* ---- the keeper's side */

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
    if (status == STIRKEEP_OK && body->sealed.len > 0)
        status = stk_take_bytes(&body->sealed, "sealed", STK_SEALED_MAX, &order->sealed, error);
    if (status == STIRKEEP_OK)
        status = take_challenge(&body->challenge, order, error);
    if (status == STIRKEEP_OK)
        status = stk_take_x5u(body->x5u, error);
    order->x5u = body->x5u;
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

static enum stirkeep_status take_generate(const Stirkeep__V1__Order__GenerateOrder *body,
                                          struct stk_custody_order *order, struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(body->name, &order->name, error);

    order->kind = STK_CUSTODY_GENERATE;
    if (status == STIRKEEP_OK)
        status = stk_take_id_or_none(&body->ticket, "ticket", &order->ticket, error);
    if (status == STIRKEEP_OK && body->ticket.len == 0)
        status = stk_error_set(error, STIRKEEP_INVALID, "ticket: is empty");
    return status;
}

static enum stirkeep_status take_request(const Stirkeep__V1__Order__RequestOrder *body,
                                         struct stk_custody_order *order, struct stk_error *error)
{
    enum stirkeep_status status = stk_name_parse(body->name, &order->name, error);

    order->kind = STK_CUSTODY_REQUEST;
    if (status == STIRKEEP_OK)
        status = stk_take_id_or_none(&body->ticket, "ticket", &order->ticket, error);
    if (status == STIRKEEP_OK)
        status = take_key_id(&body->key_id, order, error);
    if (status == STIRKEEP_OK)
        status = stk_take_spc(body->spc, error);
    if (status == STIRKEEP_OK)
        status = stk_take_subject(body->subject, error);
    if (status == STIRKEEP_OK)
        status = take_challenge(&body->challenge, order, error);
    order->spc = body->spc;
    order->subject = body->subject;
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
    case STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_GENERATE:
        return take_generate(message->generate, order, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_REQUEST:
        return take_request(message->request, order, error);
    case STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_EXAMINE:
        order->kind = STK_CUSTODY_EXAMINE;
        return STIRKEEP_OK;
    case STIRKEEP__V1__ORDER__CUSTODY_ORDER__BODY_INVENTORY:
        order->kind = STK_CUSTODY_INVENTORY;
        return stk_take_id_or_none(&message->inventory->after, "after", &order->key_id, error);
    default:
        return stk_error_set(error, STIRKEEP_UNSUPPORTED, "custody order: has no known body");
    }
}

enum stirkeep_status stk_custody_order_decode(struct stk_bytes message, struct stk_arena *arena,
                                              struct stk_custody_order *ret_order,
                                              struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_custody_order order = {
        .x5u = "", .spc = "", .subject = "", .act = "", .outcome = "", .detail = ""};
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
