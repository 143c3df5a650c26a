/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include "base/clock.h"
#include "passport/passport.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WITHIN_MS (15000 * PATIENCE)

static uint8_t message[STK_LINK_MESSAGE_MAX];

int bench_set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    born_new(&bench->born, STK_ROOM_FRONT, "STIRKEEP_FRONT");
    assert_int_equal(stk_arena_new(&bench->arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    assert_int_equal(stk_arena_new(&bench->answers, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    *state = bench;
    return 0;
}

int bench_tear_down(void **state)
{
    struct bench *bench = *state;

    /* Without a porter it leaves, by its own way out: a sanitizer then tells what it forgot. */
    if (bench->born.control >= 0) {
        (void)close(bench->born.control);
        bench->born.control = -1;
        if (bench->born.pid != 0)
            assert_int_equal(born_wait(&bench->born), 1);
    }
    born_free(&bench->born);
    stk_arena_free(&bench->arena);
    stk_arena_free(&bench->answers);
    free(bench);
    return 0;
}

struct stk_certificate bench_certificate(const char *name)
{
    struct stk_certificate certificate = {.generation = 1,
                                          .key_id = {{(uint8_t)name[0], 1}},
                                          .x5u = BENCH_X5U,
                                          .not_before = 1000,
                                          .not_after = 4000000000,
                                          .active = true};

    assert_int_equal(stk_name_parse(name, &certificate.name, NULL), STIRKEEP_OK);
    return certificate;
}

void bench_push(struct bench *bench, uint64_t push, bool first, bool last,
                struct stk_certificate *entries, size_t count)
{
    const struct stk_catalog_push whole = {
        .push = push, .first = first, .last = last, .entries = entries, .entry_count = count};
    struct stk_buffer out = {0};

    assert_int_equal(stk_catalog_push_encode(&whole, &out), STIRKEEP_OK);
    assert_int_equal(stk_link_send(bench->born.other, out.data, out.length, WITHIN_MS, NULL),
                     STIRKEEP_OK);
    stk_buffer_free(&out);
}

static void push_names(struct bench *bench)
{
    struct stk_certificate held[] = {bench_certificate("Alpha"), bench_certificate("Bravo"),
                                     bench_certificate("Charlie"), bench_certificate("Delta"),
                                     bench_certificate("Zulu")};

    held[1].active = false;
    held[2].not_after = 2000;
    held[3].not_before = 3900000000;
    bench_push(bench, 1, true, true, held, sizeof(held) / sizeof(held[0]));
}

static const char *or_nothing(const char *text)
{
    return text != NULL ? text : "";
}

void bench_config(const struct bench *bench, char ret_config[BENCH_CONFIG_MAX])
{
    const char *directory = bench->born.directory;

    (void)snprintf(ret_config, BENCH_CONFIG_MAX,
                   "[token]\nmodule = /nowhere.so\nlabel = stirkeep\nsessions = 2\n"
                   "[sockets]\nsign = %s/socket\nclient-timeout-ms = %u\n"
                   "[audit]\nfile = %s/audit.jsonl\n[signing]\ndeadline-ms = %u\n%s"
                   "[grant proxy]\nuser = %u\n"
                   "certificates = Alpha, Bravo, Charlie, Delta, N*\nattest = A, B\n%s%s",
                   directory, bench->client_timeout_ms > 0 ? bench->client_timeout_ms : 20000,
                   directory, bench->deadline_ms > 0 ? bench->deadline_ms : 20000,
                   or_nothing(bench->signing), (unsigned)getuid() + (bench->stranger ? 1 : 0),
                   or_nothing(bench->grant), or_nothing(bench->sections));
}

void bench_start_alone(struct bench *bench)
{
    char config[BENCH_CONFIG_MAX] = "";

    bench_config(bench, config);
    push_names(bench);
    born_start(&bench->born, config);
}

void bench_start(struct bench *bench)
{
    bench_start_alone(bench);
    born_tell(&bench->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
}

/* ---- the keeper */

static void take_order(struct bench *bench, const struct stk_order *order)
{
    struct taken *taken = &bench->taken[bench->taken_count++];

    assert_true(bench->taken_count < TAKEN_MAX);
    taken->id = order->id;
    taken->request_id = order->request_id;
    taken->uid = order->peer.uid;
    (void)snprintf(taken->name, sizeof(taken->name), "%s", order->name.text);
    (void)snprintf(taken->grant, sizeof(taken->grant), "%s", order->grant);
    (void)snprintf(taken->ppt, sizeof(taken->ppt), "%s", order->claims.ppt_text);
    (void)snprintf(taken->orig, sizeof(taken->orig), "%s", or_nothing(order->claims.orig_tn));
    taken->attest = order->claims.attest;
    taken->attest_asked = order->attest_asked;
    taken->has_origid = order->claims.origid[0] != '\0';
}

void bench_take_some(struct bench *bench)
{
    struct stk_front_orders orders = {0};
    struct stk_answer bad[STK_BATCH_MAX];
    struct stk_error error = {0};
    size_t bad_count = 0;
    size_t length = 0;

    if (stk_link_receive(bench->born.keeper, WITHIN_MS, message, &length, &error) != STIRKEEP_OK)
        fail_msg("the keeper: %s", error.message);
    stk_arena_reset(&bench->arena);
    if (stk_front_orders_decode((struct stk_bytes){message, length}, &bench->arena, &orders, bad,
                                &bad_count, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(bad_count, 0);
    assert_true(orders.order_count <= STK_BATCH_MAX);
    for (size_t i = 0; i < orders.order_count; i++)
        take_order(bench, &orders.orders[i]);
    assert_true(orders.refusal_count <= STK_BATCH_MAX);
    for (size_t i = 0; i < orders.refusal_count; i++) {
        bench->refusal_status = orders.refusals[i].status;
        (void)snprintf(bench->refusal_reason, sizeof(bench->refusal_reason), "%s",
                       orders.refusals[i].reason);
        (void)snprintf(bench->refusal_orig, sizeof(bench->refusal_orig), "%s",
                       orders.refusals[i].orig);
        (void)snprintf(bench->refusal_attest, sizeof(bench->refusal_attest), "%s",
                       orders.refusals[i].attest);
        bench->suppressed += orders.refusals[i].suppressed;
    }
    bench->refusal_count += orders.refusal_count;
}

void bench_take(struct bench *bench, size_t count)
{
    while (bench->taken_count < count)
        bench_take_some(bench);
    assert_int_equal(bench->taken_count, count);
}

void bench_take_refusals(struct bench *bench, size_t count)
{
    while (bench->refusal_count < count)
        bench_take_some(bench);
}

bool bench_keeper_is_idle(const struct bench *bench)
{
    return !born_readable(bench->born.keeper, 150);
}

void bench_forget(struct bench *bench)
{
    bench->taken_count = 0;
}

void bench_answer(struct bench *bench, uint64_t id, enum stirkeep_status status)
{
    static const char identity[] = "h.p.s;info=<" BENCH_X5U ">;alg=ES256;ppt=shaken";
    struct stk_answer answer = {
        .id = id, .status = status, .message = "the keeper says so", .identity = ""};
    struct stk_buffer out = {0};

    if (status == STIRKEEP_OK) {
        answer.message = "";
        answer.identity = identity;
        answer.identity_length = strlen(identity);
        answer.passport_length = 5;
        answer.iat = 1700000000;
        (void)snprintf(answer.origid, sizeof(answer.origid), "%s",
                       "123e4567-e89b-12d3-a456-426655440000");
    }
    assert_int_equal(stk_answer_append(&answer, &out), STIRKEEP_OK);
    assert_int_equal(stk_link_send(bench->born.keeper, out.data, out.length, WITHIN_MS, NULL),
                     STIRKEEP_OK);
    stk_buffer_free(&out);
}

/* ---- intake */

static struct stk_usage_count *count_of(struct bench *bench, bool of_certificate, const char *name)
{
    struct stk_usage_count *count = bench->counts;

    while (count < bench->counts + bench->count_count &&
           (count->of_certificate != of_certificate || strcmp(count->name, name) != 0))
        count++;
    return count;
}

static void note_counts(struct bench *bench, const struct stk_front_report *report)
{
    bench->report_count += report->usage_count > 0 ? 1 : 0;
    for (size_t i = 0; i < report->usage_count; i++) {
        struct stk_usage_count *count =
            count_of(bench, report->usage[i].of_certificate, report->usage[i].name);

        if (count == bench->counts + bench->count_count)
            bench->count_count++;
        assert_in_range(bench->count_count, 1, sizeof(bench->counts) / sizeof(bench->counts[0]));
        *count = report->usage[i];
    }
}

static struct stk_front_report take_report(struct bench *bench)
{
    struct stk_front_report report = {0};
    size_t length = 0;

    assert_int_equal(stk_link_receive(bench->born.other, WITHIN_MS, message, &length, NULL),
                     STIRKEEP_OK);
    stk_arena_reset(&bench->arena);
    assert_int_equal(
        stk_front_report_decode((struct stk_bytes){message, length}, &bench->arena, &report, NULL),
        STIRKEEP_OK);
    bench->snapshot_wanted = bench->snapshot_wanted || report.snapshot_wanted;
    note_counts(bench, &report);
    return report;
}

void bench_await(struct bench *bench, uint64_t push)
{
    while (take_report(bench).push != push)
        ;
    bench->acknowledged = push;
}

void bench_await_count(struct bench *bench, bool of_certificate, const char *name, uint64_t count)
{
    const struct stk_usage_count *known = count_of(bench, of_certificate, name);

    while (known == bench->counts + bench->count_count || known->count != count) {
        (void)take_report(bench);
        known = count_of(bench, of_certificate, name);
    }
}

void bench_push_constrained(struct bench *bench, uint64_t push, const char *name,
                            const struct stk_constraints *constraints)
{
    struct stk_certificate certificate = bench_certificate(name);

    certificate.constraints = constraints;
    bench_push(bench, push, false, true, &certificate, 1);
    bench_await(bench, push);
}

int bench_rules(const char *rules, enum stk_level otherwise)
{
    struct stk_rules_draft *draft = stk_rules_draft_new();
    struct stk_buffer image = {0};
    struct stk_error error = {0};
    char numbers[64] = "";
    char level[8] = "";
    uint32_t line = 1;
    int fd = -1;

    assert_non_null(draft);
    stk_rules_draft_default(draft, otherwise);
    for (int took = 0; sscanf(rules, "%63s %7s\n%n", numbers, level, &took) == 2; rules += took) {
        struct stk_number_pattern pattern = {0};
        enum stk_level read = STK_LEVEL_NONE;

        assert_true(stk_level_read(level, &read));
        assert_int_equal(stk_number_pattern_read(numbers, "rule", &pattern, NULL), STIRKEEP_OK);
        assert_int_equal(stk_rules_draft_add(draft, &pattern, read, 1, line++), STIRKEEP_OK);
    }
    if (stk_rules_build(draft, &image, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    fd = born_sealed(image.data, image.length);
    stk_buffer_free(&image);
    stk_rules_draft_free(draft);
    return fd;
}

/* ---- clients */

static void take_text(struct stk_buffer *buffer, char *text, size_t size)
{
    assert_in_range(buffer->length, 1, size - 1);
    memcpy(text, buffer->data, buffer->length);
    text[buffer->length] = '\0';
    stk_buffer_free(buffer);
}

struct bench_input bench_input(const struct stk_claims_input *claims, const char *x5u)
{
    struct bench_input input = {{0}, {0}};
    struct stk_arena arena = {0};
    struct stk_claims made = {0};
    struct stk_buffer out = {0};
    struct stk_error error = {0};

    assert_int_equal(stk_arena_new(&arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    if (stk_claims_make(claims, &arena, &made, &error) != STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_int_equal(stk_passport_header(made.ppt_text, x5u, &out), STIRKEEP_OK);
    take_text(&out, input.header, sizeof(input.header));
    assert_int_equal(stk_passport_payload(&made, &out), STIRKEEP_OK);
    take_text(&out, input.payload, sizeof(input.payload));
    stk_arena_free(&arena);
    return input;
}

struct stk_claims_input claims_of(const char *orig, const char *attest)
{
    static const char *const dest[] = {"12155550131"};

    return (struct stk_claims_input){.ppt = "shaken",
                                     .orig_tn = orig,
                                     .dest_tn = dest,
                                     .dest_tn_count = 1,
                                     .attest = attest,
                                     .origid = "123e4567-e89b-12d3-a456-426655440000"};
}

static void signing_to(const struct client *client, uint64_t id, uint32_t deadline_ms,
                       const struct stk_signing_input *signing)
{
    struct stk_buffer out = {0};

    assert_int_equal(stk_request_encode_sign(id, deadline_ms, signing, &out), STIRKEEP_OK);
    client_send(client, out.data, out.length);
    stk_buffer_free(&out);
}

void sign_to(const struct client *client, uint64_t id, const char *name, const char *attest,
             uint32_t deadline_ms)
{
    const struct stk_claims_input claims = claims_of("12155550121", attest);
    const struct stk_signing_input signing = {.name = name, .claims = &claims};

    signing_to(client, id, deadline_ms, &signing);
}

void claims_to(const struct client *client, uint64_t id, const char *name,
               const struct stk_claims_input *claims)
{
    const struct stk_signing_input signing = {.name = name, .claims = claims};

    signing_to(client, id, 0, &signing);
}

void input_to(const struct client *client, uint64_t id, const char *name, const char *header,
              const char *payload)
{
    const struct stk_signing_input signing = {.name = name, .header = header, .payload = payload};

    signing_to(client, id, 0, &signing);
}

void batch_to(const struct client *client, uint64_t id, const struct stk_signing_input *signings,
              size_t count, bool whole, uint32_t deadline_ms)
{
    struct stk_buffer out = {0};

    assert_int_equal(stk_request_encode_batch(id, deadline_ms, signings, count, whole, &out),
                     STIRKEEP_OK);
    client_send(client, out.data, out.length);
    stk_buffer_free(&out);
}

void ping_to(const struct client *client, uint64_t id)
{
    struct stk_buffer out = {0};

    assert_int_equal(stk_request_encode_ping(id, &out), STIRKEEP_OK);
    client_send(client, out.data, out.length);
    stk_buffer_free(&out);
}

struct stk_response hear(struct bench *bench, struct client *client)
{
    struct stk_response response = {0};
    struct stk_error error = {0};

    stk_arena_reset(&bench->answers);
    if (stk_response_decode(client_frame(client), &bench->answers, &response, &error) !=
        STIRKEEP_OK)
        fail_msg("%s", error.message);
    return response;
}

void hear_refusal(struct bench *bench, struct client *client, uint64_t id,
                  enum stirkeep_status status, const char *text)
{
    struct stk_response response = hear(bench, client);

    assert_int_equal(response.id, id);
    if (response.status != status || strstr(response.message, text) == NULL)
        fail_msg("it says %s: %s", stirkeep_status_name(response.status), response.message);
}

void expect_served(struct bench *bench)
{
    struct client client = client_new(&bench->born);

    ping_to(&client, 99);
    assert_int_equal(hear(bench, &client).id, 99);
    assert_true(born_runs(&bench->born));
    client_free(&client);
}
