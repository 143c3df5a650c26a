/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "ends.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reloads as an administrator asks for them, and what stirkeepd, the test, tells of them. */

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POLICY "configuration " DIGEST " attestation - grants 3 rules 0"

static struct stk_control_message hear_room(const struct ends *ends)
{
    struct stk_control_message message = {0};

    assert_true(born_readable(ends->born.control, 10000));
    assert_int_equal(stk_control_receive(ends->born.control, &message), STIRKEEP_OK);
    assert_int_equal(message.room, STK_ROOM_INTAKE);
    return message;
}

static void tell_over(const struct ends *ends, uint64_t number, enum stirkeep_status status,
                      const char *text)
{
    struct stk_control_message message = {
        .kind = STK_CONTROL_RELOADED, .room = STK_ROOM_INTAKE, .status = status, .number = number};

    (void)snprintf(message.text, sizeof(message.text), "%s", text);
    assert_true(stk_control_send_message(ends->born.control, &message));
}

/* A client asks; the number that stirkeepd is asked under. */
static uint64_t ask_reload(struct ends *ends, const struct client *client)
{
    struct stk_admin_request request = {.kind = STK_ADMIN_RELOAD};
    struct stk_control_message message = {0};

    ask(ends, client, &request);
    message = hear_room(ends);
    assert_int_equal(message.kind, STK_CONTROL_RELOAD);
    assert_true(message.number != 0);
    return message.number;
}

static const struct recorded *await_policy(struct ends *ends, size_t count)
{
    ends_await_act(ends, "policy", "", count);
    assert_int_equal(ends_acts(ends, "policy", ""), count);
    return ends_last_act(ends, "policy");
}

static void a_reload_is_recorded_with_who_asked_and_answered(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_admin_response response = {0};
    const struct recorded *act = NULL;

    ends_start(ends);
    client = client_new(&ends->born);
    tell_over(ends, ask_reload(ends, &client), STIRKEEP_OK,
              "configuration " DIGEST " attestation " OTHER " grants 12 rules 1000000");
    response = hear(ends, &client);
    assert_int_equal(response.status, STIRKEEP_OK);
    assert_int_equal(response.kind, STK_ADMIN_RELOAD);
    assert_string_equal(response.configuration, DIGEST);
    assert_string_equal(response.attestation, OTHER);
    assert_int_equal(response.grants, 12);
    assert_int_equal(response.attest_rules, 1000000);
    act = await_policy(ends, 1); /* and before it was answered */
    assert_string_equal(act->outcome, "ok");
    assert_string_equal(act->detail,
                        "configuration " DIGEST " attestation " OTHER " grants 12 rules 1000000");
    assert_int_equal(act->peer.uid, getuid());
    assert_int_equal(act->peer.pid, getpid());
    assert_int_equal(act->request_id, ends->last_id);
    client_free(&client);
}

static void one_that_was_refused_is_recorded_with_the_reason(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    struct stk_admin_response response = {0};
    const struct recorded *act = NULL;

    ends_start(ends);
    client = client_new(&ends->born);
    tell_over(ends, ask_reload(ends, &client), STIRKEEP_CONFIG, "x.conf:7: [grant g] user: why");
    response = hear(ends, &client);
    assert_int_equal(response.status, STIRKEEP_CONFIG);
    assert_string_equal(response.message, "x.conf:7: [grant g] user: why");
    act = await_policy(ends, 1);
    assert_string_equal(act->outcome, "config");
    assert_string_equal(act->detail, "x.conf:7: [grant g] user: why");
    assert_int_equal(act->peer.pid, getpid());
    client_free(&client);
}

static void what_nobody_here_asked_for_is_the_services_own(void **state)
{
    struct ends *ends = *state;
    const struct recorded *act = NULL;

    ends_start(ends);
    tell_over(ends, 0, STIRKEEP_OK, POLICY); /* the start, or a signal */
    act = await_policy(ends, 1);
    assert_string_equal(act->outcome, "ok");
    assert_string_equal(act->detail, POLICY);
    assert_int_equal(act->peer.pid, 0);
    tell_over(ends, 12345, STIRKEEP_OK, POLICY); /* what a former intake asked for */
    act = await_policy(ends, 2);
    assert_int_equal(act->peer.pid, 0);
}

