/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fills.h"
#include "wire/frame.h"
#include <stdio.h>
#include <string.h>

uint8_t fill_bytes[20][96];
static char identity[1201];

static void prepare(void)
{
    for (size_t i = 0; i < sizeof(fill_bytes) / sizeof(fill_bytes[0]); i++)
        memset(fill_bytes[i], (int)i, sizeof(fill_bytes[i]));
    memset(identity, 'i', sizeof(identity) - 1);
    memcpy(identity, "identity", strlen("identity"));
}

void fill_key_id(struct stk_key_id *key_id, int number)
{
    memset(key_id->bytes, number, sizeof(key_id->bytes));
}

void fill_name(struct stk_name *name, const char *text)
{
    (void)snprintf(name->text, sizeof(name->text), "%s", text);
}

void fill_diagnosis(const struct stk_fact **ret_facts, size_t *ret_fact_count,
                    const struct stk_trouble **ret_troubles, size_t *ret_trouble_count)
{
    static const struct stk_fact facts[] = {{"name", "value"}, {"second name", "second value"}};
    static const struct stk_trouble troubles[] = {
        {"severity", "what", "cure"}, {"second severity", "second what", "second cure"}};

    *ret_facts = facts;
    *ret_fact_count = 2;
    *ret_troubles = troubles;
    *ret_trouble_count = 2;
}

/* ---- sign.sock */

static void fill_signing(struct stk_signing *signing)
{
    *signing = (struct stk_signing){.reason = "", .name = {"certificate"}};
}

static struct stk_signing *fill_request(union decoded *value)
{
    static struct stk_signing signing;

    fill_signing(&signing);
    value->sign.request = (struct stk_request){.id = SAMPLE_ID,
                                               .deadline_ms = 1002,
                                               .kind = STK_REQUEST_SIGN,
                                               .signings = &signing,
                                               .signing_count = 1};
    return &signing;
}

static void fill_sign(union decoded *value)
{
    fill_claims_shaken(&fill_request(value)->claims);
}

static void fill_sign_base(union decoded *value)
{
    fill_claims_base(&fill_request(value)->claims);
}

static void fill_sign_div(union decoded *value)
{
    fill_claims_div(&fill_request(value)->claims);
}

static void fill_sign_div_o(union decoded *value)
{
    fill_claims_div_o(&fill_request(value)->claims);
}

static void fill_sign_rph(union decoded *value)
{
    fill_claims_rph(&fill_request(value)->claims);
}

static void fill_sign_rcd(union decoded *value)
{
    fill_claims_rcd(&fill_request(value)->claims);
}

static void fill_sign_shaken_rcd(union decoded *value)
{
    fill_claims_shaken_rcd(&fill_request(value)->claims);
}

static void fill_sign_other(union decoded *value)
{
    fill_claims_other(&fill_request(value)->claims);
}

static void fill_input(struct stk_signing *signing)
{
    signing->is_input = true;
    signing->header = (struct stk_bytes){(const uint8_t *)"header", 6};
    signing->payload = (struct stk_bytes){(const uint8_t *)"payload", 7};
}

static void fill_sign_input(union decoded *value)
{
    fill_input(fill_request(value));
}

