/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include "base/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WITHIN_MS 15000

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
                                          .x5u = "https://certs.example.com/a.pem",
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

void bench_start_alone(struct bench *bench)
{
    char config[1024] = "";
    const char *directory = bench->born.directory;

    (void)snprintf(config, sizeof(config),
                   "[token]\nmodule = /nowhere.so\nlabel = stirkeep\nsessions = 2\n"
                   "[sockets]\nsign = %s/socket\nclient-timeout-ms = %u\n"
                   "[audit]\nfile = %s/audit.jsonl\n[signing]\ndeadline-ms = %u\n"
                   "[grant proxy]\nuser = %u\n"
                   "certificates = Alpha, Bravo, Charlie, Delta, N*\nattest = A, B\n",
                   directory, bench->client_timeout_ms > 0 ? bench->client_timeout_ms : 20000,
                   directory, bench->deadline_ms > 0 ? bench->deadline_ms : 20000,
                   (unsigned)getuid() + (bench->stranger ? 1 : 0));
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
}

static void take_message(struct bench *bench)
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
        bench->suppressed += orders.refusals[i].suppressed;
    }
    bench->refusal_count += orders.refusal_count;
}

void bench_take(struct bench *bench, size_t count)
{
    while (bench->taken_count < count)
        take_message(bench);
    assert_int_equal(bench->taken_count, count);
}

void bench_take_refusals(struct bench *bench, size_t count)
{
    while (bench->refusal_count < count)
        take_message(bench);
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
    static const char identity[] = "h.p.s;info=<https://certs.example.com/a.pem>;alg=ES256;"
                                   "ppt=shaken";
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

void bench_await(struct bench *bench, uint64_t push)
{
    struct stk_front_report report = {0};
    size_t length = 0;

    do {
        assert_int_equal(stk_link_receive(bench->born.other, WITHIN_MS, message, &length, NULL),
                         STIRKEEP_OK);
        stk_arena_reset(&bench->arena);
        assert_int_equal(stk_front_report_decode((struct stk_bytes){message, length}, &bench->arena,
                                                 &report, NULL),
                         STIRKEEP_OK);
        bench->snapshot_wanted = bench->snapshot_wanted || report.snapshot_wanted;
    } while (report.push != push);
    bench->acknowledged = push;
}

/* ---- clients */

void sign_to(const struct client *client, uint64_t id, const char *name, const char *attest,
             uint32_t deadline_ms)
{
    static const char *const dest[] = {"12155550131"};
    const struct stk_claims_input claims = {.ppt = "shaken",
                                            .orig_tn = "12155550121",
                                            .dest_tn = dest,
                                            .dest_tn_count = 1,
                                            .attest = attest,
                                            .origid = "123e4567-e89b-12d3-a456-426655440000"};
    struct stk_buffer out = {0};

    assert_int_equal(stk_request_encode_sign(id, deadline_ms, name, &claims, &out), STIRKEEP_OK);
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

void expect_served(struct bench *bench)
{
    struct client client = client_new(&bench->born);

    ping_to(&client, 99);
    assert_int_equal(hear(bench, &client).id, 99);
    assert_true(born_runs(&bench->born));
    client_free(&client);
}
