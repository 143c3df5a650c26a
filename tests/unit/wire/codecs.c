/* SPDX-License-Identifier: BSD-2-Clause */
#include "codecs.h"

#include "admin.pb-c.h"
#include "order.pb-c.h"
#include "sign.pb-c.h"

static enum stirkeep_status request_decode(struct stk_bytes message, struct stk_arena *arena,
                                           union decoded *ret_value, struct stk_error *error)
{
    return stk_request_decode(message, arena, &ret_value->sign.request, &ret_value->sign.sketch,
                              error);
}

/* What was decoded as what a client sends; all of it in `arena`, which is the trial's no more. */
static enum stirkeep_status input_of(const struct stk_signing *signing, struct stk_arena *arena,
                                     struct stk_claims_input *claims,
                                     struct stk_signing_input *ret_input)
{
    *ret_input = (struct stk_signing_input){.name = signing->name.text,
                                            .header = (const char *)signing->header.data,
                                            .payload = (const char *)signing->payload.data};
    if (signing->is_input)
        return STIRKEEP_OK;
    ret_input->claims = claims;
    return stk_claims_input_of(&signing->claims, arena, claims);
}

static enum stirkeep_status signings_encode(const struct stk_request *request,
                                            struct stk_arena *arena, struct stk_buffer *out)
{
    static struct stk_claims_input claims[STK_SIGNINGS_MAX];
    static struct stk_signing_input inputs[STK_SIGNINGS_MAX];
    enum stirkeep_status status = STIRKEEP_OK;
    size_t count = 0;

    for (size_t i = 0; i < request->signing_count && status == STIRKEEP_OK; i++)
        if (request->signings[i].status == STIRKEEP_OK) {
            status = input_of(&request->signings[i], arena, &claims[count], &inputs[count]);
            count++;
        }
    if (status != STIRKEEP_OK)
        return status;
    if (request->kind == STK_REQUEST_SIGN)
        return stk_request_encode_sign(request->id, request->deadline_ms, &inputs[0], out);
    return stk_request_encode_batch(request->id, request->deadline_ms, inputs, count,
                                    request->whole, out);
}

static enum stirkeep_status request_encode(const union decoded *value, struct stk_buffer *out)
{
    const struct stk_request *request = &value->sign.request;
    struct stk_arena arena = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (request->kind == STK_REQUEST_LIST)
        return stk_request_encode_list(request->id, request->after, out);
    if (request->kind == STK_REQUEST_PING)
        return stk_request_encode_ping(request->id, out);
    status = stk_arena_new(&arena, STK_SIGN_MESSAGE_MAX);
    if (status == STIRKEEP_OK)
        status = signings_encode(request, &arena, out);
    stk_arena_free(&arena);
    return status;
}

const struct codec codec_request = {.type = &stirkeep__v1__request__descriptor,
                                    .framed = true,
                                    .unknown = STK_UNKNOWN_REFUSED_IN_BODY,
                                    .id_offset = offsetof(struct stk_request, id),
                                    .value_size = sizeof(struct stk_request),
                                    .decode = request_decode,
                                    .encode = request_encode};

static enum stirkeep_status response_decode(struct stk_bytes message, struct stk_arena *arena,
                                            union decoded *ret_value, struct stk_error *error)
{
    return stk_response_decode(message, arena, &ret_value->response, error);
}

static enum stirkeep_status response_encode(const union decoded *value, struct stk_buffer *out)
{
    const struct stk_response *response = &value->response;
    const struct stk_certificate *listed[4096];

    switch (response->kind) {
    case STK_RESPONSE_ERROR:
        break;
    case STK_RESPONSE_SIGNED:
        return stk_response_encode_signed(response->id, &response->signed_, out);
    case STK_RESPONSE_LISTED:
        if (response->listed_count > sizeof(listed) / sizeof(listed[0]))
            return STIRKEEP_TOO_LARGE;
        for (size_t i = 0; i < response->listed_count; i++)
            listed[i] = &response->listed[i];
        return stk_response_encode_list(response->id, listed, response->listed_count,
                                        response->more, out);
    case STK_RESPONSE_PONG:
        return stk_response_encode_pong(response->id, &response->pong, out);
    case STK_RESPONSE_BATCH:
        return stk_response_encode_batch(response->id, response->results, response->result_count,
                                         out);
    }
    return stk_response_encode_error(response->id, response->status, response->message, out);
}

const struct codec codec_response = {.type = &stirkeep__v1__response__descriptor,
                                     .framed = true,
                                     .unknown = STK_UNKNOWN_IGNORED,
                                     .id_offset = offsetof(struct stk_response, id),
                                     .value_size = sizeof(struct stk_response),
                                     .decode = response_decode,
                                     .encode = response_encode};

static enum stirkeep_status admin_request_decode(struct stk_bytes message, struct stk_arena *arena,
                                                 union decoded *ret_value, struct stk_error *error)
{
    return stk_admin_request_decode(message, arena, &ret_value->admin_request, error);
}

static enum stirkeep_status admin_request_encode(const union decoded *value, struct stk_buffer *out)
{
    return stk_admin_request_encode(&value->admin_request, out);
}

const struct codec codec_admin_request = {.type = &stirkeep__v1__admin_request__descriptor,
                                          .framed = true,
                                          .unknown = STK_UNKNOWN_REFUSED_IN_BODY,
                                          .id_offset = offsetof(struct stk_admin_request, id),
                                          .value_size = sizeof(struct stk_admin_request),
                                          .decode = admin_request_decode,
                                          .encode = admin_request_encode};

static enum stirkeep_status admin_response_decode(struct stk_bytes message, struct stk_arena *arena,
                                                  union decoded *ret_value, struct stk_error *error)
{
    return stk_admin_response_decode(message, arena, &ret_value->admin_response, error);
}

