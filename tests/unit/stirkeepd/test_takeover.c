/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reloads of the real stirkeepd, by SIGHUP and by intake; and what front asks it. */

static void start(struct service *service)
{
    service_start(service, NULL, true);
    service_wait(service, "events", "intake records ok configuration ", 1);
}

static void reload(const struct service *service)
{
    assert_int_equal(kill(service->porter, SIGHUP), 0);
}

static void sighup_takes_another_configuration(void **state)
{
    struct service *service = *state;

    start(service);
    service_change_config(service, "[grant g]", "[grant new]");
    reload(service);
    service_wait(service, "events", "intake reloaded 0 ok configuration ", 1);
    assert_int_equal(service_count(service, "events", "front config fds=1 first=new "), 1);
    assert_int_equal(service_count(service, "events", "intake config fds=1 first=new "), 1);
    service_wait(service, "log", "stirkeepd: reload: in force is configuration ", 1);
    assert_int_equal(kill(service_room(service, "front"), SIGKILL), 0);
    service_wait(service, "events", "front starts ", 2);
    char *line = service_start_line(service, "front");
    assert_non_null(strstr(line, " first=new "));
    free(line);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void a_fault_is_logged_and_the_service_goes_on(void **state)
{
    struct service *service = *state;

    start(service);
    service_change_config(service, "attest = A\n", "attest = Z\n");
    reload(service);
    service_wait(service, "log", "[grant g] attest: ", 1);
    service_wait(service, "log", ": nothing has changed\n", 1);
    service_wait(service, "events", "intake reloaded 0 config ", 1);
    assert_int_equal(service_count(service, "events", "front config"), 0);
    service_change_config(service, "attest = Z\n", "attest = B\n");
    reload(service);
    service_wait(service, "events", "front config fds=1 ", 1);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void a_faulty_line_of_the_rules_is_named(void **state)
{
    struct service *service = *state;
    char section[256] = "";
    char wanted[256] = "";

    start(service);
    service_write(service, "attest.csv", 0644, "number,level\n14155550100,A\n14155550101,D\n");
    (void)snprintf(section, sizeof(section), "[attestation]\nfile = %s/attest.csv\n[grant g]",
                   service->base);
    service_change_config(service, "[grant g]", section);
    reload(service);
    (void)snprintf(wanted, sizeof(wanted), "reload: %s/attest.csv:3: ", service->base);
    service_wait(service, "log", wanted, 1);
    service_write(service, "attest.csv", 0644, "number,level\n14155550100,A\n14155550101,C\n");
    reload(service);
    service_wait(service, "events", "grants 1 rules 2", 1);
    service_wait(service, "events", "front config fds=2 ", 1);
    assert_int_equal(service_count(service, "events", "front config fds=2 "), 1);
}

/* ---- the service manager */

static int open_notify(const struct service *service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", service->base);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    return fd;
}

static void assert_notified(int fd, const char *wanted)
{
    char message[2048] = "";

    if (recv(fd, message, sizeof(message) - 1, 0) <= 0)
        fail_msg("not notified: %s", wanted);
    if (strncmp(message, wanted, strlen(wanted)) != 0)
        fail_msg("%s: notified instead of %s", message, wanted);
}

static void the_service_manager_hears_of_beginning_and_end(void **state)
{
    struct service *service = *state;
    int fd = open_notify(service);

    start(service);
    (void)unsetenv("NOTIFY_SOCKET");
    assert_notified(fd, "READY=1\n");
    reload(service);
    assert_notified(fd, "RELOADING=1\nMONOTONIC_USEC=");
    assert_notified(fd, "READY=1\nSTATUS=The configuration was read again");
    service_change_config(service, "attest = A\n", "attest = Z\n");
    reload(service);
    assert_notified(fd, "RELOADING=1\nMONOTONIC_USEC=");
    assert_notified(fd, "READY=1\nSTATUS=The configuration was not taken: ");
    assert_int_equal(service_end(service, SIGTERM), 0);
    assert_notified(fd, "STOPPING=1\n");
    (void)close(fd);
}

/* ---- intake asks, front asks */

static void who_asks_through_intake_is_answered(void **state)
{
    struct service *service = *state;

    service_mode(service, "intake", "asks");
    start(service);
    assert_true(service_connects(service->admin));
    service_wait(service, "events", "intake reloaded 1 ok configuration ", 1);
    service_change_config(service, "attest = A\n", "attest = Z\n");
    assert_true(service_connects(service->admin));
    service_wait(service, "events", "intake reloaded 2 config ", 1);
    assert_true(service_before(service, "events", "intake config ", "intake reloaded 1"));
}

static void front_is_told_which_program_a_peer_is(void **state)
{
    struct service *service = *state;
    char self[256] = "";
    char wanted[320] = "";

    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    (void)snprintf(wanted, sizeof(wanted), "front program 1 %s|", self);
    service_mode(service, "front", "asks");
    start(service);
    assert_true(service_connects(service->sign));
    service_wait(service, "events", "front program 1 ", 1);
    if (service_count(service, "events", wanted) == 0) {
        print_message("# not here: a kernel before 6.5, or one that does not let us look\n");
        return;
    }
}

static void a_peer_that_has_died_is_no_program(void **state)
{
    struct service *service = *state;
    pid_t front = 0;
    pid_t child = 0;

    service_mode(service, "front", "asks");
    start(service);
    front = service_room(service, "front");
    assert_int_equal(kill(front, SIGSTOP), 0);
    child = fork();
    if (child == 0)
        _exit(service_connects(service->sign) ? 0 : 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(kill(front, SIGCONT), 0);
    service_wait(service, "events", "front program 1 |\n", 1);
}

/* ---- the rooms meanwhile */

/* So many that reading them takes long enough to be met with. */
static void write_many_rules(const struct service *service, size_t count)
{
    size_t size = count * 16;
    char *text = malloc(size);
    char section[256] = "";
    char *at = text;

    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        at += snprintf(at, size - (size_t)(at - text), "1415%07zu,A\n", i * 3);
    service_write(service, "attest.csv", 0644, text);
    free(text);
    (void)snprintf(section, sizeof(section), "[attestation]\nfile = %s/attest.csv\n[grant g]",
                   service->base);
    service_change_config(service, "[grant g]", section);
}

static pid_t parent_of(const char *pid)
{
    char path[64] = "";
    FILE *file = NULL;
    int parent = 0;

    (void)snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
        parent = 0;
    (void)fclose(file);
    return parent;
}

/* The child of stirkeepd that is no room. */
static pid_t find_reader(const struct service *service, const pid_t rooms[3])
{
    DIR *processes = opendir("/proc");
    struct dirent *entry = NULL;
    pid_t reader = 0;

    assert_non_null(processes);
    while (reader == 0 && (entry = readdir(processes)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && pid != rooms[0] && pid != rooms[1] && pid != rooms[2] &&
            parent_of(entry->d_name) == service->porter)
            reader = pid;
    }
    (void)closedir(processes);
    return reader;
}

/* Reload, and hold the process that reads, so that it takes as long as the test likes. */
static pid_t reload_and_hold(const struct service *service)
{
    const pid_t rooms[3] = {service_room(service, "keeper"), service_room(service, "intake"),
                            service_room(service, "front")};
    pid_t reader = 0;

    reload(service);
    for (unsigned tries = 0; tries < 5000 && reader == 0; tries++) {
        (void)usleep(500);
        reader = find_reader(service, rooms);
    }
    assert_true(reader > 0);
    assert_int_equal(kill(reader, SIGSTOP), 0);
    return reader;
}

static void rooms_are_cared_for_while_much_is_read(void **state)
{
    struct service *service = *state;
    pid_t reader = 0;

    start(service);
    write_many_rules(service, 300000);
    reader = reload_and_hold(service);
    assert_int_equal(kill(service_room(service, "keeper"), SIGKILL), 0);
    service_wait(service, "log", "keeper: ready", 2);
    assert_int_equal(service_count(service, "log", "reload: in force"), 0);
    assert_int_equal(kill(reader, SIGCONT), 0);
    service_wait(service, "log", " rules 300000\n", 1);
    service_wait(service, "events", "front config fds=2 ", 1);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void the_service_ends_at_once_while_much_is_read(void **state)
{
    struct service *service = *state;

    start(service);
    write_many_rules(service, 300000);
    (void)reload_and_hold(service);
    assert_int_equal(service_end(service, SIGTERM), 0);
    assert_int_equal(service_count(service, "log", "reload: in force"), 0);
}

static void wait_ready(const struct service *service, const char *room, unsigned times)
{
    char ready[64] = "";

    (void)snprintf(ready, sizeof(ready), "%s: ready", room);
    service_wait(service, "log", ready, times);
}

static void reloads_and_deaths_of_rooms_do_not_hold_each_other_up(void **state)
{
    static const char *const rooms[] = {"front", "intake", "keeper"};
    struct service *service = *state;

    start(service);
    for (unsigned round = 0; round < 12; round++) {
        char grant[64] = "";

        (void)snprintf(grant, sizeof(grant), round == 0 ? "[grant g]" : "[grant g%u]", round - 1);
        char next[64] = "";
        (void)snprintf(next, sizeof(next), "[grant g%u]", round);
        service_change_config(service, grant, next);
        reload(service);
        (void)usleep((round * 7919) % 20000);
        wait_ready(service, rooms[round % 3], 1 + round / 3); /* each death is another one's */
        (void)kill(service_room(service, rooms[round % 3]), SIGKILL);
        (void)usleep(60000);
    }
    for (size_t i = 0; i < 3; i++)
        wait_ready(service, rooms[i], 5);
    service_change_config(service, "[grant g11]", "[grant last]");
    reload(service);
    service_wait(service, "events", "front config fds=1 first=last ", 1);
    service_wait(service, "events", "intake config fds=1 first=last ", 1);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, service_set_up, service_tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(sighup_takes_another_configuration),
        TEST(a_fault_is_logged_and_the_service_goes_on),
        TEST(a_faulty_line_of_the_rules_is_named),
        TEST(the_service_manager_hears_of_beginning_and_end),
        TEST(who_asks_through_intake_is_answered),
        TEST(front_is_told_which_program_a_peer_is),
        TEST(a_peer_that_has_died_is_no_program),
        TEST(rooms_are_cared_for_while_much_is_read),
        TEST(the_service_ends_at_once_while_much_is_read),
        TEST(reloads_and_deaths_of_rooms_do_not_hold_each_other_up),
    };

    service_programs(argc, argv);
    return cmocka_run_group_tests_name("takeover", tests, NULL, NULL);
}
