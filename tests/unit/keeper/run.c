/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"

#include "base/clock.h"
#include "base/file.h"
#include "softhsm_paths.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAID_WITHIN_MS (20000 * PATIENCE)

extern char **environ;

static const char *find_module(void)
{
    for (size_t i = 0; softhsm_paths[i] != NULL; i++)
        if (access(softhsm_paths[i], R_OK) == 0)
            return softhsm_paths[i];
    return NULL;
}

void run_require_softhsm(void)
{
    bool must = getenv("CI") != NULL;

    if (find_module() != NULL)
        return;
    if (must)
        (void)printf("1..1\nnot ok 1 - SoftHSM is not installed\n");
    else
        (void)printf("1..0 # SKIP SoftHSM is not installed\n");
    exit(must ? 1 : 0);
}

const char *run_path(const struct run *run, const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", run->directory, name);
    return path;
}

static void run_command(const char *const arguments[])
{
    pid_t child = 0;
    int status = 0;

    assert_int_equal(
        posix_spawnp(&child, arguments[0], NULL, NULL, (char *const *)arguments, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void make_links(struct run *run)
{
    int front[2] = {-1, -1};
    int intake[2] = {-1, -1};

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, front), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, intake), 0);
    run->front = front[0];
    run->keeper_front = front[1];
    run->intake = intake[0];
    run->keeper_intake = intake[1];
}

static void close_links(struct run *run)
{
    (void)close(run->front);
    (void)close(run->intake);
    (void)close(run->keeper_front);
    (void)close(run->keeper_intake);
}

static void end_keeper(struct run *run)
{
    if (run->pid != 0) {
        (void)kill(run->pid, SIGKILL);
        (void)waitpid(run->pid, NULL, 0);
        run->pid = 0;
    }
    if (run->control >= 0)
        (void)close(run->control);
    run->control = -1;
}

int run_set_up(void **state)
{
    struct run *run = calloc(1, sizeof(*run));
    char script[256] = "";

    assert_non_null(run);
    *run = (struct run){.control = -1, .next_id = 1000};
    (void)snprintf(run->directory, sizeof(run->directory), "/tmp/stk-keeper-XXXXXX");
    assert_non_null(mkdtemp(run->directory));
    (void)snprintf(script, sizeof(script), "%s/softhsm-conf/token-setup.sh",
                   getenv("STIRKEEP_SOURCE"));
    run_command((const char *const[]){"sh", script, run->directory, NULL});
    assert_int_equal(stk_arena_new(&run->arena, STK_DECODE_ARENA_MAX), STIRKEEP_OK);
    make_links(run);
    *state = run;
    return 0;
}

int run_clean_up(void **state)
{
    struct run *run = *state;

    end_keeper(run);
    close_links(run);
    make_links(run);
    return 0;
}

int run_tear_down(void **state)
{
    struct run *run = *state;

    end_keeper(run);
    close_links(run);
    stk_arena_free(&run->arena);
    run_command((const char *const[]){"rm", "-rf", run->directory, NULL});
    free(run);
    return 0;
}

/* ---- birth */

/* As the porter hands it on. */
static int config_fd(const struct run *run, const struct run_options *options)
{
    int fd = memfd_create("config", MFD_CLOEXEC);
    unsigned sessions = options->sessions > 0 ? options->sessions : 2;
    const char *file = options->audit_file != NULL ? options->audit_file : "audit.jsonl";
    const char *module = options->module != NULL ? options->module : find_module();
    const char *sync = options->audit_sync != NULL ? options->audit_sync : "none";
    unsigned timeout = options->call_timeout_ms > 0 ? options->call_timeout_ms : 2000;
    struct stk_config *config = NULL;
    struct stk_buffer resolved = {0};
    struct stk_error error = {0};
    char text[2048] = "";

    (void)snprintf(text, sizeof(text),
                   "[token]\nmodule = %s\nlabel = stirkeep\npin-file = %s/pin\n"
                   "sessions = %u\ncall-timeout-ms = %u\n[audit]\nfile = %s/%s\nsync = %s\n%s",
                   module, run->directory, sessions, timeout, run->directory, file, sync,
                   options->audit != NULL ? options->audit : "");
    if (stk_config_resolve(text, strlen(text), "configuration", &config, &resolved, &error) !=
        STIRKEEP_OK)
        fail_msg("%s", error.message);
    stk_config_free(config);
    assert_true(fd >= 0);
    assert_true(stk_file_write_all(fd, resolved.data, resolved.length));
    stk_buffer_free(&resolved);
    return fd;
}

