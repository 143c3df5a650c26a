/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../valgrind.h"
#include "service.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const rooms[] = {"keeper", "intake", "front"};

static void kill_room(const struct service *service, const char *room)
{
    assert_int_equal(kill(service_room(service, room), SIGKILL), 0);
}

/* Wait until the room was started `count` times. */
static void wait_started(const struct service *service, const char *room, unsigned count)
{
    char text[64] = "";

    (void)snprintf(text, sizeof(text), "%s starts ", room);
    service_wait(service, "events", text, count);
}

static void wait_ready(const struct service *service, const char *room, unsigned count)
{
    char text[64] = "";

    (void)snprintf(text, sizeof(text), "stirkeepd: %s: ready", room);
    service_wait(service, "log", text, count);
}

static bool start_has(const struct service *service, const char *room, const char *text)
{
    char *line = service_start_line(service, room);
    bool has = strstr(line, text) != NULL;

    free(line);
    return has;
}

/* ---- start */

static void rooms_start_one_after_the_other(void **state)
{
    struct service *service = *state;

    service_start(service, NULL, true);
    assert_true(service_before(service, "events", "keeper starts", "intake starts"));
    assert_true(service_before(service, "events", "intake starts", "front starts"));
    assert_true(service_before(service, "log", "keeper: ready", "intake: ready"));
    assert_true(service_before(service, "log", "intake: ready", "front: ready"));
    assert_true(service_before(service, "log", "front: ready", "stirkeepd: ready: signing at"));
    assert_true(service_connects(service->sign));
    assert_true(service_connects(service->admin));
}

static void a_room_waits_for_the_one_before_it(void **state)
{
    struct service *service = *state;

    service_mode(service, "intake", "hang");
    service_start(service, NULL, false);
    wait_started(service, "intake", 1);
    assert_int_equal(service_end(service, SIGTERM), 0);
    assert_int_equal(service_count(service, "events", "front starts"), 0);
    assert_int_equal(service_count(service, "log", "stirkeepd: ready:"), 0);
    assert_true(service_before(service, "events", "intake drain", "keeper drain"));
}

static void a_room_has_its_descriptors_and_variables_and_nothing_else(void **state)
{
    struct service *service = *state;
    char wanted[256] = "";

    service_start(service, NULL, true);
    for (size_t i = 0; i < 3; i++) {
        assert_true(start_has(service, rooms[i], " fds=0,1,2,3,4,5,6,7, "));
        assert_true(start_has(service, rooms[i], " SigBlk:0000000000000000 "));
        assert_true(start_has(service, rooms[i], " SigIgn:0000000000000000 "));
        assert_false(start_has(service, rooms[i], "hidden"));
    }
    (void)snprintf(wanted, sizeof(wanted),
                   " env=PATH=/usr/bin:/bin,LANG=C,GLIBC_TUNABLES=glibc.malloc.tcache_count=127,"
                   "SOFTHSM2_CONF=%s/softhsm2.conf,",
                   service->base);
    assert_true(start_has(service, "keeper", wanted));
    assert_true(start_has(service, "intake", " env=PATH=/usr/bin:/bin,LANG=C,"));
    assert_true(start_has(service, "front", " env=PATH=/usr/bin:/bin,LANG=C,"));
    assert_false(start_has(service, "intake", "SOFTHSM2"));
    assert_false(start_has(service, "front", "SOFTHSM2"));
    assert_int_equal(service_count(service, "events", "intake listens=1"), 1);
    assert_int_equal(service_count(service, "events", "front listens=1"), 1);
}

static void run_by_root_each_room_is_a_user_of_its_own(void **state)
{
    struct service *service = *state;
    char mine[64] = "";

    service_start(service, NULL, true);
    if (geteuid() == 0) {
        assert_true(start_has(service, "keeper", " uid=61003 gid=61003 "));
        assert_true(start_has(service, "intake", " uid=61002 gid=61002 "));
        assert_true(start_has(service, "front", " uid=61001 gid=61001 "));
        return;
    }
    (void)snprintf(mine, sizeof(mine), " uid=%u gid=%u ", (unsigned)geteuid(), (unsigned)getegid());
    for (size_t i = 0; i < 3; i++)
        assert_true(start_has(service, rooms[i], mine));
}