static void the_status_shows_the_policy_in_force(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_request status = {.kind = STK_ADMIN_STATUS};
    struct stk_admin_response response = {0};

    ends_start(ends);
    response = call(ends, status);
    assert_string_equal(response.service.configuration, "");
    tell_over(ends, 0, STIRKEEP_OK, POLICY);
    (void)await_policy(ends, 1);
    response = call(ends, status);
    assert_string_equal(response.service.configuration, DIGEST);
    assert_string_equal(response.service.attestation, "");
    tell_over(ends, 0, STIRKEEP_OK,
              "configuration " OTHER " attestation " DIGEST " grants 1 rules 2");
    tell_over(ends, 0, STIRKEEP_CONFIG, "x.conf:1: no");
    (void)await_policy(ends, 3);
    response = call(ends, status);
    assert_string_equal(response.service.configuration, OTHER);
    assert_string_equal(response.service.attestation, DIGEST);
}

static void several_who_ask_are_each_answered(void **state)
{
    struct ends *ends = *state;
    struct client clients[3] = {{0}};
    uint64_t numbers[3] = {0};

    ends_start(ends);
    for (size_t i = 0; i < 3; i++) {
        clients[i] = client_new(&ends->born);
        numbers[i] = ask_reload(ends, &clients[i]);
    }
    assert_true(numbers[0] != numbers[1] && numbers[1] != numbers[2]);
    tell_over(ends, numbers[1], STIRKEEP_CONFIG, "x.conf:1: no");
    assert_int_equal(hear(ends, &clients[1]).status, STIRKEEP_CONFIG);
    tell_over(ends, numbers[0], STIRKEEP_OK, POLICY);
    tell_over(ends, numbers[2], STIRKEEP_OK, POLICY);
    assert_int_equal(hear(ends, &clients[2]).status, STIRKEEP_OK);
    assert_int_equal(hear(ends, &clients[0]).status, STIRKEEP_OK);
    (void)await_policy(ends, 3);
    for (size_t i = 0; i < 3; i++)
        client_free(&clients[i]);
}

static void a_client_that_does_not_wait_is_recorded_all_the_same(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    const struct recorded *act = NULL;
    uint64_t number = 0;

    ends_start(ends);
    client = client_new(&ends->born);
    number = ask_reload(ends, &client);
    client_free(&client);
    (void)ends_work(ends, -1, 50);
    tell_over(ends, number, STIRKEEP_OK, POLICY);
    act = await_policy(ends, 1);
    assert_int_equal(act->peer.pid, getpid());
}

static void more_than_stirkeepd_takes_are_not_asked_for(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_request request = {.kind = STK_ADMIN_RELOAD};
    struct client clients[STK_ADMIN_CONNECTIONS_MAX] = {{0}};
    uint64_t numbers[STK_ADMIN_CONNECTIONS_MAX] = {0};
    size_t asked = 0;

    ends_start(ends);
    for (size_t i = 0; i < 20; i++) {
        clients[i] = client_new(&ends->born);
        ask(ends, &clients[i], &request);
        if (!ends_work(ends, clients[i].fd, 100)) {
            numbers[asked++] = hear_room(ends).number;
        } else {
            assert_int_equal(hear(ends, &clients[i]).status, STIRKEEP_BUSY);
        }
    }
    assert_int_equal(asked, 16);
    for (size_t i = 0; i < asked; i++)
        tell_over(ends, numbers[i], STIRKEEP_OK, POLICY);
    for (size_t i = 0; i < asked; i++)
        assert_int_equal(hear(ends, &clients[i]).status, STIRKEEP_OK);
    for (size_t i = 0; i < 20; i++)
        client_free(&clients[i]);
}

static void the_answer_waits_for_the_trail_but_not_for_ever(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    uint64_t number = 0;

    ends_start(ends);
    client = client_new(&ends->born);
    number = ask_reload(ends, &client);
    ends->keeper_silent = true;
    tell_over(ends, number, STIRKEEP_OK, POLICY);
    assert_false(ends_work(ends, client.fd, 300));
    assert_int_equal(hear(ends, &client).status, STIRKEEP_OK); /* after a second */
    assert_int_equal(ends_acts(ends, "policy", ""), 0);
    ends->keeper_silent = false;
    (void)await_policy(ends, 1);
    client_free(&client);
}

/* ---- before it takes over */

static void tell_policy(const struct ends *ends, enum stk_control_kind kind, uint64_t number)
{
    struct stk_control_message message = {
        .kind = kind, .room = STK_ROOM_INTAKE, .number = number, .text = POLICY};

    assert_true(stk_control_send_message(ends->born.control, &message));
}

static enum stirkeep_status hear_recorded(struct ends *ends, uint64_t number)
{
    struct stk_control_message message = {0};

    assert_true(ends_work(ends, ends->born.control, 20000));
    message = hear_room(ends);
    assert_int_equal(message.kind, STK_CONTROL_RECORDED);
    assert_int_equal(message.number, number);
    return (enum stirkeep_status)message.status;
}