static void fill_batch(union decoded *value)
{
    static struct stk_signing signings[3];

    for (size_t i = 0; i < 3; i++)
        fill_signing(&signings[i]);
    fill_claims_shaken(&signings[0].claims);
    fill_input(&signings[1]);
    fill_claims_div(&signings[2].claims);
    value->sign.request = (struct stk_request){.id = SAMPLE_ID,
                                               .deadline_ms = 1002,
                                               .kind = STK_REQUEST_BATCH,
                                               .signings = signings,
                                               .signing_count = 3,
                                               .whole = true};
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

static void fill_signature(struct stk_response_signed *signature)
{
    *signature =
        (struct stk_response_signed){.identity = {(const uint8_t *)identity, sizeof(identity) - 1},
                                     .passport_length = 1002,
                                     .generation = 1003,
                                     .iat = 1004,
                                     .origid = SAMPLE_ORIGID,
                                     .attest = "A"};
}

static void fill_signed(union decoded *value)
{
    value->response = (struct stk_response){.id = SAMPLE_ID, .kind = STK_RESPONSE_SIGNED};
    fill_signature(&value->response.signed_);
}

static void fill_results(union decoded *value)
{
    static struct stk_response_result results[3];

    fill_signature(&results[0].signed_);
    results[1] = (struct stk_response_result){.status = STIRKEEP_INVALID, .message = "message"};
    fill_signature(&results[2].signed_);
    value->response = (struct stk_response){
        .id = SAMPLE_ID, .kind = STK_RESPONSE_BATCH, .results = results, .result_count = 3};
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
    fill_name(&listed[1].name, "name2");
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

/* ---- front and keeper */

void fill_order(struct stk_order *order)
{
    *order = (struct stk_order){.id = SAMPLE_ID,
                                .name = {"name"},
                                .generation = 1004,
                                .x5u = "https://x5u.example/a.pem",
                                .attest_asked = 'A',
                                .deadline_us = 1008,
                                .peer = {.uid = 1009, .gid = 1010, .pid = 1011},
                                .grant = "grant",
                                .request_id = 1013,
                                .executable = "executable",
                                .asked_us = 1015};
    fill_key_id(&order->key_id, 2);
    fill_claims_shaken(&order->claims);
    order->claims.attest = 'B';
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
                                    .executable = "executable",
                                    .request_id = 1012,
                                    .suppressed = 1013};
}

static void fill_front_orders(union decoded *value)
{
    static struct stk_order orders[2];
    static struct stk_refusal refusals[2];

    fill_order(&orders[0]);
    fill_order(&orders[1]);
    fill_claims_base(&orders[1].claims);
    orders[1].attest_asked = 0;
    fill_refusal(&refusals[0]);
    fill_refusal(&refusals[1]);
    value->orders.orders = (struct stk_front_orders){orders, 2, refusals, 2};
}

static void fill_typed_orders(union decoded *value)
{
    static fill_claims *const fills[] = {fill_claims_div,        fill_claims_div_o,
                                         fill_claims_rph,        fill_claims_rcd,
                                         fill_claims_shaken_rcd, fill_claims_other};
    static struct stk_order orders[sizeof(fills) / sizeof(fills[0])];

    for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
        fill_order(&orders[i]);
        fills[i](&orders[i].claims);
        orders[i].attest_asked = 0;
    }
    value->orders.orders = (struct stk_front_orders){
        .orders = orders, .order_count = sizeof(fills) / sizeof(fills[0])};
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
                                  .origid = SAMPLE_ORIGID,
                                  .token_us = 1008};
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

/* ---- intake and front */

static void fill_usage(struct stk_usage_count **ret_usage, size_t *ret_count)
{
    static struct stk_usage_count usage[2];

    usage[0] = (struct stk_usage_count){.name = "name, any", .day = 1003, .count = 1004};
    usage[1] = (struct stk_usage_count){
        .of_certificate = true, .name = "name", .day = 1003, .count = 1004};
    *ret_usage = usage;
    *ret_count = 2;
}

void fill_constraints(struct stk_constraints *constraints)
{
    static const struct stk_number_range ranges[] = {{SAMPLE_KEY_FIRST, SAMPLE_KEY_LAST}};
    static const char *const includes[] = {"must_include", "second must_include"};
    static const char *const values[] = {"values", "second values"};
    static const struct stk_permitted permitted[] = {{"claim", values, 2},
                                                     {"second claim", values, 1}};
    static const char *const excludes[] = {"must_exclude"};

    *constraints = (struct stk_constraints){.numbers_only = true,
                                            .ranges = ranges,
                                            .range_count = 1,
                                            .must_include = includes,
                                            .must_include_count = 2,
                                            .permitted = permitted,
                                            .permitted_count = 2,
                                            .must_exclude = excludes,
                                            .must_exclude_count = 1};
}

static void fill_push(union decoded *value)
{
    static struct stk_constraints constraints;
    static struct stk_certificate entries[2];

    for (size_t i = 0; i < 2; i++) {
        fill_certificate(&entries[i], 5);
        fill_key_id(&entries[i].key_id, 3);
    }
    fill_constraints(&constraints);
    entries[1].constraints = &constraints;
    value->push = (struct stk_catalog_push){.push = 1001,
                                            .first = true,
                                            .last = true,
                                            .status_wanted = true,
                                            .entries = entries,
                                            .entry_count = 2};
    fill_usage(&value->push.usage, &value->push.usage_count);
}