/* Without care the configuration or a socket becomes 1 or 2, and is written to. */
static void closed_standard_descriptors_harm_nothing(void **state)
{
    struct service *service = *state;

    if (is_under_valgrind("its log is at standard error"))
        return;
    service->without_standard = true;
    service_start(service, NULL, false);
    service_wait(service, "events", "front hears", 2);
    for (size_t i = 0; i < 3; i++) {
        assert_true(start_has(service, rooms[i], " fds=0,1,2,3,4,5,6,7, "));
        assert_true(start_has(service, rooms[i], " out=/dev/null err=/dev/null"));
    }
    assert_true(service_connects(service->sign));
    assert_int_equal(service_end(service, SIGTERM), 0);
    assert_int_equal(service_count(service, "events", "front drain"), 1);
}

static void what_a_room_says_before_the_other_was_born_arrives(void **state)
{
    static const char *const heard[] = {"keeper link 5: front",  "keeper link 6: intake",
                                        "intake link 6: keeper", "intake link 7: front",
                                        "front link 6: keeper",  "front link 7: intake"};
    struct service *service = *state;

    service_start(service, NULL, true);
    for (size_t i = 0; i < sizeof(heard) / sizeof(*heard); i++)
        service_wait(service, "events", heard[i], 1);
}

/* ---- telling the service manager */

static int open_notify(const struct service *service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", service->base);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    return fd;
}

static bool receives(int fd, char *ret_message, size_t size)
{
    struct pollfd watch = {.fd = fd, .events = POLLIN};
    ssize_t got = poll(&watch, 1, 0) == 1 ? recv(fd, ret_message, size - 1, 0) : -1;

    ret_message[got > 0 ? got : 0] = '\0';
    return got > 0;
}

static void the_service_manager_hears_of_readiness_and_of_the_end(void **state)
{
    struct service *service = *state;
    int fd = open_notify(service);
    char message[512] = "";

    service_mode(service, "front", "hang");
    service_start(service, NULL, false);
    (void)unsetenv("NOTIFY_SOCKET");
    wait_started(service, "front", 1);
    assert_false(receives(fd, message, sizeof(message))); /* not before the last room is ready */
    assert_int_equal(service_end(service, SIGTERM), 0);
    assert_true(receives(fd, message, sizeof(message)));
    assert_non_null(strstr(message, "STOPPING=1\n"));
    (void)close(fd);
}

static void readiness_is_told_once(void **state)
{
    struct service *service = *state;
    int fd = open_notify(service);
    char message[512] = "";
    unsigned ready = 0;

    service_start(service, NULL, true);
    (void)unsetenv("NOTIFY_SOCKET");
    kill_room(service, "front");
    wait_ready(service, "front", 2);
    assert_int_equal(service_end(service, SIGTERM), 0);
    while (receives(fd, message, sizeof(message)))
        ready += strstr(message, "READY=1\n") != NULL ? 1 : 0;
    assert_int_equal(ready, 1);
    (void)close(fd);
}

/* ---- rooms that die */

