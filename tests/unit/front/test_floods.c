/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Clients who ask for more than is good for others. */

enum { PAGE = 64 };

/* Names with addresses as long as they may be, so that a list is long. */
static void push_long_names(struct bench *bench, int count)
{
    static struct stk_certificate page[PAGE];

    for (int i = 0; i < count; i++) {
        char name[16] = "";

        (void)snprintf(name, sizeof(name), "N%04d", i);
        page[i] = bench_certificate(name);
        (void)snprintf(page[i].x5u, sizeof(page[i].x5u), "https://certs.example.com/%0480d", i);
    }
    bench_push(bench, 10, true, true, page, (size_t)count);
    bench_await(bench, 10);
}

static void ask_for_lists(struct stk_buffer *out, uint64_t first, uint64_t last)
{
    for (uint64_t id = first; id <= last; id++)
        assert_int_equal(stk_request_encode_list(id, "", out), STIRKEEP_OK);
}

static pid_t send_aside(const struct client *client, const struct stk_buffer *out)
{
    pid_t writer = fork();

    assert_true(writer >= 0);
    if (writer == 0) {
        client_send(client, out->data, out->length);
        _exit(0);
    }
    return writer;
}

/* Something is always left for it, for longer than any buffer could hold all of it. */
static void a_reader_who_never_catches_up_loses_nothing(void **state)
{
    enum { LISTS = 13500, NAMES = 8 };
    struct bench *bench = *state;
    struct stk_buffer out = {0};
    struct client client = {0};
    size_t heard = 0;
    pid_t writer = 0;

    bench_start(bench);
    push_long_names(bench, NAMES);
    ask_for_lists(&out, 1, LISTS);
    client = client_new(&bench->born);
    writer = send_aside(&client, &out);
    for (uint64_t id = 1; id <= LISTS; id++) {
        struct stk_response response = hear(bench, &client);

        assert_int_equal(response.id, id);
        assert_int_equal(response.listed_count, NAMES);
        heard += response.listed_count * 500;
        if (id % 15 == 0)
            (void)usleep(300);
    }
    assert_true(heard > 50 * 1024 * 1024);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    client_free(&client);
    stk_buffer_free(&out);
}

