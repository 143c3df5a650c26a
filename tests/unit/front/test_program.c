/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "bench.h"
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Which program a peer is: front asks, and reads nothing before it knows. The porter is the test. */

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define EXECUTABLE "/usr/sbin/kamailio"

/* Kernels before 6.5 do not tell; then front does not ask, and nobody has such a grant. */
static bool kernel_tells(void)
{
    int ends[2] = {-1, -1};
    int pidfd = -1;
    socklen_t length = sizeof(pidfd);
    bool told = false;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    told = getsockopt(ends[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0;
    if (told)
        (void)close(pidfd);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return told;
}

/* The next question; its token. */
static uint64_t hear_who(struct bench *bench)
{
    struct stk_control_message said = born_hear(&bench->born);

    assert_int_equal(said.kind, STK_CONTROL_WHO);
    assert_int_equal(strtol(said.text, NULL, 10), getpid());
    return said.number;
}

static void tell(struct bench *bench, uint64_t token, const char *text)
{
    struct stk_control_message message = {
        .kind = STK_CONTROL_PROGRAM, .room = STK_ROOM_FRONT, .number = token};

    (void)snprintf(message.text, sizeof(message.text), "%s", text);
    for (int i = 0; !stk_control_send_message(bench->born.control, &message); i++) {
        assert_in_range(i, 0, 10000); /* full: front is behind for a moment */
        (void)usleep(1000);
    }
}

static bool said_nothing(struct bench *bench)
{
    return !born_readable(bench->born.control, 150);
}

static bool begin(struct bench *bench, const char *grant)
{
    if (!kernel_tells())
        return false;
    bench->grant = grant;
    bench_start(bench);
    return true;
}

static void expect_signed(struct bench *bench, struct client *client)
{
    bench_take(bench, 1);
    bench_answer(bench, bench->taken[0].id, STIRKEEP_OK);
    assert_int_equal(hear(bench, client).status, STIRKEEP_OK);
    bench_forget(bench);
}

static void nobody_is_asked_when_no_grant_needs_it(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    expect_signed(bench, &client);
    assert_true(said_nothing(bench));
    client_free(&client);
}

static void nothing_is_read_before_it_is_known_and_then_it_counts(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    struct client wrong = {0};
    uint64_t tokens[2] = {0};

    if (!begin(bench, "executable = " EXECUTABLE "\n")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    tokens[0] = hear_who(bench);
    wrong = client_new(&bench->born);
    sign_to(&wrong, 2, "Alpha", "A", 0);
    tokens[1] = hear_who(bench);
    assert_true(tokens[0] != tokens[1]);
    assert_true(bench_keeper_is_idle(bench));
    assert_false(born_readable(client.fd, 50));
    tell(bench, tokens[1], "/usr/bin/other\nkamailio.service");
    hear_refusal(bench, &wrong, 2, STIRKEEP_NOT_PERMITTED, "");
    tell(bench, tokens[0], EXECUTABLE "\n");
    expect_signed(bench, &client);
    /* Once is enough. */
    sign_to(&client, 3, "Alpha", "A", 0);
    expect_signed(bench, &client);
    assert_true(said_nothing(bench));
    client_free(&client);
    client_free(&wrong);
}

static void a_unit_counts_as_a_program_does(void **state)
{
    static const char *const not_it[] = {"\n",
                                         EXECUTABLE "\n",
                                         EXECUTABLE "\nother.service",
                                         "\nkamailio.servic",
                                         "kamailio.service",
                                         ""};
    struct bench *bench = *state;
    struct client client = {0};

    bench->client_timeout_ms = 300;
    if (!begin(bench, "unit = kamailio.service\n")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    for (size_t i = 0; i < sizeof(not_it) / sizeof(not_it[0]); i++) {
        client = client_new(&bench->born);
        sign_to(&client, 1, "Alpha", "A", 0);
        tell(bench, hear_who(bench), not_it[i]);
        hear_refusal(bench, &client, 1, STIRKEEP_NOT_PERMITTED, "");
        client_free(&client);
    }
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    tell(bench, hear_who(bench), "/a\npath\nkamailio.service");
    expect_signed(bench, &client);
    client_free(&client);
}

/* What is longer than a grant's can be is none of them; and nothing is written past its end. */
static void texts_of_any_length_are_taken_for_what_they_are(void **state)
{
    struct bench *bench = *state;
    char text[STK_CONTROL_TEXT_MAX] = "";
    struct client client = {0};

    if (!begin(bench, "executable = " EXECUTABLE "\n")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    memset(text, 'x', sizeof(text) - 1);
    for (int i = 0; i < 3; i++) {
        text[i == 0 ? 0 : i == 1 ? 600 : (int)sizeof(text) - 2] = '\n';
        client = client_new(&bench->born);
        sign_to(&client, 1, "Alpha", "A", 0);
        tell(bench, hear_who(bench), text);
        hear_refusal(bench, &client, 1, STIRKEEP_NOT_PERMITTED, "");
        client_free(&client);
    }
    client = client_new(&bench->born);
    sign_to(&client, 1, "Alpha", "A", 0);
    tell(bench, hear_who(bench), EXECUTABLE "\n");
    expect_signed(bench, &client);
    client_free(&client);
}

static void without_an_answer_it_counts_as_not_known_until_there_is_one(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    uint64_t began = stk_clock_mono_us();
    uint64_t token = 0;

    if (!begin(bench, "executable = " EXECUTABLE "\n")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    client = client_new(&bench->born);
    began = stk_clock_mono_us();
    sign_to(&client, 1, "Alpha", "A", 0);
    token = hear_who(bench);
    hear_refusal(bench, &client, 1, STIRKEEP_NOT_PERMITTED, "");
    assert_in_range(stk_clock_mono_us() - began, 900000, 5000000);
    tell(bench, token, EXECUTABLE "\n");
    tell(bench, token + 1, "/bin/other\n");
    tell(bench, token ^ 1ULL << 16, "/bin/other\n");
    tell(bench, UINT64_MAX, "/bin/other\n");
    (void)usleep(50000);
    sign_to(&client, 2, "Alpha", "A", 0);
    expect_signed(bench, &client);
    client_free(&client);
}

static void a_client_that_does_not_wait_is_forgotten(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    uint64_t token = 0;

    if (!begin(bench, "executable = " EXECUTABLE "\n")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    client = client_new(&bench->born);
    token = hear_who(bench);
    client_free(&client);
    tell(bench, token, EXECUTABLE "\n");
    client = client_new(&bench->born); /* at the same place, and not the same one */
    sign_to(&client, 1, "Alpha", "A", 0);
    assert_true(hear_who(bench) != token);
    tell(bench, token, EXECUTABLE "\n");
    hear_refusal(bench, &client, 1, STIRKEEP_NOT_PERMITTED, ""); /* after its second */
    client_free(&client);
}

/* More than the channel takes at once, and the porter is slow. */
static void many_at_once_are_all_found_out(void **state)
{
    enum { CLIENTS = 700 };
    static struct client clients[CLIENTS];
    static uint64_t tokens[CLIENTS];
    struct bench *bench = *state;

    if (!begin(bench, "executable = " EXECUTABLE "\n")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_new(&bench->born);
        ping_to(&clients[i], 7);
    }
    (void)usleep(100000);
    for (int i = 0; i < CLIENTS; i++) {
        tokens[i] = hear_who(bench);
        tell(bench, tokens[i], EXECUTABLE "\n");
    }
    for (int i = 0; i < CLIENTS; i++) {
        struct stk_response response = hear(bench, &clients[i]);

        assert_int_equal(response.id, 7);
        assert_int_equal(response.pong.certificates, 4);
        client_free(&clients[i]);
    }
    assert_true(said_nothing(bench));
}

/* They are not told apart before the answer; then all but so many are turned away. */
static void strangers_get_few_connections_here_too(void **state)
{
    enum { STRANGERS = 80, HELD = 64 };
    struct bench *bench = *state;
    struct client clients[STRANGERS];
    size_t turned_away = 0;

    if (!begin(bench, "executable = " EXECUTABLE "\n")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    for (int i = 0; i < STRANGERS; i++) {
        clients[i] = client_new(&bench->born);
        ping_to(&clients[i], 7);
    }
    for (int i = 0; i < STRANGERS; i++)
        tell(bench, hear_who(bench), "/bin/other\n");
    for (int i = 0; i < STRANGERS; i++)
        turned_away += hear(bench, &clients[i]).status == STIRKEEP_NOT_PERMITTED ? 1 : 0;
    assert_int_equal(turned_away, STRANGERS - HELD);
    bench_take_refusals(bench, STRANGERS - HELD);
    for (int i = 0; i < STRANGERS; i++)
        client_free(&clients[i]);
}

static void a_reload_that_needs_it_asks_of_everybody_and_refuses_nobody_meanwhile(void **state)
{
    struct bench *bench = *state;
    char config[BENCH_CONFIG_MAX] = "";
    struct client clients[3];
    struct stk_control_message said = {0};

    if (!begin(bench, "")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    for (int i = 0; i < 3; i++)
        clients[i] = client_new(&bench->born);
    sign_to(&clients[0], 1, "Alpha", "A", 0);
    sign_to(&clients[1], 1, "Alpha", "A", 0);
    bench_take(bench, 2);
    bench->grant = "executable = " EXECUTABLE "\n";
    bench_config(bench, config);
    born_reload(&bench->born, 1, born_config(config), -1);
    said = born_hear(&bench->born);
    assert_int_equal(said.kind, STK_CONTROL_TAKEN);
    assert_int_equal(said.status, STIRKEEP_OK);
    /* Those under way are answered; what comes now waits. */
    for (size_t i = 0; i < 2; i++)
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(hear(bench, &clients[i]).status, STIRKEEP_OK);
    bench_forget(bench);
    for (int i = 0; i < 3; i++)
        sign_to(&clients[i], 2, "Alpha", "A", 0);
    assert_true(bench_keeper_is_idle(bench));
    for (int i = 0; i < 3; i++)
        tell(bench, hear_who(bench), EXECUTABLE "\n");
    bench_take(bench, 3);
    for (size_t i = 0; i < 3; i++)
        bench_answer(bench, bench->taken[i].id, STIRKEEP_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(hear(bench, &clients[i]).status, STIRKEEP_OK);
    /* Another one finds them known. */
    born_reload(&bench->born, 2, born_config(config), -1);
    said = born_hear(&bench->born);
    assert_int_equal(said.kind, STK_CONTROL_TAKEN);
    assert_true(said_nothing(bench));
    bench_forget(bench);
    sign_to(&clients[2], 3, "Alpha", "A", 0);
    expect_signed(bench, &clients[2]);
    for (int i = 0; i < 3; i++)
        client_free(&clients[i]);
}

static void who_says_nothing_then_is_put_out(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};

    bench->client_timeout_ms = 300;
    if (!begin(bench, "executable = " EXECUTABLE "\n")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    client = client_new(&bench->born);
    tell(bench, hear_who(bench), EXECUTABLE "\n");
    assert_int_equal(hear(bench, &client).status, STIRKEEP_TIMEOUT);
    assert_true(client_ended(&client));
    client_free(&client);
}

/* Half a request is there when the question comes up. */
static void half_a_request_is_completed_after_the_answer(void **state)
{
    struct bench *bench = *state;
    const struct stk_claims_input claims = claims_of("12155550121", "A");
    const struct stk_signing_input signing = {.name = "Alpha", .claims = &claims};
    char config[BENCH_CONFIG_MAX] = "";
    struct stk_buffer out = {0};
    struct client client = {0};
    uint64_t token = 0;

    bench->client_timeout_ms = 1500;
    if (!begin(bench, "")) {
        print_message("# not here: no SO_PEERPIDFD (Linux 6.5)\n");
        return;
    }
    assert_int_equal(stk_request_encode_sign(1, 0, &signing, &out), STIRKEEP_OK);
    client = client_new(&bench->born);
    ping_to(&client, 9);
    assert_int_equal(hear(bench, &client).id, 9);
    client_send(&client, out.data, 20);
    (void)usleep(20000);
    bench->grant = "executable = " EXECUTABLE "\n";
    bench_config(bench, config);
    born_reload(&bench->born, 1, born_config(config), -1);
    assert_int_equal(born_hear(&bench->born).kind, STK_CONTROL_TAKEN);
    token = hear_who(bench);
    client_send(&client, out.data + 20, out.length - 20);
    (void)usleep(700000);
    tell(bench, token, EXECUTABLE "\n");
    expect_signed(bench, &client);
    client_send(&client, out.data, 20); /* and a started one still has its deadline */
    assert_int_equal(hear(bench, &client).status, STIRKEEP_TIMEOUT);
    client_free(&client);
    stk_buffer_free(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_asked_when_no_grant_needs_it),
        TEST(nothing_is_read_before_it_is_known_and_then_it_counts),
        TEST(a_unit_counts_as_a_program_does),
        TEST(texts_of_any_length_are_taken_for_what_they_are),
        TEST(without_an_answer_it_counts_as_not_known_until_there_is_one),
        TEST(a_client_that_does_not_wait_is_forgotten),
        TEST(many_at_once_are_all_found_out),
        TEST(strangers_get_few_connections_here_too),
        TEST(a_reload_that_needs_it_asks_of_everybody_and_refuses_nobody_meanwhile),
        TEST(who_says_nothing_then_is_put_out),
        TEST(half_a_request_is_completed_after_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
