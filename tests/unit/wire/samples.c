/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "samples.h"
#include "wire/frame.h"
#include <stdio.h>
#include <string.h>

#define BYTES(number)                                                                              \
    (struct stk_bytes)                                                                             \
    {                                                                                              \
        bytes[number], sizeof(bytes[number])                                                       \
    }

/* Filled when the first sample is. */
static uint8_t bytes[16][96];
static char identity[1201];

static const char *const tns[] = {"112", "12155551212"};
static const char *const uris[] = {"sip:uri@a.example", "sip:uri@b.example"};

static void prepare(void)
{
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
        memset(bytes[i], (int)i, sizeof(bytes[i]));
    memset(identity, 'i', sizeof(identity) - 1);
    memcpy(identity, "identity", strlen("identity"));
}

static void key_id(struct stk_key_id *key_id, int number)
{
    memset(key_id->bytes, number, sizeof(key_id->bytes));
}

static void name(struct stk_name *name, const char *text)
{
    (void)snprintf(name->text, sizeof(name->text), "%s", text);
}

static void fill_claims(struct stk_claims *claims)
{
    *claims = (struct stk_claims){.ppt = STK_PPT_SHAKEN,
                                  .orig_tn = tns[1],
                                  .dest_tn = (const char **)tns,
                                  .dest_tn_count = 2,
                                  .dest_uri = (const char **)uris,
                                  .dest_uri_count = 2,
                                  .attest = 'A',
                                  .origid = SAMPLE_ORIGID};
}

/* ---- sign.sock */

static void fill_sign(union decoded *value)
{
    value->sign.request = (struct stk_request){
        .id = SAMPLE_ID, .deadline_ms = 1002, .kind = STK_REQUEST_SIGN, .name = {"certificate"}};
    fill_claims(&value->sign.request.claims);
    value->sign.request.claims.iat = 1004;
}

static void fill_sign_base(union decoded *value)
{
    fill_sign(value);
    value->sign.request.claims = (struct stk_claims){.ppt = STK_PPT_BASE,
                                                     .orig_uri = uris[0],
                                                     .dest_tn = (const char **)tns,
                                                     .dest_tn_count = 1,
                                                     .iat = 1004};
}

static void fill_list(union decoded *value)
{
    value->sign.request =
        (struct stk_request){.id = SAMPLE_ID, .kind = STK_REQUEST_LIST, .after = "after"};
}

static void fill_ping(union decoded *value)
{
    value->sign.request = (struct stk_request){.id = SAMPLE_ID, .kind = STK_REQUEST_PING};
}

static void fill_signed(union decoded *value)
{
    value->response = (struct stk_response){
        .id = SAMPLE_ID,
        .kind = STK_RESPONSE_SIGNED,
        .signed_ = {.identity = {(const uint8_t *)identity, sizeof(identity) - 1},
                    .passport_length = 1002,
                    .generation = 1003,
                    .iat = 1004,
                    .origid = SAMPLE_ORIGID}};
}

void fill_certificate(struct stk_certificate *certificate, unsigned base)
{
    *certificate = (struct stk_certificate){.name = {"name"},
                                            .generation = 1002,
                                            .x5u = "https://x5u.example/a.pem",
                                            .not_before = 1000 + base,
                                            .not_after = 1001 + base,
                                            .active = true};
}

static void fill_listed(union decoded *value)
{
    static struct stk_certificate listed[2];

    fill_certificate(&listed[0], 4);
    fill_certificate(&listed[1], 4);
    name(&listed[1].name, "name2");
    value->response = (struct stk_response){.id = SAMPLE_ID,
                                            .kind = STK_RESPONSE_LISTED,
                                            .listed = listed,
                                            .listed_count = 2,
                                            .more = true};
}

static void fill_pong(union decoded *value)
{
    value->response = (struct stk_response){
        .id = SAMPLE_ID,
        .kind = STK_RESPONSE_PONG,
        .pong = {.ready = true, .version = "version", .detail = "detail", .certificates = 1004}};
}

static void fill_error(union decoded *value)
{
    value->response = (struct stk_response){.id = SAMPLE_ID,
                                            .kind = STK_RESPONSE_ERROR,
                                            .status = STIRKEEP_NOT_PERMITTED,
                                            .message = "message"};
}

/* ---- admin.sock */

static void fill_admin(union decoded *value, enum stk_admin_kind kind)
{
    value->admin_request = (struct stk_admin_request){
        .id = SAMPLE_ID, .kind = kind, .x5u = "", .source = "", .how = "", .after = ""};
    if (kind != STK_ADMIN_WRAPPING_KEY && kind != STK_ADMIN_LIST && kind != STK_ADMIN_STATUS)
        name(&value->admin_request.name, "name");
}

static void fill_admin_wrapping_key(union decoded *value)
{
    fill_admin(value, STK_ADMIN_WRAPPING_KEY);
}

