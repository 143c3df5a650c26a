/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "bench.h"
#include "front/orders.h"
#include <string.h>
#include <unistd.h>

/* Requests on their way to the keeper and back. */

static void expect_refused(struct bench *bench, struct client *client, const char *name,
                           const char *attest, enum stirkeep_status status)
{
    struct stk_response response = {0};

    sign_to(client, 5, name, attest, 0);
    response = hear(bench, client);
    assert_int_equal(response.id, 5);
    assert_int_equal(response.status, status);
    assert_true(strlen(response.message) > 0);
}

static void a_granted_request_is_signed(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    struct stk_response response = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 77, "Alpha", "A", 0);
    bench_take(bench, 1);
    assert_string_equal(bench->taken[0].name, "Alpha");
    assert_string_equal(bench->taken[0].grant, "proxy");
    assert_int_equal(bench->taken[0].uid, getuid());
    assert_int_equal(bench->taken[0].request_id, 77);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    response = hear(bench, &client);
    assert_int_equal(response.id, 77);
    assert_int_equal(response.kind, STK_RESPONSE_SIGNED);
    assert_int_equal(response.signed_.passport_length, 5);
    assert_int_equal(response.signed_.generation, 1);
    sign_to(&client, 78, "Alpha", "B", 0);
    bench_take(bench, 2);
    bench_answer(bench, bench->taken[1].id, STIRKEEP_AUDIT_UNAVAILABLE);
    response = hear(bench, &client);
    assert_int_equal(response.status, STIRKEEP_AUDIT_UNAVAILABLE);
    assert_string_equal(response.message, "the keeper says so");
    client_free(&client);
}

static void what_is_not_granted_or_not_fit_never_reaches_the_keeper(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    expect_refused(bench, &client, "Alpha", "C", STIRKEEP_NOT_PERMITTED);
    expect_refused(bench, &client, "Zulu", "A", STIRKEEP_NOT_PERMITTED);
    /* Whether there is such a name is nobody's business who may not use it. */
    expect_refused(bench, &client, "Yankee", "A", STIRKEEP_NOT_PERMITTED);
    expect_refused(bench, &client, "Nothing", "A", STIRKEEP_UNKNOWN_NAME);
    expect_refused(bench, &client, "Bravo", "A", STIRKEEP_NOT_ACTIVE);
    expect_refused(bench, &client, "Charlie", "A", STIRKEEP_CERT_EXPIRED);
    expect_refused(bench, &client, "Delta", "A", STIRKEEP_CERT_NOT_YET_VALID);
    expect_refused(bench, &client, "Alpha", "D", STIRKEEP_INVALID);
    bench_take_refusals(bench, 8);
    assert_int_equal(bench->refusal_status, STIRKEEP_INVALID);
    assert_int_equal(bench->taken_count, 0);
    client_free(&client);
}

static void a_user_without_a_grant_gets_nothing(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench->stranger = true;
    bench_start(bench);
    client = client_new(&bench->born);
    expect_refused(bench, &client, "Alpha", "A", STIRKEEP_NOT_PERMITTED);
    assert_true(bench->taken_count == 0);
    client_free(&client);
}

static void answers_out_of_order_find_their_requests(void **state)
{
    enum { REQUESTS = 500 };
    struct bench *bench = *state;
    struct client clients[2];
    bool seen[2][REQUESTS] = {0};

    bench_start(bench);
    for (int i = 0; i < 2; i++) {
        clients[i] = client_new(&bench->born);
        for (uint64_t id = 0; id < REQUESTS; id++)
            sign_to(&clients[i], id + 1, "Alpha", "A", 0);
    }
    bench_take(bench, 2 * (size_t)REQUESTS);
    for (size_t i = bench->taken_count; i > 0; i--) {
        bench_answer(bench, bench->taken[i - 1].id, STIRKEEP_OK);
        bench_answer(bench, bench->taken[i - 1].id, STIRKEEP_OK); /* a second one is ignored */
    }
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < REQUESTS; j++) {
            struct stk_response response = hear(bench, &clients[i]);

            assert_int_equal(response.status, STIRKEEP_OK);
            assert_in_range(response.id, 1, REQUESTS);
            assert_false(seen[i][response.id - 1]);
            seen[i][response.id - 1] = true;
        }
        assert_false(born_readable(clients[i].fd, 50));
        client_free(&clients[i]);
    }
}

