/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_order.h"

#include "model/uri.h"
#include "wire/pack.h"
#include "wire/text.h"
#include "wire/unpack.h"

#include "order.pb-c.h"
#include <string.h>

/* Field numbers of the lists that grow in place; proto/stirkeep/v1/order.proto. */
enum { ORDERS_SIGN = 1, ORDERS_REFUSALS = 2, ANSWERS_ANSWERS = 1 };

/* ---- front's side: orders and refusals out */

enum stirkeep_status stk_order_append(const struct stk_order *order, struct stk_buffer *out)
{
    Stirkeep__V1__Order__SignOrder sign = STIRKEEP__V1__ORDER__SIGN_ORDER__INIT;
    const struct stk_claims *claims = &order->claims;
    char attest[2] = {claims->attest, '\0'};
    char grant[STK_GRANT_NAME_MAX + 1];

    /* The configuration's, in whatever encoding; it must not cost a batch. */
    stk_text_cut(order->grant, grant, sizeof(grant));
    sign.id = order->id;
    sign.key_id = stk_pack_view((struct stk_bytes){order->key_id.bytes, STK_KEY_ID_LENGTH});
    sign.name = stk_pack_text(order->name.text);
    sign.generation = order->generation;
    sign.x5u = stk_pack_text(order->x5u);
    sign.ppt = stk_pack_text(claims->ppt == STK_PPT_BASE ? "" : stk_ppt_name(claims->ppt));
    sign.orig_tn = stk_pack_text(claims->orig_tn);
    sign.orig_uri = stk_pack_text(claims->orig_uri);
    sign.dest_tn = (char **)claims->dest_tn;
    sign.n_dest_tn = claims->dest_tn_count;
    sign.dest_uri = (char **)claims->dest_uri;
    sign.n_dest_uri = claims->dest_uri_count;
    sign.iat = claims->iat;
    sign.attest = attest;
    sign.origid = stk_pack_text(claims->origid);
    sign.deadline_us = order->deadline_us;
    sign.uid = order->peer.uid;
    sign.gid = order->peer.gid;
    sign.pid = (uint32_t)order->peer.pid;
    sign.grant = grant;
    sign.request_id = order->request_id;
    return stk_pack_element(ORDERS_SIGN, &sign.base, out);
}

enum stirkeep_status stk_refusal_append(const struct stk_refusal *refusal, struct stk_buffer *out)
{
    Stirkeep__V1__Order__Refusal message = STIRKEEP__V1__ORDER__REFUSAL__INIT;
    char reason[STK_ERROR_MAX];
    size_t before = out->length;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_text_cut(refusal->reason, reason, sizeof(reason));
    message.status = (uint32_t)refusal->status;
    message.reason = reason;
    message.name = stk_pack_text(refusal->name);
    message.ppt = stk_pack_text(refusal->ppt);
    message.orig = stk_pack_text(refusal->orig);
    message.dest = stk_pack_text(refusal->dest);
    message.attest = stk_pack_text(refusal->attest);
    message.origid = stk_pack_text(refusal->origid);
    message.uid = refusal->peer.uid;
    message.gid = refusal->peer.gid;
    message.pid = (uint32_t)refusal->peer.pid;
    message.request_id = refusal->request_id;
    message.suppressed = refusal->suppressed;
    /* Scrubbed: one bad text would have the keeper drop the orders beside it, too. */
    status = stk_pack_scrubbed(&message.base, out);
    if (status == STIRKEEP_OK)
        status = stk_pack_close(ORDERS_REFUSALS, before, out);
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}

/* ---- keeper's side: orders and refusals in */

static struct stk_peer peer_of(uint32_t uid, uint32_t gid, uint32_t pid)
{
    return (struct stk_peer){.uid = uid, .gid = gid, .pid = (pid_t)pid};
}

static enum stirkeep_status take_claims(const Stirkeep__V1__Order__SignOrder *sign,
                                        struct stk_arena *arena, struct stk_claims *ret_claims,
                                        struct stk_error *error)
{
    struct stk_claims_input input = {.ppt = sign->ppt,
                                     .orig_tn = sign->orig_tn,
                                     .orig_uri = sign->orig_uri,
                                     .dest_tn = (const char *const *)sign->dest_tn,
                                     .dest_tn_count = sign->n_dest_tn,
                                     .dest_uri = (const char *const *)sign->dest_uri,
                                     .dest_uri_count = sign->n_dest_uri,
                                     .iat = sign->iat,
                                     .attest = sign->attest,
                                     .origid = sign->origid};