static void fill_admin_import(union decoded *value)
{
    fill_admin(value, STK_ADMIN_IMPORT);
    value->admin_request.chain[0] = BYTES(2);
    value->admin_request.chain[1] = BYTES(2);
    value->admin_request.chain_count = 2;
    value->admin_request.sealed = BYTES(3);
    value->admin_request.x5u = "https://x5u.example/a.pem";
    value->admin_request.source = "source";
}

static void fill_admin_source_removed(union decoded *value)
{
    fill_admin(value, STK_ADMIN_SOURCE_REMOVED);
    value->admin_request.generation = 1002;
    key_id(&value->admin_request.key_id, 3);
    value->admin_request.source = "source";
    value->admin_request.how = "how";
}

static void fill_admin_list(union decoded *value)
{
    fill_admin(value, STK_ADMIN_LIST);
    value->admin_request.after = "after";
}

static void fill_admin_show(union decoded *value)
{
    fill_admin(value, STK_ADMIN_SHOW);
}

static void fill_admin_retire(union decoded *value)
{
    fill_admin(value, STK_ADMIN_RETIRE);
}

static void fill_admin_rollback(union decoded *value)
{
    fill_admin(value, STK_ADMIN_ROLLBACK);
}

static void fill_admin_status(union decoded *value)
{
    fill_admin(value, STK_ADMIN_STATUS);
}

static void fill_answered(union decoded *value, enum stk_admin_kind kind)
{
    value->admin_response = (struct stk_admin_response){.id = SAMPLE_ID, .kind = kind};
}

static void fill_answered_wrapping_key(union decoded *value)
{
    fill_answered(value, STK_ADMIN_WRAPPING_KEY);
    value->admin_response.spki = BYTES(1);
    value->admin_response.token_label = "token_label";
    value->admin_response.token_serial = "token_serial";
}

static void fill_answered_import(union decoded *value)
{
    static const char *const warnings[] = {"first of warnings", "second of warnings"};

    fill_answered(value, STK_ADMIN_IMPORT);
    value->admin_response.generation = 1001;
    value->admin_response.x5u = "x5u";
    key_id(&value->admin_response.key_id, 3);
    value->admin_response.already_held = true;
    value->admin_response.warnings = warnings;
    value->admin_response.warning_count = 2;
    value->admin_response.attributes = "attributes";
}

static void fill_answered_source_removed(union decoded *value)
{
    fill_answered(value, STK_ADMIN_SOURCE_REMOVED);
}

static void fill_generations(union decoded *value)
{
    static struct stk_generation generations[2];

    generations[0] = (struct stk_generation){.name = "name",
                                             .generation = 1002,
                                             .state = "state",
                                             .spc = "spc",
                                             .subject = "subject",
                                             .issuer = "issuer",
                                             .serial = "serial",
                                             .fingerprint = "fingerprint",
                                             .x5u = "x5u",
                                             .not_before = 1010,
                                             .not_after = 1011,
                                             .origin = "origin",
                                             .attributes = "attributes",
                                             .created = 1015,
                                             .created_by = 1016};
    key_id(&generations[0].key_id, 12);
    generations[1] = generations[0];
    value->admin_response.generations = generations;
    value->admin_response.generation_count = 2;
}

static void fill_answered_list(union decoded *value)
{
    fill_answered(value, STK_ADMIN_LIST);
    fill_generations(value);
    value->admin_response.more = true;
}

static void fill_answered_show(union decoded *value)
{
    fill_answered(value, STK_ADMIN_SHOW);
    fill_generations(value);
    value->admin_response.chain[0] = BYTES(2);
    value->admin_response.chain[1] = BYTES(2);
    value->admin_response.chain_count = 2;
}

static void fill_answered_retire(union decoded *value)
{
    fill_answered(value, STK_ADMIN_RETIRE);
    value->admin_response.generation = 1001;
}

static void fill_answered_rollback(union decoded *value)
{
    fill_answered(value, STK_ADMIN_ROLLBACK);
    value->admin_response.generation = 1001;
}

static void fill_answered_status(union decoded *value)
{
    fill_answered(value, STK_ADMIN_STATUS);
    value->admin_response.service = (struct stk_service_status){.ready = true,
                                                                .version = "version",
                                                                .detail = "detail",
                                                                .front = "front",
                                                                .keeper = "keeper",
                                                                .token_label = "token_label",
                                                                .token_serial = "token_serial",
                                                                .token_model = "token_model",
                                                                .seal_way = "seal_way",
                                                                .sign_way = "sign_way",
                                                                .signers = 1011,
                                                                .names = 1012,
                                                                .signatures = 1013,
                                                                .refusals = 1014,
                                                                .connections = 1015,
                                                                .audit_sequence = 1016,
                                                                .hardware = true};
}