static void stale_answers_are_ignored(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    uint64_t id = 0;

    bench_start(bench);
    for (uint64_t i = 0; i < 40; i++)
        bench_answer(bench, i * 0x123456789, STIRKEEP_OK);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    bench_take(bench, 1);
    id = bench->taken[0].id;
    bench_answer(bench, id + 1, STIRKEEP_OK);
    bench_answer(bench, id ^ (1ULL << 40), STIRKEEP_OK);
    bench_answer(bench, 0, STIRKEEP_OK);
    assert_false(born_readable(client.fd, 100));
    bench_answer(bench, id, STIRKEEP_OK);
    assert_int_equal(hear(bench, &client).id, 1);
    client_free(&client);
}

static void an_answer_to_a_client_that_left_goes_to_nobody_else(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    struct client next = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    bench_take(bench, 1);
    client_free(&client);
    next = client_new(&bench->born); /* most likely at the same place and descriptor */
    ping_to(&next, 2);
    assert_int_equal(hear(bench, &next).id, 2);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_false(born_readable(next.fd, 100));
    client_free(&next);
}

static void a_keeper_that_is_back_gets_the_orders_again(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    for (uint64_t id = 1; id <= 3; id++)
        sign_to(&client, id, "Alpha", "A", 0);
    bench_take(bench, 3);
    bench_answer(bench, bench->taken[1].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, &client).id, 2);
    born_tell(&bench->born, STK_CONTROL_ROOM_DOWN, STK_ROOM_KEEPER);
    expect_served(bench);
    bench_forget(bench);
    sign_to(&client, 4, "Alpha", "A", 0);
    assert_true(bench_keeper_is_idle(bench));
    born_tell(&bench->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    bench_take(bench, 3);
    assert_int_equal(bench->taken[0].request_id, 1);
    assert_int_equal(bench->taken[1].request_id, 3);
    assert_int_equal(bench->taken[2].request_id, 4);
    for (size_t i = 0; i < 3; i++) {
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
        assert_int_equal(hear(bench, &client).status, STIRKEEP_OK);
    }
    client_free(&client);
}

static void at_the_deadline_there_is_an_answer_in_any_case(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench->deadline_ms = 200;
    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    bench_take(bench, 1);
    assert_int_equal(hear(bench, &client).status, STIRKEEP_DEADLINE);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK); /* too late */
    sign_to(&client, 2, "Alpha", "A", 1000000);           /* no more than the service's */
    assert_int_equal(hear(bench, &client).id, 2);
    born_tell(&bench->born, STK_CONTROL_ROOM_DOWN, STK_ROOM_KEEPER);
    sign_to(&client, 3, "Alpha", "A", 0);
    assert_int_equal(hear(bench, &client).status, STIRKEEP_UNAVAILABLE);
    client_free(&client);
}

static void past_the_limit_in_flight_it_is_overloaded(void **state)
{
    enum { CLIENTS = 5, EACH = 1000 };
    struct bench *bench = *state;
    struct client clients[CLIENTS];
    size_t refused = 0;

    bench_start_alone(bench);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_new(&bench->born);
        for (uint64_t id = 1; id <= EACH; id++)
            sign_to(&clients[i], id, "Alpha", "A", 0);
        ping_to(&clients[i], 0); /* its answer comes behind the refusals */
    }
    for (int i = 0; i < CLIENTS; i++) {
        struct stk_response response = hear(bench, &clients[i]);

        for (; response.kind != STK_RESPONSE_PONG; response = hear(bench, &clients[i]), refused++)
            assert_int_equal(response.status, STIRKEEP_OVERLOADED);
        client_free(&clients[i]);
    }
    assert_int_equal(refused, CLIENTS * EACH - STK_ORDERS_OF_USER_MAX);
    expect_served(bench);
}