static void a_policy_is_in_the_trail_before_it_is_said_to_be(void **state)
{
    struct ends *ends = *state;
    const struct recorded *act = NULL;

    ends_start(ends);
    tell_policy(ends, STK_CONTROL_POLICY, 5);
    assert_int_equal(hear_recorded(ends, 5), STIRKEEP_OK);
    act = await_policy(ends, 1);
    assert_string_equal(act->outcome, "ok");
    assert_string_equal(act->detail, POLICY);
    assert_string_equal(
        call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS}).service.configuration,
        DIGEST);
    tell_policy(ends, STK_CONTROL_POLICY_NEXT, 6);
    assert_int_equal(hear_recorded(ends, 6), STIRKEEP_OK);
    act = await_policy(ends, 2);
    assert_string_equal(act->outcome, "begun");
}

/* It does not go through the catalog, whose disk is another. */
static void a_full_disk_of_the_catalog_holds_no_policy_up(void **state)
{
    struct ends *ends = *state;
    const struct rlimit full = {.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
    struct client client = {0};
    uint64_t number = 0;

    ends_start(ends);
    client = client_new(&ends->born);
    number = ask_reload(ends, &client);
    assert_int_equal(prlimit(ends->born.pid, RLIMIT_FSIZE, &full, NULL), 0);
    tell_policy(ends, STK_CONTROL_POLICY_NEXT, 6);
    assert_int_equal(hear_recorded(ends, 6), STIRKEEP_OK);
    tell_over(ends, number, STIRKEEP_OK, POLICY);
    assert_int_equal(hear(ends, &client).status, STIRKEEP_OK);
    (void)await_policy(ends, 2);
    client_free(&client);
}

static bool refuse_records(void *context, const struct stk_custody_order *order,
                           struct stk_custody_answer *answer)
{
    (void)context;
    if (order->kind != STK_CUSTODY_RECORD)
        return false;
    answer->status = STIRKEEP_AUDIT_UNAVAILABLE;
    return true;
}

/* Whoever asked for it hears so at once, and no other takes over before that is in the trail. */
static void without_a_trail_no_policy_takes_over(void **state)
{
    struct ends *ends = *state;
    struct client client = {0};
    uint64_t number = 0;

    ends_start(ends);
    client = client_new(&ends->born);
    number = ask_reload(ends, &client);
    ends->instead = refuse_records;
    tell_policy(ends, STK_CONTROL_POLICY_NEXT, 6);
    assert_int_equal(hear_recorded(ends, 6), STIRKEEP_AUDIT_UNAVAILABLE);
    tell_over(ends, number, STIRKEEP_AUDIT_UNAVAILABLE, "the policy cannot be recorded");
    assert_int_equal(hear(ends, &client).status, STIRKEEP_AUDIT_UNAVAILABLE);
    tell_policy(ends, STK_CONTROL_POLICY_NEXT, 7);
    assert_int_equal(hear_recorded(ends, 7), STIRKEEP_AUDIT_UNAVAILABLE);
    ends->act_count = 0;
    ends->instead = NULL;
    ends_await_act(ends, "policy", "", 1);
    assert_string_equal(ends_last_act(ends, "policy")->outcome, "audit-unavailable");
    assert_int_equal(ends_last_act(ends, "policy")->peer.pid, getpid());
    tell_policy(ends, STK_CONTROL_POLICY_NEXT, 8);
    assert_int_equal(hear_recorded(ends, 8), STIRKEEP_OK);
    client_free(&client);
}

/* ---- another configuration */

static void send_config(const struct ends *ends, const char *text, uint64_t number)
{
    struct stk_control_message message = {.kind = STK_CONTROL_CONFIG,
                                          .room = STK_ROOM_INTAKE,
                                          .number = number,
                                          .fd_count = 1,
                                          .fds = {memfd_create("config", MFD_CLOEXEC)}};
    struct stk_config *config = NULL;
    struct stk_buffer resolved = {0};
    struct stk_error error = {0};

    if (stk_config_resolve(text, strlen(text), "configuration", &config, &resolved, &error) !=
        STIRKEEP_OK)
        fail_msg("%s", error.message);
    assert_true(stk_file_write_all(message.fds[0], resolved.data, resolved.length));
    assert_true(stk_control_send_message(ends->born.control, &message));
    (void)close(message.fds[0]);
    stk_config_free(config);
    stk_buffer_free(&resolved);
}

static void give_administrators(const struct ends *ends, const char *users, uint64_t number)
{
    char text[256] = "";
    struct stk_control_message taken = {0};

    (void)snprintf(text, sizeof(text), "[token]\nlabel = other\n[admin]\nuser = %s\n", users);
    send_config(ends, text, number);
    taken = hear_room(ends);
    assert_int_equal(taken.kind, STK_CONTROL_TAKEN);
    assert_int_equal(taken.number, number);
    assert_int_equal(taken.status, STIRKEEP_OK);
}

static void who_is_no_administrator_any_more_is_put_out(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_request status = {.kind = STK_ADMIN_STATUS};
    struct stk_admin_response response = {0};
    struct client idle = {0};
    struct client late = {0};
    char me[32] = "";

    ends_start(ends);
    idle = client_new(&ends->born);
    ask(ends, &idle, &status);
    assert_int_equal(hear(ends, &idle).status, STIRKEEP_OK);
    give_administrators(ends, "61234", 7);
    response = hear(ends, &idle);
    assert_int_equal(response.id, 0);
    assert_int_equal(response.status, STIRKEEP_NOT_PERMITTED);
    assert_true(client_ended(&idle));
    late = client_new(&ends->born);
    assert_int_equal(hear(ends, &late).status, STIRKEEP_NOT_PERMITTED);
    ends_await_act(ends, "admin-refused", "", 2);
    /* And back again. */
    (void)snprintf(me, sizeof(me), "61234, %u", (unsigned)getuid());
    give_administrators(ends, me, 8);
    assert_int_equal(call(ends, status).status, STIRKEEP_OK);
    client_free(&idle);
    client_free(&late);
}

static void what_an_administrator_has_under_way_is_answered_and_the_next_refused(void **state)
{
    struct ends *ends = *state;
    struct stk_admin_request status = {.kind = STK_ADMIN_STATUS};
    struct client client = {0};
    uint64_t number = 0;

    ends_start(ends);
    client = client_new(&ends->born);
    number = ask_reload(ends, &client);
    ask(ends, &client, &status); /* pipelined */
    give_administrators(ends, "61234", 9);
    tell_over(ends, number, STIRKEEP_OK, POLICY);
    assert_int_equal(hear(ends, &client).status, STIRKEEP_OK);
    assert_int_equal(hear(ends, &client).status, STIRKEEP_NOT_PERMITTED);
    assert_true(client_ended(&client));
    client_free(&client);
}

static void nothing_but_the_administrators_is_taken(void **state)
{
    struct ends *ends = *state;
    struct material alpha = material_new(NULL, SOUND);
    char me[32] = "";

    ends_start(ends);
    (void)snprintf(me, sizeof(me), "%u", (unsigned)getuid());
    give_administrators(ends, me, 1); /* of a configuration without a template for x5u */
    (void)import_done(ends, &alpha, "Alpha");
    assert_non_null(strstr(ends_known(ends, "Alpha")->x5u, "https://certs.example.com/Alpha"));
    material_free(&alpha);
}

static void what_is_no_configuration_is_not_taken(void **state)
{
    struct ends *ends = *state;
    struct stk_control_message message = {.kind = STK_CONTROL_CONFIG,
                                          .room = STK_ROOM_INTAKE,
                                          .number = 5,
                                          .fd_count = 1,
                                          .fds = {memfd_create("config", MFD_CLOEXEC)}};

    ends_start(ends);
    assert_true(stk_file_write_all(message.fds[0], "[admin]\nuser = 61234\n", 21));
    assert_true(stk_control_send_message(ends->born.control, &message));
    (void)close(message.fds[0]);
    message = hear_room(ends);
    assert_int_equal(message.kind, STK_CONTROL_TAKEN);
    assert_int_equal(message.number, 5);
    assert_int_not_equal(message.status, STIRKEEP_OK);
    assert_true(strlen(message.text) > 0);
    assert_int_equal(call(ends, (struct stk_admin_request){.kind = STK_ADMIN_STATUS}).status,
                     STIRKEEP_OK);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, ends_set_up, ends_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reload_is_recorded_with_who_asked_and_answered),
        TEST(one_that_was_refused_is_recorded_with_the_reason),
        TEST(what_nobody_here_asked_for_is_the_services_own),
        TEST(the_status_shows_the_policy_in_force),
        TEST(several_who_ask_are_each_answered),
        TEST(a_client_that_does_not_wait_is_recorded_all_the_same),
        TEST(more_than_stirkeepd_takes_are_not_asked_for),
        TEST(the_answer_waits_for_the_trail_but_not_for_ever),
        TEST(a_policy_is_in_the_trail_before_it_is_said_to_be),
        TEST(a_full_disk_of_the_catalog_holds_no_policy_up),
        TEST(without_a_trail_no_policy_takes_over),
        TEST(who_is_no_administrator_any_more_is_put_out),
        TEST(what_an_administrator_has_under_way_is_answered_and_the_next_refused),
        TEST(nothing_but_the_administrators_is_taken),
        TEST(what_is_no_configuration_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