static void fill_answered_error(union decoded *value)
{
    fill_answered(value, STK_ADMIN_NONE);
    value->admin_response.status = STIRKEEP_CONFLICT;
    value->admin_response.message = "message";
}

/* ---- front and keeper */

void fill_order(struct stk_order *order)
{
    *order = (struct stk_order){.id = SAMPLE_ID,
                                .name = {"name"},
                                .generation = 1004,
                                .x5u = "https://x5u.example/a.pem",
                                .deadline_us = 1014,
                                .peer = {.uid = 1015, .gid = 1016, .pid = 1017},
                                .grant = "grant",
                                .request_id = 1019};
    key_id(&order->key_id, 2);
    fill_claims(&order->claims);
    order->claims.iat = 1011;
}

void fill_refusal(struct stk_refusal *refusal)
{
    *refusal = (struct stk_refusal){.status = STIRKEEP_NOT_PERMITTED,
                                    .reason = "reason",
                                    .name = "name",
                                    .ppt = "ppt, any",
                                    .orig = "orig",
                                    .dest = "dest",
                                    .attest = "attest",
                                    .origid = "origid",
                                    .peer = {.uid = 1009, .gid = 1010, .pid = 1011},
                                    .request_id = 1012,
                                    .suppressed = 1013};
}

static void fill_front_orders(union decoded *value)
{
    static struct stk_order orders[2];
    static struct stk_refusal refusals[2];

    fill_order(&orders[0]);
    fill_order(&orders[1]);
    orders[1].claims = (struct stk_claims){.ppt = STK_PPT_BASE,
                                           .orig_uri = "sip:orig_uri@a.example",
                                           .dest_tn = (const char **)tns,
                                           .dest_tn_count = 1,
                                           .iat = 1011};
    fill_refusal(&refusals[0]);
    fill_refusal(&refusals[1]);
    value->orders.orders = (struct stk_front_orders){orders, 2, refusals, 2};
}

void fill_answer(struct stk_answer *answer)
{
    prepare();
    *answer = (struct stk_answer){.id = SAMPLE_ID,
                                  .message = "",
                                  .identity = identity,
                                  .identity_length = sizeof(identity) - 1,
                                  .passport_length = 1005,
                                  .iat = 1006,
                                  .origid = SAMPLE_ORIGID};
}

static void fill_answers(union decoded *value)
{
    static struct stk_answer answers[2];

    fill_answer(&answers[0]);
    answers[1] = (struct stk_answer){
        .id = SAMPLE_ID, .status = STIRKEEP_DEADLINE, .message = "message", .identity = ""};
    value->answers.answers = answers;
    value->answers.count = 2;
}

/* ---- intake and keeper */

static void fill_custody(union decoded *value, enum stk_custody_kind kind)
{
    value->custody_order = (struct stk_custody_order){
        .id = SAMPLE_ID, .kind = kind, .act = "", .outcome = "", .detail = ""};
}

static void fill_token(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_TOKEN);
}

static void fill_import(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_IMPORT);
    name(&value->custody_order.name, "name");
    key_id(&value->custody_order.key_id, 2);
    value->custody_order.chain[0] = BYTES(3);
    value->custody_order.chain[1] = BYTES(3);
    value->custody_order.chain_count = 2;
    value->custody_order.sealed = BYTES(4);
    memset(value->custody_order.challenge, 5, STK_CHALLENGE_LENGTH);
}

static void fill_prove(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_PROVE);
    key_id(&value->custody_order.key_id, 1);
    memset(value->custody_order.challenge, 2, STK_CHALLENGE_LENGTH);
}

static void fill_destroy(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_DESTROY);
    key_id(&value->custody_order.key_id, 1);
}

static void fill_record(union decoded *value)
{
    fill_custody(value, STK_CUSTODY_RECORD);
    value->custody_order.act = "act";
    value->custody_order.outcome = "outcome";
    name(&value->custody_order.name, "name");
    value->custody_order.generation = 1004;
    key_id(&value->custody_order.key_id, 5);
    value->custody_order.detail = "detail";
    value->custody_order.peer = (struct stk_peer){.uid = 1007, .gid = 1008, .pid = 1009};
    value->custody_order.request_id = 1010;
}

static void fill_custody_answer(union decoded *value, enum stirkeep_status status)
{
    value->custody_answer = (struct stk_custody_answer){
        .id = SAMPLE_ID, .status = status, .message = status != STIRKEEP_OK ? "message" : ""};
}

static void fill_token_answer(union decoded *value)
{
    fill_custody_answer(value, STIRKEEP_OK);
    value->custody_answer.has_token = true;
    value->custody_answer.token = (struct stk_token_report){.label = "label",
                                                            .serial = "serial",
                                                            .model = "model",
                                                            .hardware = true,
                                                            .seal_way = "seal_way",
                                                            .sign_way = "sign_way",
                                                            .signers = 1007,
                                                            .wrapping_spki = BYTES(8),
                                                            .signatures = 1009,
                                                            .audit_sequence = 1010,
                                                            .audit_writable = true};
}