static void draining_answers_what_is_in_flight(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    struct client idle = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    idle = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    sign_to(&client, 2, "Alpha", "A", 0);
    bench_take(bench, 2);
    born_tell(&bench->born, STK_CONTROL_DRAIN, STK_ROOM_FRONT);
    bench_answer(bench, bench->taken[1].id, STIRKEEP_OK);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, &client).id, 2);
    assert_int_equal(hear(bench, &client).id, 1);
    assert_int_equal(born_wait(&bench->born), 0);
    assert_true(client_ended(&client));
    assert_true(client_ended(&idle));
    client_free(&client);
    client_free(&idle);
}

/* Nobody answers and somebody has half a request: it ends all the same. */
static void draining_waits_for_nobody_past_the_deadline(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    struct client halting = {0};
    uint64_t began = 0;

    bench->deadline_ms = 300;
    bench_start(bench);
    client = client_new(&bench->born);
    halting = client_new(&bench->born);
    client_send(&halting, "\0\0\1\0\x08", 5);
    sign_to(&client, 1, "Alpha", "A", 0);
    bench_take(bench, 1);
    began = stk_clock_mono_us();
    born_tell(&bench->born, STK_CONTROL_DRAIN, STK_ROOM_FRONT);
    assert_int_equal(hear(bench, &client).status, STIRKEEP_DEADLINE);
    assert_int_equal(born_wait(&bench->born), 0);
    assert_true(stk_clock_mono_us() - began < 3000000);
    assert_true(client_ended(&client));
    assert_true(client_ended(&halting));
    client_free(&client);
    client_free(&halting);
}

static void what_comes_while_draining_is_not_begun(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    bench_take(bench, 1);
    born_tell(&bench->born, STK_CONTROL_DRAIN, STK_ROOM_FRONT);
    assert_true(bench_keeper_is_idle(bench)); /* it has heard by now */
    sign_to(&client, 2, "Alpha", "A", 0);
    assert_true(bench_keeper_is_idle(bench));
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, &client).id, 1);
    assert_int_equal(born_wait(&bench->born), 0);
    assert_true(client_ended(&client));
    client_free(&client);
}

static void all_refusals_are_told_before_the_end(void **state)
{
    enum { REFUSED = 400 };
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    for (uint64_t id = 1; id <= REFUSED; id++)
        sign_to(&client, id, "Zulu", "A", 0);
    for (uint64_t id = 1; id <= REFUSED; id++)
        assert_int_equal(hear(bench, &client).id, id);
    born_tell(&bench->born, STK_CONTROL_DRAIN, STK_ROOM_FRONT);
    assert_int_equal(born_wait(&bench->born), 0);
    while (born_readable(bench->born.keeper, 0))
        bench_take_refusals(bench, bench->refusal_count + 1);
    assert_in_range(bench->refusal_count + bench->suppressed, REFUSED, REFUSED + 2);
    client_free(&client);
}

static void without_a_porter_it_leaves(void **state)
{
    struct bench *bench = *state;

    bench_start(bench);
    (void)close(bench->born.control);
    bench->born.control = -1;
    assert_true(born_wait(&bench->born) >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_granted_request_is_signed),
        TEST(what_is_not_granted_or_not_fit_never_reaches_the_keeper),
        TEST(a_user_without_a_grant_gets_nothing),
        TEST(answers_out_of_order_find_their_requests),
        TEST(stale_answers_are_ignored),
        TEST(an_answer_to_a_client_that_left_goes_to_nobody_else),
        TEST(a_keeper_that_is_back_gets_the_orders_again),
        TEST(at_the_deadline_there_is_an_answer_in_any_case),
        TEST(past_the_limit_in_flight_it_is_overloaded),
        TEST(draining_answers_what_is_in_flight),
        TEST(draining_waits_for_nobody_past_the_deadline),
        TEST(what_comes_while_draining_is_not_begun),
        TEST(all_refusals_are_told_before_the_end),
        TEST(without_a_porter_it_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
