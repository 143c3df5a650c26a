/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

#include "wire/frame.h"

static void sign_all(struct fake *fake, int fd)
{
    struct stk_request request = {0};

    while (fake_request(fake, fd, &request)) {
        fake->seen++;
        fake_sign(fd, &request);
    }
    fake_close(fake, fd);
}

/* Reads ten, answers every second one, dies; its successor answers what comes. */
static void play_dies_in_the_middle(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    for (int i = 0; i < 10 && fake_request(fake, fd, &request); i++)
        if (i % 2 == 0)
            fake_sign(fd, &request);
    fake_close(fake, fd);
    sign_all(fake, fake_accept(fake));
}

static void fetch_all(struct stirkeep_client *client, uint64_t count)
{
    struct stirkeep_answer answer = {0};
    bool seen[64] = {false};

    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(stirkeep_fetch(client, 5000, &answer), STIRKEEP_OK);
        assert_true(answers_its_request(&answer));
        assert_true(answer.tag < count && !seen[answer.tag]);
        seen[answer.tag] = true;
    }
    assert_int_equal(stirkeep_under_way(client), 0);
}

static void what_had_no_answer_is_asked_again_when_the_service_dies(void **state)
{
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_dies_in_the_middle);
    client = client_of(&fake, 0);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(submit_numbered(client, i, 0), STIRKEEP_OK);
    fetch_all(client, 20);
    stirkeep_client_free(client);
    fake_stop(&fake);
    /* Answers given before the end were not lost: only the others were asked again. */
    assert_int_equal(fake.seen, 15);
}

/* Gone without a trace for a while, the socket file too. */
static void play_restarts(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    (void)fake_request(fake, fd, &request);
    fake_unlisten(fake);
    fake_close(fake, fd);
    (void)usleep(300000);
    fake_listen(fake);
    sign_all(fake, fake_accept(fake));
}

static void a_restart_in_the_middle_is_waited_for_within_the_deadline(void **state)
{
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_restarts);
    client = client_of(&fake, 5000);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(submit_numbered(client, i, 0), STIRKEEP_OK);
    fetch_all(client, 20);
    stirkeep_client_free(client);
    fake_stop(&fake);
    assert_int_equal(fake.seen, 20);
}

static void a_lone_request_survives_a_restart_too(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_restarts);
    client = client_of(&fake, 5000);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

/* One answer a connection: the client finds it closed each time it comes back. */
static void play_one_each(struct fake *fake)
{
    struct stk_request request = {0};

    for (int i = 0; i < 5; i++) {
        int fd = fake_accept(fake);

        if (fake_request(fake, fd, &request))
            fake_sign(fd, &request);
        fake_close(fake, fd);
        fake->seen++;
    }
}

static void a_connection_closed_while_idle_is_made_again_unnoticed(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_one_each);
    client = client_of(&fake, 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
        while (fake.seen <= i)
            (void)usleep(1000);
    }
    stirkeep_client_free(client);
    fake_stop(&fake);
}

/* Takes every connection and drops it: a service that falls over what it is asked. */
static void play_falls_over(struct fake *fake)
{
    struct stk_request request = {0};

    while (!fake->go) {
        int fd = fake_accept(fake);

        (void)fake_request(fake, fd, &request);
        fake_close(fake, fd);
        fake->seen++;
    }
}

static void asking_again_ends_at_the_deadline_and_is_not_a_storm(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    uint64_t start = now_ms();
    struct fake fake;
    (void)state;

    fake_start(&fake, play_falls_over);
    client = client_of(&fake, 600);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_TIMEOUT);
    assert_in_range(now_ms() - start, 590, 5000);
    assert_in_range(fake.seen, 3, 20);
    fake.go = true;
    (void)stirkeep_sign(client, "Alpha", &good_claims, &signature); /* lets the play end */
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void play_answers_late(struct fake *fake)
{
    struct stk_request first = {0};
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    (void)fake_request(fake, fd, &first);
    fake_wait(&fake->go);
    request = first;
    request.signings[0].claims.dest_tn = (const char *[]){"0"};
    fake_sign(fd, &request);
    sign_all(fake, fd);
}

static void a_late_answer_is_nobodys_and_costs_no_connection(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    uint64_t start = now_ms();
    struct fake fake;
    int fd = -1;
    (void)state;

    fake_start(&fake, play_answers_late);
    client = client_of(&fake, 100);
    assert_int_equal(stirkeep_sign(client, "Late", &good_claims, &signature), STIRKEEP_TIMEOUT);
    assert_true(now_ms() - start >= 95);
    fd = stirkeep_fd(client, NULL);
    fake.go = true;
    (void)usleep(50000);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    assert_string_equal(signature.identity, "Alpha/12155550131");
    assert_int_equal(stirkeep_fd(client, NULL), fd);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void play_says_nothing(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request))
        fake->seen++;
    fake_close(fake, fd);
}

