/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "room/room.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char good_config[] =
    "[token]\nlabel = t\n[grant g]\nuser = 0\ncertificates = *\nattest = A\n";

/* A child with a room's descriptors, which runs `check` behind stk_room_begin and exits with what
 * that returns. Returns its wait status, and the porter's end of control. */
static int run_room_as(enum stk_room room, struct stk_bytes text, bool with_control,
                       int (*check)(const struct stk_config *config), int *ret_control)
{
    int ends[2] = {-1, -1};
    int status = 0;
    pid_t child = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int config = memfd_create("config", 0);
        if (config < 0 || write(config, text.data, text.length) != (ssize_t)text.length ||
            dup2(config, 30) < 0 || dup2(ends[1], 31) < 0 || dup2(STDERR_FILENO, 32) < 0)
            _exit(90);
        for (int fd = STK_FD_CONTROL; fd < 30; fd++)
            (void)close(fd);
        if (with_control)
            (void)dup2(31, STK_FD_CONTROL);
        (void)dup2(30, STK_FD_CONFIG);
        (void)dup2(30, STK_FD_KEEPER_PIN);
        (void)dup2(30, STK_FD_FRONT_RULES);
        if (!with_control)
            (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        _exit(check(stk_room_begin(room)));
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (ret_control != NULL)
        *ret_control = ends[0];
    else
        (void)close(ends[0]);
    return status;
}

/* The configuration as the porter hands it on. */
static struct stk_buffer resolved(const char *text)
{
    struct stk_config *config = NULL;
    struct stk_buffer buffer = {0};
    struct stk_error error = {0};

    if (stk_config_resolve(text, strlen(text), "configuration", &config, &buffer, &error) !=
        STIRKEEP_OK)
        fail_msg("%s", error.message);
    stk_config_free(config);
    return buffer;
}

static int run_room(bool with_control, int (*check)(const struct stk_config *config),
                    int *ret_control)
{
    struct stk_buffer text = resolved(good_config);
    int status = run_room_as(STK_ROOM_INTAKE, (struct stk_bytes){text.data, text.length},
                             with_control, check, ret_control);

    stk_buffer_free(&text);
    return status;
}

static void assert_exit(int status, int wanted)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), wanted);
}

static int holds_its_configuration(const struct stk_config *config)
{
    return strcmp(config->token.label, "t") == 0 ? 0 : 1;
}

static void a_room_reads_its_configuration(void **state)
{
    (void)state;
    assert_exit(run_room(true, holds_its_configuration, NULL), 0);
}

/* The configuration's is closed already; STK_FD_FIRST and those up to 6 were not given. */
static int has_only_its_descriptors_to(int last)
{
    if (fcntl(STK_FD_CONFIG, F_GETFD) >= 0)
        return STK_FD_CONFIG;
    for (int fd = STK_FD_CONTROL; fd <= last; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
            return fd;
    for (int fd = last + 1; fd < 100; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            return fd;
    return fcntl(STK_FD_CONTROL, F_GETFD) >= 0 && fcntl(last, F_GETFD) >= 0 ? 0 : 1;
}

static int has_only_its_descriptors(const struct stk_config *config)
{
    (void)config;
    return has_only_its_descriptors_to(STK_FD_KEEPER_PIN);
}

static int has_the_rules_too(const struct stk_config *config)
{
    (void)config;
    return has_only_its_descriptors_to(STK_FD_FRONT_RULES);
}

static void a_room_closes_what_it_was_not_given(void **state)
{
    (void)state;
    assert_exit(run_room(true, has_only_its_descriptors, NULL), 0);
}

static void front_keeps_the_rules_that_it_was_given(void **state)
{
    struct stk_buffer text = resolved(good_config);
    (void)state;

    assert_exit(run_room_as(STK_ROOM_FRONT, (struct stk_bytes){text.data, text.length}, true,
                            has_the_rules_too, NULL),
                0);
    stk_buffer_free(&text);
}

static int is_closed_to_others(const struct stk_config *config)
{
    struct rlimit core = {1, 1};
    (void)config;

    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
        return 1;
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return 2;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 3;
    return umask(0) == 077 ? 0 : 4;
}

static void a_room_leaves_no_core_and_gains_no_rights(void **state)
{
    (void)state;
    assert_exit(run_room(true, is_closed_to_others, NULL), 0);
}

static int survives_signals(const struct stk_config *config)
{
    (void)config;
    (void)raise(SIGTERM);
    (void)raise(SIGINT);
    (void)raise(SIGHUP);
    (void)raise(SIGPIPE);
    return 42;
}

static void a_room_leaves_signals_to_the_porter(void **state)
{
    (void)state;
    assert_exit(run_room(true, survives_signals, NULL), 42);
}

static void assert_told(struct stk_bytes text, const char *why)
{
    struct stk_control_message message = {0};
    int control = -1;

    assert_exit(run_room_as(STK_ROOM_INTAKE, text, true, holds_its_configuration, &control), 1);
    assert_int_equal(stk_control_receive(control, &message), STIRKEEP_OK);
    assert_int_equal(message.kind, STK_CONTROL_FAILED);
    assert_int_equal(message.room, STK_ROOM_INTAKE);
    assert_non_null(strstr(message.text, why));
    (void)close(control);
}

static void a_bad_configuration_is_told_to_the_porter(void **state)
{
    struct stk_buffer text = resolved(good_config);
    uint8_t *label = memmem(text.data, text.length, "label = t", 9);
    (void)state;

    assert_non_null(label);
    memcpy(label, "lapel = t", 9);
    assert_told((struct stk_bytes){text.data, text.length}, "lapel");
    /* Without the users beside it, it is not what the porter gives. */
    assert_told((struct stk_bytes){(const uint8_t *)good_config, strlen(good_config)},
                "configuration");
    assert_told((struct stk_bytes){(const uint8_t *)"", 0}, "configuration");
    stk_buffer_free(&text);
}

static void a_room_started_by_hand_ends(void **state)
{
    (void)state;
    assert_exit(run_room(false, holds_its_configuration, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_reads_its_configuration),
        cmocka_unit_test(a_room_closes_what_it_was_not_given),
        cmocka_unit_test(front_keeps_the_rules_that_it_was_given),
        cmocka_unit_test(a_room_leaves_no_core_and_gains_no_rights),
        cmocka_unit_test(a_room_leaves_signals_to_the_porter),
        cmocka_unit_test(a_bad_configuration_is_told_to_the_porter),
        cmocka_unit_test(a_room_started_by_hand_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
