/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

#include "wire/frame.h"

static void pause_ms(long milliseconds)
{
    const struct timespec pause = {.tv_nsec = milliseconds * 1000000};

    (void)nanosleep(&pause, NULL);
}

/* A front that has no names yet: three times. */
static void play_starting(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    for (int i = 0; fake_request(fake, fd, &request); i++) {
        fake->seen++;
        if (i < 3)
            fake_refuse(fd, request.id, STIRKEEP_UNAVAILABLE, "it is starting");
        else
            fake_sign(fd, &request);
    }
    fake_close(fake, fd);
}

static void what_is_unavailable_for_a_moment_is_asked_again(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    uint64_t start = now_ms();
    struct fake fake;
    (void)state;

    fake_start(&fake, play_starting);
    client = client_of(&fake, 5000);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    assert_string_equal(signature.identity, "Alpha/12155550131");
    assert_true(now_ms() - start >= 60); /* 10, 20 and 40 ms between them, but for rounding */
    stirkeep_client_free(client);
    fake_stop(&fake);
    assert_int_equal(fake.seen, 4);
}

static void play_unavailable(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request)) {
        fake->seen++;
        fake_refuse(fd, request.id, STIRKEEP_UNAVAILABLE, "no keeper");
    }
    fake_close(fake, fd);
}

static void what_stays_unavailable_is_told_in_time_and_asked_for_without_a_storm(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    uint64_t start = now_ms();
    struct fake fake;
    (void)state;

    fake_start(&fake, play_unavailable);
    client = client_of(&fake, 1000);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature),
                     STIRKEEP_UNAVAILABLE);
    assert_non_null(strstr(stirkeep_client_error(client), "no keeper"));
    assert_true(now_ms() - start < 3000);
    assert_int_equal(stirkeep_under_way(client), 0);
    stirkeep_client_free(client);
    fake_stop(&fake);
    assert_true(fake.seen >= 2 && fake.seen <= 10); /* after 10, 20, 40, 80 and then 160 ms */
}

static void play_unavailable_then_silent(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    (void)fake_request(fake, fd, &request);
    fake_refuse(fd, request.id, STIRKEEP_UNAVAILABLE, "no keeper");
    while (fake_request(fake, fd, &request))
        ;
    fake_close(fake, fd);
}

/* Whether the answer to the last time it was asked comes in time, is chance. */
static void why_it_is_unavailable_is_told_also_when_the_last_answer_does_not_come(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_unavailable_then_silent);
    client = client_of(&fake, 1000);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature),
                     STIRKEEP_UNAVAILABLE);
    assert_string_equal(stirkeep_client_error(client), "no keeper");
    /* Of another one, which is not answered at all, that is not said. */
    assert_int_equal(submit_numbered(client, 1, 100), STIRKEEP_OK);
    assert_int_equal(stirkeep_fetch(client, -1, &answer), STIRKEEP_OK);
    assert_int_equal(answer.status, STIRKEEP_TIMEOUT);
    assert_non_null(strstr(answer.message, "no answer in time"));
    stirkeep_client_free(client);
    fake_stop(&fake);
}

/* The third is refused once; what comes meanwhile is answered. */
static void play_one_waits(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    for (int i = 0; fake_request(fake, fd, &request); i++) {
        fake->seen++;
        if (i == 2)
            fake_refuse(fd, request.id, STIRKEEP_UNAVAILABLE, "it is starting");
        else
            fake_sign(fd, &request);
    }
    fake_close(fake, fd);
}

static void only_what_was_unavailable_is_asked_again(void **state)
{
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    uint64_t last = 0;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_one_waits);
    client = client_of(&fake, 5000);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(submit_numbered(client, i, 0), STIRKEEP_OK);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(stirkeep_fetch(client, 5000, &answer), STIRKEEP_OK);
        assert_true(answers_its_request(&answer));
        last = answer.tag;
    }
    assert_int_equal(last, 2);
    stirkeep_client_free(client);
    fake_stop(&fake);
    assert_int_equal(fake.seen, 11);
}

/* Signs once, is away, comes back, when the test says so. */
static void play_restart(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    (void)fake_request(fake, fd, &request);
    fake_sign(fd, &request);
    fake_unlisten(fake);
    fake_close(fake, fd);
    fake->seen++;
    pause_ms(300);
    fake_listen(fake);
    fd = fake_accept(fake);
    while (fake_request(fake, fd, &request))
        fake_sign(fd, &request);
    fake_close(fake, fd);
}

static void a_request_made_while_the_service_restarts_waits_for_it(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_restart);
    client = client_of(&fake, 5000);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    while (fake.seen == 0)
        pause_ms(1);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    assert_string_equal(signature.identity, "Alpha/12155550131");
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void play_end(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    (void)fake_request(fake, fd, &request);
    fake_sign(fd, &request);
    fake_unlisten(fake);
    fake_close(fake, fd);
    fake->seen++;
}

static void a_service_that_does_not_come_back_is_waited_for_until_the_deadline(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    uint64_t start = 0;
    (void)state;

    fake_start(&fake, play_end);
    client = client_of(&fake, 300);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    while (fake.seen == 0)
        pause_ms(1);
    start = now_ms();
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_TIMEOUT);
    assert_non_null(strstr(stirkeep_client_error(client), fake.path));
    assert_true(now_ms() - start >= 290 && now_ms() - start < 2000);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void without_patience_nobody_listening_is_told_at_once(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    uint64_t start = 0;
    (void)state;

    fake_start(&fake, play_end);
    client = client_of(&fake, 5000);
    stirkeep_set_patience(client, 0);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    while (fake.seen == 0)
        pause_ms(1);
    start = now_ms();
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature),
                     STIRKEEP_NOT_CONNECTED);
    assert_true(now_ms() - start < 2000);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_unavailable_for_a_moment_is_asked_again),
        cmocka_unit_test(what_stays_unavailable_is_told_in_time_and_asked_for_without_a_storm),
        cmocka_unit_test(why_it_is_unavailable_is_told_also_when_the_last_answer_does_not_come),
        cmocka_unit_test(only_what_was_unavailable_is_asked_again),
        cmocka_unit_test(a_request_made_while_the_service_restarts_waits_for_it),
        cmocka_unit_test(a_service_that_does_not_come_back_is_waited_for_until_the_deadline),
        cmocka_unit_test(without_patience_nobody_listening_is_told_at_once),
    };
    return cmocka_run_group_tests_name("again", tests, NULL, NULL);
}
