/* SPDX-License-Identifier: BSD-2-Clause */
#include "locked.h"

#include "lockdown/landlock.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64];

static const char *at(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", base, name);
    return path;
}

static void make_file(const char *name)
{
    int fd = open(at(name), O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    (void)close(fd);
}

static int setup(void **state)
{
    (void)state;
    (void)strcpy(base, "/tmp/stk-landlock-XXXXXX");
    assert_non_null(mkdtemp(base));
    assert_int_equal(mkdir(at("mine"), 0700), 0);
    assert_int_equal(mkdir(at("read"), 0700), 0);
    assert_int_equal(mkdir(at("other"), 0700), 0);
    make_file("mine/file");
    make_file("read/file");
    make_file("other/file");
    return 0;
}

static int teardown(void **state)
{
    char command[128] = "";

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -r %s", base);
    return system(command);
}

/* ---- attempts */

static long read_mine(void)
{
    return open(at("mine/file"), O_RDWR);
}

static long change_mine(void)
{
    if (mkdir(at("mine/directory"), 0700) != 0 || rename(at("mine/file"), at("mine/new")) != 0 ||
        truncate(at("mine/new"), 0) != 0 || unlink(at("mine/new")) != 0)
        return -1;
    return rmdir(at("mine/directory"));
}

static long list_mine(void)
{
    return open(at("mine"), O_RDONLY | O_DIRECTORY);
}

static long read_read(void)
{
    return open(at("read/file"), O_RDONLY);
}

static long write_read(void)
{
    return open(at("read/file"), O_WRONLY);
}

static long remove_read(void)
{
    return unlink(at("read/file"));
}

static long read_other(void)
{
    return open(at("other/file"), O_RDONLY);
}

static long make_other(void)
{
    return open(at("other/new"), O_WRONLY | O_CREAT, 0600);
}

static long link_other(void)
{
    return rename(at("other/file"), at("mine/taken")) == 0 ||
                   link(at("other/file"), at("mine/taken")) == 0
               ? 0
               : -1;
}

static long by_symbolic_link(void)
{
    if (symlink(at("other/file"), at("mine/link")) != 0)
        return 0;
    return open(at("mine/link"), O_RDONLY);
}

static long signal_parent(void)
{
    return kill(getppid(), 0);
}

static long listen_tcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
}

static long connect_tcp(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address));
}

/* ---- tests */

static bool is_there(unsigned abi)
{
    bool is = !STK_LOCKDOWN_RELAXED && stk_landlock_abi() >= abi;

    if (!is)
        print_message("Landlock %u is not in force here\n", abi);
    return is;
}

static int try_as(enum stk_room room, enum stk_keeper_lock keeper, long (*attempt)(void))
{
    static char mine[128];
    static char reading[128];
    const struct stk_access accesses[] = {{mine, true, false},
                                          {reading, false, false},
                                          {"/not/there", true, false},
                                          {"", true, false}};
    const struct locked as = {room, keeper, accesses, 4, true};

    (void)snprintf(mine, sizeof(mine), "%s/mine", base);
    (void)snprintf(reading, sizeof(reading), "%s/read", base);
    return locked_try(&as, attempt);
}

static int try_as_intake(long (*attempt)(void))
{
    return try_as(STK_ROOM_INTAKE, STK_KEEPER_STRICT, attempt);
}

static void a_room_has_its_files(void **state)
{
    (void)state;
    assert_int_equal(try_as_intake(read_mine), 0);
    assert_int_equal(try_as_intake(list_mine), 0);
    assert_int_equal(try_as_intake(read_read), 0);
    assert_int_equal(try_as_intake(change_mine), 0);
}

static void a_room_has_no_others(void **state)
{
    (void)state;
    if (!is_there(1))
        return;
    assert_int_equal(try_as_intake(write_read), EACCES);
    assert_int_equal(try_as_intake(remove_read), EACCES);
    assert_int_equal(try_as_intake(read_other), EACCES);
    assert_int_equal(try_as_intake(make_other), EACCES);
    assert_int_not_equal(try_as_intake(link_other), 0);
    assert_int_equal(try_as_intake(by_symbolic_link), EACCES);
}

static void a_room_without_files_opens_none(void **state)
{
    static const struct stk_access nothing[1];
    const struct locked as = {STK_ROOM_FRONT, STK_KEEPER_STRICT, nothing, 0, true};

    (void)state;
    if (!is_there(1))
        return;
    assert_int_equal(locked_try(&as, read_mine), EACCES);
    assert_int_equal(locked_try(&as, list_mine), EACCES);
    assert_int_equal(locked_try(&as, make_other), EACCES);
}

static void no_room_has_a_network_but_a_module_that_may(void **state)
{
    (void)state;
    if (!is_there(4))
        return;
    assert_int_equal(try_as_intake(listen_tcp), EACCES);
    assert_int_equal(try_as_intake(connect_tcp), EACCES);
    assert_int_equal(try_as(STK_ROOM_KEEPER, STK_KEEPER_STRICT, connect_tcp), EACCES);
    assert_int_equal(try_as(STK_ROOM_KEEPER, STK_KEEPER_MODULE, connect_tcp), ECONNREFUSED);
    assert_int_equal(try_as(STK_ROOM_KEEPER, STK_KEEPER_MODULE, listen_tcp), EACCES);
}

static void no_room_signals_another_process(void **state)
{
    (void)state;
    if (!is_there(6))
        return;
    assert_int_equal(try_as_intake(signal_parent), EPERM);
    assert_int_equal(try_as(STK_ROOM_KEEPER, STK_KEEPER_MODULE, signal_parent), EPERM);
}

static void a_module_of_unknown_needs_has_every_file(void **state)
{
    const struct locked as = {STK_ROOM_KEEPER, STK_KEEPER_MODULE, NULL, 0, true};

    (void)state;
    assert_int_equal(locked_try(&as, read_other), 0);
    assert_int_equal(locked_try(&as, make_other), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_room_has_its_files),
        TEST(a_room_has_no_others),
        TEST(a_room_without_files_opens_none),
        TEST(no_room_has_a_network_but_a_module_that_may),
        TEST(no_room_signals_another_process),
        TEST(a_module_of_unknown_needs_has_every_file),
    };

    return cmocka_run_group_tests_name("landlock", tests, NULL, NULL);
}