static void fill_report(union decoded *value)
{
    value->report = (struct stk_front_report){.push = 1001,
                                              .snapshot_wanted = true,
                                              .connections = 1003,
                                              .refusals = 1004,
                                              .in_flight = 1005,
                                              .counters = sample_front_counters()};
    fill_usage(&value->report.usage, &value->report.usage_count);
}

const struct sample samples[] = {
    {"sign", &codec_request, fill_sign},
    {"sign base", &codec_request, fill_sign_base},
    {"sign div", &codec_request, fill_sign_div},
    {"sign div-o", &codec_request, fill_sign_div_o},
    {"sign rph", &codec_request, fill_sign_rph},
    {"sign rcd", &codec_request, fill_sign_rcd},
    {"sign shaken rcd", &codec_request, fill_sign_shaken_rcd},
    {"sign other", &codec_request, fill_sign_other},
    {"sign input", &codec_request, fill_sign_input},
    {"batch", &codec_request, fill_batch},
    {"list", &codec_request, fill_list},
    {"ping", &codec_request, fill_ping},
    {"signed", &codec_response, fill_signed},
    {"results", &codec_response, fill_results},
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
    {"admin generate", &codec_admin_request, fill_admin_generate},
    {"admin install", &codec_admin_request, fill_admin_install},
    {"admin destroy", &codec_admin_request, fill_admin_destroy},
    {"admin doctor", &codec_admin_request, fill_admin_doctor},
    {"admin rebuild", &codec_admin_request, fill_admin_rebuild},
    {"admin reload", &codec_admin_request, fill_admin_reload},
    {"admin audit key", &codec_admin_request, fill_admin_audit_key},
    {"answered wrapping key", &codec_admin_response, fill_answered_wrapping_key},
    {"answered import", &codec_admin_response, fill_answered_import},
    {"answered source removed", &codec_admin_response, fill_answered_source_removed},
    {"answered list", &codec_admin_response, fill_answered_list},
    {"answered show", &codec_admin_response, fill_answered_show},
    {"answered retire", &codec_admin_response, fill_answered_retire},
    {"answered rollback", &codec_admin_response, fill_answered_rollback},
    {"answered status", &codec_admin_response, fill_answered_status},
    {"answered requested", &codec_admin_response, fill_answered_requested},
    {"answered generate", &codec_admin_response, fill_answered_generate},
    {"answered install", &codec_admin_response, fill_answered_install},
    {"answered destroy", &codec_admin_response, fill_answered_destroy},
    {"answered doctor", &codec_admin_response, fill_answered_doctor},
    {"answered rebuild", &codec_admin_response, fill_answered_rebuild},
    {"answered reload", &codec_admin_response, fill_answered_reload},
    {"answered audit key", &codec_admin_response, fill_answered_audit_key},
    {"answered error", &codec_admin_response, fill_answered_error},
    {"front orders", &codec_front_orders, fill_front_orders},
    {"typed orders", &codec_front_orders, fill_typed_orders},
    {"answers", &codec_answers, fill_answers},
    {"custody token", &codec_custody_order, fill_custody_token},
    {"custody import", &codec_custody_order, fill_custody_import},
    {"custody prove", &codec_custody_order, fill_custody_prove},
    {"custody destroy", &codec_custody_order, fill_custody_destroy},
    {"custody record", &codec_custody_order, fill_custody_record},
    {"custody install", &codec_custody_order, fill_custody_install},
    {"custody generate", &codec_custody_order, fill_custody_generate},
    {"custody request", &codec_custody_order, fill_custody_request},
    {"custody examine", &codec_custody_order, fill_custody_examine},
    {"custody inventory", &codec_custody_order, fill_custody_inventory},
    {"token answer", &codec_custody_answer, fill_token_answer},
    {"proof answer", &codec_custody_answer, fill_proof_answer},
    {"generate answer", &codec_custody_answer, fill_generate_answer},
    {"request answer", &codec_custody_answer, fill_request_answer},
    {"destroy answer", &codec_custody_answer, fill_destroy_answer},
    {"examine answer", &codec_custody_answer, fill_examine_answer},
    {"inventory answer", &codec_custody_answer, fill_inventory_answer},
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
