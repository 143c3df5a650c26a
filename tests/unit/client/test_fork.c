/* SPDX-License-Identifier: BSD-2-Clause */
#include "common.h"

#include <fcntl.h>
#include <sys/wait.h>

#define UNDER_WAY 50

/* Holds the first connection's requests until the second connection, the child's, is over. */
static void play_two(struct fake *fake)
{
    struct stk_request request = {0};
    char names[UNDER_WAY][STK_NAME_MAX + 1] = {""};
    uint64_t ids[UNDER_WAY] = {0};
    int first = fake_accept(fake);
    int second = -1;

    for (int i = 0; i < UNDER_WAY && fake_request(fake, first, &request); i++) {
        ids[i] = request.id;
        memcpy(names[i], request.signings[0].name.text, sizeof(names[i]));
    }
    second = fake_accept(fake);
    while (fake_request(fake, second, &request)) {
        fake->seen++;
        fake_sign(second, &request);
    }
    fake_close(fake, second);
    request.signings[0].claims.dest_tn = (const char **)(uintptr_t)one_dest;
    for (int i = 0; i < UNDER_WAY; i++) {
        request.id = ids[i];
        memcpy(request.signings[0].name.text, names[i], sizeof(names[i]));
        fake_sign(first, &request);
    }
    while (fake_request(fake, first, &request))
        fake_sign(first, &request);
    fake_close(fake, first);
}

/* Exit status 0: all as it should be. */
static int child_signs(struct stirkeep_client *client, int number)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_answer answer = {0};

    (void)number;
    if (stirkeep_under_way(client) != 0 || stirkeep_fd(client, NULL) != -1)
        return 1;
    if (stirkeep_fetch(client, 100, &answer) != STIRKEEP_INVALID)
        return 2;
    for (int i = 0; i < 10; i++)
        if (stirkeep_sign(client, "Child", &good_claims, &signature) != STIRKEEP_OK ||
            strcmp(signature.identity, "Child/12155550131") != 0)
            return 3;
    if (submit_numbered(client, 7, 0) != STIRKEEP_OK || stirkeep_under_way(client) != 1 ||
        stirkeep_fetch(client, 1000, &answer) != STIRKEEP_OK || answer.tag != 7)
        return 4;
    stirkeep_client_free(client);
    return 0;
}

/* A daemon closes everything it inherited; the number then names something else. */
static int child_used_the_number_again(struct stirkeep_client *client, int number)
{
    struct stirkeep_signature signature = {0};
    int mine = open("/dev/null", O_RDONLY);

    if (mine < 0 || dup2(mine, number) != number)
        return 1;
    if (stirkeep_sign(client, "Child", &good_claims, &signature) != STIRKEEP_OK)
        return 3;
    stirkeep_client_free(client);
    return fcntl(number, F_GETFD) >= 0 ? 0 : 4;
}

static void run(int (*in_child)(struct stirkeep_client *client, int number))
{
    struct stirkeep_answer answer = {0};
    struct stirkeep_client *client = NULL;
    struct fake fake;
    pid_t child = -1;
    int number = -1;
    int how = -1;

    fake_start(&fake, play_two);
    assert_int_equal(setenv("STIRKEEP_SIGN_SOCKET", fake.path, 1), 0);
    client = client_of(&fake, 5000);
    for (uint64_t i = 0; i < UNDER_WAY; i++)
        assert_int_equal(submit_numbered(client, i, 0), STIRKEEP_OK);
    number = stirkeep_fd(client, NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(in_child(client, number));
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
    assert_int_equal(stirkeep_under_way(client), UNDER_WAY);
    for (uint64_t i = 0; i < UNDER_WAY; i++) {
        assert_int_equal(stirkeep_fetch(client, 2000, &answer), STIRKEEP_OK);
        assert_int_equal(answer.tag, i);
        assert_true(answers_its_request(&answer));
    }
    assert_int_equal(submit_numbered(client, 99, 0), STIRKEEP_OK);
    assert_int_equal(stirkeep_fetch(client, 2000, &answer), STIRKEEP_OK);
    assert_true(answers_its_request(&answer));
    assert_int_equal(stirkeep_fd(client, NULL), number);
    stirkeep_client_free(client);
    fake_stop(&fake);
}

static void a_child_connects_anew_and_the_parents_stream_goes_on(void **state)
{
    (void)state;
    run(child_signs);
}

static void a_child_that_used_the_number_again_keeps_what_it_opened(void **state)
{
    (void)state;
    run(child_used_the_number_again);
}

/* Freed at once by a child that signs with nothing of its parent's. */
static int child_frees(struct stirkeep_client *client, int number)
{
    struct stirkeep_signature signature = {0};
    struct stirkeep_client *own = NULL;

    (void)number;
    stirkeep_client_free(client);
    if (stirkeep_client_new(NULL, 0, &own) != STIRKEEP_OK)
        return 1;
    if (stirkeep_sign(own, "Child", &good_claims, &signature) != STIRKEEP_OK)
        return 2;
    stirkeep_client_free(own);
    return 0;
}

static void a_child_that_frees_the_client_ends_nothing(void **state)
{
    (void)state;
    run(child_frees);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_connects_anew_and_the_parents_stream_goes_on),
        cmocka_unit_test(a_child_that_used_the_number_again_keeps_what_it_opened),
        cmocka_unit_test(a_child_that_frees_the_client_ends_nothing),
    };
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
