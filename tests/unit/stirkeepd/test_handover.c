/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Two of the real stirkeepd, one after the other, with rooms that are fakes. */

static const char *const rooms[] = {"keeper", "intake", "front"};

static ino_t inode_of(const char *path)
{
    struct stat about = {0};

    assert_int_equal(lstat(path, &about), 0);
    return about.st_ino;
}

/* The next one serves; it is the service's from now on. */
static void take_over(struct service *service, unsigned ready)
{
    pid_t next = service_begin_other(service, "--take-over");

    service_wait(service, "log", "stirkeepd: ready:", ready);
    assert_int_equal(service_end(service, 0), 0);
    service->porter = next;
}

static void the_old_rooms_end_before_the_new_ones_go_on(void **state)
{
    struct service *service = *state;
    ino_t sign = 0;
    ino_t admin = 0;

    service_start(service, NULL, true);
    sign = inode_of(service->sign);
    admin = inode_of(service->admin);
    take_over(service, 2);
    for (size_t i = 0; i < 3; i++) {
        char stands[32] = "";
        char goes[32] = "";
        (void)snprintf(stands, sizeof(stands), "%s stands by", rooms[i]);
        (void)snprintf(goes, sizeof(goes), "%s goes", rooms[i]);
        assert_true(service_before(service, "events", stands, "front drain"));
        assert_true(service_before(service, "events", "keeper drain", goes));
        assert_int_equal(service_count(service, "events", goes), 1);
    }
    assert_true(service_before(service, "events", "keeper goes", "intake goes"));
    assert_true(service_before(service, "events", "intake goes", "front goes"));
    assert_int_equal(inode_of(service->sign), sign);
    assert_int_equal(inode_of(service->admin), admin);
    assert_true(service_connects(service->sign));
    /* It can be taken over from as well, and removes everything when it is stopped. */
    take_over(service, 3);
    assert_int_equal(service_end(service, SIGTERM), 0);
    assert_int_equal(access(service->sign, F_OK), -1);
    assert_int_equal(access(service->admin, F_OK), -1);
}

static void who_is_ready_before_its_time_is_not(void **state)
{
    struct service *service = *state;

    service_start(service, NULL, true);
    service_mode(service, "front", "hasty");
    take_over(service, 2);
    assert_true(service_before(service, "events", "keeper drain", "front goes"));
}

static void a_pin_that_is_refused_beside_a_good_one_ends_the_new_one(void **state)
{
    struct service *service = *state;

    service_start(service, NULL, true);
    service_mode(service, "keeper", "refuses-standing");
    assert_int_equal(service_start_other(service, "--take-over"), 1);
    assert_int_equal(service_count(service, "other-log", "the token refused the PIN"), 1);
    assert_int_equal(service_count(service, "events", "goes"), 0);
    assert_true(service_connects(service->sign));
    service_wait(service, "log", "does not take over: serving on", 1);
    /* Only the new one's rooms were told to end. */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(kill(service_room(service, rooms[i]), 0), -1);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(strlen(path) < sizeof(address.sun_path));
    (void)strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static void sockets_of_a_service_manager_stay_its_own(void **state)
{
    struct service *service = *state;
    char run[96] = "";

    (void)snprintf(run, sizeof(run), "%s/run", service->base);
    (void)mkdir(run, 0755);
    service->given = listen_at(service->sign);
    service_start(service, NULL, true);
    (void)close(service->given);
    service->given = 0;
    assert_int_equal(service_start_other(service, "--take-over"), 1);
    assert_int_equal(service_count(service, "other-log", "its sockets are the service manager's"),
                     1);
    assert_true(service_connects(service->sign));
}

static void a_room_that_stands_by_without_being_asked_has_gone_astray(void **state)
{
    struct service *service = *state;

    service_mode(service, "front", "stands");
    service_start(service, NULL, false);
    service_wait(service, "log", "front: says what a room does not say: killed", 1);
    assert_int_equal(service_end(service, 0), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_old_rooms_end_before_the_new_ones_go_on, service_set_up,
                                        service_tear_down),
        cmocka_unit_test_setup_teardown(who_is_ready_before_its_time_is_not, service_set_up,
                                        service_tear_down),
        cmocka_unit_test_setup_teardown(a_pin_that_is_refused_beside_a_good_one_ends_the_new_one,
                                        service_set_up, service_tear_down),
        cmocka_unit_test_setup_teardown(sockets_of_a_service_manager_stay_its_own, service_set_up,
                                        service_tear_down),
        cmocka_unit_test_setup_teardown(a_room_that_stands_by_without_being_asked_has_gone_astray,
                                        service_set_up, service_tear_down),
    };

    service_programs(argc, argv);
    return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
