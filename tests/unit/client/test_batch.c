/* SPDX-License-Identifier: BSD-2-Clause */
/* Several in one request. */
#include "common.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct stirkeep_request mixed[] = {
    {.name = "Alpha", .claims = &good_claims},
    {.name = "no-Beta", .claims = &good_claims},
    {.name = "Gamma", .header = "{}", .payload = "payload"},
    {.name = "no", .claims = &good_claims},
};

static void play_batches(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request)) {
        if (request.kind != STK_REQUEST_BATCH)
            fake_sign(fd, &request);
        else
            fake_batch(fd, &request, request.signing_count);
    }
    fake_close(fake, fd);
}

static void each_of_a_batch_has_its_own_answer(void **state)
{
    struct stirkeep_answer answers[COUNT(mixed)];
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_batches);
    client = client_of(&fake, 0);
    for (int i = 0; i < 3; i++) {
        memset(answers, 0xa5, sizeof(answers));
        assert_int_equal(stirkeep_sign_batch(client, mixed, COUNT(mixed), false, answers),
                         STIRKEEP_OK);
        for (size_t j = 0; j < COUNT(mixed); j++)
            assert_int_equal(answers[j].tag, j);
        assert_int_equal(answers[0].status, STIRKEEP_OK);
        assert_string_equal(answers[0].message, "");
        assert_string_equal(answers[0].signature.identity, "Alpha/12155550131");
        assert_int_equal(answers[0].signature.identity_length, 17);
        assert_int_equal(answers[0].signature.passport_length, 5);
        assert_int_equal(answers[0].signature.generation, 7);
        assert_string_equal(answers[0].signature.origid, "made");
        assert_string_equal(answers[0].signature.attest, "B");
        assert_int_equal(answers[1].status, STIRKEEP_UNKNOWN_NAME);
        assert_string_equal(answers[1].message, "no-Beta");
        assert_string_equal(answers[1].signature.identity, "");
        assert_int_equal(answers[1].signature.identity_length, 0);
        assert_string_equal(answers[1].signature.attest, "");
        assert_string_equal(answers[2].signature.identity, "Gamma/payload");
        assert_int_equal(answers[3].status, STIRKEEP_UNKNOWN_NAME);
        assert_string_equal(answers[3].message, stirkeep_status_text(STIRKEEP_UNKNOWN_NAME));
    }
    assert_string_equal(stirkeep_client_error(client), "");
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void sixty_four_are_signed_at_once(void **state)
{
    struct stirkeep_request requests[STIRKEEP_BATCH_MAX];
    struct stirkeep_answer answers[STIRKEEP_BATCH_MAX];
    char names[STIRKEEP_BATCH_MAX][16];
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    for (size_t i = 0; i < STIRKEEP_BATCH_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
        requests[i] = (struct stirkeep_request){.name = names[i], .claims = &good_claims};
    }
    fake_start(&fake, play_batches);
    client = client_of(&fake, 0);
    assert_int_equal(stirkeep_sign_batch(client, requests, STIRKEEP_BATCH_MAX, true, answers),
                     STIRKEEP_OK);
    for (size_t i = 0; i < STIRKEEP_BATCH_MAX; i++)
        assert_true(answers_its_request(&answers[i]));
    /* Then one by itself, on the same connection. */
    assert_int_equal(stirkeep_sign(client, "Alpha", &good_claims, &signature), STIRKEEP_OK);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void play_refusal(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    while (fake_request(fake, fd, &request))
        fake_refuse(fd, request.id, STIRKEEP_NOT_PERMITTED, "sign[1]: no grant");
    fake_close(fake, fd);
}

static void a_batch_that_is_refused_is_refused_as_one(void **state)
{
    struct stirkeep_answer untouched = {.tag = 99};
    struct stirkeep_answer answers[COUNT(mixed)];
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    for (size_t i = 0; i < COUNT(mixed); i++)
        answers[i] = untouched;
    fake_start(&fake, play_refusal);
    client = client_of(&fake, 0);
    for (int whole = 0; whole < 2; whole++) {
        assert_int_equal(stirkeep_sign_batch(client, mixed, COUNT(mixed), whole, answers),
                         STIRKEEP_NOT_PERMITTED);
        assert_string_equal(stirkeep_client_error(client), "sign[1]: no grant");
    }
    for (size_t i = 0; i < COUNT(mixed); i++)
        assert_memory_equal(&answers[i], &untouched, sizeof(untouched));
    stirkeep_client_free(client);
    fake_stop(&fake);
}

/* Too few results, too many, none; of a whole one, one that is refused; a single signature. */
static void play_misfits(struct fake *fake)
{
    static const size_t counts[] = {3, 5, 0, 4};
    struct stk_request request = {0};

    for (size_t i = 0; i < COUNT(counts); i++) {
        int fd = fake_accept(fake);

        if (fake_request(fake, fd, &request))
            fake_batch(fd, &request, counts[i]);
        (void)fake_more(fake, fd);
        fake_close(fake, fd);
    }
    {
        int fd = fake_accept(fake);

        if (fake_request(fake, fd, &request))
            fake_sign(fd, &request);
        (void)fake_more(fake, fd);
        fake_close(fake, fd);
    }
}

static void an_answer_that_does_not_fit_the_batch_ends_the_connection(void **state)
{
    struct stirkeep_answer untouched = {.tag = 99};
    struct stirkeep_answer answers[COUNT(mixed)];
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    for (size_t i = 0; i < COUNT(mixed); i++)
        answers[i] = untouched;
    fake_start(&fake, play_misfits);
    client = client_of(&fake, 2000);
    for (int i = 0; i < 5; i++) {
        bool whole = i == 3;

        assert_int_equal(stirkeep_sign_batch(client, mixed, COUNT(mixed), whole, answers),
                         STIRKEEP_MALFORMED);
        assert_non_null(strstr(stirkeep_client_error(client), "does not fit the request"));
        assert_int_equal(stirkeep_fd(client, NULL), -1);
    }
    for (size_t i = 0; i < COUNT(mixed); i++)
        assert_memory_equal(&answers[i], &untouched, sizeof(untouched));
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void wrong_use_is_refused_and_says_which_one_is_wrong(void **state)
{
    const struct stirkeep_claims null_dest = {.orig_tn = "1", .dest_tn_count = 1};
    struct stirkeep_request requests[STIRKEEP_BATCH_MAX + 1];
    struct stirkeep_answer answers[STIRKEEP_BATCH_MAX + 1];
    struct stirkeep_client *client = NULL;
    const struct {
        struct stirkeep_request request;
        const char *words;
    } cases[] = {{{.name = NULL, .claims = &good_claims}, "sign[2]: certificate name: NULL"},
                 {{.name = "a"}, "sign[2]: claims, or header and payload: NULL"},
                 {{.name = "a", .header = "{}"}, "sign[2]: claims, or header and payload: NULL"},
                 {{.name = "a", .claims = &good_claims, .header = "{}", .payload = "{}"},
                  "sign[2]: header and payload: beside claims"},
                 {{.name = "a", .claims = &null_dest}, "sign[2]: dest: NULL"}};
    (void)state;

    for (size_t i = 0; i <= STIRKEEP_BATCH_MAX; i++)
        requests[i] = mixed[0];
    assert_int_equal(stirkeep_client_new("/nonexistent/sock", 0, &client), STIRKEEP_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        requests[2] = cases[i].request;
        assert_int_equal(stirkeep_sign_batch(client, requests, 3, true, answers), STIRKEEP_INVALID);
        if (strncmp(stirkeep_client_error(client), cases[i].words, strlen(cases[i].words)) != 0)
            fail_msg("\"%s\" is not \"%s\"", stirkeep_client_error(client), cases[i].words);
    }
    requests[2] = mixed[0];
    assert_int_equal(stirkeep_sign_batch(client, requests, 0, true, answers), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign_batch(client, NULL, 1, true, answers), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign_batch(client, requests, 1, true, NULL), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign_batch(NULL, requests, 1, true, answers), STIRKEEP_INVALID);
    assert_int_equal(stirkeep_sign_batch(client, requests, STIRKEEP_BATCH_MAX + 1, true, answers),
                     STIRKEEP_TOO_LARGE);
    assert_int_equal(stirkeep_sign_batch(client, requests, SIZE_MAX, true, answers),
                     STIRKEEP_TOO_LARGE);
    assert_int_equal(stirkeep_sign_batch(client, requests, 3, true, answers),
                     STIRKEEP_NOT_CONNECTED);
    stirkeep_client_free(client);
}

static void a_batch_longer_than_a_message_may_be_is_not_sent(void **state)
{
    struct stirkeep_request requests[STIRKEEP_BATCH_MAX];
    struct stirkeep_answer answers[STIRKEEP_BATCH_MAX];
    struct stirkeep_client *client = NULL;
    char *payload = malloc(2000);
    struct fake fake;
    (void)state;

    memset(payload, 'p', 1999);
    payload[1999] = '\0';
    for (size_t i = 0; i < STIRKEEP_BATCH_MAX; i++)
        requests[i] =
            (struct stirkeep_request){.name = "Alpha", .header = "{}", .payload = payload};
    fake_start(&fake, play_batches);
    client = client_of(&fake, 0);
    assert_int_equal(stirkeep_sign_batch(client, requests, STIRKEEP_BATCH_MAX, true, answers),
                     STIRKEEP_TOO_LARGE);
    assert_int_equal(stirkeep_under_way(client), 0);
    payload[10] = '\0';
    assert_int_equal(stirkeep_sign_batch(client, requests, STIRKEEP_BATCH_MAX, true, answers),
                     STIRKEEP_OK);
    stirkeep_client_free(client);
    fake_stop(&fake);
    free(payload);
}

/* The first connection breaks with the batch under way. */
static void play_breaks_once(struct fake *fake)
{
    struct stk_request request = {0};
    int fd = fake_accept(fake);

    (void)fake_request(fake, fd, &request);
    fake_close(fake, fd);
    play_batches(fake);
}

static void a_batch_is_sent_again_when_the_connection_breaks(void **state)
{
    struct stirkeep_answer answers[COUNT(mixed)];
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_breaks_once);
    client = client_of(&fake, 5000);
    assert_int_equal(stirkeep_sign_batch(client, mixed, COUNT(mixed), false, answers), STIRKEEP_OK);
    assert_string_equal(answers[2].signature.identity, "Gamma/payload");
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void a_batch_does_not_mix_with_what_is_under_way(void **state)
{
    struct stirkeep_answer answers[COUNT(mixed)];
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    (void)state;

    fake_start(&fake, play_batches);
    client = client_of(&fake, 0);
    assert_int_equal(submit_numbered(client, 1, 0), STIRKEEP_OK);
    assert_int_equal(stirkeep_sign_batch(client, mixed, COUNT(mixed), false, answers),
                     STIRKEEP_INVALID);
    assert_int_equal(stirkeep_fetch(client, 1000, &answer), STIRKEEP_OK);
    assert_true(answers_its_request(&answer));
    assert_int_equal(stirkeep_sign_batch(client, mixed, COUNT(mixed), false, answers), STIRKEEP_OK);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_a_batch_has_its_own_answer),
        cmocka_unit_test(sixty_four_are_signed_at_once),
        cmocka_unit_test(a_batch_that_is_refused_is_refused_as_one),
        cmocka_unit_test(an_answer_that_does_not_fit_the_batch_ends_the_connection),
        cmocka_unit_test(wrong_use_is_refused_and_says_which_one_is_wrong),
        cmocka_unit_test(a_batch_longer_than_a_message_may_be_is_not_sent),
        cmocka_unit_test(a_batch_is_sent_again_when_the_connection_breaks),
        cmocka_unit_test(a_batch_does_not_mix_with_what_is_under_way),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
