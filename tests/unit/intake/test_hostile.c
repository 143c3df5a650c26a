/* SPDX-License-Identifier: BSD-2-Clause */
#include "ends.h"
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Clients that break the rules, and those who may not ask. The room serves others meanwhile. */

static void expect_served(struct ends *ends)
{
    assert_int_equal(call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS}).status,
                     STIRKEEP_OK);
    assert_true(born_runs(&ends->born));
}

/* One answer that belongs to no request, then the end. */
static void expect_last_word(struct ends *ends, struct client *client, enum stirkeep_status status)
{
    struct stk_admin_response response = hear(ends, client);

    assert_int_equal(response.id, 0);
    assert_int_equal(response.status, status);
    assert_true(strlen(response.message) > 0);
    assert_true(client_ended(client));
    client_free(client);
    expect_served(ends);
}

static void a_length_of_zero_is_malformed(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};

    ends_start(ends);
    client = client_new(&ends->born);
    client_send(&client, "\0\0\0\0", 4);
    expect_last_word(ends, &client, STIRKEEP_MALFORMED);
}

static void a_length_of_100_megabytes_is_too_large_before_it_comes(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};

    ends_start(ends);
    client = client_new(&ends->born);
    client_send(&client, "\x05\xf5\xe1\x00", 4);
    expect_last_word(ends, &client, STIRKEEP_TOO_LARGE);
}

static void a_length_one_past_the_limit_is_too_large(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};

    ends_start(ends);
    client = client_new(&ends->born);
    client_send(&client, "\x00\x10\x00\x01", 4);
    expect_last_word(ends, &client, STIRKEEP_TOO_LARGE);
}

static void a_message_that_is_none_is_answered_and_the_conversation_goes_on(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_admin_request status = {.kind = STK_ADMIN_STATUS};

    ends_start(ends);
    client = client_new(&ends->born);
    client_send(&client, "\0\0\0\5\xff\xff\xff\xff\xff", 9);
    assert_int_equal(hear(ends, &client).status, STIRKEEP_MALFORMED);
    ask(ends, &client, &status);
    assert_int_equal(hear(ends, &client).status, STIRKEEP_OK);
    client_free(&client);
}

static void a_request_without_a_body_is_refused(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_admin_response response = {0};

    ends_start(ends);
    client = client_new(&ends->born);
    client_send(&client, "\0\0\0\2\x08\x2a", 6); /* id = 42, nothing else */
    response = hear(ends, &client);
    assert_true(response.status != STIRKEEP_OK);
    assert_int_equal(response.id, 42);
    client_free(&client);
    expect_served(ends);
}

static void a_silent_client_is_told_and_put_out(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};

    ends->client_timeout_ms = 1000;
    ends_start(ends);
    client = client_new(&ends->born);
    expect_last_word(ends, &client, STIRKEEP_TIMEOUT);
}

static void a_truncated_frame_is_waited_for_but_not_for_ever(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_request status = {.kind = STK_ADMIN_STATUS};
    struct client client = {0};

    ends->client_timeout_ms = 1000;
    ends_start(ends);
    client = client_new(&ends->born);
    ask(ends, &client, &status);
    assert_int_equal(hear(ends, &client).status, STIRKEEP_OK);
    client_send(&client, "\0\0\1\0\x08", 5);
    expect_last_word(ends, &client, STIRKEEP_TIMEOUT);
}

static void a_client_that_leaves_in_the_middle_of_a_frame_is_forgotten(void **state)
{
    struct ends *ends = *state;

    ends_start(ends);
    for (size_t length = 1; length < 8; length++) {
        struct client client = client_new(&ends->born);

        client_send(&client, "\0\0\1\0\x08\x01\x12\x00", length);
        client_free(&client);
    }
    expect_served(ends);
}