/* So many that neither socket takes more. */
static void fill(const struct client *client)
{
    struct stk_buffer out = {0};
    struct pollfd watch = {.fd = client->fd, .events = POLLOUT};

    ask_for_lists(&out, 1, 500);
    while (poll(&watch, 1, 100) == 1 && (watch.revents & POLLOUT) != 0)
        (void)send(client->fd, out.data, out.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    stk_buffer_free(&out);
}

static void who_takes_no_answers_is_put_out_but_not_who_is_slow(void **state)
{
    struct bench *bench = *state;
    struct client deaf = {0};
    struct client slow = {0};
    struct pollfd end = {0};
    struct stk_buffer out = {0};
    pid_t writer = 0;

    bench->client_timeout_ms = 1000 * PATIENCE;
    bench_start(bench);
    push_long_names(bench, PAGE);
    deaf = client_new(&bench->born);
    slow = client_new(&bench->born);
    fill(&deaf);
    ask_for_lists(&out, 1, 150);
    writer = send_aside(&slow, &out);
    /* Twice the time that the other gets. */
    for (uint64_t id = 1; id <= 150; id++) {
        assert_int_equal(hear(bench, &slow).id, id);
        (void)usleep(15000 * PATIENCE);
    }
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    end.fd = deaf.fd;
    assert_int_equal(poll(&end, 1, 15000 * PATIENCE), 1);
    assert_true((end.revents & POLLHUP) != 0);
    expect_served(bench);
    client_free(&deaf);
    client_free(&slow);
    stk_buffer_free(&out);
}

/* All are told of, but not with a line in the trail for each. */
static void refusals_are_recorded_up_to_a_rate_and_counted_past_it(void **state)
{
    enum { REFUSED = 3000 };
    struct bench *bench = *state;
    struct client client = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    for (uint64_t id = 1; id <= REFUSED; id++) {
        sign_to(&client, id, "Zulu", "A", 0);
        assert_int_equal(hear(bench, &client).status, STIRKEEP_NOT_PERMITTED);
    }
    while (bench->refusal_count + bench->suppressed < REFUSED)
        bench_take_refusals(bench, bench->refusal_count + 1);
    /* One that only tells a count is a record more. */
    assert_in_range(bench->refusal_count + bench->suppressed, REFUSED, REFUSED + 10);
    assert_in_range(bench->refusal_count, 90, 400);
    client_free(&client);
}

/* A burst within the rate is recorded one by one, even when it comes all at once. */
static void a_burst_of_refusals_is_recorded_one_by_one(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    struct stk_buffer out = {0};

    bench_start(bench);
    client = client_new(&bench->born);
    for (int i = 0; i < 80; i++)
        assert_int_equal(stk_buffer_add(&out, "\0\0\0\2\xff\xff", 6), STIRKEEP_OK);
    client_send(&client, out.data, out.length);
    bench_take_refusals(bench, 80);
    assert_int_equal(bench->refusal_status, STIRKEEP_MALFORMED);
    assert_int_equal(bench->suppressed, 0);
    client_free(&client);
    stk_buffer_free(&out);
}

static void strangers_get_few_connections_and_all_are_recorded(void **state)
{
    enum { STRANGERS = 80, HELD = 64 };
    struct bench *bench = *state;
    struct client clients[STRANGERS];
    size_t turned_away = 0;

    bench->stranger = true;
    bench_start(bench);
    for (int i = 0; i < STRANGERS; i++) {
        clients[i] = client_new(&bench->born);
        ping_to(&clients[i], 7);
    }
    for (int i = 0; i < STRANGERS; i++)
        turned_away += hear(bench, &clients[i]).status == STIRKEEP_NOT_PERMITTED ? 1 : 0;
    assert_int_equal(turned_away, STRANGERS - HELD);
    bench_take_refusals(bench, STRANGERS - HELD);
    assert_int_equal(bench->suppressed, 0);
    for (int i = 0; i < STRANGERS; i++)
        client_free(&clients[i]);
}

/* Names that are nobody's business have to be looked at, too: not without end in one turn. */
static void a_flood_of_lists_over_many_names_is_overload(void **state)
{
    enum { PAGES = 100, LISTS = 300 };
    static struct stk_certificate page[PAGE];
    struct bench *bench = *state;
    struct stk_buffer out = {0};
    struct client client = {0};
    size_t refused = 0;

    bench_start(bench);
    for (int i = 0; i < PAGES; i++) {
        for (int j = 0; j < PAGE; j++) {
            char name[16] = "";

            (void)snprintf(name, sizeof(name), "M%06d", i * PAGE + j);
            page[j] = bench_certificate(name);
        }
        bench_push(bench, 10 + (uint64_t)i, i == 0, i == PAGES - 1, page, PAGE);
        bench_await(bench, 10 + (uint64_t)i);
    }
    ask_for_lists(&out, 1, LISTS);
    client = client_new(&bench->born);
    client_send(&client, out.data, out.length);
    for (uint64_t id = 1; id <= LISTS; id++) {
        struct stk_response response = hear(bench, &client);

        assert_int_equal(response.id, id);
        refused += response.status == STIRKEEP_OVERLOADED ? 1 : 0;
    }
    /* A build in which looking at so many takes longer than the limit's time refuses none. */
    assert_in_range(refused, PATIENCE > 1 ? 0 : 1, LISTS - 10);
    out.length = 0;
    ask_for_lists(&out, 1, 1);
    client_send(&client, out.data, out.length);
    assert_int_equal(hear(bench, &client).kind, STK_RESPONSE_LISTED);
    client_free(&client);
    stk_buffer_free(&out);
}

/* The same bytes each time: a failure can be had again. */
static uint32_t next_of(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void rubbish_harms_nobody(void **state)
{
    struct bench *bench = *state;
    uint32_t seed = 1;

    bench_start(bench);
    for (int i = 0; i < 300; i++) {
        struct client client = client_new(&bench->born);
        uint8_t bytes[600];
        size_t length = 1 + next_of(&seed) % sizeof(bytes);

        for (size_t j = 0; j < length; j++)
            bytes[j] = (uint8_t)next_of(&seed);
        if (i % 2 == 0 && length > 4) { /* at least a frame */
            bytes[0] = 0;
            bytes[1] = 0;
            bytes[2] = 0;
            bytes[3] = (uint8_t)(1 + next_of(&seed) % 60);
        }
        (void)send(client.fd, bytes, length, MSG_NOSIGNAL);
        client_free(&client);
    }
    expect_served(bench);
}

static void requests_in_pieces_of_any_size_are_requests(void **state)
{
    struct bench *bench = *state;
    struct client client = {0};
    struct stk_buffer out = {0};
    uint32_t seed = 7;

    bench_start(bench);
    client = client_new(&bench->born);
    for (uint64_t id = 1; id <= 60; id++)
        assert_int_equal(stk_request_encode_ping(id, &out), STIRKEEP_OK);
    for (size_t at = 0; at < out.length;) {
        size_t piece = 1 + next_of(&seed) % 9;

        if (piece > out.length - at)
            piece = out.length - at;
        client_send(&client, out.data + at, piece);
        at += piece;
        if (at % 5 == 0)
            (void)usleep(500);
    }
    for (uint64_t id = 1; id <= 60; id++)
        assert_int_equal(hear(bench, &client).id, id);
    client_free(&client);
    stk_buffer_free(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reader_who_never_catches_up_loses_nothing),
        TEST(who_takes_no_answers_is_put_out_but_not_who_is_slow),
        TEST(refusals_are_recorded_up_to_a_rate_and_counted_past_it),
        TEST(a_burst_of_refusals_is_recorded_one_by_one),
        TEST(strangers_get_few_connections_and_all_are_recorded),
        TEST(a_flood_of_lists_over_many_names_is_overload),
        TEST(rubbish_harms_nobody),
        TEST(requests_in_pieces_of_any_size_are_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