static int pin_fd(const struct run *run, const char *pin)
{
    int fd = -1;

    if (pin == NULL)
        return open(run_path(run, "pin"), O_RDONLY | O_CLOEXEC);
    if (pin[0] == '\0')
        return -1;
    fd = memfd_create("pin", MFD_CLOEXEC);
    assert_true(stk_file_write_all(fd, pin, strlen(pin)));
    return fd;
}

/* In the child: `fds` become 3, 4, ...; first out of each other's way. */
static _Noreturn void become_keeper(const struct run *run, int fds[], int count)
{
    char conf[128] = "";
    char *environment[] = {conf, NULL};
    char name[] = "stirkeep-keeper";
    char *arguments[] = {name, NULL};

    (void)snprintf(conf, sizeof(conf), "SOFTHSM2_CONF=%s/softhsm2.conf", run->directory);
    for (int i = 0; i < count; i++)
        if (fds[i] >= 0)
            fds[i] = fcntl(fds[i], F_DUPFD, 64);
    for (int i = 0; i < count; i++) {
        (void)close(STK_FD_CONTROL + i);
        if (fds[i] >= 0)
            (void)dup2(fds[i], STK_FD_CONTROL + i);
    }
    (void)execve(getenv("STIRKEEP_KEEPER"), arguments, environment);
    _exit(126);
}

struct stk_control_message run_hear(struct run *run)
{
    struct pollfd watch = {.fd = run->control, .events = POLLIN};
    struct stk_control_message said = {0};

    assert_int_equal(poll(&watch, 1, SAID_WITHIN_MS), 1);
    assert_int_equal(stk_control_receive(run->control, &said), STIRKEEP_OK);
    return said;
}

struct stk_control_message run_hear_but(struct run *run, enum stk_control_kind kind)
{
    struct stk_control_message said = run_hear(run);

    while (said.kind == kind)
        said = run_hear(run);
    return said;
}

struct stk_control_message run_start_and_hear(struct run *run, const struct run_options *options)
{
    struct stk_control_message said = {0};
    int control[2] = {-1, -1};
    int fds[6] = {-1, -1, run->keeper_front, run->keeper_intake, -1, -1};

    end_keeper(run);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
    fds[0] = control[1];
    fds[1] = config_fd(run, options);
    fds[4] = pin_fd(run, options->pin);
    if (options->number_key != NULL)
        fds[5] = pin_fd(run, options->number_key);
    run->pid = fork();
    assert_true(run->pid >= 0);
    if (run->pid == 0)
        become_keeper(run, fds, 6);
    (void)close(fds[0]);
    (void)close(fds[1]);
    for (int i = 4; i < 6; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    run->control = control[0];
    do
        said = run_hear_but(run, STK_CONTROL_SEALED);
    while (said.kind == STK_CONTROL_PIN_TRIED || said.kind == STK_CONTROL_PIN_TAKEN);
    return said;
}

void run_start(struct run *run, const struct run_options *options)
{
    struct stk_control_message said = run_start_and_hear(run, options);

    if (said.kind != STK_CONTROL_READY)
        fail_msg("%s", said.text);
}

int run_wait(struct run *run)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    int status = 0;

    for (int i = 0; i < 2000; i++) {
        if (waitpid(run->pid, &status, WNOHANG) == run->pid) {
            run->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("the keeper does not end");
    return -1;
}

int run_drain(struct run *run)
{
    assert_true(stk_control_send(run->control, STK_CONTROL_DRAIN, STK_ROOM_KEEPER, NULL));
    return run_wait(run);
}

bool run_is_silent(int fd, int milliseconds)
{
    struct pollfd watch = {.fd = fd, .events = POLLIN};

    return poll(&watch, 1, milliseconds) == 0;
}
