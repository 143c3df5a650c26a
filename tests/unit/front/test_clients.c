/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Clients that break the rules, are slow, or many; and the names that front is told of. */

static void expect_last_word(struct bench *bench, struct client *client,
                             enum stirkeep_status status)
{
    struct stk_response response = hear(bench, client);

    assert_int_equal(response.id, 0);
    assert_int_equal(response.status, status);
    assert_true(client_ended(client));
    client_free(client);
    expect_served(bench);
}

static void a_broken_length_ends_the_conversation(void **state)
{
    static const struct {
        const char *header;
        enum stirkeep_status status;
    } cases[] = {{"\x00\x00\x00\x00", STIRKEEP_MALFORMED},
                 {"\x05\xf5\xe1\x00", STIRKEEP_TOO_LARGE}, /* 100 MB */
                 {"\xff\xff\xff\xff", STIRKEEP_TOO_LARGE},
                 {"\x00\x01\x00\x01", STIRKEEP_TOO_LARGE}}; /* one past the limit */
    struct bench *bench = *state;

    bench_start(bench);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct client client = client_new(&bench->born);

        client_send(&client, cases[i].header, 4);
        expect_last_word(bench, &client, cases[i].status);
    }
    bench_take_refusals(bench, 4);
}

static void a_broken_frame_waits_for_the_answers_before_it(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    client_send(&client, "\0\0\0\0", 4);
    bench_take(bench, 1);
    assert_int_equal(hear(bench, &client).status, STIRKEEP_MALFORMED);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, &client).id, 1);
    assert_true(client_ended(&client));
    client_free(&client);
}

static void a_message_that_is_none_is_answered_and_the_conversation_goes_on(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    client_send(&client, "\0\0\0\5\xff\xff\xff\xff\xff", 9);
    assert_int_equal(hear(bench, &client).status, STIRKEEP_MALFORMED);
    ping_to(&client, 3);
    assert_int_equal(hear(bench, &client).id, 3);
    client_free(&client);
}

static void silent_and_halting_clients_are_put_out(void **state)
{
    struct bench *bench = *state;
    struct client silent = {0};
    struct client halting = {0};
    struct client idle = {0};

    bench->client_timeout_ms = 1000;
    bench_start(bench);
    silent = client_new(&bench->born);
    halting = client_new(&bench->born);
    idle = client_new(&bench->born);
    ping_to(&idle, 1);
    assert_int_equal(hear(bench, &idle).id, 1);
    ping_to(&halting, 2);
    assert_int_equal(hear(bench, &halting).id, 2);
    client_send(&halting, "\0\0\1\0\x08", 5);
    expect_last_word(bench, &silent, STIRKEEP_TIMEOUT);
    expect_last_word(bench, &halting, STIRKEEP_TIMEOUT);
    /* One that has asked once may stay as long as it likes. */
    ping_to(&idle, 3);
    assert_int_equal(hear(bench, &idle).id, 3);
    client_free(&idle);
}

static void a_client_that_is_done_sending_still_gets_its_answers(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    bench_take(bench, 1);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, &client).id, 1);
    assert_true(client_ended(&client));
    client_free(&client);
}

/* Far more than sockets hold, and read only after others were served: nothing is lost, and what
 * front keeps for it is bounded, since it stops reading. */
static void a_slow_reader_loses_nothing_and_holds_up_nobody(void **state)
{
    enum { REQUESTS = 40000 };
    struct bench *bench = *state;
    struct client client = {0};
    pid_t writer = 0;

    bench_start(bench);
    client = client_new(&bench->born);
    writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        for (uint64_t id = 1; id <= REQUESTS; id++)
            ping_to(&client, id);
        _exit(0);
    }
    for (int i = 0; i < 20; i++) {
        expect_served(bench);
        (void)usleep(5000);
    }
    assert_int_equal(waitpid(writer, NULL, WNOHANG), 0); /* it was made to wait */
    for (uint64_t id = 1; id <= REQUESTS; id++)
        assert_int_equal(hear(bench, &client).id, id);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    client_free(&client);
}

/* Front has yet to see which of its connections were closed. */
static void wait_for_room(struct bench *bench)
{
    enum { TRIES = 1000 };
    enum stirkeep_status status = STIRKEEP_OVERLOADED;

    for (unsigned i = 0; i < TRIES && status == STIRKEEP_OVERLOADED; i++) {
        struct client client = client_new(&bench->born);

        ping_to(&client, 1);
        status = hear(bench, &client).status;
        client_free(&client);
        (void)usleep(5000);
    }
    assert_int_equal(status, STIRKEEP_OK);
}

