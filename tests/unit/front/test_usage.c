/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "bench.h"
#include "front/orders.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Rates and quotas: what is charged, given back, told to intake and remembered. */

#define DAY_S 86400

static int64_t today(void)
{
    return stk_clock_seconds() / DAY_S;
}

/* At midnight (UTC) quotas begin anew: not in the middle of a test. */
static void stay_within_a_day(void)
{
    while (DAY_S - stk_clock_seconds() % DAY_S < 20)
        (void)sleep(1);
}

/* So many are signed, and then no more. */
static void expect_so_many(struct bench *bench, struct client *client, size_t count,
                           const char *reason)
{
    bench_forget(bench);
    for (uint64_t id = 1; id <= count + 1; id++)
        sign_to(client, id, "Alpha", "A", 0);
    hear_refusal(bench, client, count + 1, STIRKEEP_RATE_LIMITED, reason);
    if (count > 0)
        bench_take(bench, count);
    for (size_t i = 0; i < count; i++) {
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
        assert_int_equal(hear(bench, client).status, STIRKEEP_OK);
    }
}

static void past_its_rate_a_grant_signs_no_more_for_the_moment(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    struct client other = {0};

    bench->grant = "rate = 1\nburst = 5\n";
    bench_start(bench);
    client = client_new(&bench->born);
    other = client_new(&bench->born);
    expect_so_many(bench, &client, 5, "rate");
    sign_to(&other, 9, "Alpha", "A", 0); /* the same for all of the grant */
    hear_refusal(bench, &other, 9, STIRKEEP_RATE_LIMITED, "proxy");
    bench_take_refusals(bench, 2);
    assert_int_equal(bench->refusal_status, STIRKEEP_RATE_LIMITED);
    (void)usleep(1100000);
    expect_so_many(bench, &client, 1, "rate");
    client_free(&client);
    client_free(&other);
}

static void a_refusal_costs_nothing(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench->grant = "rate = 1\nburst = 3\n";
    bench_start(bench);
    client = client_new(&bench->born);
    for (int i = 0; i < 10; i++) {
        sign_to(&client, 1, "Charlie", "A", 0);
        hear_refusal(bench, &client, 1, STIRKEEP_CERT_EXPIRED, "expired");
        sign_to(&client, 2, "Alpha", "C", 0);
        hear_refusal(bench, &client, 2, STIRKEEP_NOT_PERMITTED, "attest");
    }
    expect_so_many(bench, &client, 3, "rate");
    client_free(&client);
}

static void a_certificate_has_a_rate_of_its_own(void **state)
{
    struct bench *bench = *state;
    struct stk_certificate november = bench_certificate("November");
    struct client client = {0};

    bench->sections = "[certificate Alpha]\nrate = 1\nburst = 2\n";
    bench_start(bench);
    bench_push(bench, 2, false, true, &november, 1);
    bench_await(bench, 2);
    client = client_new(&bench->born);
    expect_so_many(bench, &client, 2, "certificate Alpha");
    sign_to(&client, 9, "November", "A", 0);
    bench_take(bench, 3);
    client_free(&client);
}

static void when_one_grant_is_used_up_another_that_allows_it_is_charged(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    char second[256] = "";

    (void)snprintf(second, sizeof(second),
                   "[grant second]\nuser = %u\ncertificates = Alpha\nattest = A\n"
                   "rate = 1\nburst = 1\n",
                   (unsigned)getuid());
    bench->grant = "rate = 1\nburst = 2\n";
    bench->sections = second;
    bench_start(bench);
    client = client_new(&bench->born);
    expect_so_many(bench, &client, 3, "rate");
    assert_string_equal(bench->taken[0].grant, "proxy");
    assert_string_equal(bench->taken[1].grant, "proxy");
    assert_string_equal(bench->taken[2].grant, "second");
    client_free(&client);
}

