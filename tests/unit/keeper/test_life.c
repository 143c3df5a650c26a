/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "run.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void expect_signature(struct run *run, const struct test_key *key)
{
    struct stk_order order = run_order(run, key);
    struct stk_answer answer = run_sign(run, &order);

    assert_int_equal(answer.status, STIRKEEP_OK);
    assert_true(test_key_verifies(key, &answer));
}

/* Everything is answered, with TOKEN_LOCKED; records are still taken. */
static void expect_locked(struct run *run, const char *trail)
{
    struct test_key key = test_key_make("Alpha");
    struct stk_order order = run_order(run, &key);
    struct stk_custody_order token = {.kind = STK_CUSTODY_TOKEN};
    struct stk_custody_order record = {
        .kind = STK_CUSTODY_RECORD, .act = "replay", .outcome = "ok", .detail = ""};
    struct stk_answer answer = run_sign(run, &order);

    assert_int_equal(answer.status, STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(answer.identity_length, 0);
    assert_true(strlen(answer.message) > 0);
    assert_int_equal(run_custody(run, &token).status, STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(run_prove(run, &key.id).status, STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(run_destroy(run, &key.id).status, STIRKEEP_TOKEN_LOCKED);
    assert_int_equal(run_custody(run, &record).status, STIRKEEP_OK);
    assert_int_equal(kill(run->pid, 0), 0);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(trail_count(run, trail, "\"outcome\":\"token-locked\"", "\"act\":\"sign\""),
                     1);
    (void)trail_records(run, trail);
    test_key_free(&key);
}

static void a_refused_pin_is_told_once_and_the_keeper_stays_up(void **state)
{
    struct run *run = *state;
    struct run_options options = {.pin = "wrong-pin\n", .audit_file = "refused.jsonl"};

    assert_int_equal(run_start_and_hear(run, &options).kind, STK_CONTROL_PIN_REFUSED);
    assert_int_equal(run_hear(run).kind, STK_CONTROL_READY);
    expect_locked(run, "refused.jsonl");
}

static void without_a_pin_the_keeper_stays_up(void **state)
{
    struct run *run = *state;

    run_start(run, &(struct run_options){.pin = "", .audit_file = "without.jsonl"});
    expect_locked(run, "without.jsonl");
}

static void a_pin_file_that_holds_no_pin_is_told_as_such(void **state)
{
    char long_pin[STK_PIN_MAX + 3] = "";
    struct stk_control_message said =
        run_start_and_hear(*state, &(struct run_options){.pin = "\n"});

    assert_int_equal(said.kind, STK_CONTROL_FAILED);
    assert_non_null(strstr(said.text, "PIN"));
    assert_int_equal(run_wait(*state), 1);
    memset(long_pin, 'x', sizeof(long_pin) - 1);
    said = run_start_and_hear(*state, &(struct run_options){.pin = long_pin});
    assert_int_equal(said.kind, STK_CONTROL_FAILED);
    assert_null(strstr(said.text, "xxx"));
    assert_int_equal(run_wait(*state), 1);
}

static void expect_pin_with(void **state, const char *end)
{
    struct run *run = *state;
    char pin[64] = "";
    FILE *file = fopen(run_path(run, "pin"), "re");
    struct test_key key = {0};

    assert_non_null(file);
    assert_non_null(fgets(pin, sizeof(pin) - 1, file));
    (void)fclose(file);
    pin[strcspn(pin, "\n")] = '\0';
    (void)strncat(pin, end, sizeof(pin) - strlen(pin) - 1);
    run_start(run, &(struct run_options){.pin = pin});
    key = run_new_key(run, "Alpha");
    expect_signature(run, &key);
    test_key_free(&key);
}

static void a_pin_file_may_end_in_a_newline_of_either_kind(void **state)
{
    expect_pin_with(state, "");
    expect_pin_with(state, "\n");
    expect_pin_with(state, "\r\n");
}

static void draining_answers_what_is_queued(void **state)
{
    enum { MESSAGES = 6 };
    struct run *run = *state;
    struct stk_order orders[STK_BATCH_MAX];
    struct test_key key = {0};
    size_t count = 0;
    size_t signed_count = 0;

    run_start(run, &(struct run_options){.audit_file = "drain.jsonl", .sessions = 1});
    key = run_new_key(run, "Alpha");
    for (int i = 0; i < MESSAGES; i++) {
        for (size_t j = 0; j < STK_BATCH_MAX; j++)
            orders[j] = run_order(run, &key);
        run_send(run, orders, STK_BATCH_MAX, NULL, 0);
    }
    assert_int_equal(run_drain(run), 0);
    for (int i = 0; i < MESSAGES; i++) {
        struct stk_answer *answers = run_answers(run, &count);

        for (size_t j = 0; j < count; j++)
            signed_count += test_key_verifies(&key, &answers[j]);
    }
    assert_int_equal(signed_count, MESSAGES * STK_BATCH_MAX);
    assert_int_equal(trail_count(run, "drain.jsonl", "\"act\":\"stop\"", ""), 1);
    (void)trail_records(run, "drain.jsonl");
    test_key_free(&key);
}

static void when_the_porter_is_gone_the_keeper_goes_at_once(void **state)
{
    struct run *run = *state;
    uint64_t since = 0;

    run_start(run, &(struct run_options){.audit_file = "orphan.jsonl"});
    since = stk_clock_mono_us();
    (void)close(run->control);
    run->control = -1;
    assert_int_equal(run_wait(run), 0);
    assert_true(stk_clock_mono_us() - since < 1000000 * PATIENCE);
    assert_int_equal(trail_count(run, "orphan.jsonl", "\"act\":\"stop\"", ""), 1);
    (void)trail_records(run, "orphan.jsonl");
}

static void signals_of_a_terminal_or_a_service_manager_do_not_end_it(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
    struct run *run = *state;
    struct test_key key = {0};

    run_start(run, &(struct run_options){0});
    key = run_new_key(run, "Alpha");
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        assert_int_equal(kill(run->pid, signals[i]), 0);
    expect_signature(run, &key);
    test_key_free(&key);
}

/* What a dead keeper had not taken yet waits for its successor: what is too old by then is answered
 * as such. */
static void a_new_keeper_answers_what_the_dead_one_left(void **state)
{
    struct run *run = *state;
    struct run_options options = {.audit_file = "stale.jsonl"};
    struct stk_order orders[2];
    struct stk_answer *answers = NULL;
    struct test_key key = {0};
    size_t count = 0;

    run_start(run, &options);
    key = run_new_key(run, "Alpha");
    assert_int_equal(kill(run->pid, SIGKILL), 0);
    assert_int_equal(run_wait(run), -1);
    orders[0] = run_order(run, &key);
    orders[0].deadline_us = stk_clock_mono_us() + 1000;
    orders[1] = run_order(run, &key);
    orders[1].deadline_us += 20000000;
    run_send(run, orders, 2, NULL, 0);
    run_start(run, &options);
    answers = run_answers(run, &count);
    assert_int_equal(count, 2);
    assert_int_equal(answers[0].status, STIRKEEP_DEADLINE);
    assert_true(test_key_verifies(&key, &answers[1]));
    expect_signature(run, &key);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(trail_count(run, "stale.jsonl", "\"outcome\":\"deadline\"", ""), 1);
    (void)trail_records(run, "stale.jsonl");
    test_key_free(&key);
}

/* Cut off at any moment, an import leaves a key that can sign or none; and none is in the way of
 * the next try. */
static void a_keeper_killed_while_it_imports_leaves_a_whole_key_or_none(void **state)
{
    enum { KILLS = 12, STEP_US = 1200 };
    struct run *run = *state;
    struct run_options options = {.audit_file = "killed.jsonl"};

    for (unsigned i = 0; i < KILLS; i++) {
        struct test_key key = test_key_make("Alpha");
        struct stk_custody_order order = {.kind = STK_CUSTODY_IMPORT,
                                          .name = {"Alpha"},
                                          .key_id = key.id,
                                          .chain = {key.certificate},
                                          .chain_count = 1};
        struct stk_buffer sealed = {0};
        struct stk_custody_answer answer = {0};

        (void)run_clean_up(state);
        run_start(run, &options);
        run_seal(run, &key, &sealed);
        order.sealed = (struct stk_bytes){sealed.data, sealed.length};
        run_send_custody(run, &order);
        stk_buffer_free(&sealed);
        (void)usleep(i * STEP_US);
        (void)run_clean_up(state);
        run_start(run, &options);
        answer = run_prove(run, &key.id);
        assert_true(answer.status == STIRKEEP_OK || answer.status == STIRKEEP_KEY_UNAVAILABLE);
        answer = run_import_as(run, &key, &key);
        if (answer.status != STIRKEEP_OK)
            fail_msg("%s", answer.message);
        expect_signature(run, &key);
        test_key_free(&key);
    }
    assert_int_equal(run_drain(run), 0);
    (void)trail_records(run, "killed.jsonl");
}

/* SoftHSM waits for a lock on its files for as long as it takes: a call that hangs, for real. */
static void hold_token(const struct run *run, int fds[], size_t max, size_t *ret_count)
{
    char command[256] = "";
    char path[512] = "";
    size_t count = 0;
    FILE *files = NULL;

    (void)snprintf(command, sizeof(command), "find %s/tokens -type f", run->directory);
    files = popen(command, "re");
    assert_non_null(files);
    while (count < max && fgets(path, sizeof(path), files) != NULL) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        path[strcspn(path, "\n")] = '\0';
        fds[count] = open(path, O_RDWR | O_CLOEXEC);
        assert_true(fds[count] >= 0);
        assert_int_equal(fcntl(fds[count], F_SETLKW, &whole), 0);
        count++;
    }
    (void)pclose(files);
    assert_true(count > 0);
    *ret_count = count;
}

static void a_call_that_hangs_ends_the_keeper(void **state)
{
    struct run *run = *state;
    struct run_options options = {.audit_file = "hang.jsonl", .call_timeout_ms = 400};
    struct stk_order order = {0};
    struct test_key key = {0};
    int fds[256];
    size_t count = 0;
    uint64_t since = 0;

    run_start(run, &options);
    key = run_new_key(run, "Alpha");
    order = run_order(run, &key);
    order.deadline_us += 20000000;
    hold_token(run, fds, sizeof(fds) / sizeof(fds[0]), &count);
    since = stk_clock_mono_us();
    run_send(run, &order, 1, NULL, 0);
    assert_int_equal(run_wait(run), 1);
    assert_true(stk_clock_mono_us() - since >= 400000);
    assert_true(stk_clock_mono_us() - since < 2000000 * PATIENCE);
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
    run_start(run, &options);
    expect_signature(run, &key);
    assert_int_equal(run_drain(run), 0);
    assert_int_equal(trail_count(run, "hang.jsonl", "\"act\":\"token-lost\"", "has hung"), 1);
    (void)trail_records(run, "hang.jsonl");
    test_key_free(&key);
}

static void a_custody_call_that_hangs_ends_the_keeper(void **state)
{
    struct run *run = *state;
    struct run_options options = {.audit_file = "hang.jsonl", .call_timeout_ms = 400};
    struct stk_custody_order order = {.kind = STK_CUSTODY_DESTROY};
    struct test_key key = {0};
    int fds[256];
    size_t count = 0;
    uint64_t since = 0;

    run_start(run, &options);
    key = run_new_key(run, "Alpha");
    order.key_id = key.id;
    hold_token(run, fds, sizeof(fds) / sizeof(fds[0]), &count);
    since = stk_clock_mono_us();
    run_send_custody(run, &order);
    assert_int_equal(run_wait(run), 1);
    assert_true(stk_clock_mono_us() - since < 2000000 * PATIENCE);
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
    test_key_free(&key);
}

static void it_is_not_started_by_hand(void **state)
{
    char name[] = "stirkeep-keeper";
    char *arguments[] = {name, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int status = 0;

    (void)state;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    for (int fd = 3; fd <= STK_FD_KEEPER_NUMBERS; fd++)
        (void)posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    assert_int_equal(
        posix_spawn(&child, getenv("STIRKEEP_KEEPER"), &actions, NULL, arguments, NULL), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_refused_pin_is_told_once_and_the_keeper_stays_up, run_clean_up),
        cmocka_unit_test_teardown(without_a_pin_the_keeper_stays_up, run_clean_up),
        cmocka_unit_test_teardown(a_pin_file_that_holds_no_pin_is_told_as_such, run_clean_up),
        cmocka_unit_test_teardown(a_pin_file_may_end_in_a_newline_of_either_kind, run_clean_up),
        cmocka_unit_test_teardown(draining_answers_what_is_queued, run_clean_up),
        cmocka_unit_test_teardown(when_the_porter_is_gone_the_keeper_goes_at_once, run_clean_up),
        cmocka_unit_test_teardown(signals_of_a_terminal_or_a_service_manager_do_not_end_it,
                                  run_clean_up),
        cmocka_unit_test_teardown(a_new_keeper_answers_what_the_dead_one_left, run_clean_up),
        cmocka_unit_test_teardown(a_keeper_killed_while_it_imports_leaves_a_whole_key_or_none,
                                  run_clean_up),
        cmocka_unit_test_teardown(a_call_that_hangs_ends_the_keeper, run_clean_up),
        cmocka_unit_test_teardown(a_custody_call_that_hangs_ends_the_keeper, run_clean_up),
        cmocka_unit_test(it_is_not_started_by_hand),
    };

    run_require_softhsm();
    return cmocka_run_group_tests(tests, run_set_up, run_tear_down);
}
