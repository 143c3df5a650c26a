/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec_order.h"

#include "wire/codec_claims.h"
#include "wire/pack.h"
#include "wire/text.h"
#include "wire/unpack.h"

#include "order.pb-c.h"
#include <string.h>

/* Field numbers; proto/stirkeep/v1/order.proto. */
enum { ORDERS_SIGN = 1, ORDERS_REFUSALS = 2, ANSWERS_ANSWERS = 1 };
enum {
    ORDER_ID = 1,
    ORDER_KEY_ID,
    ORDER_NAME,
    ORDER_GENERATION,
    ORDER_X5U,
    ORDER_CLAIMS,
    ORDER_ATTEST_ASKED,
    ORDER_DEADLINE,
    ORDER_UID,
    ORDER_GID,
    ORDER_PID,
    ORDER_GRANT,
    ORDER_REQUEST_ID,
    ORDER_EXECUTABLE,
    ORDER_ASKED
};
enum {
    ANSWER_ID = 1,
    ANSWER_STATUS,
    ANSWER_MESSAGE,
    ANSWER_IDENTITY,
    ANSWER_PASSPORT_LENGTH,
    ANSWER_IAT,
    ANSWER_ORIGID,
    ANSWER_TOKEN_US
};

/* ---- front's side: orders and refusals out */

enum stirkeep_status stk_order_append(const struct stk_order *order, struct stk_buffer *out)
{
    struct stk_writer writer = {.out = out};
    const char attest_asked[2] = {order->attest_asked, '\0'};
    char grant[STK_GRANT_NAME_MAX + 1];
    char executable[STK_EXECUTABLE_MAX + 1];
    size_t before = out->length;

    /* The configuration's and the file system's, in whatever encoding; it must not cost a batch. */
    stk_text_cut(order->grant, grant, sizeof(grant));
    stk_text_cut(order->executable, executable, sizeof(executable));
    stk_write_number(&writer, ORDER_ID, order->id);
    stk_write_bytes(&writer, ORDER_KEY_ID,
                    (struct stk_bytes){order->key_id.bytes, STK_KEY_ID_LENGTH});
    stk_write_text(&writer, ORDER_NAME, order->name.text);
    stk_write_number(&writer, ORDER_GENERATION, order->generation);
    stk_write_text(&writer, ORDER_X5U, order->x5u);
    if (writer.status == STIRKEEP_OK)
        writer.status = stk_claims_append(ORDER_CLAIMS, &order->claims, out);
    stk_write_text(&writer, ORDER_ATTEST_ASKED, attest_asked);
    stk_write_number(&writer, ORDER_DEADLINE, order->deadline_us);
    stk_write_number(&writer, ORDER_UID, order->peer.uid);
    stk_write_number(&writer, ORDER_GID, order->peer.gid);
    stk_write_number(&writer, ORDER_PID, (uint32_t)order->peer.pid);
    stk_write_text(&writer, ORDER_GRANT, grant);
    stk_write_number(&writer, ORDER_REQUEST_ID, order->request_id);
    stk_write_text(&writer, ORDER_EXECUTABLE, executable);
    stk_write_number(&writer, ORDER_ASKED, order->asked_us);
    stk_write_close(&writer, ORDERS_SIGN, before);
    if (writer.status != STIRKEEP_OK)
        out->length = before;
    return writer.status;
}

enum stirkeep_status stk_refusal_append(const struct stk_refusal *refusal, struct stk_buffer *out)
{
    Stirkeep__V1__Order__Refusal message = STIRKEEP__V1__ORDER__REFUSAL__INIT;
    char reason[STK_ERROR_MAX];
    char executable[STK_EXECUTABLE_MAX + 1];
    size_t before = out->length;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_text_cut(refusal->reason, reason, sizeof(reason));
    stk_text_cut(refusal->executable, executable, sizeof(executable));
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
    message.executable = executable;
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

/* "": the same as in the claims. Only a shaken one can have been lowered. */
static enum stirkeep_status take_attest_asked(const char *text, struct stk_order *order,
                                              struct stk_error *error)
{
    order->attest_asked = text[0];
    if (text[0] == '\0')
        return STIRKEEP_OK;
    if (text[0] < 'A' || text[0] >= order->claims.attest || text[1] != '\0')
        return stk_error_set(error, STIRKEEP_INVALID,
                             "attest_asked: is not a higher one than attest");
    return STIRKEEP_OK;
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
        status = stk_take_text(sign->x5u, "x5u", STK_X5U_MAX, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(sign->grant, "grant", STK_GRANT_NAME_MAX, error);
    if (status == STIRKEEP_OK)
        status = stk_take_text(sign->executable, "executable", STK_EXECUTABLE_MAX, error);
    if (status == STIRKEEP_OK)
        status = stk_claims_take(sign->claims, arena, &order->claims, error);
    if (status == STIRKEEP_OK)
        status = take_attest_asked(sign->attest_asked, order, error);
    order->id = sign->id;
    order->generation = sign->generation;
    order->x5u = sign->x5u;
    order->deadline_us = sign->deadline_us;
    order->asked_us = sign->asked_us;
    order->peer = peer_of(sign->uid, sign->gid, sign->pid);
    order->grant = sign->grant;
    order->request_id = sign->request_id;
    order->executable = sign->executable;
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
                 {"refusal.origid", message->origid, STK_ORIGID_LENGTH},
                 {"refusal.executable", message->executable, STK_EXECUTABLE_MAX}};

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
                                    .executable = message->executable,
                                    .request_id = message->request_id,
                                    .suppressed = message->suppressed};
    return STIRKEEP_OK;
}