static void a_rate_holds_over_a_hundred_connections(void **state)
{
    enum { CLIENTS = 100, EACH = 20, BURST = 500 };
    struct bench *bench = *state;
    struct client clients[CLIENTS];
    size_t limited = 0;
    size_t slack = 0;
    uint64_t began = 0;

    bench->grant = "rate = 10\nburst = 500\n";
    bench_start(bench);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = client_new(&bench->born);
    began = stk_clock_mono_us();
    for (uint64_t id = 1; id <= EACH; id++)
        for (int i = 0; i < CLIENTS; i++)
            sign_to(&clients[i], id, "Alpha", "A", 0);
    for (int i = 0; i < CLIENTS; i++)
        ping_to(&clients[i], 99);
    for (int i = 0; i < CLIENTS; i++) {
        struct stk_response response = hear(bench, &clients[i]);

        for (; response.kind != STK_RESPONSE_PONG; response = hear(bench, &clients[i]), limited++)
            assert_int_equal(response.status, STIRKEEP_RATE_LIMITED);
    }
    slack = (size_t)((stk_clock_mono_us() - began) / 100000) + 1;
    assert_in_range(CLIENTS * EACH - limited, BURST, BURST + slack);
    bench_take(bench, CLIENTS * EACH - limited);
    for (int i = 0; i < CLIENTS; i++)
        client_free(&clients[i]);
}

static void a_quota_is_reported_and_holds(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    stay_within_a_day();
    bench->grant = "quota = 7\n";
    bench->sections = "[certificate A*]\nquota = 100\n";
    bench_start(bench);
    client = client_new(&bench->born);
    expect_so_many(bench, &client, 7, "quota");
    bench_await_count(bench, false, "proxy", 7);
    assert_true(bench->counts[0].day == today());
    if (bench->count_count < 2)
        bench_await_count(bench, true, "Alpha", 7);
    assert_int_equal(bench->report_count, 1);
    /* Nothing more was used: nothing more is told. */
    assert_false(born_readable(bench->born.other, 700));
    client_free(&client);
}

static void reports_come_no_more_than_twice_a_second(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    uint64_t began = 0;
    uint64_t halves = 0;
    uint64_t used = 0;

    stay_within_a_day();
    bench->grant = "quota = 1000000\n";
    bench_start(bench);
    client = client_new(&bench->born);
    began = stk_clock_mono_us();
    while (stk_clock_mono_us() - began < 1200000) {
        sign_to(&client, ++used, "Alpha", "A", 0);
        bench_forget(bench);
        bench_take(bench, 1);
        bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
        assert_int_equal(hear(bench, &client).status, STIRKEEP_OK);
        (void)usleep(5000);
    }
    bench_await_count(bench, false, "proxy", used);
    halves = (stk_clock_mono_us() - began) / 500000;
    assert_in_range(bench->report_count, 2, halves + 1);
    client_free(&client);
}

static void what_was_used_before_is_remembered(void **state)
{
    struct bench *bench = *state;
    struct stk_certificate alpha = bench_certificate("Alpha");
    struct stk_usage_count used[] = {
        {.name = "proxy", .day = today(), .count = 4},
        {.of_certificate = true, .name = "Alpha", .day = today() - 1, .count = 1000}};
    const struct stk_catalog_push push = {.push = 2,
                                          .first = true,
                                          .last = true,
                                          .entries = &alpha,
                                          .entry_count = 1,
                                          .usage = used,
                                          .usage_count = 2};
    struct stk_buffer out = {0};
    struct client client = {0};

    stay_within_a_day();
    used[0].day = today();
    bench->grant = "quota = 7\n";
    bench->sections = "[certificate A*]\nquota = 1000\n"; /* those of yesterday do not count */
    bench_start(bench);
    assert_int_equal(stk_catalog_push_encode(&push, &out), STIRKEEP_OK);
    assert_int_equal(stk_link_send(bench->born.other, out.data, out.length, 1000, NULL),
                     STIRKEEP_OK);
    stk_buffer_free(&out);
    bench_await(bench, 2);
    client = client_new(&bench->born);
    expect_so_many(bench, &client, 3, "quota");
    bench_await_count(bench, false, "proxy", 7);
    client_free(&client);
}