static void bytes_that_come_one_by_one_are_a_request(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_admin_request request = {.kind = STK_ADMIN_STATUS, .id = 9};
    struct stk_buffer out = {0};

    ends_start(ends);
    client = client_new(&ends->born);
    assert_int_equal(stk_admin_request_encode(&request, &out), STIRKEEP_OK);
    for (size_t i = 0; i < out.length; i++) {
        client_send(&client, out.data + i, 1);
        (void)usleep(2000);
    }
    assert_int_equal(hear(ends, &client).id, 9);
    stk_buffer_free(&out);
    client_free(&client);
}

/* Each answered at once, the keeper being down: answers must not nest. */
static void ten_thousand_requests_in_one_write_are_answered_in_order(void **state)
{
    enum { REQUESTS = 10000 };
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_buffer out = {0};
    pid_t writer = 0;

    ends_start_alone(ends);
    client = client_new(&ends->born);
    for (uint64_t i = 1; i <= REQUESTS; i++) {
        struct stk_admin_request request = {.kind = STK_ADMIN_STATUS, .id = i};

        assert_int_equal(stk_admin_request_encode(&request, &out), STIRKEEP_OK);
    }
    writer = fork(); /* answers are read meanwhile, or both sides would wait */
    assert_true(writer >= 0);
    if (writer == 0) {
        client_send(&client, out.data, out.length);
        _exit(0);
    }
    for (uint64_t i = 1; i <= REQUESTS; i++) {
        struct stk_admin_response response = hear(ends, &client);

        assert_int_equal(response.id, i);
        assert_int_equal(response.status, STIRKEEP_OK);
        assert_false(response.service.ready);
    }
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    stk_buffer_free(&out);
    client_free(&client);
    assert_true(born_runs(&ends->born));
}

static void a_client_that_never_reads_holds_up_nobody(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_buffer out = {0};

    ends_start_alone(ends);
    client = client_new(&ends->born);
    for (uint64_t i = 1; i <= 5000; i++) {
        struct stk_admin_request request = {.kind = STK_ADMIN_STATUS, .id = i};

        assert_int_equal(stk_admin_request_encode(&request, &out), STIRKEEP_OK);
    }
    client_send(&client, out.data, out.length < 60000 ? out.length : 60000);
    expect_served(ends);
    client_free(&client);
    expect_served(ends);
    stk_buffer_free(&out);
}

static void a_client_that_never_reads_is_put_out(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_buffer out = {0};
    uint8_t rest[4096];

    ends->client_timeout_ms = 1000;
    ends_start_alone(ends);
    client = client_new(&ends->born);
    for (uint64_t i = 1; i <= 5000; i++) {
        struct stk_admin_request request = {.kind = STK_ADMIN_STATUS, .id = i};

        assert_int_equal(stk_admin_request_encode(&request, &out), STIRKEEP_OK);
    }
    client_send(&client, out.data, out.length < 60000 ? out.length : 60000);
    (void)ends_work(ends, -1, 3000);
    /* What was on its way is there; that it is read now comes too late. */
    do
        assert_true(born_readable(client.fd, 5000));
    while (recv(client.fd, rest, sizeof(rest), 0) > 0);
    client_free(&client);
    expect_served(ends);
    stk_buffer_free(&out);
}

static void the_33rd_connection_is_turned_away(void **state)
{
    struct ends *ends = *state;
    struct client clients[STK_ADMIN_CONNECTIONS_MAX + 1];
    struct stk_admin_request request = {.kind = STK_ADMIN_STATUS, .id = 1};
    enum stirkeep_status status = STIRKEEP_OVERLOADED;
    struct stk_buffer ping = {0};

    assert_int_equal(stk_admin_request_encode(&request, &ping), STIRKEEP_OK);
    ends_start(ends);
    for (size_t i = 0; i <= STK_ADMIN_CONNECTIONS_MAX; i++)
        clients[i] = client_new(&ends->born);
    assert_int_equal(hear(ends, &clients[STK_ADMIN_CONNECTIONS_MAX]).status, STIRKEEP_OVERLOADED);
    assert_true(client_ended(&clients[STK_ADMIN_CONNECTIONS_MAX]));
    for (size_t i = 0; i <= STK_ADMIN_CONNECTIONS_MAX; i++)
        client_free(&clients[i]);
    /* It notices that they have left when it looks. */
    for (int i = 0; i < 1000 && status != STIRKEEP_OK; i++) {
        struct client client = client_new(&ends->born);

        (void)send(client.fd, ping.data, ping.length, MSG_NOSIGNAL);
        status = hear(ends, &client).status;
        client_free(&client);
    }
    assert_int_equal(status, STIRKEEP_OK);
    stk_buffer_free(&ping);
}

