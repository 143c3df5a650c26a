/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* What stirkeepd refuses to start with, what --check says of it, and PINs. */

static void assert_refused(const struct service *service, const char *argument, const char *why)
{
    assert_int_equal(service_start_other(service, argument), 1);
    if (service_count(service, "other-log", why) != 1) {
        char *log = service_read(service, "other-log");
        print_error("not once \"%s\" in:\n%s", why, log);
        free(log);
        fail();
    }
    service_write(service, "other-log", 0644, "");
}

/* Refused at start, and by --check in the same words. No room has run. */
static void assert_refused_twice(const struct service *service, const char *why)
{
    assert_refused(service, NULL, why);
    assert_refused(service, "--check", why);
    assert_int_equal(service_count(service, "events", "starts"), 0);
}

static void assert_accepted(const struct service *service)
{
    if (service_start_other(service, "--check") != 0) {
        char *log = service_read(service, "other-log");
        print_error("%s", log);
        free(log);
        fail();
    }
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static void make_run_directory(const struct service *service)
{
    char path[256] = "";

    (void)snprintf(path, sizeof(path), "%s/run", service->base);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void make_pin_like(const struct service *service, mode_t mode, const char *pin)
{
    (void)unlink(service->pin);
    service_write(service, "pin", mode, pin);
}

/* ---- sockets */

static void a_second_stirkeepd_is_refused_and_the_first_keeps_its_sockets(void **state)
{
    struct service *service = *state;
    struct stat before = {0};
    struct stat after = {0};

    service_start(service, NULL, true);
    assert_int_equal(stat(service->sign, &before), 0);
    assert_refused(service, NULL, "sign.sock: another stirkeepd has it\n");
    assert_int_equal(stat(service->sign, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_true(service_connects(service->sign));
    assert_true(service_connects(service->admin));
    assert_int_equal(service_count(service, "events", "keeper starts"), 1);
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void another_programs_socket_is_not_taken(void **state)
{
    struct service *service = *state;
    int fd = -1;

    make_run_directory(service);
    fd = listen_at(service->admin);
    assert_refused(service, NULL, "admin.sock: another program listens there\n");
    assert_true(service_connects(service->admin));
    assert_int_equal(access(service->sign, F_OK), -1); /* its own is gone again */
    (void)close(fd);
}

static void a_file_in_a_sockets_place_is_kept(void **state)
{
    struct service *service = *state;

    make_run_directory(service);
    service_write(service, "run/sign.sock", 0600, "precious");
    assert_refused_twice(service, "sign.sock: exists and is no socket\n");
    assert_int_equal(service_count(service, "run/sign.sock", "precious"), 1);
}

static void sockets_of_the_service_manager_are_used_and_kept(void **state)
{
    struct service *service = *state;
    struct stat before = {0};
    struct stat after = {0};

    make_run_directory(service);
    service->given = listen_at(service->sign);
    assert_int_equal(stat(service->sign, &before), 0);
    service_start(service, NULL, true);
    assert_int_equal(service_count(service, "events", "front listens=1"), 1);
    assert_int_equal(service_count(service, "events", "intake listens=1"), 1);
    assert_int_equal(service_end(service, SIGTERM), 0);
    assert_int_equal(stat(service->sign, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(access(service->admin, F_OK), -1);
    (void)close(service->given);
    service->given = 0;
}

/* ---- PIN */

static void a_pin_that_others_can_read_is_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0610, 0666};
    struct service *service = *state;
    char why[64] = "";

    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        make_pin_like(service, modes[i], "987654\n");
        (void)snprintf(why, sizeof(why), "/pin: mode %04o lets others at the PIN", modes[i]);
        assert_refused_twice(service, why);
        assert_int_equal(service_count(service, "other-log", "987654"), 0);
    }
}

static void a_pin_that_is_missing_empty_or_a_link_is_refused(void **state)
{
    struct service *service = *state;

    assert_int_equal(unlink(service->pin), 0);
    assert_refused_twice(service, "/pin: No such file or directory\n");
    make_pin_like(service, 0600, "");
    assert_refused_twice(service, "/pin: empty\n");
    assert_int_equal(unlink(service->pin), 0);
    service_write(service, "other", 0600, "1234\n");
    assert_int_equal(symlink("other", service->pin), 0);
    assert_refused_twice(service, "/pin: a symbolic link\n");
}

static bool has_pin(const struct service *service)
{
    char *line = service_start_line(service, "keeper");
    bool has = strstr(line, " fds=0,1,2,3,4,5,6,7, ") != NULL;

    assert_true(has || strstr(line, " fds=0,1,2,3,4,5,6, ") != NULL);
    free(line);
    return has;
}

static void replace_keeper(const struct service *service, unsigned count)
{
    assert_int_equal(kill(service_room(service, "keeper"), SIGKILL), 0);
    service_wait(service, "log", "stirkeepd: keeper: ready", count);
}

static void a_refused_pin_is_not_handed_out_again_until_its_file_changes(void **state)
{
    struct service *service = *state;

    service_mode(service, "keeper", "refused");
    service_start(service, NULL, true);
    assert_true(has_pin(service));
    assert_int_equal(service_count(service, "log", "the token refused the PIN"), 1);
    replace_keeper(service, 2);
    assert_false(has_pin(service));
    assert_int_equal(service_count(service, "log", "keeper: starts without a PIN: the token has"),
                     1);
    replace_keeper(service, 3);
    assert_false(has_pin(service));
    service_write(service, "pin", 0600, "12345\n");
    service_mode(service, "keeper", "ready");
    replace_keeper(service, 4);
    assert_true(has_pin(service));
    replace_keeper(service, 5); /* accepted: handed out each time */
    assert_true(has_pin(service));
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void a_pin_that_went_bad_later_does_not_end_the_service(void **state)
{
    struct service *service = *state;

    service_start(service, NULL, true);
    assert_int_equal(chmod(service->pin, 0644), 0);
    replace_keeper(service, 2);
    assert_false(has_pin(service));
    assert_int_equal(service_count(service, "log", "keeper: starts without a PIN: "), 1);
    assert_int_equal(service_count(service, "log", "mode 0644 lets others at the PIN"), 1);
    assert_int_equal(chmod(service->pin, 0600), 0);
    replace_keeper(service, 3);
    assert_true(has_pin(service));
}

/* ---- configuration and users */

static void a_bad_configuration_is_refused_with_file_and_line(void **state)
{
    struct service *service = *state;

    service_write(service, "stirkeep.conf", 0644, "[token]\ncolour = green\n");
    assert_refused_twice(service, "stirkeep.conf:2:");
    assert_int_equal(unlink(service->config), 0);
    assert_refused_twice(service, "stirkeep.conf: No such file or directory\n");
}

static void root_has_to_name_a_user_for_each_room(void **state)
{
    struct service *service = *state;

    service_write_config(service, false);
    assert_refused_twice(service, "front-user, intake-user, keeper-user");
}

static void add_rooms(const struct service *service, const char *users)
{
    char *text = NULL;
    char *all = NULL;

    service_write_config(service, false);
    text = service_read(service, "stirkeep.conf");
    all = calloc(1, strlen(text) + strlen(users) + 1);
    assert_non_null(all);
    (void)strcat(strcpy(all, text), users);
    service_write(service, "stirkeep.conf", 0644, all);
    free(all);
    free(text);
}

static void rooms_may_share_no_user_and_none_is_roots(void **state)
{
    struct service *service = *state;

    add_rooms(service, "[rooms]\nkeeper-user = 61003\nintake-user = 61003\nfront-user = 61001\n");
    assert_refused_twice(service, "[rooms] intake-user: is another room's user already: 61003\n");
    add_rooms(service, "[rooms]\nkeeper-user = 0\nintake-user = 61002\nfront-user = 61001\n");
    assert_refused_twice(service, "[rooms] keeper-user: root may not be a room's user\n");
}

/* ---- --check */

static void check_starts_and_makes_nothing(void **state)
{
    struct service *service = *state;
    char path[256] = "";

    assert_accepted(service);
    assert_int_equal(
        service_count(service, "other-log", "stirkeep.conf: ok: grants 1, attestation rules 0\n"),
        1);
    assert_int_equal(service_count(service, "events", "starts"), 0);
    (void)snprintf(path, sizeof(path), "%s/run", service->base);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_configuration_that_others_may_write_to_is_refused(void **state)
{
    struct service *service = *state;
    char path[256] = "";
    char other[256] = "";

    (void)snprintf(path, sizeof(path), "%s/stirkeep.conf", service->base);
    (void)snprintf(other, sizeof(other), "%s/other.conf", service->base);
    assert_int_equal(chmod(path, 0646), 0);
    assert_refused_twice(service, "/stirkeep.conf: everybody may write to it (mode 0646)\n");
    assert_int_equal(chmod(path, 0664), 0);
    assert_refused_twice(service, "/stirkeep.conf: its group may write to it (mode 0664)\n");
    assert_int_equal(chmod(path, 0644), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 12345, 0), 0);
        assert_refused_twice(service,
                             "/stirkeep.conf: owned by uid 12345, who is neither root nor uid 0\n");
        assert_int_equal(chown(path, 0, 0), 0);
    }
    /* A symbolic link is what it leads to. */
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_accepted(service);
    assert_int_equal(chmod(other, 0646), 0);
    assert_refused_twice(service, "/stirkeep.conf: everybody may write to it (mode 0646)\n");
}

static void check_warns_of_a_program_behind_a_symbolic_link(void **state)
{
    struct service *service = *state;
    char path[256] = "";
    char text[512] = "";

    (void)snprintf(path, sizeof(path), "%s/program", service->base);
    assert_int_equal(symlink("/bin/true", path), 0);
    (void)snprintf(text, sizeof(text), "[grant g]\nexecutable = %s", path);
    service_change_config(service, "[grant g]", text);
    assert_accepted(service);
    (void)snprintf(text, sizeof(text), "[grant g] executable: no process runs %s, which leads to ",
                   path);
    assert_int_equal(service_count(service, "other-log", text), 1);
}

static void check_compiles_the_attestation_rules(void **state)
{
    struct service *service = *state;
    char section[256] = "";
    char why[256] = "";

    (void)snprintf(section, sizeof(section), "[attestation]\nfile = %s/attest.csv\n[grant g]",
                   service->base);
    service_change_config(service, "[grant g]", section);
    assert_refused_twice(service, "/attest.csv: No such file or directory\n");
    service_write(service, "attest.csv", 0644, "number,level\n14155550100,A\n14155550101,D\n");
    (void)snprintf(why, sizeof(why), "%s/attest.csv:3: ", service->base);
    assert_refused_twice(service, why);
    service_write(service, "attest.csv", 0666, "14155550100,A\n");
    assert_refused_twice(service, "/attest.csv: everybody may write to it (mode 0666)\n");
    service_write(service, "attest.csv", 0644, "14155550100,A\n1201555*,B\n");
    assert_accepted(service);
    assert_int_equal(service_count(service, "other-log", ": ok: grants 1, attestation rules 2\n"),
                     1);
}

static void check_may_be_run_beside_the_service(void **state)
{
    struct service *service = *state;

    service_start(service, NULL, true);
    assert_accepted(service);
    assert_true(service_connects(service->sign));
    assert_int_equal(service_end(service, SIGTERM), 0);
}

static void check_finds_all_that_is_wrong_at_once(void **state)
{
    struct service *service = *state;
    char path[256] = "";

    (void)snprintf(path, sizeof(path), "%s/stirkeep-front", service->libexec);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof(path), "%s/trail", service->base);
    assert_int_equal(rmdir(path), 0);
    make_pin_like(service, 0644, "1234\n");
    assert_int_equal(service_start_other(service, "--check"), 1);
    assert_int_equal(service_count(service, "other-log", "/stirkeep-front: front, as uid "), 1);
    assert_int_equal(service_count(service, "other-log", "/trail: keeper, as uid "), 1);
    assert_int_equal(service_count(service, "other-log", "mode 0644 lets others at the PIN"), 1);
    assert_int_equal(service_count(service, "other-log", ": ok"), 0);
}

static void check_looks_with_the_eyes_of_each_room(void **state)
{
    struct service *service = *state;
    char path[256] = "";

    (void)snprintf(path, sizeof(path), "%s/state", service->base);
    if (geteuid() == 0)
        assert_int_equal(chown(path, 61001, 61001), 0); /* front's, where intake's is needed */
    else
        assert_int_equal(chmod(path, 0500), 0);
    assert_int_equal(service_start_other(service, "--check"), 1);
    assert_int_equal(service_count(service, "other-log", "/state: intake, as uid "), 1);
    assert_true(service_count(service, "other-log", "cannot write to it: Permission denied") >= 1);
    assert_int_equal(chmod(path, 0700), 0);
}

static void check_misses_the_modules_own_configuration(void **state)
{
    struct service *service = *state;
    char path[256] = "";

    (void)snprintf(path, sizeof(path), "%s/softhsm2.conf", service->base);
    assert_int_equal(unlink(path), 0);
    assert_refused(service, "--check", "/softhsm2.conf: keeper, as uid ");
}

static void check_tells_whose_programs_module_and_its_configuration_are(void **state)
{
    static const char *const names[] = {"libexec", "libexec/stirkeep-keeper", "module.so",
                                        "softhsm2.conf"};
    struct service *service = *state;
    char path[256] = "";
    char told[512] = "";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", service->base, names[i]);
        assert_int_equal(chmod(path, 0757), 0);
        (void)snprintf(told, sizeof(told), "/%s: everybody may write to it (mode 0757)\n",
                       names[i]);
        assert_refused(service, "--check", told);
        assert_int_equal(chmod(path, 0755), 0);
        assert_accepted(service);
        if (geteuid() != 0)
            continue;
        assert_int_equal(chown(path, 61001, 61001), 0);
        (void)snprintf(told, sizeof(told), "/%s: owned by uid 61001, who is neither", names[i]);
        assert_refused(service, "--check", told);
        assert_int_equal(chown(path, 0, 0), 0);
    }
}

static void check_tells_what_is_no_file_where_one_is_read(void **state)
{
    struct service *service = *state;
    char path[256] = "";

    (void)snprintf(path, sizeof(path), "%s/softhsm2.conf", service->base);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0644), 0); /* SoftHSM would wait there for ever */
    assert_refused(service, "--check", "/softhsm2.conf: not a regular file\n");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_refused(service, "--check", "/softhsm2.conf: not a regular file\n");
}