static void at_the_end_what_was_used_is_told(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    stay_within_a_day();
    bench->grant = "quota = 7\n";
    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    bench_take(bench, 1);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, &client).status, STIRKEEP_OK);
    born_tell(&bench->born, STK_CONTROL_DRAIN, STK_ROOM_FRONT);
    assert_int_equal(born_wait(&bench->born), 0);
    bench_await_count(bench, false, "proxy", 1);
    client_free(&client);
}

static void what_never_reached_the_keeper_is_given_back(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    stay_within_a_day();
    bench->deadline_ms = 200;
    bench->grant = "quota = 2\n";
    bench_start_alone(bench);
    client = client_new(&bench->born);
    for (int i = 0; i < 3; i++) {
        sign_to(&client, 1, "Alpha", "A", 0);
        hear_refusal(bench, &client, 1, STIRKEEP_UNAVAILABLE, "keeper");
    }
    born_tell(&bench->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    /* What it had may be signed: it counts, in time or not, however often it is sent. */
    sign_to(&client, 2, "Alpha", "A", 0);
    bench_take(bench, 1);
    born_tell(&bench->born, STK_CONTROL_ROOM_DOWN, STK_ROOM_KEEPER);
    hear_refusal(bench, &client, 2, STIRKEEP_UNAVAILABLE, "keeper");
    born_tell(&bench->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    expect_served(bench);
    expect_so_many(bench, &client, 1, "quota");
    bench_await_count(bench, false, "proxy", 2);
    client_free(&client);
}

/* Asked for so often, and the keeper says why it does not sign it. */
static void fail_for(struct bench *bench, struct client *client, unsigned times,
                     enum stirkeep_status why)
{
    for (unsigned i = 0; i < times; i++) {
        bench_forget(bench);
        sign_to(client, 1, "Alpha", "A", 0);
        bench_take(bench, 1);
        bench_answer(bench, bench->taken[0].id, why);
        hear_refusal(bench, client, 1, why, "keeper");
    }
}

static void a_fault_of_the_services_costs_no_quota(void **state)
{
    static const enum stirkeep_status why[] = {STIRKEEP_AUDIT_UNAVAILABLE, STIRKEEP_TOKEN_ERROR,
                                               STIRKEEP_TOKEN_LOCKED, STIRKEEP_KEY_UNAVAILABLE};
    struct bench *bench = *state;
    struct client client = {0};

    stay_within_a_day();
    bench->grant = "quota = 3\n";
    bench->sections = "[certificate *]\nquota = 3\n";
    bench_start(bench);
    client = client_new(&bench->born);
    for (size_t i = 0; i < 12; i++)
        fail_for(bench, &client, 1, why[i % 4]);
    expect_so_many(bench, &client, 3, "used up");
    bench_await_count(bench, false, "proxy", 3);
    client_free(&client);
}

static void what_the_client_could_have_bettered_costs_quota(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    stay_within_a_day();
    bench->grant = "quota = 5\n";
    bench->sections = "[certificate *]\nquota = 8\n";
    bench_start(bench);
    client = client_new(&bench->born);
    fail_for(bench, &client, 2, STIRKEEP_DEADLINE);
    fail_for(bench, &client, 1, STIRKEEP_INVALID);
    expect_so_many(bench, &client, 2, "grant proxy: quota");
    bench_await_count(bench, false, "proxy", 5);
    bench_await_count(bench, true, "Alpha", 5);
    client_free(&client);
}

/* Whatever came of it: who sends no time along does not write into the trail as fast as may be. */
static void what_the_keeper_had_stays_charged_to_the_rate(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench->grant = "rate = 1\nburst = 6\n";
    bench_start(bench);
    client = client_new(&bench->born);
    fail_for(bench, &client, 3, STIRKEEP_TOKEN_ERROR);
    fail_for(bench, &client, 3, STIRKEEP_DEADLINE);
    sign_to(&client, 2, "Alpha", "A", 0);
    hear_refusal(bench, &client, 2, STIRKEEP_RATE_LIMITED, "rate");
    client_free(&client);
}

/* Come to its deadline, and the keeper says after that what became of it. */
static void a_late_word_decides_what_the_quota_is_charged(void **state)
{
    static const enum stirkeep_status said[] = {STIRKEEP_OK, STIRKEEP_DEADLINE,
                                                STIRKEEP_TOKEN_ERROR};
    enum { EACH = 5, ALL = 3 * EACH };
    struct bench *bench = *state;
    struct client client = {0};

    stay_within_a_day();
    bench->deadline_ms = 200;
    bench->grant = "quota = 17\nrate = 1\nburst = 16\n";
    bench_start(bench);
    client = client_new(&bench->born);
    for (uint64_t id = 1; id <= ALL; id++)
        sign_to(&client, id, "Alpha", "A", 0);
    bench_take(bench, ALL);
    for (size_t i = 0; i < ALL; i++)
        assert_int_equal(hear(bench, &client).status, STIRKEEP_DEADLINE);
    bench_await_count(bench, false, "proxy", ALL);
    for (size_t i = 0; i < ALL; i++)
        bench_answer(bench, bench->taken[i].id, said[i / EACH]);
    for (size_t i = 2 * EACH; i < ALL; i++) /* once, however often it is said */
        bench_answer(bench, bench->taken[i].id, STIRKEEP_TOKEN_ERROR);
    bench_await_count(bench, false, "proxy", 2 * EACH);
    client_free(&client);
}

/* With a millisecond for each: how many of them were not refused for the rate. */
static unsigned hurry(struct bench *bench, struct client *client, unsigned times)
{
    unsigned passed = 0;

    for (unsigned i = 0; i < times; i++) {
        sign_to(client, 1, "Alpha", "A", 1);
        passed += hear(bench, client).status != STIRKEEP_RATE_LIMITED;
    }
    return passed;
}

/* Most of them are answered before the keeper has said anything. */
static void no_time_to_be_signed_is_no_way_around_the_rate(void **state)
{
    enum { BURST = 20, SOME = 10 * BURST };
    struct bench *bench = *state;
    struct client client = {0};
    uint64_t began_us = stk_clock_mono_us();

    bench->grant = "rate = 1\nburst = 20\n";
    bench_start(bench);
    client = client_new(&bench->born);
    assert_true(hurry(bench, &client, SOME) >= BURST);
    bench_take(bench, BURST);
    for (size_t i = 0; i < bench->taken_count; i++)
        bench_answer(bench, bench->taken[i].id, STIRKEEP_DEADLINE);
    expect_served(bench); /* and has heard all of that before */
    assert_true(hurry(bench, &client, SOME) <= 1 + (stk_clock_mono_us() - began_us) / 1000000);
    client_free(&client);
}

static void a_whole_batch_past_the_limit_costs_nothing(void **state)
{
    struct bench *bench = *state;
    struct stk_claims_input claims = claims_of("12155550121", "A");
    struct stk_signing_input signings[6];
    struct stk_response response = {0};
    struct client client = {0};

    stay_within_a_day();
    bench->grant = "quota = 5\n";
    bench_start(bench);
    client = client_new(&bench->born);
    for (int i = 0; i < 6; i++)
        signings[i] = (struct stk_signing_input){.name = "Alpha", .claims = &claims};
    for (int i = 0; i < 3; i++) {
        batch_to(&client, 1, signings, 6, true, 0);
        hear_refusal(bench, &client, 1, STIRKEEP_RATE_LIMITED, "sign[5]: ");
    }
    assert_int_equal(bench->taken_count, 0);
    batch_to(&client, 2, signings, 6, false, 0);
    bench_take(bench, 5);
    for (size_t i = 0; i < 5; i++)
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
    response = hear(bench, &client);
    assert_int_equal(response.result_count, 6);
    assert_int_equal(response.results[4].status, STIRKEEP_OK);
    assert_int_equal(response.results[5].status, STIRKEEP_RATE_LIMITED);
    client_free(&client);
}

/* In flight is as much as one user may have: what is refused for that is not charged. */
static void what_finds_no_room_costs_nothing(void **state)
{
    enum { CLIENTS = 4, EACH = STK_ORDERS_OF_USER_MAX / CLIENTS, LAST = 10 };
    struct bench *bench = *state;
    struct stk_claims_input claims = claims_of("12155550121", "A");
    struct stk_signing_input signings[LAST + 1];
    struct client clients[CLIENTS];
    uint64_t id = 0;

    stay_within_a_day();
    bench->grant = "quota = 100000\n";
    bench->sections = "[certificate *]\nquota = 100000\n";
    bench_start_alone(bench);
    for (int i = 0; i <= LAST; i++)
        signings[i] = (struct stk_signing_input){.name = "Alpha", .claims = &claims};
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_new(&bench->born);
        for (id = 1; id <= EACH - (i == CLIENTS - 1 ? LAST : 0); id++)
            sign_to(&clients[i], id, "Alpha", "A", i == 0 && id <= 100 ? 400 * PATIENCE : 0);
        ping_to(&clients[i], 9999);
        assert_int_equal(hear(bench, &clients[i]).id, 9999);
    }
    for (id = 1; id <= 20; id++) {
        batch_to(&clients[CLIENTS - 1], id, signings, LAST + 1, true, 0);
        hear_refusal(bench, &clients[CLIENTS - 1], id, STIRKEEP_OVERLOADED, "sign[10]");
    }
    batch_to(&clients[CLIENTS - 1], 2000, signings, LAST + 1, false, 0);
    sign_to(&clients[CLIENTS - 1], 2001, "Alpha", "A", 0);
    hear_refusal(bench, &clients[CLIENTS - 1], 2001, STIRKEEP_OVERLOADED, "in flight");
    /* A hundred of the others come to their deadline unsent, and are given back, too. */
    for (int i = 0; i < 100; i++)
        assert_int_equal(hear(bench, &clients[0]).status, STIRKEEP_UNAVAILABLE);
    bench_await_count(bench, false, "proxy", STK_ORDERS_OF_USER_MAX - 100);
    bench_await_count(bench, true, "Alpha", STK_ORDERS_OF_USER_MAX - 100);
    for (int i = 0; i < CLIENTS; i++)
        client_free(&clients[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(past_its_rate_a_grant_signs_no_more_for_the_moment),
        TEST(a_refusal_costs_nothing),
        TEST(a_certificate_has_a_rate_of_its_own),
        TEST(when_one_grant_is_used_up_another_that_allows_it_is_charged),
        TEST(a_rate_holds_over_a_hundred_connections),
        TEST(a_quota_is_reported_and_holds),
        TEST(reports_come_no_more_than_twice_a_second),
        TEST(what_was_used_before_is_remembered),
        TEST(at_the_end_what_was_used_is_told),
        TEST(what_never_reached_the_keeper_is_given_back),
        TEST(a_fault_of_the_services_costs_no_quota),
        TEST(what_the_client_could_have_bettered_costs_quota),
        TEST(what_the_keeper_had_stays_charged_to_the_rate),
        TEST(a_late_word_decides_what_the_quota_is_charged),
        TEST(no_time_to_be_signed_is_no_way_around_the_rate),
        TEST(a_whole_batch_past_the_limit_costs_nothing),
        TEST(what_finds_no_room_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
