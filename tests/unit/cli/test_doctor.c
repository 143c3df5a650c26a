/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include "fake_admin.h"
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* What the fake service says of itself. */
static const struct stk_trouble *troubles;
static size_t trouble_count;
static const char *const *problems;
static size_t problem_count;
static enum stirkeep_status refuses;

static void play(struct fake *fake)
{
    static const struct stk_fact facts[] = {{"token", "my \033[2Jtoken"},
                                            {"CKM_RSA_PKCS_KEY_PAIR_GEN", "keys of 512 to 16384"}};
    struct stk_admin_request request = {0};
    int fd = fake_accept(fake);

    while (fake_admin_request(fake, fd, &request)) {
        const struct stk_admin_response answer = {.id = request.id,
                                                  .kind = request.kind,
                                                  .facts = facts,
                                                  .fact_count = 2,
                                                  .troubles = troubles,
                                                  .trouble_count = trouble_count,
                                                  .names = 3,
                                                  .affected = 4,
                                                  .keys = 5,
                                                  .problems = problems,
                                                  .problem_count = problem_count};

        if (refuses != STIRKEEP_OK)
            fake_admin_refuse(fd, request.id, refuses, "not for you");
        else
            fake_admin_answer(fd, &answer);
    }
    fake_close(fake, fd);
}

static int set_up(void **state)
{
    troubles = NULL;
    trouble_count = 0;
    problems = NULL;
    problem_count = 0;
    refuses = STIRKEEP_OK;
    return place_set_up(state);
}

/* doctor, with one more option (or NULL). */
static const struct ran *doctor(const char *option)
{
    const struct ran *ran = NULL;
    struct fake fake;

    fake_start(&fake, play);
    ran = program(NULL, "doctor", "--admin-socket", fake.path, "--config", place("none.conf"),
                  option);
    fake_stop(&fake);
    return ran;
}

static void facts_stand_in_a_column_and_nothing_steers_the_terminal(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    ran = doctor(NULL);
    program_done(ran);
    assert_non_null(strstr(ran->out, "token                      my ?[2Jtoken\n"));
    assert_non_null(strstr(ran->out, "CKM_RSA_PKCS_KEY_PAIR_GEN  keys of"));
    assert_non_null(strstr(ran->out, "\nnothing is wrong\n"));
}

static void warnings_alone_are_no_failure_and_errors_are(void **state)
{
    static const struct stk_trouble two[] = {{"warning", "it is slow", "wait"},
                                             {"error", "it is broken", "mend it"}};
    const struct ran *ran = NULL;
    (void)state;

    troubles = two;
    trouble_count = 1;
    ran = doctor(NULL);
    program_done(ran);
    assert_non_null(strstr(ran->out, "\nwarning: it is slow\n    mend: wait\n"));
    assert_non_null(strstr(ran->out, "\n0 errors, 1 warnings\n"));
    trouble_count = 2;
    ran = doctor(NULL);
    assert_int_equal(ran->status, 1);
    assert_string_equal(ran->err, "");
    assert_non_null(strstr(ran->out, "\nerror: it is broken\n    mend: mend it\n"));
    ran = doctor("--json");
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "\"healthy\": false"));
    assert_non_null(strstr(ran->out, "\"cure\": \"mend it\""));
}

static void a_configuration_that_others_may_write_to_is_an_error(void **state)
{
    struct fake fake;
    const struct ran *ran = NULL;
    (void)state;

    place_text("open.conf", "[token]\nlabel = t\n");
    assert_int_equal(chmod(place("open.conf"), 0646), 0);
    fake_start(&fake, play);
    ran = program(NULL, "doctor", "--admin-socket", fake.path, "--config", place("open.conf"));
    fake_stop(&fake);
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "open.conf: everybody may write to it (mode 0646)\n"));
    ran = program(NULL, "doctor", "--admin-socket", place("none.sock"), "--config",
                  place("open.conf"));
    assert_non_null(strstr(ran->out, "open.conf: everybody may write to it (mode 0646)\n"));
}

static void a_rebuild_tells_what_came_and_fails_with_a_problem(void **state)
{
    static const char *const lines[] = {"Alpha: key 00: it does \033not sign"};
    const struct ran *ran = NULL;
    (void)state;

    ran = doctor("--rebuild-catalog");
    program_done(ran);
    assert_non_null(strstr(ran->out, "3 names and 4 generations were taken in; 5 keys"));
    assert_non_null(strstr(ran->out, "retired"));
    problems = lines;
    problem_count = 1;
    ran = doctor("--rebuild-catalog");
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "problem: Alpha: key 00: it does ?not sign\n"));
}

static void who_is_refused_is_told_what_he_may_do(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    refuses = STIRKEEP_NOT_PERMITTED;
    ran = doctor(NULL);
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->err, "not for you"));
    assert_non_null(strstr(ran->out, "[admin] user"));
    assert_non_null(strstr(ran->out, "asked by"));
    ran = doctor("--rebuild-catalog");
    failed(ran, 1, "not for you");
}

static void without_a_service_what_is_there_is_told(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct ran *ran = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)state;

    ran = program(NULL, "doctor", "--admin-socket", place("none.sock"), "--config",
                  place("none.conf"));
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "there is no socket"));
    assert_non_null(strstr(ran->out, "none.conf: No such file"));
    place_text("file.sock", "not a socket");
    ran = program(NULL, "doctor", "--admin-socket", place("file.sock"), "--config",
                  place("none.conf"));
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "is not a socket"));
    /* One that nobody listens at any more. */
    strncpy(address.sun_path, place("left.sock"), sizeof(address.sun_path) - 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
    ran = program(NULL, "doctor", "--admin-socket", place("left.sock"), "--config",
                  place("none.conf"));
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "has ended"));
    ran = program(NULL, "doctor", "--rebuild-catalog", "--admin-socket", place("none.sock"));
    failed(ran, 1, "none.sock");
}

static void a_configuration_that_is_not_usable_is_an_error_of_its_own(void **state)
{
    const struct ran *ran = NULL;
    (void)state;

    place_text("bad.conf", "[token]\nlabel = stirkeep\nnonsense = 1\n");
    ran = program(NULL, "doctor", "--admin-socket", place("none.sock"), "--config",
                  place("bad.conf"));
    assert_int_equal(ran->status, 1);
    assert_non_null(strstr(ran->out, "the configuration is not usable"));
    assert_non_null(strstr(ran->out, "bad.conf:3"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_stand_in_a_column_and_nothing_steers_the_terminal,
                                        set_up, place_tear_down),
        cmocka_unit_test_setup_teardown(warnings_alone_are_no_failure_and_errors_are, set_up,
                                        place_tear_down),
        cmocka_unit_test_setup_teardown(a_configuration_that_others_may_write_to_is_an_error,
                                        set_up, place_tear_down),
        cmocka_unit_test_setup_teardown(a_rebuild_tells_what_came_and_fails_with_a_problem, set_up,
                                        place_tear_down),
        cmocka_unit_test_setup_teardown(who_is_refused_is_told_what_he_may_do, set_up,
                                        place_tear_down),
        cmocka_unit_test_setup_teardown(without_a_service_what_is_there_is_told, set_up,
                                        place_tear_down),
        cmocka_unit_test_setup_teardown(a_configuration_that_is_not_usable_is_an_error_of_its_own,
                                        set_up, place_tear_down),
    };

    assert_true(argc > 1);
    program_set(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