static void many_connections_are_served_and_too_many_turned_away(void **state)
{
    enum { MANY = 1000, OPEN_MAX_ = 2100 };
    struct bench *bench = *state;
    static struct client clients[OPEN_MAX_];
    struct rlimit files = {0};
    size_t turned_away = 0;
    size_t count = OPEN_MAX_;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < OPEN_MAX_ + 100)
        count = files.rlim_cur > MANY + 100 ? MANY : (size_t)files.rlim_cur / 2;
    bench->client_timeout_ms = 60000;
    bench_start(bench);
    for (size_t i = 0; i < count; i++) {
        clients[i] = client_new(&bench->born);
        ping_to(&clients[i], i + 1);
    }
    for (size_t i = 0; i < count; i++) {
        struct stk_response response = hear(bench, &clients[i]);

        assert_true(response.id == i + 1 || response.status == STIRKEEP_OVERLOADED);
        turned_away += response.status == STIRKEEP_OVERLOADED ? 1 : 0;
    }
    /* One user gets three quarters of the table, so that others have the rest. */
    if (count == OPEN_MAX_)
        assert_int_equal(turned_away, OPEN_MAX_ - STK_CONNECTIONS_MAX * 3 / 4);
    for (size_t i = 0; i < count; i++)
        client_free(&clients[i]);
    wait_for_room(bench);
    expect_served(bench);
}

/* ---- names */

static size_t list_all(struct bench *bench)
{
    struct client client = client_new(&bench->born);
    struct stk_response page = {.more = true};
    char after[STK_NAME_MAX + 1] = "";
    size_t count = 0;

    while (page.more) {
        struct stk_buffer out = {0};

        assert_int_equal(stk_request_encode_list(1, after, &out), STIRKEEP_OK);
        client_send(&client, out.data, out.length);
        stk_buffer_free(&out);
        page = hear(bench, &client);
        assert_int_equal(page.kind, STK_RESPONSE_LISTED);
        for (size_t i = 0; i < page.listed_count; i++) {
            assert_true(strcmp(page.listed[i].name.text, after) > 0);
            (void)snprintf(after, sizeof(after), "%s", page.listed[i].name.text);
        }
        count += page.listed_count;
        assert_true(page.listed_count > 0 || !page.more);
    }
    client_free(&client);
    return count;
}

static void push_page(struct bench *bench, uint64_t push, int from, bool first, bool last)
{
    enum { PAGE = 60 };
    struct stk_certificate page[PAGE];

    for (int i = 0; i < PAGE; i++) {
        char name[16] = "";

        (void)snprintf(name, sizeof(name), "N%04d", from + i);
        page[i] = bench_certificate(name);
    }
    bench_push(bench, push, first, last, page, PAGE);
    bench_await(bench, push);
}

static void a_snapshot_in_pages_counts_as_a_whole_then_changes_do(void **state)
{
    struct bench *bench = *state;
    struct stk_certificate change = bench_certificate("N0001");
    struct client client = {0};

    bench_start(bench);
    assert_int_equal(list_all(bench), 4); /* Zulu is not to be seen */
    push_page(bench, 10, 0, true, false);
    push_page(bench, 11, 60, false, false);
    assert_int_equal(list_all(bench), 4);
    push_page(bench, 12, 120, false, true);
    assert_true(bench->snapshot_wanted); /* asked for at its start */
    assert_int_equal(list_all(bench), 180);
    change.active = false;
    bench_push(bench, 13, false, true, &change, 1);
    bench_await(bench, 13);
    client = client_new(&bench->born);
    sign_to(&client, 1, "N0001", "A", 0);
    assert_int_equal(hear(bench, &client).status, STIRKEEP_NOT_ACTIVE);
    sign_to(&client, 2, "Alpha", "A", 0); /* not in the new snapshot */
    assert_int_equal(hear(bench, &client).status, STIRKEEP_UNKNOWN_NAME);
    change = bench_certificate("N9999");
    change.generation = 7;
    bench_push(bench, 14, false, true, &change, 1);
    bench_await(bench, 14);
    sign_to(&client, 3, "N9999", "A", 0);
    bench_take(bench, 1);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, &client).signed_.generation, 7);
    assert_int_equal(list_all(bench), 181);
    client_free(&client);
}

static void a_message_of_intakes_that_is_none_changes_nothing_and_all_is_asked_again(void **state)
{
    struct bench *bench = *state;

    bench_start(bench);
    bench_await(bench, 1);
    bench->snapshot_wanted = false;
    assert_int_equal(stk_link_send(bench->born.other, "\xff\xff\xff", 3, 1000, NULL), STIRKEEP_OK);
    assert_int_equal(stk_link_send(bench->born.keeper, "\xff\xff\xff", 3, 1000, NULL), STIRKEEP_OK);
    assert_int_equal(list_all(bench), 4);
    expect_served(bench);
    bench_await(bench, 0);
    assert_true(bench->snapshot_wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_broken_length_ends_the_conversation),
        TEST(a_broken_frame_waits_for_the_answers_before_it),
        TEST(a_message_that_is_none_is_answered_and_the_conversation_goes_on),
        TEST(silent_and_halting_clients_are_put_out),
        TEST(a_client_that_is_done_sending_still_gets_its_answers),
        TEST(a_slow_reader_loses_nothing_and_holds_up_nobody),
        TEST(many_connections_are_served_and_too_many_turned_away),
        TEST(a_snapshot_in_pages_counts_as_a_whole_then_changes_do),
        TEST(a_message_of_intakes_that_is_none_changes_nothing_and_all_is_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
