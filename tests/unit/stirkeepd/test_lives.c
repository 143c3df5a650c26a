/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lives.h"
#include "stirkeepd/lives.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* It is started after so long, and not before. */
static void assert_waits(struct lives *lives, enum stk_room room, uint64_t ms)
{
    assert_int_equal(record_of(lives, room)->state, STK_ROOM_WAITING);
    if (ms > 0) {
        lives->now += ms * MS - 1;
        assert_int_equal(tick(lives), 1);
        assert_int_equal(record_of(lives, room)->state, STK_ROOM_WAITING);
        lives->now += 1;
    }
    (void)tick(lives);
    assert_int_equal(record_of(lives, room)->state, STK_ROOM_STARTING);
}

static void the_back_off_doubles_up_to_five_seconds(void **state)
{
    static const uint64_t expected[] = {0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000};
    struct lives *lives = *state;

    start_all(lives);
    service_mode(&lives->service, "front", "exit");
    assert_int_equal(kill(record_of(lives, STK_ROOM_FRONT)->pid, SIGKILL), 0);
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        (void)bury(lives, STK_ROOM_FRONT);
        assert_waits(lives, STK_ROOM_FRONT, expected[i]);
    }
    assert_int_equal(lives->rooms.phase, STK_PHASE_RUNNING);
}

static void ten_seconds_of_life_reset_the_back_off_and_less_does_not(void **state)
{
    struct lives *lives = *state;

    start_all(lives);
    kill_and_bury(lives, STK_ROOM_KEEPER);
    assert_waits(lives, STK_ROOM_KEEPER, 0);
    hear(lives, STK_ROOM_KEEPER);
    lives->now += 10 * SECOND - 1;
    kill_and_bury(lives, STK_ROOM_KEEPER);
    assert_waits(lives, STK_ROOM_KEEPER, 50);
    hear(lives, STK_ROOM_KEEPER);
    lives->now += 10 * SECOND;
    kill_and_bury(lives, STK_ROOM_KEEPER);
    assert_waits(lives, STK_ROOM_KEEPER, 0);
}

/* Living for long without ever being ready is no reason to begin anew. */
static void time_spent_starting_is_no_life(void **state)
{
    struct lives *lives = *state;

    start_all(lives);
    service_mode(&lives->service, "front", "hang");
    kill_and_bury(lives, STK_ROOM_FRONT);
    assert_waits(lives, STK_ROOM_FRONT, 0);
    lives->now += 20 * SECOND;
    kill_and_bury(lives, STK_ROOM_FRONT);
    assert_waits(lives, STK_ROOM_FRONT, 50);
}

static void a_room_that_does_not_get_ready_is_killed(void **state)
{
    struct lives *lives = *state;
    int status = 0;

    start_all(lives);
    service_mode(&lives->service, "intake", "hang");
    kill_and_bury(lives, STK_ROOM_INTAKE);
    assert_waits(lives, STK_ROOM_INTAKE, 0);
    lives->now += 30 * SECOND - 1;
    assert_int_equal(tick(lives), 1);
    assert_int_equal(record_of(lives, STK_ROOM_INTAKE)->state, STK_ROOM_STARTING);
    lives->now += 1;
    assert_int_equal(tick(lives), -1);
    status = bury(lives, STK_ROOM_INTAKE);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_waits(lives, STK_ROOM_INTAKE, 50);
}

static void a_keeper_that_never_gets_ready_ends_a_service_that_never_was(void **state)
{
    struct lives *lives = *state;

    service_mode(&lives->service, "keeper", "hang");
    stk_rooms_begin(&lives->rooms, lives->now);
    assert_int_equal(tick(lives), 120000);
    lives->now += 120 * SECOND;
    assert_int_equal(tick(lives), -1);
    (void)bury(lives, STK_ROOM_KEEPER);
    assert_int_equal(lives->rooms.phase, STK_PHASE_STOPPED);
    assert_int_equal(lives->rooms.exit_status, 1);
}

static void rooms_that_do_not_end_are_killed_after_five_seconds_each(void **state)
{
    static const char *const names[] = {"keeper", "intake", "front"};
    struct lives *lives = *state;

    for (size_t i = 0; i < STK_ROOM_COUNT; i++)
        service_mode(&lives->service, names[i], "stay");
    start_all(lives);
    stk_rooms_stop(&lives->rooms, 0, lives->now);
    for (unsigned i = STK_ROOM_COUNT; i-- > 0;) {
        assert_int_equal(record_of(lives, (enum stk_room)i)->state, STK_ROOM_ENDING);
        for (unsigned other = 0; other < i; other++) /* their turn comes later */
            assert_int_equal(record_of(lives, (enum stk_room)other)->state, STK_ROOM_UP);
        lives->now += 5 * SECOND - 1;
        assert_int_equal(tick(lives), 1);
        assert_false(record_of(lives, (enum stk_room)i)->killed);
        lives->now += 1;
        (void)tick(lives);
        assert_true(record_of(lives, (enum stk_room)i)->killed);
        assert_true(WIFSIGNALED(bury(lives, (enum stk_room)i)));
    }
    assert_int_equal(lives->rooms.phase, STK_PHASE_STOPPED);
    assert_int_equal(lives->rooms.exit_status, 0);
}

static void the_first_reason_to_stop_decides_the_exit_status(void **state)
{
    struct lives *lives = *state;

    service_mode(&lives->service, "intake", "fail");
    stk_rooms_begin(&lives->rooms, lives->now);
    hear(lives, STK_ROOM_KEEPER);
    (void)bury(lives, STK_ROOM_INTAKE);
    stk_rooms_stop(&lives->rooms, 0, lives->now);
    (void)bury(lives, STK_ROOM_KEEPER);
    assert_int_equal(lives->rooms.phase, STK_PHASE_STOPPED);
    assert_int_equal(lives->rooms.exit_status, 1);
}