    return stk_claims_make(&input, arena, ret_claims, error);
}

static enum stirkeep_status take_order(const Stirkeep__V1__Order__SignOrder *sign,
                                       struct stk_arena *arena, struct stk_order *order,
                                       struct stk_error *error)
{
    enum stirkeep_status status =
        stk_take_exact(&sign->key_id, "key_id", STK_KEY_ID_LENGTH, order->key_id.bytes, error);

    if (status == STIRKEEP_OK)
        status = stk_name_parse(sign->name, &order->name, error);
    if (status == STIRKEEP_OK)
        status = stk_x5u_check(sign->x5u, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(sign->grant, "grant", STK_GRANT_NAME_MAX, error);
    if (status == STIRKEEP_OK)
        status = take_claims(sign, arena, &order->claims, error);
    order->id = sign->id;
    order->generation = sign->generation;
    order->x5u = sign->x5u;
    order->deadline_us = sign->deadline_us;
    order->peer = peer_of(sign->uid, sign->gid, sign->pid);
    order->grant = sign->grant;
    order->request_id = sign->request_id;
    return status;
}

static enum stirkeep_status take_refusal(const Stirkeep__V1__Order__Refusal *message,
                                         struct stk_refusal *refusal, struct stk_error *error)
{
    const struct {
        const char *field;
        const char *text;
        size_t max;
    } texts[] = {{"refusal.reason", message->reason, STK_ERROR_MAX - 1},
                 {"refusal.name", message->name, STK_NAME_MAX},
                 {"refusal.ppt", message->ppt, STK_PPT_MAX},
                 {"refusal.orig", message->orig, STK_URI_MAX},
                 {"refusal.dest", message->dest, STK_URI_MAX},
                 {"refusal.attest", message->attest, STK_PPT_MAX},
                 {"refusal.origid", message->origid, STK_ORIGID_LENGTH}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        enum stirkeep_status status =
            stk_take_text(texts[i].text, texts[i].field, texts[i].max, error);

        if (status != STIRKEEP_OK)
            return status;
    }
    *refusal = (struct stk_refusal){.status = stk_take_status(message->status),
                                    .reason = message->reason,
                                    .name = message->name,
                                    .ppt = message->ppt,
                                    .orig = message->orig,
                                    .dest = message->dest,
                                    .attest = message->attest,
                                    .origid = message->origid,
                                    .peer = peer_of(message->uid, message->gid, message->pid),
                                    .request_id = message->request_id,
                                    .suppressed = message->suppressed};
    return STIRKEEP_OK;
}

static enum stirkeep_status take_orders(const Stirkeep__V1__Order__FrontOrders *message,
                                        struct stk_arena *arena, struct stk_front_orders *orders,
                                        struct stk_answer *bad, size_t *bad_count,
                                        struct stk_error *error)
{
    for (size_t i = 0; i < message->n_sign; i++) {
        struct stk_error reason = {0};
        enum stirkeep_status status =
            take_order(message->sign[i], arena, &orders->orders[orders->order_count], &reason);
        char *words = NULL;

        if (status == STIRKEEP_OK) {
            orders->order_count++;
            continue;
        }
        words = stk_arena_copy(arena, reason.message, strlen(reason.message));
        bad[(*bad_count)++] = (struct stk_answer){.id = message->sign[i]->id,
                                                  .status = status,
                                                  .message = words != NULL ? words : "",
                                                  .identity = ""};
    }
    for (size_t i = 0; i < message->n_refusals; i++) {
        enum stirkeep_status status =
            take_refusal(message->refusals[i], &orders->refusals[i], error);

        if (status != STIRKEEP_OK)
            return status;
    }
    orders->refusal_count = message->n_refusals;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_front_orders_decode(struct stk_bytes message, struct stk_arena *arena,
                                             struct stk_front_orders *ret_orders,
                                             struct stk_answer *ret_bad, size_t *ret_bad_count,
                                             struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_front_orders orders = {0};
    struct stk_answer bad[STK_BATCH_MAX] = {0};
    size_t bad_count = 0;
    enum stirkeep_status status = STIRKEEP_OK;
    const Stirkeep__V1__Order__FrontOrders *unpacked =
        stk_unpack(&stirkeep__v1__order__front_orders__descriptor, message, STK_UNKNOWN_REFUSED,
                   arena, &reason);

    if (unpacked == NULL)
        return stk_error_set(error, reason.status, "%s", reason.message);
    if (unpacked->n_sign > STK_BATCH_MAX || unpacked->n_refusals > STK_BATCH_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "orders: more than %d in a message",
                             STK_BATCH_MAX);
    orders.orders = stk_arena_take(arena, unpacked->n_sign * sizeof(*orders.orders));
    orders.refusals = stk_arena_take(arena, unpacked->n_refusals * sizeof(*orders.refusals));
    if (orders.orders == NULL || orders.refusals == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "orders: take too much memory");
    status = take_orders(unpacked, arena, &orders, bad, &bad_count, error);
    if (status != STIRKEEP_OK)
        return status;
    *ret_orders = orders;
    memcpy(ret_bad, bad, bad_count * sizeof(bad[0]));
    *ret_bad_count = bad_count;
    return STIRKEEP_OK;
}

/* ---- answers: keeper to front */

enum stirkeep_status stk_answer_append(const struct stk_answer *answer, struct stk_buffer *out)
{
    enum { ANSWER_IDENTITY = 4 };
    Stirkeep__V1__Order__SignAnswer message = STIRKEEP__V1__ORDER__SIGN_ANSWER__INIT;
    size_t before = out->length;
    char words[STK_ERROR_MAX];
    enum stirkeep_status status = STIRKEEP_OK;

