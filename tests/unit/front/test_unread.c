/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"
#include "front/connection.h"
#include "lockdown/lockdown.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Clients that bring requests and read no answers: what front keeps for them. */

enum { CLIENTS = 60, EACH = 200, OTHER = 14000, IDENTITY = 19500, MIB = 1024 * 1024 };

struct mute {
    struct client client;
    size_t sent; /* of the requests */
};

static struct mute mutes[CLIENTS];
static struct stk_buffer requests;
static size_t answered; /* bytes, without what frames and messages have around them */

static int set_up(void **state)
{
    static char other[OTHER + 32];
    struct stk_claims_input claims = claims_of("12155550121", "");
    struct stk_signing_input signing = {.name = "Alpha", .claims = &claims};
    struct bench *bench = NULL;
    int result = bench_set_up(state);

    bench = *state;
    bench->grant = "ppt = msec\n";
    bench->client_timeout_ms = 60000;
    bench->deadline_ms = 60000;
    (void)snprintf(other, sizeof(other), "{\"padding\":\"%0*d\"}", OTHER, 0);
    claims.ppt = "msec";
    claims.attest = "";
    claims.other = other;
    claims.origid = NULL;
    requests = (struct stk_buffer){0};
    for (uint64_t id = 1; id <= EACH; id++) {
        assert_int_equal(stk_request_encode_sign(id, 0, &signing, &requests), STIRKEEP_OK);
    }
    answered = 0;
    bench_start(bench);
    for (size_t i = 0; i < CLIENTS; i++)
        mutes[i] = (struct mute){.client = client_new(&bench->born)};
    return result;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < CLIENTS; i++)
        client_free(&mutes[i].client);
    stk_buffer_free(&requests);
    return bench_tear_down(state);
}

/* As much of the requests as is taken. */
static void push(struct mute *mute)
{
    struct pollfd watch = {.fd = mute->client.fd, .events = POLLOUT};

    while (mute->sent < requests.length && poll(&watch, 1, 20) == 1) {
        ssize_t sent = send(mute->client.fd, requests.data + mute->sent,
                            requests.length - mute->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        assert_true(sent > 0 || errno == EAGAIN);
        mute->sent += sent > 0 ? (size_t)sent : 0;
    }
}

/* The keeper signs what there is: how many. */
static size_t answer_all(struct bench *bench, int patience_ms)
{
    static char identity[IDENTITY];
    struct stk_answer answer = {.status = STIRKEEP_OK,
                                .message = "",
                                .identity = identity,
                                .identity_length = sizeof(identity),
                                .passport_length = IDENTITY - 100,
                                .iat = 1700000000};
    size_t count = 0;

    memset(identity, 'x', sizeof(identity));
    while (born_readable(bench->born.keeper, patience_ms)) {
        bench_take_some(bench);
        for (size_t i = 0; i < bench->taken_count; i++, count++) {
            struct stk_buffer out = {0};

            answer.id = bench->taken[i].id;
            assert_int_equal(stk_answer_append(&answer, &out), STIRKEEP_OK);
            assert_int_equal(stk_link_send(bench->born.keeper, out.data, out.length, 10000, NULL),
                             STIRKEEP_OK);
            stk_buffer_free(&out);
        }
        bench_forget(bench);
    }
    answered += count * IDENTITY;
    return count;
}

/* Bytes that lie in the sockets, or were read. */
static size_t delivered(void)
{
    size_t sum = 0;

    for (size_t i = 0; i < CLIENTS; i++) {
        int unread = 0;

        assert_int_equal(ioctl(mutes[i].client.fd, FIONREAD, &unread), 0);
        sum += (size_t)unread;
    }
    return sum;
}

static size_t resident_kib(pid_t pid)
{
    char path[64] = "";
    unsigned long pages = 0;
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
    (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* So many of them, until nothing moves any more. */
static void push_all(struct bench *bench, size_t clients)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (size_t i = 0; i < clients; i++) {
            push(&mutes[i]);
            moved = answer_all(bench, 20) > 0 || moved;
        }
    }
    while (answer_all(bench, 300) > 0)
        ;
}

static void what_is_kept_for_clients_that_do_not_read_is_bounded(void **state)
{
    struct bench *bench = *state;
    size_t before = resident_kib(bench->born.pid);
    size_t after = 0;
    size_t kept = 0;

    push_all(bench, CLIENTS);
    kept = answered - delivered();
    after = resident_kib(bench->born.pid);
    print_message("# %d connections: %zu MiB of answers, of which front keeps %zu; it had %zu KiB, "
                  "and has %zu\n",
                  CLIENTS, answered / MIB, kept / MIB, before, after);
    assert_true(kept > STK_OWED_OF_USER_MAX / 2);
    assert_true(kept <= STK_OWED_OF_USER_MAX + CLIENTS * STK_SIGN_MESSAGE_MAX);
    if (!STK_LOCKDOWN_RELAXED) /* a sanitizer has memory of its own */
        assert_true(after - before <= 3 * STK_OWED_OF_USER_MAX / 1024);
    expect_served(bench); /* the same user's: a connection to which nothing is owed */
}

static void who_reads_after_all_gets_every_answer(void **state)
{
    struct bench *bench = *state;
    struct mute *mute = &mutes[0];
    bool heard[EACH] = {false};

    push_all(bench, 1);
    assert_true(mute->sent < requests.length); /* no more is read from it */
    for (size_t count = 0; count < EACH; count++) {
        struct stk_response response = {0};

        while (!client_has_frame(&mute->client) && !born_readable(mute->client.fd, 0)) {
            push(mute);
            (void)answer_all(bench, 20);
        }
        response = hear(bench, &mute->client);
        assert_int_equal(response.status, STIRKEEP_OK);
        assert_in_range(response.id, 1, EACH);
        assert_false(heard[response.id - 1]);
        heard[response.id - 1] = true;
    }
    assert_int_equal(mute->sent, requests.length);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_kept_for_clients_that_do_not_read_is_bounded),
        TEST(who_reads_after_all_gets_every_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