static enum stirkeep_status take_refusals(const Stirkeep__V1__Order__FrontOrders *message,
                                          struct stk_front_orders *orders, struct stk_error *error)
{
    for (size_t i = 0; i < message->n_refusals; i++) {
        enum stirkeep_status status =
            take_refusal(message->refusals[i], &orders->refusals[i], error);

        if (status != STIRKEEP_OK)
            return status;
    }
    orders->refusal_count = message->n_refusals;
    return STIRKEEP_OK;
}

/* What is made of an order that is left out is given back: the others shall have it. */
static void take_orders(const Stirkeep__V1__Order__FrontOrders *message, struct stk_arena *arena,
                        struct stk_front_orders *orders, struct stk_answer *ret_bad,
                        size_t *ret_bad_count)
{
    *ret_bad_count = 0;
    for (size_t i = 0; i < message->n_sign; i++) {
        struct stk_error reason = {0};
        size_t used = arena->used;
        char *words = NULL;

        if (take_order(message->sign[i], arena, &orders->orders[orders->order_count], &reason) ==
            STIRKEEP_OK) {
            orders->order_count++;
            continue;
        }
        arena->used = used;
        words = stk_arena_copy(arena, reason.message, strlen(reason.message));
        ret_bad[(*ret_bad_count)++] = (struct stk_answer){.id = message->sign[i]->id,
                                                          .status = reason.status,
                                                          .message = words != NULL ? words : "",
                                                          .identity = ""};
    }
}

enum stirkeep_status stk_front_orders_decode(struct stk_bytes message, struct stk_arena *arena,
                                             struct stk_front_orders *ret_orders,
                                             struct stk_answer *ret_bad, size_t *ret_bad_count,
                                             struct stk_error *error)
{
    struct stk_error reason = {0};
    struct stk_front_orders orders = {0};
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
    status = take_refusals(unpacked, &orders, error);
    if (status != STIRKEEP_OK)
        return status;
    take_orders(unpacked, arena, &orders, ret_bad, ret_bad_count);
    *ret_orders = orders;
    return STIRKEEP_OK;
}

/* ---- answers: keeper to front */

enum stirkeep_status stk_answer_append(const struct stk_answer *answer, struct stk_buffer *out)
{
    struct stk_writer writer = {.out = out};
    size_t before = out->length;
    char words[STK_ERROR_MAX];

    stk_text_cut(answer->message, words, sizeof(words));
    stk_write_number(&writer, ANSWER_ID, answer->id);
    stk_write_number(&writer, ANSWER_STATUS, (uint32_t)answer->status);
    stk_write_text(&writer, ANSWER_MESSAGE, words);
    stk_write_bytes(&writer, ANSWER_IDENTITY,
                    (struct stk_bytes){(const uint8_t *)answer->identity, answer->identity_length});
    stk_write_number(&writer, ANSWER_PASSPORT_LENGTH, answer->passport_length);
    stk_write_number(&writer, ANSWER_IAT, (uint64_t)answer->iat);
    stk_write_text(&writer, ANSWER_ORIGID, answer->origid);
    stk_write_number(&writer, ANSWER_TOKEN_US, answer->token_us);
    stk_write_close(&writer, ANSWERS_ANSWERS, before);
    if (writer.status != STIRKEEP_OK)
        out->length = before;
    return writer.status;
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
    answer->token_us = message->token_us;
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