static void each_request_has_its_own_deadline(void **state)
{
    static const uint64_t order[] = {2, 0, 1};
    static const uint32_t deadlines[] = {600, 900, 300};
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    uint64_t start = now_ms();
    struct fake fake;
    (void)state;

    fake_start(&fake, play_says_nothing);
    client = client_of(&fake, 0);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(submit_numbered(client, i, deadlines[i]), STIRKEEP_OK);
    assert_int_equal(stirkeep_fetch(client, 0, &answer), STIRKEEP_TIMEOUT);
    assert_int_equal(stirkeep_fetch(client, 10, &answer), STIRKEEP_TIMEOUT);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(stirkeep_fetch(client, -1, &answer), STIRKEEP_OK);
        assert_int_equal(answer.tag, order[i]);
        assert_int_equal(answer.status, STIRKEEP_TIMEOUT);
        assert_non_null(strstr(answer.message, fake.path));
        assert_true(now_ms() - start >= deadlines[order[i]] - 2);
    }
    assert_true(now_ms() - start < 2000); /* which is the client's own */
    stirkeep_client_free(client);
    fake_stop(&fake);
}

/* What a service may send that is not the protocol. */
static const struct {
    const char *what;
    const char *bytes;
    size_t length;
} garbage[] = {
    {"text", "HTTP/1.1 400 Bad Request\r\n\r\n", 28},
    {"an empty frame", "\0\0\0\0", 4},
    {"a frame past the limit", "\0\1\0\1", 4},
    {"the longest length", "\377\377\377\377", 4},
    {"a frame that is not protobuf", "\0\0\0\4\377\377\377\377", 8},
};
static atomic_size_t garbage_at;

static void play_garbage(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    (void)fake_request(fake, fd, &request);
    fake_write(fd, garbage[garbage_at].bytes, garbage[garbage_at].length);
    (void)fake_request(fake, fd, &request);
    fake_close(fake, fd);
    sign_all(fake, fake_accept(fake));
}

static void garbage_ends_what_is_under_way_and_the_connection(void **state)
{
    (void)state;

    for (garbage_at = 0; garbage_at < sizeof(garbage) / sizeof(garbage[0]); garbage_at++) {
        struct stirkeep_signature signature = {0};
        struct stirkeep_client *client = NULL;
        uint64_t start = now_ms();
        struct fake fake;

        fake_start(&fake, play_garbage);
        client = client_of(&fake, 3000);
        assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature),
                         STIRKEEP_MALFORMED);
        assert_true(now_ms() - start < 2900); /* and not at the deadline */
        assert_int_equal(stirkeep_fd(client, NULL), -1);
        assert_non_null(strstr(stirkeep_client_error(client), fake.path));
        assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
        stirkeep_client_free(client);
        fake_stop(&fake);
    }
}

static void play_wrong_kind(struct fake *fake)
{
    struct stk_response_pong pong = {.ready = true, .version = "", .detail = ""};
    struct stk_request request = {0};
    struct stk_buffer out = {0};
    int fd = fake_accept(fake);

    (void)fake_request(fake, fd, &request);
    (void)stk_response_encode_pong(request.id, &pong, &out);
    fake_write(fd, out.data, out.length);
    (void)fake_request(fake, fd, &request);
    fake_close(fake, fd);
    stk_buffer_free(&out);
}

static void an_answer_of_another_kind_is_malformed_for_all_under_way(void **state)
{
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_wrong_kind);
    client = client_of(&fake, 0);
    assert_int_equal(submit_numbered(client, 1, 0), STIRKEEP_OK);
    assert_int_equal(submit_numbered(client, 2, 0), STIRKEEP_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stirkeep_fetch(client, 1000, &answer), STIRKEEP_OK);
        assert_int_equal(answer.status, STIRKEEP_MALFORMED);
        assert_string_equal(answer.signature.identity, "");
    }
    assert_int_equal(stirkeep_fetch(client, 1000, &answer), STIRKEEP_INVALID);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void play_last_words(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    fake_refuse(fd, 0, STIRKEEP_TIMEOUT, "idle for too long");
    fake_close(fake, fd);
    fd = fake_accept(fake);
    (void)fake_request(fake, fd, &request);
    fake_sign(fd, &request);
    (void)fake_request(fake, fd, &request);
    fake_refuse(fd, 0, STIRKEEP_OVERLOADED, "too many connections");
    fake_close(fake, fd);
}

static void a_last_word_of_the_service_is_heard_unless_it_is_about_idling(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_last_words);
    client = client_of(&fake, 0);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OVERLOADED);
    assert_non_null(strstr(stirkeep_client_error(client), "too many connections"));
    stirkeep_client_free(client);
    fake_stop(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_had_no_answer_is_asked_again_when_the_service_dies),
        cmocka_unit_test(a_restart_in_the_middle_is_waited_for_within_the_deadline),
        cmocka_unit_test(a_lone_request_survives_a_restart_too),
        cmocka_unit_test(a_connection_closed_while_idle_is_made_again_unnoticed),
        cmocka_unit_test(asking_again_ends_at_the_deadline_and_is_not_a_storm),
        cmocka_unit_test(a_late_answer_is_nobodys_and_costs_no_connection),
        cmocka_unit_test(each_request_has_its_own_deadline),
        cmocka_unit_test(garbage_ends_what_is_under_way_and_the_connection),
        cmocka_unit_test(an_answer_of_another_kind_is_malformed_for_all_under_way),
        cmocka_unit_test(a_last_word_of_the_service_is_heard_unless_it_is_about_idling),
    };
    return cmocka_run_group_tests_name("break", tests, NULL, NULL);
}
