/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

#include <poll.h>
#include <signal.h>
#include <sys/time.h>

#define IN_A_BATCH 100

/* Reads a batch, then answers it from the last to the first. */
static void play_backwards(struct fake *fake)
{
    struct stk_request request = {0};
    struct {
        uint64_t id;
        char name[STK_NAME_MAX + 1];
    } batch[IN_A_BATCH];
    int fd = fake_accept(fake);
    size_t count = 0;

    while (fake_request(fake, fd, &request)) {
        batch[count].id = request.id;
        memcpy(batch[count++].name, request.signings[0].name.text, sizeof(batch[0].name));
        for (; count == IN_A_BATCH && fake->in.length == 0; count = 0)
            for (size_t i = count; i-- > 0;) {
                memcpy(request.signings[0].name.text, batch[i].name, sizeof(batch[0].name));
                request.id = batch[i].id;
                fake_sign(fd, &request);
            }
    }
    fake_close(fake, fd);
}

static void answers_in_any_order_find_their_requests(void **state)
{
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_backwards);
    client = client_of(&fake, 0);
    for (uint64_t round = 0; round < 5; round++) {
        uint64_t first = 1000 * round;

        for (uint64_t i = 0; i < IN_A_BATCH; i++)
            assert_int_equal(submit_numbered(client, first + i, 0), STIRKEEP_OK);
        assert_int_equal(stirkeep_under_way(client), IN_A_BATCH);
        for (uint64_t i = IN_A_BATCH; i-- > 0;) {
            assert_int_equal(stirkeep_fetch(client, 1000, &answer), STIRKEEP_OK);
            assert_int_equal(answer.tag, first + i);
            assert_true(answers_its_request(&answer));
        }
        assert_int_equal(stirkeep_fetch(client, 1000, &answer), STIRKEEP_INVALID);
    }
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void play_strange_ids(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request)) {
        uint64_t id = request.id;

        fake_refuse(fd, id + 1, STIRKEEP_INTERNAL, "not yours");
        fake_refuse(fd, id + STK_SIGN_MESSAGE_MAX, STIRKEEP_INTERNAL, "not yours");
        fake_refuse(fd, UINT64_MAX, STIRKEEP_INTERNAL, "not yours");
        fake_sign(fd, &request);
        fake_sign(fd, &request); /* a second answer to the same request */
        request.id = id;
    }
    fake_close(fake, fd);
}

static void answers_to_unknown_ids_are_ignored(void **state)
{
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_strange_ids);
    client = client_of(&fake, 0);
    for (uint64_t i = 0; i < 20; i++) {
        assert_int_equal(submit_numbered(client, i, 0), STIRKEEP_OK);
        assert_int_equal(stirkeep_fetch(client, 1000, &answer), STIRKEEP_OK);
        assert_int_equal(answer.tag, i);
        assert_true(answers_its_request(&answer));
    }
    stirkeep_client_free(client);
    fake_stop(&fake);
}

/* Reads nothing until it may, then answers everything a byte at a time at first. */
static void play_late(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    fake_wait(&fake->go);
    while (fake_request(fake, fd, &request))
        fake_sign(fd, &request);
    fake_close(fake, fd);
}

static void the_limit_holds_and_submitting_never_waits(void **state)
{
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    bool seen[4097] = {false};
    bool want_write = false;
    uint64_t start = now_ms();
    struct fake fake;
    (void)state;

    fake_start(&fake, play_late);
    client = client_of(&fake, 10000);
    for (uint64_t i = 0; i < 4096; i++)
        assert_int_equal(submit_numbered(client, i, 0), STIRKEEP_OK);
    assert_int_equal(submit_numbered(client, 4096, 0), STIRKEEP_OVERLOADED);
    assert_non_null(strstr(stirkeep_client_error(client), "4096"));
    assert_int_equal(stirkeep_under_way(client), 4096);
    assert_int_equal(stirkeep_fetch(client, 0, &answer), STIRKEEP_TIMEOUT);
    assert_true(now_ms() - start < 9900); /* and not at the deadline */
    assert_true(stirkeep_fd(client, &want_write) >= 0);
    assert_true(want_write); /* more than the socket takes */
    fake.go = true;
    assert_int_equal(stirkeep_fetch(client, 5000, &answer), STIRKEEP_OK);
    seen[answer.tag] = true;
    assert_int_equal(submit_numbered(client, 4096, 0), STIRKEEP_OK);
    while (stirkeep_under_way(client) > 0) {
        assert_int_equal(stirkeep_fetch(client, 5000, &answer), STIRKEEP_OK);
        assert_true(answers_its_request(&answer));
        assert_false(seen[answer.tag]);
        seen[answer.tag] = true;
    }
    for (size_t i = 0; i < 4097; i++)
        assert_true(seen[i]);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void an_event_loop_needs_no_more_than_the_descriptor(void **state)
{
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    uint64_t submitted = 0;
    uint64_t answered = 0;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_late);
    fake.go = true;
    client = client_of(&fake, 5000);
    while (answered < 3000) {
        struct pollfd item = {.events = POLLIN};
        bool want_write = false;

        while (submitted < 3000 && stirkeep_under_way(client) < 64)
            assert_int_equal(submit_numbered(client, submitted++, 0), STIRKEEP_OK);
        item.fd = stirkeep_fd(client, &want_write);
        assert_true(item.fd >= 0);
        if (want_write)
            item.events |= POLLOUT;
        /* Nothing is left lying where the descriptor does not show it. */
        assert_true(poll(&item, 1, 2000) > 0);
        while (stirkeep_under_way(client) > 0 &&
               stirkeep_fetch(client, 0, &answer) == STIRKEEP_OK) {
            assert_true(answers_its_request(&answer));
            answered++;
        }
    }
    stirkeep_client_free(client);
    fake_stop(&fake);
}

