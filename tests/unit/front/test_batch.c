/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "bench.h"
#include "front/orders.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Several signatures in one request. */

enum { MANY = STK_SIGNINGS_MAX };

static const struct stk_claims_input *shaken(const char *attest)
{
    static struct stk_claims_input claims[4];
    struct stk_claims_input *one = &claims[(attest[0] - 'A') & 3];

    *one = claims_of("12155550121", attest);
    return one;
}

/* All with Alpha and A, but for one. */
static void fill(struct stk_signing_input *signings, size_t count, size_t bad, const char *name,
                 const char *attest)
{
    for (size_t i = 0; i < count; i++)
        signings[i] = (struct stk_signing_input){.name = "Alpha", .claims = shaken("A")};
    if (bad < count)
        signings[bad] = (struct stk_signing_input){.name = name, .claims = shaken(attest)};
}

static void expect_batch(const struct stk_response *response, uint64_t id, size_t count)
{
    if (response->status != STIRKEEP_OK)
        fail_msg("%s", response->message);
    assert_int_equal(response->id, id);
    assert_int_equal(response->kind, STK_RESPONSE_BATCH);
    assert_int_equal(response->result_count, count);
}

static void a_batch_is_answered_once_in_its_own_order(void **state)
{
    struct bench *bench = *state;
    struct stk_signing_input signings[MANY];
    struct stk_response response = {0};
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    fill(signings, MANY, 1, "Alpha", "B");
    for (int whole = 0; whole < 2; whole++) {
        batch_to(&client, 40, signings, MANY, whole == 1, 0);
        bench_take(bench, MANY);
        for (size_t i = MANY; i > 1; i--) {
            bench_answer(bench, bench->taken[i - 1].id, STIRKEEP_OK);
            bench_answer(bench, bench->taken[i - 1].id, STIRKEEP_OK); /* twice is once */
        }
        assert_false(born_readable(client.fd, 50));
        bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
        response = hear(bench, &client);
        expect_batch(&response, 40, MANY);
        for (size_t i = 0; i < MANY; i++) {
            const struct stk_response_signed *signed_ = &response.results[i].signed_;

            assert_int_equal(response.results[i].status, STIRKEEP_OK);
            assert_string_equal(signed_->attest, i == 1 ? "B" : "A");
            assert_int_equal(signed_->passport_length, 5);
            assert_int_equal(signed_->generation, 1);
            assert_memory_equal(signed_->identity.data, "h.p.s;", 6);
            assert_string_equal(signed_->origid, "123e4567-e89b-12d3-a456-426655440000");
        }
        assert_false(born_readable(client.fd, 20));
        bench_forget(bench);
    }
    client_free(&client);
}

static void one_refusal_refuses_a_whole_batch_before_anything_is_ordered(void **state)
{
    static const struct {
        const char *name;
        const char *attest;
        enum stirkeep_status status;
    } cases[] = {{"Alpha", "C", STIRKEEP_NOT_PERMITTED},  {"Zulu", "A", STIRKEEP_NOT_PERMITTED},
                 {"Nothing", "A", STIRKEEP_UNKNOWN_NAME}, {"Bravo", "A", STIRKEEP_NOT_ACTIVE},
                 {"Charlie", "A", STIRKEEP_CERT_EXPIRED}, {"Alpha", "D", STIRKEEP_INVALID}};
    struct bench *bench = *state;
    struct stk_signing_input signings[5];
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fill(signings, 5, 3, cases[i].name, cases[i].attest);
        batch_to(&client, i, signings, 5, true, 0);
        hear_refusal(bench, &client, i, cases[i].status, "sign[3]: ");
        /* One line in the trail for the request. */
        bench_take_refusals(bench, i + 1);
        assert_int_equal(bench->refusal_count, i + 1);
        assert_non_null(strstr(bench->refusal_reason, "sign[3]: "));
        assert_int_equal(bench->taken_count, 0);
    }
    client_free(&client);
}