static void fill_proof_answer(union decoded *value)
{
    fill_custody_answer(value, STIRKEEP_OK);
    value->custody_answer.has_proof = true;
    memset(value->custody_answer.signature, 1, STK_SIGNATURE_LENGTH);
    value->custody_answer.attributes = "attributes";
}

static void fill_custody_error(union decoded *value)
{
    fill_custody_answer(value, STIRKEEP_TOKEN_ERROR);
}

/* ---- intake and front */

static void fill_push(union decoded *value)
{
    static struct stk_certificate entries[2];

    for (size_t i = 0; i < 2; i++) {
        fill_certificate(&entries[i], 5);
        key_id(&entries[i].key_id, 3);
    }
    value->push = (struct stk_catalog_push){.push = 1001,
                                            .first = true,
                                            .last = true,
                                            .status_wanted = true,
                                            .entries = entries,
                                            .entry_count = 2};
}

static void fill_report(union decoded *value)
{
    value->report = (struct stk_front_report){.push = 1001,
                                              .snapshot_wanted = true,
                                              .connections = 1003,
                                              .refusals = 1004,
                                              .in_flight = 1005};
}

const struct sample samples[] = {
    {"sign", &codec_request, fill_sign},
    {"sign base", &codec_request, fill_sign_base},
    {"list", &codec_request, fill_list},
    {"ping", &codec_request, fill_ping},
    {"signed", &codec_response, fill_signed},
    {"listed", &codec_response, fill_listed},
    {"pong", &codec_response, fill_pong},
    {"error", &codec_response, fill_error},
    {"admin wrapping key", &codec_admin_request, fill_admin_wrapping_key},
    {"admin import", &codec_admin_request, fill_admin_import},
    {"admin source removed", &codec_admin_request, fill_admin_source_removed},
    {"admin list", &codec_admin_request, fill_admin_list},
    {"admin show", &codec_admin_request, fill_admin_show},
    {"admin retire", &codec_admin_request, fill_admin_retire},
    {"admin rollback", &codec_admin_request, fill_admin_rollback},
    {"admin status", &codec_admin_request, fill_admin_status},
    {"answered wrapping key", &codec_admin_response, fill_answered_wrapping_key},
    {"answered import", &codec_admin_response, fill_answered_import},
    {"answered source removed", &codec_admin_response, fill_answered_source_removed},
    {"answered list", &codec_admin_response, fill_answered_list},
    {"answered show", &codec_admin_response, fill_answered_show},
    {"answered retire", &codec_admin_response, fill_answered_retire},
    {"answered rollback", &codec_admin_response, fill_answered_rollback},
    {"answered status", &codec_admin_response, fill_answered_status},
    {"answered error", &codec_admin_response, fill_answered_error},
    {"front orders", &codec_front_orders, fill_front_orders},
    {"answers", &codec_answers, fill_answers},
    {"custody token", &codec_custody_order, fill_token},
    {"custody import", &codec_custody_order, fill_import},
    {"custody prove", &codec_custody_order, fill_prove},
    {"custody destroy", &codec_custody_order, fill_destroy},
    {"custody record", &codec_custody_order, fill_record},
    {"token answer", &codec_custody_answer, fill_token_answer},
    {"proof answer", &codec_custody_answer, fill_proof_answer},
    {"custody error", &codec_custody_answer, fill_custody_error},
    {"push", &codec_push, fill_push},
    {"report", &codec_report, fill_report},
};
const size_t sample_count = sizeof(samples) / sizeof(samples[0]);

void sample_fill(const struct sample *sample, union decoded *ret_value)
{
    prepare();
    *ret_value = (union decoded){0};
    sample->fill(ret_value);
}

void sample_encode(const struct sample *sample, struct stk_buffer *out)
{
    union decoded value;
    struct stk_bytes message = {0};
    size_t taken = 0;

    sample_fill(sample, &value);
    assert_int_equal(sample->codec->encode(&value, out), STIRKEEP_OK);
    if (!sample->codec->framed)
        return;
    assert_int_equal(
        stk_frame_next(out->data, out->length, STK_ADMIN_MESSAGE_MAX, &message, &taken),
        STK_FRAME_WHOLE);
    assert_int_equal(taken, out->length);
    stk_buffer_drop(out, STK_FRAME_HEADER);
}

const struct sample *sample_named(const char *name)
{
    for (size_t i = 0; i < sample_count; i++)
        if (strcmp(samples[i].name, name) == 0)
            return &samples[i];
    fail_msg("no sample is named %s", name);
    return NULL;
}