    stk_text_cut(answer->message, words, sizeof(words));
    message.id = answer->id;
    message.status = (uint32_t)answer->status;
    message.message = words;
    message.passport_length = answer->passport_length;
    message.iat = answer->iat;
    message.origid = stk_pack_text(answer->origid);
    status = stk_pack(&message.base, out);
    /* By hand: the identity need not end with a NUL. */
    if (status == STIRKEEP_OK)
        status = stk_pack_bytes(
            ANSWER_IDENTITY,
            (struct stk_bytes){(const uint8_t *)answer->identity, answer->identity_length}, out);
    if (status == STIRKEEP_OK)
        status = stk_pack_close(ANSWERS_ANSWERS, before, out);
    if (status != STIRKEEP_OK)
        out->length = before;
    return status;
}

static enum stirkeep_status take_answer(const Stirkeep__V1__Order__SignAnswer *message,
                                        struct stk_answer *answer, struct stk_error *error)
{
    size_t length = strlen(message->identity);
    enum stirkeep_status status =
        stk_take_text(message->identity, "answer.identity", STK_IDENTITY_MAX, error);

    if (status == STIRKEEP_OK)
        status = stk_take_text(message->message, "answer.message", STK_ERROR_MAX - 1, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(message->origid, "answer.origid", STK_ORIGID_LENGTH, error);
    if (status != STIRKEEP_OK)
        return status;
    answer->id = message->id;
    answer->status = stk_take_status(message->status);
    answer->message = message->message;
    answer->identity = message->identity;
    answer->identity_length = length;
    answer->passport_length = message->passport_length;
    answer->iat = message->iat;
    (void)strcpy(answer->origid, message->origid);
    if (answer->status == STIRKEEP_OK &&
        (length == 0 || answer->passport_length == 0 || answer->passport_length > length))
        return stk_error_set(error, STIRKEEP_INVALID,
                             "answer.passport_length: does not fit the identity");
    return STIRKEEP_OK;
}

enum stirkeep_status stk_answers_decode(struct stk_bytes message, struct stk_arena *arena,
                                        struct stk_answer **ret_answers, size_t *ret_count,
                                        struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_answer *answers = NULL;
    const Stirkeep__V1__Order__KeeperAnswers *unpacked =
        stk_unpack(&stirkeep__v1__order__keeper_answers__descriptor, message, STK_UNKNOWN_REFUSED,
                   arena, &reason);

    if (unpacked == NULL)
        return stk_error_set(error, reason.status, "%s", reason.message);
    if (unpacked->n_answers > STK_BATCH_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "answers: more than %d in a message",
                             STK_BATCH_MAX);
    answers = stk_arena_take(arena, unpacked->n_answers * sizeof(*answers));
    if (answers == NULL)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "answers: take too much memory");
    for (size_t i = 0; i < unpacked->n_answers; i++) {
        enum stirkeep_status status = take_answer(unpacked->answers[i], &answers[i], error);

        if (status != STIRKEEP_OK)
            return status;
    }
    *ret_answers = answers;
    *ret_count = unpacked->n_answers;
    return STIRKEEP_OK;
}