static void in_a_batch_that_is_not_whole_each_has_its_own_status(void **state)
{
    struct bench *bench = *state;
    struct stk_signing_input signings[5];
    struct stk_response response = {0};
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    fill(signings, 5, 1, "Zulu", "A");
    signings[2].claims = shaken("D");
    signings[4].name = "Bravo";
    batch_to(&client, 1, signings, 5, false, 0);
    bench_take(bench, 2);
    bench_take_refusals(bench, 3);
    assert_non_null(strstr(bench->refusal_reason, "sign[4]: "));
    bench_answer(bench, bench->taken[1].id, STIRKEEP_AUDIT_UNAVAILABLE);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    response = hear(bench, &client);
    expect_batch(&response, 1, 5);
    assert_int_equal(response.results[0].status, STIRKEEP_OK);
    assert_int_equal(response.results[1].status, STIRKEEP_NOT_PERMITTED);
    assert_int_equal(response.results[2].status, STIRKEEP_INVALID);
    assert_non_null(strstr(response.results[2].message, "attest"));
    assert_int_equal(response.results[3].status, STIRKEEP_AUDIT_UNAVAILABLE);
    assert_string_equal(response.results[3].message, "the keeper says so");
    assert_int_equal(response.results[4].status, STIRKEEP_NOT_ACTIVE);
    client_free(&client);
}

static void a_batch_of_refusals_alone_is_answered_at_once(void **state)
{
    struct bench *bench = *state;
    struct stk_signing_input signings[3];
    struct stk_response response = {0};
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    fill(signings, 3, 0, "Zulu", "A");
    signings[1].name = signings[2].name = "Zulu";
    batch_to(&client, 1, signings, 3, false, 0);
    response = hear(bench, &client);
    expect_batch(&response, 1, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(response.results[i].status, STIRKEEP_NOT_PERMITTED);
    bench_take_refusals(bench, 3);
    client_free(&client);
}

static void a_failure_of_the_keepers_fails_a_whole_batch(void **state)
{
    struct bench *bench = *state;
    struct stk_signing_input signings[3];
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    fill(signings, 3, 3, "", "");
    batch_to(&client, 1, signings, 3, true, 0);
    bench_take(bench, 3);
    bench_answer(bench, bench->taken[2].id, STIRKEEP_TOKEN_ERROR);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    bench_answer(bench, bench->taken[1].id, STIRKEEP_KEY_UNAVAILABLE);
    hear_refusal(bench, &client, 1, STIRKEEP_KEY_UNAVAILABLE, "sign[1]: the keeper says so");
    client_free(&client);
}

static void at_the_deadline_a_batch_is_answered_with_what_there_is(void **state)
{
    struct bench *bench = *state;
    struct stk_signing_input signings[3];
    struct stk_response response = {0};
    struct client client = {0};

    bench->deadline_ms = 300;
    bench_start(bench);
    client = client_new(&bench->born);
    fill(signings, 3, 3, "", "");
    batch_to(&client, 1, signings, 3, false, 0);
    bench_take(bench, 3);
    bench_answer(bench, bench->taken[1].id, STIRKEEP_OK);
    response = hear(bench, &client);
    expect_batch(&response, 1, 3);
    assert_int_equal(response.results[0].status, STIRKEEP_DEADLINE);
    assert_int_equal(response.results[1].status, STIRKEEP_OK);
    assert_int_equal(response.results[2].status, STIRKEEP_DEADLINE);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK); /* too late */
    bench_forget(bench);
    batch_to(&client, 2, signings, 3, true, 0);
    bench_take(bench, 3);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    hear_refusal(bench, &client, 2, STIRKEEP_DEADLINE, "sign[1]: ");
    born_tell(&bench->born, STK_CONTROL_ROOM_DOWN, STK_ROOM_KEEPER);
    batch_to(&client, 3, signings, 3, true, 100);
    hear_refusal(bench, &client, 3, STIRKEEP_UNAVAILABLE, "sign[0]: ");
    client_free(&client);
}

static void a_client_that_leaves_amid_a_batch_harms_nobody(void **state)
{
    struct bench *bench = *state;
    struct stk_signing_input signings[MANY];
    struct client client = {0};
    struct client next = {0};

    bench->deadline_ms = 2000;
    bench_start(bench);
    fill(signings, MANY, MANY, "", "");
    for (int round = 0; round < 3; round++) {
        bench_forget(bench);
        client = client_new(&bench->born);
        batch_to(&client, 1, signings, MANY, round == 1, 0);
        bench_take(bench, MANY);
        for (size_t i = 0; i < MANY / 2; i++)
            bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
        client_free(&client);
        next = client_new(&bench->born); /* most likely at the same place */
        ping_to(&next, 2);
        assert_int_equal(hear(bench, &next).id, 2);
        for (size_t i = MANY / 2; i < (round == 2 ? MANY / 2 : MANY); i++)
            bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
        assert_false(born_readable(next.fd, 100)); /* in the last round, until the deadline */
        client_free(&next);
    }
    (void)usleep(2100000);
    expect_served(bench);
}