/* ---- strangers */

/* Connect as nobody; 0: it heard one NOT_PERMITTED with id 0, and the end. */
static int be_a_stranger(const struct born *born)
{
    struct stk_arena arena = {0};
    struct stk_admin_response response = {0};
    struct client client = {0};

    if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0 ||
        stk_arena_new(&arena, STK_DECODE_ARENA_MAX) != STIRKEEP_OK)
        return 2;
    client = client_new(born);
    if (stk_admin_response_decode(client_frame(&client), &arena, &response, NULL) != STIRKEEP_OK)
        return 3;
    if (response.id != 0 || response.status != STIRKEEP_NOT_PERMITTED)
        return 4;
    return client_ended(&client) ? 0 : 5;
}

/* How many strangers the records speak of. */
static unsigned strangers_told(const struct ends *ends)
{
    unsigned told = 0;

    for (size_t i = 0; i < ends->act_count; i++) {
        const struct recorded *act = &ends->acts[i];
        unsigned others = 0;

        if (strcmp(act->act, "admin-refused") != 0)
            continue;
        if (sscanf(act->detail, "no administrator: %u in all", &others) == 1)
            told += others;
        else if (sscanf(act->detail, "no administrator; %u more", &others) == 1)
            told += others + 1;
        else
            told++;
    }
    return told;
}

static void a_stranger_gets_one_answer_and_is_recorded(void **state)
{
    enum { TIMES = 30 };
    struct ends *ends = *state;

    ends_start(ends);
    for (int i = 0; i < TIMES; i++) {
        int status = 0;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
            _exit(be_a_stranger(&ends->born));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    ends_await_act(ends, "admin-refused", "", 1);
    expect_served(ends);
    /* A stranger cannot fill the trail: past a burst, they are counted. */
    assert_true(ends_acts(ends, "admin-refused", "") <= TIMES);
    assert_string_equal(ends_last_act(ends, "admin-refused")->outcome, "not-permitted");
    /* All are told of in the end, when nobody else comes. */
    while (strangers_told(ends) < TIMES)
        assert_true(ends_acts(ends, "admin-refused", "") < TIMES && !ends_work(ends, -1, 100));
    assert_int_equal(strangers_told(ends), TIMES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ends_set_up, ends_tear_down)

/* With an argument: what needs root. */
int main(int argc, char **argv)
{
    const struct CMUnitTest as_root[] = {TEST(a_stranger_gets_one_answer_and_is_recorded)};
    const struct CMUnitTest tests[] = {
        TEST(a_length_of_zero_is_malformed),
        TEST(a_length_of_100_megabytes_is_too_large_before_it_comes),
        TEST(a_length_one_past_the_limit_is_too_large),
        TEST(a_message_that_is_none_is_answered_and_the_conversation_goes_on),
        TEST(a_request_without_a_body_is_refused),
        TEST(a_silent_client_is_told_and_put_out),
        TEST(a_truncated_frame_is_waited_for_but_not_for_ever),
        TEST(a_client_that_leaves_in_the_middle_of_a_frame_is_forgotten),
        TEST(bytes_that_come_one_by_one_are_a_request),
        TEST(ten_thousand_requests_in_one_write_are_answered_in_order),
        TEST(a_client_that_never_reads_holds_up_nobody),
        TEST(a_client_that_never_reads_is_put_out),
        TEST(the_33rd_connection_is_turned_away),
    };
    (void)argv;

    if (argc > 1 && getuid() != 0) {
        (void)printf("1..0 # SKIP only root can connect as somebody else\n");
        return 0;
    }
    if (argc > 1)
        return cmocka_run_group_tests(as_root, NULL, NULL);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