/* Takes requests and answers none. */
static void play_mute(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request))
        continue;
    fake_close(fake, fd);
}

static void an_event_loop_learns_how_long_it_may_wait(void **state)
{
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    uint64_t began = now_ms();
    struct fake fake;
    int wait_ms = 0;
    (void)state;

    fake_start(&fake, play_mute);
    client = client_of(&fake, 5000);
    assert_int_equal(stirkeep_wait_ms(NULL), -1);
    assert_int_equal(stirkeep_wait_ms(client), -1);
    assert_int_equal(submit_numbered(client, 1, 4000), STIRKEEP_OK);
    wait_ms = stirkeep_wait_ms(client);
    assert_true(wait_ms > 3000 && wait_ms <= 4000);
    assert_int_equal(submit_numbered(client, 2, 1000), STIRKEEP_OK);
    wait_ms = stirkeep_wait_ms(client);
    assert_true(wait_ms > 0 && wait_ms <= 1000);
    /* The loop as a caller writes it: the deadline is met though nothing comes. */
    while (stirkeep_fetch(client, 0, &answer) != STIRKEEP_OK) {
        struct pollfd item = {.fd = stirkeep_fd(client, NULL), .events = POLLIN};

        (void)poll(&item, 1, stirkeep_wait_ms(client));
    }
    assert_int_equal(answer.tag, 2);
    assert_int_equal(answer.status, STIRKEEP_TIMEOUT);
    assert_true(now_ms() - began >= 1000 && now_ms() - began < 3900);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

/* Takes one request, and is gone. */
static void play_gone(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    (void)fake_request(fake, fd, &request);
    fake_unlisten(fake);
    fake_close(fake, fd);
}

static void an_event_loop_is_told_when_to_try_a_connection_again(void **state)
{
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    int waits = 0;
    (void)state;

    fake_start(&fake, play_gone);
    client = client_of(&fake, 5000);
    assert_int_equal(submit_numbered(client, 1, 400), STIRKEEP_OK);
    fake_stop(&fake);
    while (stirkeep_fetch(client, 0, &answer) != STIRKEEP_OK) {
        int wait_ms = stirkeep_wait_ms(client);

        assert_true(wait_ms >= 0 && wait_ms <= 400);
        (void)poll(NULL, 0, wait_ms);
        waits++;
    }
    assert_int_equal(answer.status, STIRKEEP_TIMEOUT);
    assert_true(waits >= 2 && waits < 100); /* no spinning meanwhile */
    stirkeep_client_free(client);
}

/* Answers dribble in, frame headers cut in two. */
static void play_dribble(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request)) {
        struct stk_response_signed body = {
            .identity = {(const uint8_t *)"abc", 3}, .passport_length = 1, .origid = ""};
        struct stk_buffer out = {0};

        (void)stk_response_encode_signed(request.id, &body, &out);
        for (size_t i = 0; i < out.length; i++) {
            fake_write(fd, out.data + i, 1);
            (void)usleep(200);
        }
        stk_buffer_free(&out);
    }
    fake_close(fake, fd);
}

static void on_alarm(int number)
{
    (void)number;
}

static void dribbling_answers_and_interruptions_change_nothing(void **state)
{
    const struct itimerval often = {{0, 500}, {0, 500}};
    const struct itimerval never = {0};
    struct sigaction action = {.sa_handler = on_alarm};
    struct sigaction before = {0};
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_dribble);
    client = client_of(&fake, 5000);
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
        assert_string_equal(signature.identity, "abc");
    }
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_any_order_find_their_requests),
        cmocka_unit_test(answers_to_unknown_ids_are_ignored),
        cmocka_unit_test(the_limit_holds_and_submitting_never_waits),
        cmocka_unit_test(an_event_loop_needs_no_more_than_the_descriptor),
        cmocka_unit_test(an_event_loop_learns_how_long_it_may_wait),
        cmocka_unit_test(an_event_loop_is_told_when_to_try_a_connection_again),
        cmocka_unit_test(dribbling_answers_and_interruptions_change_nothing),
    };
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