static void a_batch_goes_on_with_the_keepers_successor(void **state)
{
    struct bench *bench = *state;
    struct stk_signing_input signings[20];
    struct stk_response response = {0};
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    fill(signings, 20, 20, "", "");
    batch_to(&client, 1, signings, 20, true, 0);
    bench_take(bench, 20);
    for (size_t i = 0; i < 5; i++)
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
    born_tell(&bench->born, STK_CONTROL_ROOM_DOWN, STK_ROOM_KEEPER);
    expect_served(bench);
    bench_forget(bench);
    born_tell(&bench->born, STK_CONTROL_ROOM_UP, STK_ROOM_KEEPER);
    bench_take(bench, 15);
    for (size_t i = 0; i < 15; i++)
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
    response = hear(bench, &client);
    expect_batch(&response, 1, 20);
    client_free(&client);
}

/* Long numbers of destinations make long Identity headers. */
static void a_batch_whose_answer_could_be_too_long_is_refused_beforehand(void **state)
{
    enum { DEST = 32 };
    static char numbers[DEST][STK_TN_MAX + 1];
    const char *dest[DEST];
    struct bench *bench = *state;
    struct stk_claims_input claims = claims_of("12155550121", "A");
    struct stk_signing_input signings[MANY];
    struct client client = {0};

    for (int i = 0; i < DEST; i++) {
        (void)snprintf(numbers[i], sizeof(numbers[i]), "1215555%08d", i);
        dest[i] = numbers[i];
    }
    claims.dest_tn = dest;
    claims.dest_tn_count = DEST;
    for (size_t i = 0; i < MANY; i++)
        signings[i] = (struct stk_signing_input){.name = "Alpha", .claims = &claims};
    bench_start(bench);
    client = client_new(&bench->born);
    batch_to(&client, 1, signings, MANY, false, 0);
    hear_refusal(bench, &client, 1, STIRKEEP_TOO_LARGE, "fewer");
    batch_to(&client, 2, signings, MANY, true, 0);
    hear_refusal(bench, &client, 2, STIRKEEP_TOO_LARGE, "fewer");
    bench_take_refusals(bench, 2);
    assert_int_equal(bench->taken_count, 0);
    batch_to(&client, 3, signings, MANY / 4, true, 0);
    bench_take(bench, MANY / 4);
    client_free(&client);
}

/* Each of a batch's counts: past the limit a whole one gets nothing, and takes nothing away. */
static void each_signing_of_a_batch_counts_as_one_in_flight(void **state)
{
    enum { BATCHES = STK_ORDERS_OF_USER_MAX / MANY, CLIENTS = 4 };
    struct bench *bench = *state;
    struct stk_signing_input signings[MANY];
    struct stk_response response = {0};
    struct client clients[CLIENTS];
    struct client client = {0};

    bench_start_alone(bench);
    fill(signings, MANY, MANY, "", "");
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_new(&bench->born);
        for (uint64_t j = 0; j < BATCHES / CLIENTS; j++)
            batch_to(&clients[i], j + 1, signings, MANY, true, 0);
        ping_to(&clients[i], 99); /* one after the other */
        if (i < CLIENTS - 1)
            assert_int_equal(hear(bench, &clients[i]).id, 99);
        if (i > 0)
            continue;
        /* One more, so that the last batch does not fit. */
        client = client_new(&bench->born);
        sign_to(&client, 1, "Alpha", "A", 0);
        ping_to(&client, 2);
        assert_int_equal(hear(bench, &client).id, 2);
    }
    hear_refusal(bench, &clients[CLIENTS - 1], BATCHES / CLIENTS, STIRKEEP_OVERLOADED,
                 "sign[63]: ");
    assert_int_equal(hear(bench, &clients[CLIENTS - 1]).id, 99);
    batch_to(&client, 3, signings, MANY - 1, true, 0); /* its places are free again */
    ping_to(&client, 4);
    assert_int_equal(hear(bench, &client).id, 4);
    batch_to(&client, 5, signings, 3, false, 0);
    response = hear(bench, &client);
    expect_batch(&response, 5, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(response.results[i].status, STIRKEEP_OVERLOADED);
    for (int i = 0; i < CLIENTS; i++)
        client_free(&clients[i]);
    client_free(&client);
}