static void a_dead_room_comes_back_and_the_others_hear_of_it(void **state)
{
    struct service *service = *state;

    service_start(service, NULL, true);
    service_wait(service, "events", "front hears up", 2);
    kill_room(service, "keeper");
    wait_ready(service, "keeper", 2);
    service_wait(service, "events", "front hears down keeper", 1);
    service_wait(service, "events", "intake hears down keeper", 1);
    service_wait(service, "events", "front hears up keeper", 2);
    service_wait(service, "events", "intake hears up keeper", 2);
    service_wait(service, "events", "front link 6: keeper", 2); /* by the same link */
    kill_room(service, "intake");
    wait_ready(service, "intake", 2);
    service_wait(service, "events", "front hears down intake", 1);
    service_wait(service, "events", "front link 7: intake", 2);
    service_wait(service, "events", "front hears up intake", 2);
    kill_room(service, "front");
    wait_ready(service, "front", 2);
    service_wait(service, "events", "intake hears down front", 2); /* once at its own birth */
    service_wait(service, "events", "front hears up intake", 3);
    assert_int_equal(service_count(service, "log", "stirkeepd: ready:"), 1);
    assert_int_equal(service_count(service, "log", "ended by signal 9"), 3);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void clients_can_connect_while_front_is_dead(void **state)
{
    struct service *service = *state;

    service_start(service, NULL, true);
    service_mode(service, "front", "exit");
    kill_room(service, "front");
    service_wait(service, "log", "front: ended with status 3", 3);
    assert_true(service_connects(service->sign));
    assert_int_equal(service_count(service, "log", "before the service was ready"), 0);
    service_mode(service, "front", "ready");
    wait_ready(service, "front", 2);
}

static void what_fails_before_the_service_was_ever_ready_ends_it_with_that_line(void **state)
{
    struct service *service = *state;
    char text[64] = "";

    for (size_t i = 0; i < 3; i++) {
        service_write(service, "log", 0644, "");
        service_write(service, "events", 0666, "");
        service_mode(service, rooms[i], "fail");
        service_start(service, NULL, false);
        assert_int_equal(service_end(service, 0), 1);
        (void)snprintf(text, sizeof(text), "stirkeepd: %s: no token called t\n", rooms[i]);
        assert_int_equal(service_count(service, "log", text), 1);
        assert_int_equal(service_count(service, "log", "ended"), 0); /* that was said already */
        assert_int_equal(service_count(service, "log", "stirkeepd: ready:"), 0);
        assert_int_equal(access(service->sign, F_OK), -1);
        /* Those that were up had leave to finish. */
        assert_int_equal(service_count(service, "events", " drain\n"), i);
        service_mode(service, rooms[i], "ready");
    }
}

static void dying_without_a_word_before_readiness_ends_the_service_too(void **state)
{
    struct service *service = *state;

    service_mode(service, "intake", "exit");
    service_start(service, NULL, false);
    assert_int_equal(service_end(service, 0), 1);
    assert_int_equal(service_count(service, "log",
                                   "stirkeepd: intake: ended with status 3 before the service was "
                                   "ready\n"),
                     1);
}

static void a_missing_program_is_named(void **state)
{
    struct service *service = *state;
    char path[256] = "";
    char text[320] = "";

    (void)snprintf(path, sizeof(path), "%s/stirkeep-intake", service->libexec);
    assert_int_equal(unlink(path), 0);
    service_start(service, NULL, false);
    assert_int_equal(service_end(service, 0), 1);
    (void)snprintf(text, sizeof(text), "stirkeepd: intake: %s: No such file or directory\n", path);
    assert_int_equal(service_count(service, "log", text), 1);
}

static void what_fails_later_does_not_end_the_service(void **state)
{
    struct service *service = *state;

    service_start(service, NULL, true);
    service_mode(service, "intake", "fail");
    kill_room(service, "intake");
    service_wait(service, "log", "stirkeepd: intake: no token called t\n", 2);
    service_mode(service, "intake", "ready");
    wait_ready(service, "intake", 2);
    assert_int_equal(service_count(service, "events", "front starts"), 1);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void a_room_that_goes_astray_is_killed(void **state)
{
    static const char *const modes[] = {"rubbish", "drain-others", "other-name"};
    struct service *service = *state;

    service_start(service, NULL, true);
    for (unsigned i = 0; i < 3; i++) {
        service_mode(service, "front", modes[i]);
        kill_room(service, "front");
        service_wait(service, "log", "front: says what a room does not say: killed", i + 1);
        service_mode(service, "front", "ready");
        wait_ready(service, "front", 2 + i);
    }
    /* Nobody was drained, and nobody else died, because one said so. */
    assert_int_equal(service_count(service, "events", " drain\n"), 0);
    assert_int_equal(service_count(service, "events", "keeper starts"), 1);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void a_link_that_a_room_shut_down_is_made_anew_for_all(void **state)
{
    struct service *service = *state;
    unsigned before = 0;

    service_start(service, NULL, true);
    service_mode(service, "front", "cut");
    kill_room(service, "front");
    service_wait(service, "log", "front: ended with status 4", 1);
    service_mode(service, "front", "ready");
    service_wait(service, "log", "all rooms get new ones", 1);
    wait_ready(service, "keeper", 2);
    wait_ready(service, "intake", 2);
    wait_ready(service, "front", 2);
    before = service_count(service, "events", "front link 6: keeper");
    kill_room(service, "keeper");
    service_wait(service, "events", "front link 6: keeper", before + 1);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

/* ---- the end */

static void rooms_are_drained_from_the_outside_in(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};
    struct service *service = *state;

    for (size_t i = 0; i < 2; i++) {
        service_write(service, "log", 0644, "");
        service_write(service, "events", 0666, "");
        service_start(service, NULL, true);
        assert_int_equal(service_end(service, signals[i]), 0);
        assert_true(service_before(service, "events", "front drain", "intake drain"));
        assert_true(service_before(service, "events", "intake drain", "keeper drain"));
        assert_int_equal(service_count(service, "events", " drain\n"), 3);
        assert_int_equal(service_count(service, "events", "is alone"), 0);
        assert_int_equal(access(service->sign, F_OK), -1);
        assert_int_equal(access(service->admin, F_OK), -1);
    }
}

static void an_ignored_interrupt_stays_ignored(void **state)
{
    struct service *service = *state;

    service->ignoring_interrupts = true;
    service_start(service, NULL, true);
    assert_int_equal(kill(service->porter, SIGINT), 0);
    kill_room(service, "front");
    wait_ready(service, "front", 2);
    assert_int_equal(service_count(service, "events", " drain\n"), 0);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void the_end_is_not_delayed_by_a_room_that_waits_to_be_restarted(void **state)
{
    struct service *service = *state;

    service_start(service, NULL, true);
    service_mode(service, "front", "exit");
    kill_room(service, "front");
    service_wait(service, "log", "front: ended with status 3", 2);
    assert_int_equal(service_end(service, SIGTERM), 0);
    assert_true(service_before(service, "events", "intake drain", "keeper drain"));
}

static void rooms_end_when_the_porter_dies_and_a_new_one_takes_over(void **state)
{
    struct service *service = *state;
    struct stat about = {0};

    service_start(service, NULL, true);
    assert_int_equal(service_end(service, SIGKILL), 128 + SIGKILL);
    service_wait(service, "events", "is alone", 3);
    /* What is left behind leads nowhere, and is replaced. */
    assert_int_equal(stat(service->sign, &about), 0);
    service_write(service, "log", 0644, "");
    service_start(service, NULL, true);
    assert_true(service_connects(service->sign));
    assert_true(service_connects(service->admin));
    assert_int_equal(service_end(service, SIGTERM), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, service_set_up, service_tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(rooms_start_one_after_the_other),
        TEST(a_room_waits_for_the_one_before_it),
        TEST(a_room_has_its_descriptors_and_variables_and_nothing_else),
        TEST(run_by_root_each_room_is_a_user_of_its_own),
        TEST(closed_standard_descriptors_harm_nothing),
        TEST(what_a_room_says_before_the_other_was_born_arrives),
        TEST(the_service_manager_hears_of_readiness_and_of_the_end),
        TEST(readiness_is_told_once),
        TEST(a_dead_room_comes_back_and_the_others_hear_of_it),
        TEST(clients_can_connect_while_front_is_dead),
        TEST(what_fails_before_the_service_was_ever_ready_ends_it_with_that_line),
        TEST(dying_without_a_word_before_readiness_ends_the_service_too),
        TEST(a_missing_program_is_named),
        TEST(what_fails_later_does_not_end_the_service),
        TEST(a_room_that_goes_astray_is_killed),
        TEST(a_link_that_a_room_shut_down_is_made_anew_for_all),
        TEST(rooms_are_drained_from_the_outside_in),
        TEST(an_ignored_interrupt_stays_ignored),
        TEST(the_end_is_not_delayed_by_a_room_that_waits_to_be_restarted),
        TEST(rooms_end_when_the_porter_dies_and_a_new_one_takes_over),
    };

    service_programs(argc, argv);
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
