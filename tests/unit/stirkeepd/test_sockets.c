/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stirkeepd/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    char directory[64];
    char path[96];
    struct stk_listener listener;
    struct stk_listener other;
    struct stk_error error;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    (void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/stk-sock-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/run/s.sock", fixture->directory);
    fixture->listener = (struct stk_listener){.fd = -1, .lock = -1};
    fixture->other = (struct stk_listener){.fd = -1, .lock = -1};
    *state = fixture;
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stk_listener_close(&fixture->listener);
    stk_listener_close(&fixture->other);
    assert_int_equal(nftw(fixture->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(fixture);
    return 0;
}

static enum stirkeep_status open_listener(struct fixture *fixture)
{
    return stk_listener_open(fixture->path, -1, &fixture->listener, &fixture->error);
}

static enum stirkeep_status open_other(struct fixture *fixture)
{
    return stk_listener_open(fixture->path, -1, &fixture->other, &fixture->error);
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return address;
}

static bool connects(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

    (void)close(fd);
    return connected;
}

static int bind_at(const char *path, int type, bool listening)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    if (listening)
        assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static void make_run(const struct fixture *fixture, mode_t mode)
{
    char path[96] = "";

    (void)snprintf(path, sizeof(path), "%s/run", fixture->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void its_directory_is_made_and_everybody_may_connect(void **state)
{
    struct fixture *fixture = *state;
    struct stat about = {0};
    mode_t before = umask(077);

    assert_int_equal(open_listener(fixture), STIRKEEP_OK);
    assert_int_equal(umask(before), 077); /* put back */
    assert_int_equal(stat(fixture->path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0666);
    assert_true(connects(fixture->path));
    *strrchr(fixture->path, '/') = '\0';
    assert_int_equal(stat(fixture->path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0755);
    fixture->path[strlen(fixture->path)] = '/';
}

static void a_second_one_is_refused_for_as_long_as_the_first_lives(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(open_listener(fixture), STIRKEEP_OK);
    assert_int_equal(open_other(fixture), STIRKEEP_BUSY);
    assert_non_null(strstr(fixture->error.message, "another stirkeepd"));
    assert_true(connects(fixture->path));
    /* Also when the name is gone: the lock counts. */
    stk_listener_unlink(&fixture->listener);
    assert_int_equal(open_other(fixture), STIRKEEP_BUSY);
    stk_listener_close(&fixture->listener);
    assert_int_equal(open_other(fixture), STIRKEEP_OK);
    assert_true(connects(fixture->path));
}

static void what_a_dead_one_left_is_replaced(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(open_listener(fixture), STIRKEEP_OK);
    stk_listener_close(&fixture->listener); /* as if killed: the name stays */
    assert_int_equal(access(fixture->path, F_OK), 0);
    assert_false(connects(fixture->path));
    assert_int_equal(open_other(fixture), STIRKEEP_OK);
    assert_true(connects(fixture->path));
}

static void a_full_queue_is_not_taken_for_an_abandoned_socket(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_un address = {0};
    int fd = -1;
    int clients[16];
    size_t count = 0;

    make_run(fixture, 0755);
    fd = bind_at(fixture->path, SOCK_STREAM, true);
    address = address_of(fixture->path);
    for (bool full = false; !full && count < 16; count++) {
        clients[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        full = connect(clients[count], (const struct sockaddr *)&address, sizeof(address)) != 0;
        assert_true(!full || errno == EAGAIN);
    }
    assert_int_equal(open_listener(fixture), STIRKEEP_BUSY);
    assert_non_null(strstr(fixture->error.message, "another program listens there"));
    assert_int_equal(access(fixture->path, F_OK), 0);
    while (count > 0)
        (void)close(clients[--count]);
    (void)close(fd);
}

static void what_is_no_socket_is_kept(void **state)
{
    struct fixture *fixture = *state;

    make_run(fixture, 0755);
    assert_int_equal(symlink("/nowhere", fixture->path), 0);
    assert_int_equal(open_listener(fixture), STIRKEEP_CONFIG);
    assert_int_equal(stk_listener_check(fixture->path, &fixture->error), STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, "is no socket"));
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    assert_int_equal(open_listener(fixture), STIRKEEP_CONFIG);
    assert_int_equal(rmdir(fixture->path), 0);
    assert_int_equal(open_listener(fixture), STIRKEEP_OK);
}

static void a_lock_that_is_a_link_is_not_followed(void **state)
{
    struct fixture *fixture = *state;
    char lock[128] = "";
    char target[128] = "";

    make_run(fixture, 0755);
    (void)snprintf(lock, sizeof(lock), "%s.lock", fixture->path);
    (void)snprintf(target, sizeof(target), "%s/target", fixture->directory);
    assert_int_equal(symlink(target, lock), 0);
    assert_int_equal(open_listener(fixture), STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, lock));
    assert_int_equal(access(target, F_OK), -1);
}

static void a_directory_where_others_could_replace_it_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char run[96] = "";

    make_run(fixture, 0777);
    (void)snprintf(run, sizeof(run), "%s/run", fixture->directory);
    assert_int_equal(open_listener(fixture), STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, "everybody may write to it"));
    assert_int_equal(stk_listener_check(fixture->path, &fixture->error), STIRKEEP_CONFIG);
    if (geteuid() == 0) {
        assert_int_equal(chmod(run, 0755), 0);
        assert_int_equal(chown(run, 61001, 61001), 0);
        assert_int_equal(open_listener(fixture), STIRKEEP_CONFIG);
        assert_non_null(strstr(fixture->error.message, "owned by uid 61001"));
        assert_int_equal(chown(run, 0, 0), 0);
    }
    assert_int_equal(chmod(run, 01777), 0); /* as /tmp is */
    assert_int_equal(open_listener(fixture), STIRKEEP_OK);
}

static void checking_makes_nothing(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(stk_listener_check(fixture->path, &fixture->error), STIRKEEP_OK);
    assert_int_equal(rmdir(fixture->directory), 0); /* it was empty */
    assert_int_equal(stk_listener_check(fixture->path, &fixture->error), STIRKEEP_CONFIG);
    assert_int_equal(mkdir(fixture->directory, 0700), 0);
}

static void a_path_too_long_for_a_socket_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char path[200] = "/tmp/";

    memset(path + 5, 'a', sizeof(path) - 6);
    assert_int_equal(stk_listener_open(path, -1, &fixture->listener, &fixture->error),
                     STIRKEEP_CONFIG);
    assert_non_null(strstr(fixture->error.message, "too long for a Unix socket"));
    assert_int_equal(stk_listener_check(path, &fixture->error), STIRKEEP_CONFIG);
}

static void only_its_own_name_is_removed(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(open_listener(fixture), STIRKEEP_OK);
    assert_int_equal(unlink(fixture->path), 0);
    int fd = bind_at(fixture->path, SOCK_STREAM, true); /* somebody else's by now */
    stk_listener_unlink(&fixture->listener);
    assert_true(connects(fixture->path));
    (void)close(fd);
}

/* ---- socket activation: in a child, since the descriptors begin at 3 */

enum { MAKE_STREAM, MAKE_OTHER_PATH, MAKE_DATAGRAM, MAKE_NOT_LISTENING, MAKE_FILE, MAKE_TWICE };

static int take(const struct fixture *fixture, int make, const char *pid, const char *count)
{
    const char *const paths[2] = {"/run/not/this.sock", fixture->path};
    char own[16] = "";
    char path[128] = "";
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    int fds[2] = {-2, -2};
    int fd = -1;

    (void)snprintf(path, sizeof(path), "%s%s", fixture->path, make == MAKE_OTHER_PATH ? "2" : "");
    if (make == MAKE_FILE)
        fd = open("/dev/null", O_RDWR);
    else
        fd = bind_at(path, make == MAKE_DATAGRAM ? SOCK_DGRAM : SOCK_STREAM,
                     make != MAKE_DATAGRAM && make != MAKE_NOT_LISTENING);
    if ((fd != 3 && dup2(fd, 3) != 3) || (make == MAKE_TWICE && dup2(fd, 4) != 4))
        return 90;
    (void)snprintf(own, sizeof(own), "%d", (int)getpid());
    (void)setenv("LISTEN_PID", pid != NULL ? pid : own, 1);
    (void)setenv("LISTEN_FDS", count, 1);
    status = stk_activation_take(paths, 2, fds, &error);
    if (status != STIRKEEP_OK)
        return strncmp(error.message, "socket activation: ", 19) == 0 ? 1 : 91;
    if (fds[0] != -1)
        return 92;
    if (getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL)
        return 94; /* what it starts would take them for its own */
    if (fds[1] == -1)
        return 2;
    /* Out of the rooms' numbers, not inherited, not blocking. */
    return fds[1] >= 32 && fcntl(fds[1], F_GETFD) == FD_CLOEXEC &&
                   (fcntl(fds[1], F_GETFL) & O_NONBLOCK) != 0
               ? 0
               : 93;
}

/* 0 taken, 1 refused, 2 ignored. */
static int take_in_child(struct fixture *fixture, int make, const char *pid, const char *count)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(take(fixture, make, pid, count));
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)unlink(fixture->path);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_socket_of_the_service_manager_is_found_by_its_path(void **state)
{
    struct fixture *fixture = *state;

    make_run(fixture, 0755);
    assert_int_equal(take_in_child(fixture, MAKE_STREAM, NULL, "1"), 0);
}

static void what_is_not_meant_for_us_is_ignored(void **state)
{
    struct fixture *fixture = *state;

    make_run(fixture, 0755);
    assert_int_equal(take_in_child(fixture, MAKE_STREAM, "1", "1"), 2);
    assert_int_equal(take_in_child(fixture, MAKE_STREAM, "", "1"), 2);
    assert_int_equal(take_in_child(fixture, MAKE_STREAM, NULL, "0"), 2);
    assert_int_equal(take_in_child(fixture, MAKE_STREAM, NULL, "one"), 2);
    assert_int_equal(take_in_child(fixture, MAKE_STREAM, NULL, "-1"), 2);
    assert_int_equal(take_in_child(fixture, MAKE_STREAM, NULL, "99999999999999999999"), 2);
}

static void sockets_that_are_not_the_configurations_are_refused(void **state)
{
    struct fixture *fixture = *state;

    make_run(fixture, 0755);
    assert_int_equal(take_in_child(fixture, MAKE_OTHER_PATH, NULL, "1"), 1);
    assert_int_equal(take_in_child(fixture, MAKE_DATAGRAM, NULL, "1"), 1);
    assert_int_equal(take_in_child(fixture, MAKE_NOT_LISTENING, NULL, "1"), 1);
    assert_int_equal(take_in_child(fixture, MAKE_FILE, NULL, "1"), 1);
    assert_int_equal(take_in_child(fixture, MAKE_TWICE, NULL, "2"), 1);
    assert_int_equal(take_in_child(fixture, MAKE_STREAM, NULL, "17"), 1);
    assert_int_equal(take_in_child(fixture, MAKE_STREAM, NULL, "2147483648"), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_directory_is_made_and_everybody_may_connect),
        TEST(a_second_one_is_refused_for_as_long_as_the_first_lives),
        TEST(what_a_dead_one_left_is_replaced),
        TEST(a_full_queue_is_not_taken_for_an_abandoned_socket),
        TEST(what_is_no_socket_is_kept),
        TEST(a_lock_that_is_a_link_is_not_followed),
        TEST(a_directory_where_others_could_replace_it_is_refused),
        TEST(checking_makes_nothing),
        TEST(a_path_too_long_for_a_socket_is_refused),
        TEST(only_its_own_name_is_removed),
        TEST(a_socket_of_the_service_manager_is_found_by_its_path),
        TEST(what_is_not_meant_for_us_is_ignored),
        TEST(sockets_that_are_not_the_configurations_are_refused),
    };

    return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