static void a_room_that_closed_its_channel_has_two_seconds_to_go(void **state)
{
    struct lives *lives = *state;

    start_all(lives);
    service_mode(&lives->service, "front", "mute");
    kill_and_bury(lives, STK_ROOM_FRONT);
    assert_waits(lives, STK_ROOM_FRONT, 0);
    while (record_of(lives, STK_ROOM_FRONT)->control >= 0)
        hear(lives, STK_ROOM_FRONT); /* READY, and the end */
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_ENDING);
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->control, -1);
    lives->now += 2 * SECOND - 1;
    assert_int_equal(tick(lives), 1);
    assert_false(record_of(lives, STK_ROOM_FRONT)->killed);
    lives->now += 1;
    (void)tick(lives);
    assert_true(WIFSIGNALED(bury(lives, STK_ROOM_FRONT)));
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_WAITING);
}

static void readiness_of_the_dead_does_not_count(void **state)
{
    struct lives *lives = *state;

    service_mode(&lives->service, "keeper", "brief");
    stk_rooms_begin(&lives->rooms, lives->now);
    (void)bury(lives, STK_ROOM_KEEPER); /* READY was never heard */
    assert_int_equal(record_of(lives, STK_ROOM_INTAKE)->state, STK_ROOM_ABSENT);
    assert_int_equal(lives->rooms.phase, STK_PHASE_STOPPED);
    assert_int_equal(lives->rooms.exit_status, 1);
}

/* A child that it left behind may go on talking on its channel. */
static void a_dead_room_is_not_listened_to_for_ever(void **state)
{
    struct lives *lives = *state;

    start_all(lives);
    service_mode(&lives->service, "front", "chatter");
    kill_and_bury(lives, STK_ROOM_FRONT);
    assert_waits(lives, STK_ROOM_FRONT, 0);
    assert_int_equal(WEXITSTATUS(bury(lives, STK_ROOM_FRONT)), 1);
    assert_false(record_of(lives, STK_ROOM_FRONT)->explained);
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_WAITING);
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->control, -1);
}

static void the_death_of_a_stranger_changes_nothing(void **state)
{
    struct lives *lives = *state;

    start_all(lives);
    stk_rooms_bury(&lives->rooms, 1, 0, lives->now);
    stk_rooms_bury(&lives->rooms, 0, 0, lives->now);
    for (unsigned i = 0; i < STK_ROOM_COUNT; i++)
        assert_int_equal(record_of(lives, (enum stk_room)i)->state, STK_ROOM_UP);
}

static void a_stop_while_a_room_waits_does_not_start_it(void **state)
{
    struct lives *lives = *state;

    start_all(lives);
    service_mode(&lives->service, "front", "exit");
    kill_and_bury(lives, STK_ROOM_FRONT);
    assert_waits(lives, STK_ROOM_FRONT, 0);
    (void)bury(lives, STK_ROOM_FRONT);
    stk_rooms_stop(&lives->rooms, 0, lives->now);
    assert_int_equal(access(lives->service.sign, F_OK), -1);
    lives->now += SECOND;
    (void)tick(lives);
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_ABSENT);
    (void)bury(lives, STK_ROOM_INTAKE);
    (void)bury(lives, STK_ROOM_KEEPER);
    assert_int_equal(lives->rooms.phase, STK_PHASE_STOPPED);
}

/* ---- seals */

static struct stk_control_message sealed_by(enum stk_room room, const char *text)
{
    struct stk_control_message message = {.kind = STK_CONTROL_SEALED, .room = room, .number = 17};

    (void)snprintf(message.text, sizeof(message.text), "%s", text);
    return message;
}

static void seals_are_taken_from_the_keeper_alone(void **state)
{
    static const char seal[] =
        "{\"seq\":18,\"act\":\"seal\",\"through\":17,\"head\":"
        "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}";
    struct lives *lives = *state;
    struct stk_control_message message = {0};

    start_all(lives);
    message = sealed_by(STK_ROOM_KEEPER, seal);
    assert_true(stk_rooms_take_message(&lives->rooms, STK_ROOM_KEEPER, &message, lives->now));
    message = sealed_by(STK_ROOM_KEEPER, "no seal\n");
    assert_false(stk_rooms_take_message(&lives->rooms, STK_ROOM_KEEPER, &message, lives->now));
    for (enum stk_room room = STK_ROOM_INTAKE; room <= STK_ROOM_FRONT; room++) {
        message = sealed_by(room, seal);
        assert_false(stk_rooms_take_message(&lives->rooms, room, &message, lives->now));
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, lives_setup, lives_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(the_back_off_doubles_up_to_five_seconds),
        TEST(ten_seconds_of_life_reset_the_back_off_and_less_does_not),
        TEST(time_spent_starting_is_no_life),
        TEST(a_room_that_does_not_get_ready_is_killed),
        TEST(a_keeper_that_never_gets_ready_ends_a_service_that_never_was),
        TEST(rooms_that_do_not_end_are_killed_after_five_seconds_each),
        TEST(the_first_reason_to_stop_decides_the_exit_status),
        TEST(a_room_that_closed_its_channel_has_two_seconds_to_go),
        TEST(readiness_of_the_dead_does_not_count),
        TEST(a_dead_room_is_not_listened_to_for_ever),
        TEST(the_death_of_a_stranger_changes_nothing),
        TEST(seals_are_taken_from_the_keeper_alone),
        TEST(a_stop_while_a_room_waits_does_not_start_it),
    };

    service_programs(argc, argv);
    return cmocka_run_group_tests_name("lives", tests, NULL, NULL);
}
