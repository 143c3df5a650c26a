/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

static void play_signer(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request))
        fake_sign(fd, &request);
    fake_close(fake, fd);
}

static void a_signature_comes_with_all_that_is_known_of_it(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_signer);
    client = client_of(&fake, 0);
    assert_int_equal(stirkeep_fd(client, NULL), -1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
        assert_string_equal(signature.identity, "Alpha/12155550131");
        assert_int_equal(signature.identity_length, 17);
        assert_int_equal(signature.passport_length, 5);
        assert_int_equal(signature.generation, 7);
        assert_int_equal(signature.iat, 1471375418);
        assert_string_equal(signature.origid, "made");
        assert_string_equal(signature.attest, "B");
    }
    assert_string_equal(stirkeep_client_error(client), "");
    assert_true(stirkeep_fd(client, NULL) >= 0);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void play_refusals(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    for (unsigned status = 1; fake_request(fake, fd, &request); status++) {
        status += status == STIRKEEP_UNAVAILABLE ? 1 : 0;
        fake_refuse(fd, request.id, (enum stirkeep_status)status, "Alpha: no");
    }
    fake_close(fake, fd);
}

static void every_refusal_comes_as_its_status_and_the_connection_stays(void **state)
{
    struct stirkeep_signature untouched = {.generation = 99};
    struct stirkeep_signature signature = untouched;
    struct stirkeep_client *client = NULL;
    struct fake fake;
    int fd = -1;
    (void)state;

    fake_start(&fake, play_refusals);
    client = client_of(&fake, 0);
    for (unsigned status = 1; status < STIRKEEP_STATUS_COUNT; status++) {
        if (status == STIRKEEP_UNAVAILABLE)
            continue; /* it is asked again: see test_again.c */
        assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), status);
        assert_string_equal(stirkeep_client_error(client), "Alpha: no");
        assert_memory_equal(&signature, &untouched, sizeof(signature));
        assert_true(fd < 0 || fd == stirkeep_fd(client, NULL));
        fd = stirkeep_fd(client, NULL);
    }
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void nobody_at_the_socket_is_said_at_once(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    uint64_t start = now_ms();
    (void)state;

    fake_start(&fake, NULL);
    fake_unlisten(&fake);
    client = client_of(&fake, 5000);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature),
                         STIRKEEP_NOT_CONNECTED);
        assert_non_null(strstr(stirkeep_client_error(client), fake.path));
        assert_non_null(strstr(stirkeep_client_error(client), "No such file"));
        assert_int_equal(stirkeep_submit(client, "Alpha", &good_claims, 0, 1),
                         STIRKEEP_NOT_CONNECTED);
        assert_int_equal(stirkeep_under_way(client), 0);
    }
    assert_true(now_ms() - start < 4900); /* not once was a deadline waited for */
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void wrong_use_is_refused_and_says_what_is_wrong(void **state)
{
    static const char *const null_dest[] = {NULL};
    struct stirkeep_claims no_dest = {.orig_tn = "1", .dest_tn_count = 1};
    struct stirkeep_claims with_null = {.orig_tn = "1", .dest_tn = null_dest, .dest_tn_count = 1};
    struct stirkeep_claims too_many = good_claims;
    struct stirkeep_signature signature = {0};
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    char path[200] = "";
    (void)state;

    memset(path, 'p', sizeof(path) - 1);
    too_many.dest_uri_count = SIZE_MAX;
    too_many.dest_uri = one_dest;
    assert_int_equal(stirkeep_client_new(path, 0, &client), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_client_new("", 0, &client), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_client_new("x", 0, NULL), STIRKEEP_INVALID);
    assert_null(client);
    stirkeep_client_free(NULL);
    assert_string_equal(stirkeep_client_error(NULL), "");
    assert_int_equal(stirkeep_client_new("/nonexistent/sock", 0, &client), STIRKEEP_OK);
    assert_string_equal(stirkeep_client_error(client), "");
    assert_int_equal(stirkeep_sign(NULL, "a", &good_claims, &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign(client, NULL, &good_claims, &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign(client, "a", NULL, &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign(client, "a", &no_dest, &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign(client, "a", &with_null, &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign(client, "a", &too_many, &signature), STIRKEEP_INVALID);
    assert_non_null(strstr(stirkeep_client_error(client), "dest"));
    assert_int_equal(stirkeep_fetch(client, 1000, &answer), STIRKEEP_INVALID);
    stirkeep_client_free(client);
}

static void the_environment_names_the_socket_when_the_caller_does_not(void **state)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    (void)state;

    assert_int_equal(setenv("STIRKEEP_SIGN_SOCKET", "/nonexistent/from-environment", 1), 0);
    assert_int_equal(stirkeep_client_new(NULL, 0, &client), STIRKEEP_OK);
    (void)stirkeep_sign(client, "a", &good_claims, &signature);
    assert_non_null(strstr(stirkeep_client_error(client), "/nonexistent/from-environment"));
    stirkeep_client_free(client);
    assert_int_equal(stirkeep_client_new("/nonexistent/given", 0, &client), STIRKEEP_OK);
    (void)stirkeep_sign(client, "a", &good_claims, &signature);
    assert_non_null(strstr(stirkeep_client_error(client), "/nonexistent/given"));
    stirkeep_client_free(client);
    assert_int_equal(setenv("STIRKEEP_SIGN_SOCKET", "", 1), 0);
    assert_int_equal(stirkeep_client_new(NULL, 0, &client), STIRKEEP_OK);
    stirkeep_client_free(client);
    (void)unsetenv("STIRKEEP_SIGN_SOCKET");
}

static void a_request_longer_than_a_message_may_be_is_not_sent(void **state)
{
    char *long_uri = calloc(1, 70000);
    const char *const dests[] = {long_uri};
    struct stirkeep_claims claims = {
        .orig_tn = "12155550121", .dest_uri = dests, .dest_uri_count = 1};
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    memset(long_uri, 'u', 69999);
    fake_start(&fake, play_signer);
    client = client_of(&fake, 0);
    assert_int_equal(stirkeep_sign(client, "Alpha", &claims, &signature), STIRKEEP_TOO_LARGE);
    assert_int_equal(stirkeep_under_way(client), 0);
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    stirkeep_client_free(client);
    fake_stop(&fake);
    free(long_uri);
}

static void play_lister(struct fake *fake)
{
    static const struct stk_certificate pages[3] = {
        {.name = {"Alpha"}, .generation = 1, .active = true, .x5u = "https://c.example.com/a"},
        {.name = {"Beta"}, .generation = 2, .x5u = "https://c.example.com/b"},
        {.name = {"Gamma"}, .not_before = 5, .not_after = 9, .x5u = "https://c.example.com/g"}};
    const struct stk_certificate *first[] = {&pages[0], &pages[1]};
    const struct stk_certificate *second[] = {&pages[2]};
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request)) {
        struct stk_buffer out = {0};
        bool start = request.after[0] == '\0';

        /* After go: pages that never get anywhere. */
        if (fake->go)
            (void)stk_response_encode_list(request.id, first, 2, true, &out);
        else
            (void)stk_response_encode_list(request.id, start ? first : second, start ? 2 : 1, start,
                                           &out);
        fake_write(fd, out.data, out.length);
        stk_buffer_free(&out);
    }
    fake_close(fake, fd);
}

static void the_list_joins_pages_and_refuses_those_that_do_not_go_on(void **state)
{
    const struct stirkeep_certificate *list = NULL;
    struct stirkeep_client *client = NULL;
    size_t count = 0;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_lister);
    client = client_of(&fake, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stirkeep_list(client, &list, &count), STIRKEEP_OK);
        assert_int_equal(count, 3);
        assert_string_equal(list[0].name, "Alpha");
        assert_true(list[0].active);
        assert_string_equal(list[1].x5u, "https://c.example.com/b");
        assert_int_equal(list[1].generation, 2);
        assert_string_equal(list[2].name, "Gamma");
        assert_int_equal(list[2].not_after, 9);
        assert_false(list[2].active);
    }
    fake.go = true;
    count = 77;
    assert_int_equal(stirkeep_list(client, &list, &count), STIRKEEP_MALFORMED);
    assert_int_equal(count, 77);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void play_pong(struct fake *fake)
{
    struct stk_response_pong pong = {.ready = true, .version = "1", .detail = ""};
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    for (; fake_request(fake, fd, &request); pong.ready = false, pong.detail = "token locked") {
        struct stk_buffer out = {0};

        (void)stk_response_encode_pong(request.id, &pong, &out);
        fake_write(fd, out.data, out.length);
        stk_buffer_free(&out);
    }
    fake_close(fake, fd);
}

static void ping_tells_ready_from_not_ready_and_why(void **state)
{
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_pong);
    client = client_of(&fake, 0);
    assert_int_equal(stirkeep_ping(client), STIRKEEP_OK);
    assert_int_equal(stirkeep_ping(client), STIRKEEP_UNAVAILABLE);
    assert_string_equal(stirkeep_client_error(client), "token locked");
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void calls_that_wait_do_not_mix_with_what_is_under_way(void **state)
{
    const struct stirkeep_certificate *list = NULL;
    struct stirkeep_signature signature = {0};
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    size_t count = 0;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_signer);
    client = client_of(&fake, 0);
    assert_int_equal(submit_numbered(client, 1, 0), STIRKEEP_OK);
    assert_int_equal(stirkeep_sign(client, "a", &good_claims, &signature), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_list(client, &list, &count), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_ping(client), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_under_way(client), 1);
    assert_int_equal(stirkeep_fetch(client, 1000, &answer), STIRKEEP_OK);
    assert_true(answers_its_request(&answer));
    assert_int_equal(stirkeep_sign(client, "a", &good_claims, &signature), STIRKEEP_OK);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_comes_with_all_that_is_known_of_it),
        cmocka_unit_test(every_refusal_comes_as_its_status_and_the_connection_stays),
        cmocka_unit_test(nobody_at_the_socket_is_said_at_once),
        cmocka_unit_test(wrong_use_is_refused_and_says_what_is_wrong),
        cmocka_unit_test(the_environment_names_the_socket_when_the_caller_does_not),
        cmocka_unit_test(a_request_longer_than_a_message_may_be_is_not_sent),
        cmocka_unit_test(the_list_joins_pages_and_refuses_those_that_do_not_go_on),
        cmocka_unit_test(ping_tells_ready_from_not_ready_and_why),
        cmocka_unit_test(calls_that_wait_do_not_mix_with_what_is_under_way),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
