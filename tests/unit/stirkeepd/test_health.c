/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lives.h"

#include "stirkeepd/health.h"
#include "stirkeepd/lives.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct lives *begin(void **state)
{
    struct lives *lives = *state;

    start_all(lives);
    lives->rooms.health.pings = true;
    return lives;
}

/* They were asked by the last tick. */
static void hear_all(struct lives *lives)
{
    for (unsigned room = 0; room < STK_ROOM_COUNT; room++)
        hear(lives, (enum stk_room)room);
}

static void rooms_that_answer_are_asked_again_and_again(void **state)
{
    struct lives *lives = begin(state);

    assert_int_equal(tick(lives), STK_PING_MS);
    for (int i = 0; i < 20; i++) {
        lives->now += STK_PING_MS * MS;
        assert_int_equal(tick(lives), STK_SILENT_MS);
        hear_all(lives);
        assert_int_equal(tick(lives), STK_PING_MS);
    }
    for (unsigned room = 0; room < STK_ROOM_COUNT; room++)
        assert_int_equal(record_of(lives, (enum stk_room)room)->state, STK_ROOM_UP);
}

static void one_that_does_not_answer_is_killed_and_replaced(void **state)
{
    struct lives *lives = begin(state);
    struct stk_room_record *front = record_of(lives, STK_ROOM_FRONT);
    int status = 0;

    assert_int_equal(kill(front->pid, SIGSTOP), 0);
    lives->now += STK_PING_MS * MS;
    (void)tick(lives);
    hear(lives, STK_ROOM_KEEPER);
    hear(lives, STK_ROOM_INTAKE);
    lives->now += STK_SILENT_MS * MS - 1;
    (void)tick(lives);
    hear(lives, STK_ROOM_KEEPER);
    hear(lives, STK_ROOM_INTAKE);
    assert_int_equal(front->state, STK_ROOM_UP);
    lives->now += 1;
    (void)tick(lives);
    assert_int_equal(front->state, STK_ROOM_ENDING);
    status = bury(lives, STK_ROOM_FRONT);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(front->state, STK_ROOM_WAITING);
    (void)tick(lives);
    hear(lives, STK_ROOM_FRONT);
    assert_int_equal(front->state, STK_ROOM_UP);
    /* The successor owes nothing. */
    lives->now += STK_PING_MS * MS;
    (void)tick(lives);
    hear_all(lives);
    assert_int_equal(front->silent_us, 0);
}

static void a_room_that_is_starting_is_not_asked(void **state)
{
    struct lives *lives = begin(state);

    service_mode(&lives->service, "front", "hang");
    kill_and_bury(lives, STK_ROOM_FRONT);
    (void)tick(lives);
    lives->now += STK_PING_MS * MS;
    (void)tick(lives);
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->state, STK_ROOM_STARTING);
    assert_int_equal(record_of(lives, STK_ROOM_FRONT)->silent_us, 0);
}

/* ---- the service manager's watchdog */

static int manager_socket(char ret_path[64])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)snprintf(ret_path, 64, "/tmp/stk-notify-%d", (int)getpid());
    (void)unlink(ret_path);
    (void)strcpy(address.sun_path, ret_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", ret_path, 1), 0);
    return fd;
}

static unsigned pings(int manager)
{
    char text[256] = "";
    unsigned count = 0;
    ssize_t length = 0;

    while ((length = recv(manager, text, sizeof(text) - 1, 0)) > 0) {
        text[length] = '\0';
        count += strcmp(text, "WATCHDOG=1") == 0 ? 1 : 0;
    }
    return count;
}

static void the_watchdog_hears_at_half_of_its_time(void **state)
{
    struct lives *lives = *state;
    struct stk_health *health = &lives->rooms.health;
    char path[64] = "";
    int manager = manager_socket(path);

    start_all(lives);
    (void)setenv("WATCHDOG_USEC", "10000000", 1);
    (void)unsetenv("WATCHDOG_PID");
    stk_health_start(health);
    assert_int_equal(health->watchdog_us, 5 * SECOND);
    assert_null(getenv("WATCHDOG_USEC")); /* no program that is started later is watched */
    health->pings = false;
    (void)pings(manager);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(tick(lives), 5000);
        assert_int_equal(tick(lives), 5000);
        assert_int_equal(pings(manager), 1);
        lives->now += 5 * SECOND;
    }
    (void)unsetenv("NOTIFY_SOCKET");
    (void)close(manager);
    (void)unlink(path);
}

static void a_watchdog_of_somebody_else_or_none_hears_nothing(void **state)
{
    struct lives *lives = *state;

    (void)setenv("WATCHDOG_USEC", "10000000", 1);
    (void)setenv("WATCHDOG_PID", "1", 1);
    stk_health_start(&lives->rooms.health);
    assert_int_equal(lives->rooms.health.watchdog_us, 0);
    (void)setenv("WATCHDOG_USEC", "soon", 1);
    stk_health_start(&lives->rooms.health);
    assert_int_equal(lives->rooms.health.watchdog_us, 0);
    stk_health_start(&lives->rooms.health);
    assert_int_equal(lives->rooms.health.watchdog_us, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, lives_setup, lives_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(rooms_that_answer_are_asked_again_and_again),
        TEST(one_that_does_not_answer_is_killed_and_replaced),
        TEST(a_room_that_is_starting_is_not_asked),
        TEST(the_watchdog_hears_at_half_of_its_time),
        TEST(a_watchdog_of_somebody_else_or_none_hears_nothing),
    };

    service_programs(argc, argv);
    return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