static void a_directory_that_everybody_may_write_to_is_told(void **state)
{
    struct service *service = *state;
    char path[256] = "";

    (void)snprintf(path, sizeof(path), "%s/state", service->base);
    assert_int_equal(chmod(path, 0777), 0);
    assert_refused(service, "--check", "/state: everybody may write to it (mode 0777)\n");
    make_run_directory(service);
    (void)snprintf(path, sizeof(path), "%s/run", service->base);
    assert_int_equal(chmod(path, 0777), 0);
    assert_refused(service, NULL, "everybody may write to it and could replace the socket\n");
}

static void write_trail(const struct service *service, mode_t mode, const char *text)
{
    char path[256] = "";

    service_write(service, "trail/audit.jsonl", mode, text);
    (void)snprintf(path, sizeof(path), "%s/trail/audit.jsonl", service->base);
    if (geteuid() == 0) {
        char directory[256] = "";
        struct stat about = {0};

        (void)snprintf(directory, sizeof(directory), "%s/trail", service->base);
        assert_int_equal(stat(directory, &about), 0);
        assert_int_equal(chown(path, about.st_uid, about.st_gid), 0);
    }
}

static void check_tells_of_a_trail_that_the_keeper_would_not_write(void **state)
{
    struct service *service = *state;
    char path[256] = "";

    (void)snprintf(path, sizeof(path), "%s/trail/audit.jsonl", service->base);
    write_trail(service, 0600, "{\"seq\":1,");
    assert_accepted(service);
    write_trail(service, 0600, "");
    assert_accepted(service);
    write_trail(service, 0600, "Dear diary");
    assert_refused(service, "--check", "/trail/audit.jsonl: not an audit trail\n");
    write_trail(service, 0600, "");
    assert_int_equal(chmod(path, 0660), 0);
    assert_refused(service, "--check",
                   "/trail/audit.jsonl: may be written by others (mode 0660)\n");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(chmod(path, 0777), 0);
    assert_refused(service, "--check", "/trail/audit.jsonl: not a regular file\n");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("other", path), 0);
    assert_refused(service, "--check", "/trail/audit.jsonl: is a symbolic link\n");
}