static enum stirkeep_status admin_response_encode(const union decoded *value,
                                                  struct stk_buffer *out)
{
    return stk_admin_response_encode(&value->admin_response, out);
}

const struct codec codec_admin_response = {.type = &stirkeep__v1__admin_response__descriptor,
                                           .framed = true,
                                           .unknown = STK_UNKNOWN_IGNORED,
                                           .id_offset = offsetof(struct stk_admin_response, id),
                                           .value_size = sizeof(struct stk_admin_response),
                                           .decode = admin_response_decode,
                                           .encode = admin_response_encode};

static enum stirkeep_status orders_decode(struct stk_bytes message, struct stk_arena *arena,
                                          union decoded *ret_value, struct stk_error *error)
{
    return stk_front_orders_decode(message, arena, &ret_value->orders.orders, ret_value->orders.bad,
                                   &ret_value->orders.bad_count, error);
}

static enum stirkeep_status orders_encode(const union decoded *value, struct stk_buffer *out)
{
    const struct stk_front_orders *orders = &value->orders.orders;
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < orders->order_count && status == STIRKEEP_OK; i++)
        status = stk_order_append(&orders->orders[i], out);
    for (size_t i = 0; i < orders->refusal_count && status == STIRKEEP_OK; i++)
        status = stk_refusal_append(&orders->refusals[i], out);
    return status;
}

const struct codec codec_front_orders = {.type = &stirkeep__v1__order__front_orders__descriptor,
                                         .unknown = STK_UNKNOWN_REFUSED,
                                         .id_offset = NO_ID,
                                         .value_size = sizeof(((union decoded *)NULL)->orders),
                                         .decode = orders_decode,
                                         .encode = orders_encode};

static enum stirkeep_status answers_decode(struct stk_bytes message, struct stk_arena *arena,
                                           union decoded *ret_value, struct stk_error *error)
{
    return stk_answers_decode(message, arena, &ret_value->answers.answers,
                              &ret_value->answers.count, error);
}

static enum stirkeep_status answers_encode(const union decoded *value, struct stk_buffer *out)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (size_t i = 0; i < value->answers.count && status == STIRKEEP_OK; i++)
        status = stk_answer_append(&value->answers.answers[i], out);
    return status;
}

const struct codec codec_answers = {.type = &stirkeep__v1__order__keeper_answers__descriptor,
                                    .unknown = STK_UNKNOWN_REFUSED,
                                    .id_offset = NO_ID,
                                    .value_size = sizeof(((union decoded *)NULL)->answers),
                                    .decode = answers_decode,
                                    .encode = answers_encode};

static enum stirkeep_status custody_order_decode(struct stk_bytes message, struct stk_arena *arena,
                                                 union decoded *ret_value, struct stk_error *error)
{
    return stk_custody_order_decode(message, arena, &ret_value->custody_order, error);
}

static enum stirkeep_status custody_order_encode(const union decoded *value, struct stk_buffer *out)
{
    return stk_custody_order_encode(&value->custody_order, out);
}

const struct codec codec_custody_order = {.type = &stirkeep__v1__order__custody_order__descriptor,
                                          .unknown = STK_UNKNOWN_REFUSED,
                                          .id_offset = offsetof(struct stk_custody_order, id),
                                          .value_size = sizeof(struct stk_custody_order),
                                          .decode = custody_order_decode,
                                          .encode = custody_order_encode};

static enum stirkeep_status custody_answer_decode(struct stk_bytes message, struct stk_arena *arena,
                                                  union decoded *ret_value, struct stk_error *error)
{
    return stk_custody_answer_decode(message, arena, &ret_value->custody_answer, error);
}

static enum stirkeep_status custody_answer_encode(const union decoded *value,
                                                  struct stk_buffer *out)
{
    return stk_custody_answer_encode(&value->custody_answer, out);
}

const struct codec codec_custody_answer = {.type = &stirkeep__v1__order__custody_answer__descriptor,
                                           .unknown = STK_UNKNOWN_REFUSED,
                                           .id_offset = NO_ID,
                                           .value_size = sizeof(struct stk_custody_answer),
                                           .decode = custody_answer_decode,
                                           .encode = custody_answer_encode};

static enum stirkeep_status push_decode(struct stk_bytes message, struct stk_arena *arena,
                                        union decoded *ret_value, struct stk_error *error)
{
    return stk_catalog_push_decode(message, arena, &ret_value->push, error);
}

static enum stirkeep_status push_encode(const union decoded *value, struct stk_buffer *out)
{
    return stk_catalog_push_encode(&value->push, out);
}

const struct codec codec_push = {.type = &stirkeep__v1__order__catalog_push__descriptor,
                                 .unknown = STK_UNKNOWN_REFUSED,
                                 .id_offset = NO_ID,
                                 .value_size = sizeof(struct stk_catalog_push),
                                 .decode = push_decode,
                                 .encode = push_encode};

static enum stirkeep_status report_decode(struct stk_bytes message, struct stk_arena *arena,
                                          union decoded *ret_value, struct stk_error *error)
{
    return stk_front_report_decode(message, arena, &ret_value->report, error);
}

static enum stirkeep_status report_encode(const union decoded *value, struct stk_buffer *out)
{
    return stk_front_report_encode(&value->report, out);
}

const struct codec codec_report = {.type = &stirkeep__v1__order__front_report__descriptor,
                                   .unknown = STK_UNKNOWN_REFUSED,
                                   .id_offset = NO_ID,
                                   .value_size = sizeof(struct stk_front_report),
                                   .decode = report_decode,
                                   .encode = report_encode};
