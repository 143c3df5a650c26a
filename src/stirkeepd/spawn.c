/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/spawn.h"

#include "base/process.h"
#include "lockdown/lockdown.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Copies of what is passed wait above every number that is going to be given. */
#define ABOVE 64

/* A handler of ours cannot run in another program, but what is ignored or blocked stays so. */
static bool forget_signals(void)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &standard, NULL); /* fails for those that cannot be changed */
    return sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool place_descriptors(const int given[STK_BIRTH_FDS])
{
    int copies[STK_BIRTH_FDS] = {-1, -1, -1};

    for (int i = 0; i < STK_BIRTH_FDS; i++) {
        copies[i] = given[i] < 0 ? -1 : fcntl(given[i], F_DUPFD_CLOEXEC, ABOVE);
        if (given[i] >= 0 && copies[i] < 0)
            return false;
    }
    for (int i = 0; i < STK_BIRTH_FDS; i++) {
        if (copies[i] < 0)
            (void)close(i);
        else if (dup2(copies[i], i) < 0)
            return false;
    }
    /* Everything of ours is close-on-exec already; this is for what we inherited ourselves. Where
     * the kernel does not know it, the room does the same for itself (stk_room_begin). */
    (void)close_range(STK_BIRTH_FDS, ~0U, CLOSE_RANGE_CLOEXEC);
    return true;
}

static _Noreturn void fail(const struct stk_birth *birth, int control, const char *what)
{
    struct stk_error error = {0};

    (void)stk_error_set(&error, STIRKEEP_CONFIG, "%s: %s", what, strerror(errno));
    (void)stk_control_send(control, STK_CONTROL_FAILED, birth->room, error.message);
    _exit(1);
}

/* What stirkeepd was started from is nothing that a module could type into. Not by a session of its
 * own: the kernel would share the processors out by sessions then, and not by who goes first. */
static void leave_terminal(void)
{
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (terminal < 0)
        return;
    (void)ioctl(terminal, TIOCNOTTY);
    (void)close(terminal);
}

static _Noreturn void become_room(const struct stk_birth *birth)
{
    char program[PATH_MAX] = "";
    char name[32] = "";
    char stand_by[] = STK_ROOM_STAND_BY;
    char *const arguments[] = {name, birth->stand_by ? stand_by : NULL, NULL};
    int fds[STK_BIRTH_FDS] = {0};

    (void)snprintf(name, sizeof(name), "stirkeep-%s", stk_room_name(birth->room));
    if (snprintf(program, sizeof(program), "%s/%s", birth->libexec, name) >= (int)sizeof(program)) {
        errno = ENAMETOOLONG;
        fail(birth, birth->fds[STK_FD_CONTROL], birth->libexec);
    }
    memcpy(fds, birth->fds, sizeof(fds));
    fds[STDIN_FILENO] = open("/dev/null", O_RDWR | O_CLOEXEC);
    fds[STDOUT_FILENO] = STDERR_FILENO;
    fds[STDERR_FILENO] = STDERR_FILENO;
    leave_terminal();
    if (!forget_signals() || !place_descriptors(fds))
        fail(birth, birth->fds[STK_FD_CONTROL], "descriptors");
    /* What is too much is refused at once, however busy the signers are; and front needs little. */
    if (birth->room != STK_ROOM_FRONT)
        stk_process_go_first(false);
    if (birth->user->change && !stk_lockdown_forget_root())
        fail(birth, STK_FD_CONTROL, "giving up what root may");
    if (!stk_user_become(birth->user))
        fail(birth, STK_FD_CONTROL, "changing to its user");
    (void)execve(program, arguments, birth->environment);
    fail(birth, STK_FD_CONTROL, program);
}

enum stirkeep_status stk_spawn(const struct stk_birth *birth, pid_t *ret_pid,
                               struct stk_error *error)
{
    pid_t pid = fork();

    if (pid < 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: no new process: %s",
                             stk_room_name(birth->room), strerror(errno));
    if (pid == 0)
        become_room(birth);
    *ret_pid = pid;
    return STIRKEEP_OK;
}