static void check_tells_of_a_witness_that_would_get_nothing(void **state)
{
    struct service *service = *state;
    char text[512] = "";

    /* The service's own directory is the keeper's. */
    (void)snprintf(text, sizeof(text), "%s/witness", service->base);
    assert_int_equal(mkdir(text, 0700), 0);
    (void)snprintf(text, sizeof(text),
                   "[audit]\nwitness = %s/witness/seals\nwitness-command = %s -x\n", service->base,
                   "/bin/cat");
    service_change_config(service, "[audit]\n", text);
    assert_accepted(service);
    service_write(service, "witness/seals", 0600, "");
    assert_accepted(service);
    (void)snprintf(text, sizeof(text), "%s/witness/seals", service->base);
    assert_int_equal(chmod(text, 0666), 0);
    assert_refused(service, "--check", "/seals: may be written by others (chmod go-w)\n");
    assert_int_equal(unlink(text), 0);
    assert_int_equal(mkdir(text, 0700), 0);
    assert_refused(service, "--check", "/seals: not a regular file with one name\n");
    assert_int_equal(rmdir(text), 0);
    service_change_config(service, "/bin/cat", "/bin");
    assert_refused(service, "--check", "/bin: not a program\n");
}

static void a_key_for_numbers_that_is_too_short_is_refused(void **state)
{
    struct service *service = *state;
    char text[512] = "";

    (void)snprintf(text, sizeof(text), "[audit]\nnumbers = hashed\nnumber-key = %s/key\n",
                   service->base);
    service_change_config(service, "[audit]\n", text);
    service_write(service, "key", 0600, "0123456789abcdef0123456789abcde");
    assert_refused_twice(service, "/key: 31 bytes: a key for numbers has 32 to 4096\n");
    service_write(service, "key", 0600, "0123456789abcdef0123456789abcdef");
    assert_accepted(service);
}