/* Reading stops at 1024 under way, of whatever kind. */
static void a_connection_is_not_read_past_its_limit_of_signings(void **state)
{
    enum { BATCHES = 16 };
    struct bench *bench = *state;
    struct stk_signing_input signings[MANY];
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    fill(signings, MANY, MANY, "", "");
    for (uint64_t i = 0; i < BATCHES + 1; i++)
        batch_to(&client, i + 1, signings, MANY, true, 0);
    bench_take(bench, (size_t)BATCHES * MANY);
    assert_true(bench_keeper_is_idle(bench));
    for (size_t i = 0; i < (size_t)BATCHES * MANY; i++)
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
    for (uint64_t i = 0; i < BATCHES; i++)
        assert_int_equal(hear(bench, &client).id, i + 1);
    bench_take(bench, (size_t)(BATCHES + 1) * MANY);
    client_free(&client);
}

static void a_batch_of_inputs_is_signed(void **state)
{
    struct bench *bench = *state;
    struct stk_number_range range = {stk_number_key("12155550100"), stk_number_key("12155550199")};
    const struct stk_constraints constraints = {
        .numbers_only = true, .ranges = &range, .range_count = 1};
    struct stk_claims_input claims = claims_of("12155550121", "A");
    struct stk_signing_input signings[MANY];
    struct bench_input input;
    struct stk_response response = {0};
    struct client client = {0};

    claims.iat = stk_clock_seconds();
    input = bench_input(&claims, BENCH_X5U);
    for (size_t i = 0; i < MANY; i++)
        signings[i] = (struct stk_signing_input){
            .name = "Alpha", .header = input.header, .payload = input.payload};
    bench->grant = "sign-input = yes\n";
    bench_start(bench);
    bench_push_constrained(bench, 2, "Alpha", &constraints);
    client = client_new(&bench->born);
    batch_to(&client, 1, signings, MANY, true, 0);
    bench_take(bench, MANY);
    for (size_t i = 0; i < MANY; i++)
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
    response = hear(bench, &client);
    expect_batch(&response, 1, MANY);
    signings[MANY - 1].header = "{}";
    batch_to(&client, 2, signings, MANY, true, 0);
    hear_refusal(bench, &client, 2, STIRKEEP_INVALID, "sign[63]: ");
    client_free(&client);
}

static void draining_waits_for_a_batch(void **state)
{
    struct bench *bench = *state;
    struct stk_signing_input signings[3];
    struct stk_response response = {0};
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    fill(signings, 3, 3, "", "");
    batch_to(&client, 1, signings, 3, true, 0);
    bench_take(bench, 3);
    born_tell(&bench->born, STK_CONTROL_DRAIN, STK_ROOM_FRONT);
    for (size_t i = 0; i < 3; i++)
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
    response = hear(bench, &client);
    expect_batch(&response, 1, 3);
    assert_int_equal(born_wait(&bench->born), 0);
    client_free(&client);
}

static void leaving_amid_a_batch_is_clean(void **state)
{
    struct bench *bench = *state;
    struct stk_signing_input signings[3];
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    fill(signings, 3, 3, "", "");
    batch_to(&client, 1, signings, 3, true, 0);
    bench_take(bench, 3);
    (void)close(bench->born.control);
    bench->born.control = -1;
    assert_int_equal(born_wait(&bench->born), 1);
    client_free(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_is_answered_once_in_its_own_order),
        TEST(one_refusal_refuses_a_whole_batch_before_anything_is_ordered),
        TEST(in_a_batch_that_is_not_whole_each_has_its_own_status),
        TEST(a_batch_of_refusals_alone_is_answered_at_once),
        TEST(a_failure_of_the_keepers_fails_a_whole_batch),
        TEST(at_the_deadline_a_batch_is_answered_with_what_there_is),
        TEST(a_client_that_leaves_amid_a_batch_harms_nobody),
        TEST(a_batch_goes_on_with_the_keepers_successor),
        TEST(a_batch_whose_answer_could_be_too_long_is_refused_beforehand),
        TEST(each_signing_of_a_batch_counts_as_one_in_flight),
        TEST(a_connection_is_not_read_past_its_limit_of_signings),
        TEST(a_batch_of_inputs_is_signed),
        TEST(draining_waits_for_a_batch),
        TEST(leaving_amid_a_batch_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