static void wrong_usage_is_two(void **state)
{
    struct service *service = *state;

    assert_int_equal(service_start_other(service, "--unknown"), 2);
    assert_int_equal(service_start_other(service, "surplus"), 2);
    assert_int_equal(service_count(service, "other-log", "try 'stirkeepd --help'"), 2);
    assert_int_equal(service_start_other(service, "--help"), 0);
    assert_int_equal(service_start_other(service, "--version"), 0);
    assert_int_equal(service_count(service, "events", "starts"), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, service_set_up, service_tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_stirkeepd_is_refused_and_the_first_keeps_its_sockets),
        TEST(another_programs_socket_is_not_taken),
        TEST(a_file_in_a_sockets_place_is_kept),
        TEST(sockets_of_the_service_manager_are_used_and_kept),
        TEST(a_pin_that_others_can_read_is_refused),
        TEST(a_pin_that_is_missing_empty_or_a_link_is_refused),
        TEST(a_refused_pin_is_not_handed_out_again_until_its_file_changes),
        TEST(a_pin_that_went_bad_later_does_not_end_the_service),
        TEST(a_bad_configuration_is_refused_with_file_and_line),
        TEST(check_starts_and_makes_nothing),
        TEST(a_configuration_that_others_may_write_to_is_refused),
        TEST(check_warns_of_a_program_behind_a_symbolic_link),
        TEST(check_compiles_the_attestation_rules),
        TEST(check_may_be_run_beside_the_service),
        TEST(check_finds_all_that_is_wrong_at_once),
        TEST(check_looks_with_the_eyes_of_each_room),
        TEST(check_misses_the_modules_own_configuration),
        TEST(check_tells_whose_programs_module_and_its_configuration_are),
        TEST(check_tells_what_is_no_file_where_one_is_read),
        TEST(a_directory_that_everybody_may_write_to_is_told),
        TEST(check_tells_of_a_trail_that_the_keeper_would_not_write),
        TEST(check_tells_of_a_witness_that_would_get_nothing),
        TEST(a_key_for_numbers_that_is_too_short_is_refused),
        TEST(wrong_usage_is_two),
    };

    /* Nobody else can give rooms other users. */
    const struct CMUnitTest as_root[] = {
        TEST(root_has_to_name_a_user_for_each_room),
        TEST(rooms_may_share_no_user_and_none_is_roots),
    };

    if (argc > 3 && geteuid() != 0) {
        (void)printf("1..0 # SKIP needs root\n");
        return 0;
    }
    service_programs(argc, argv);
    if (argc > 3)
        return cmocka_run_group_tests_name("refusals to root", as_root, NULL, NULL);
    return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
