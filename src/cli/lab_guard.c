/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"

#include "base/clock.h"
#include "cli/output.h"
#include "cli/verb.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_MS 3000    /* for COMMAND after a signal, and for the service at the end */
#define EXIT_NOT_RUN 126 /* as env(1) and shells have it */
#define EXIT_NOT_FOUND 127
#define EXIT_SIGNAL 128

/* What the guardian knows. */
struct guard {
    const struct stk_lab *lab;
    struct stk_lab_place place;
    int line;    /* to who was started */
    int signals; /* signalfd */
    pid_t service;
    pid_t awaited; /* a child whose end is waited for; 0: none */
    int status;    /* of the awaited one */
    bool ended;    /* the awaited one has */
    bool abandoned;
    struct stk_lab_note note; /* the last signal; 0: none */
};

static void reap(struct guard *guard)
{
    int status = 0;
    pid_t pid = 0;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == guard->service)
            guard->service = 0;
        if (pid == guard->awaited) {
            guard->ended = true;
            guard->status = status;
        }
    }
}

static void take_signals(struct guard *guard)
{
    struct signalfd_siginfo about;

    while (read(guard->signals, &about, sizeof(about)) == (ssize_t)sizeof(about))
        if (about.ssi_signo != SIGCHLD)
            guard->note = (struct stk_lab_note){.signal = (int)about.ssi_signo};
    reap(guard);
}

static void listen_to_line(struct guard *guard)
{
    struct stk_lab_note note = {0};
    ssize_t got = recv(guard->line, &note, sizeof(note), MSG_DONTWAIT);

    if (got == (ssize_t)sizeof(note))
        guard->note = note;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        guard->abandoned = true;
}

/* Wait for something to happen, up to `until_us` (0: without end). */
static void watch(struct guard *guard, uint64_t until_us)
{
    struct pollfd items[] = {{.fd = guard->signals, .events = POLLIN},
                             {.fd = guard->line, .events = POLLIN}};
    uint64_t now_us = stk_clock_mono_us();
    int wait_ms = until_us == 0       ? -1
                  : until_us > now_us ? (int)((until_us - now_us) / 1000) + 1
                                      : 0;

    if (poll(items, 2, wait_ms) <= 0)
        return;
    if (items[0].revents != 0)
        take_signals(guard);
    if (items[1].revents != 0)
        listen_to_line(guard);
}

/* In the child: end when the guardian ends, which may have happened before this could be said; and
 * have signals as they were. */
static void be_child(const struct guard *guard, pid_t guardian)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guardian)
        _exit(1);
    (void)sigprocmask(SIG_SETMASK, &guard->lab->mask, NULL);
}

static pid_t begin(struct guard *guard)
{
    pid_t guardian = getpid();
    pid_t pid = 0;

    (void)fflush(NULL);
    pid = fork();
    if (pid == 0)
        be_child(guard, guardian);
    else if (pid < 0)
        stk_complain("lab", "no new process: %s", strerror(errno));
    return pid;
}

static void await(struct guard *guard, pid_t pid)
{
    guard->awaited = pid;
    guard->ended = false;
    guard->status = 0;
}

static bool is_asked(const struct guard *guard)
{
    return guard->abandoned || guard->note.signal != 0;
}

/* Run one step of the preparation in a child; it complains for itself. */
static bool do_step(struct guard *guard,
                    enum stirkeep_status (*step)(const struct stk_lab *,
                                                 const struct stk_lab_place *, struct stk_error *),
                    bool needs_service)
{
    pid_t pid = begin(guard);

    if (pid == 0) {
        struct stk_error error = {0};
        enum stirkeep_status status = step(guard->lab, &guard->place, &error);

        if (status != STIRKEEP_OK)
            stk_complain("lab", "%s",
                         error.message[0] != '\0' ? error.message : stirkeep_status_text(status));
        _exit(status == STIRKEEP_OK ? 0 : 1);
    }
    if (pid < 0)
        return false;
    await(guard, pid);
    while (!guard->ended && !is_asked(guard) && (!needs_service || guard->service != 0))
        watch(guard, 0);
    if (needs_service && guard->service == 0 && !is_asked(guard)) {
        stk_complain("lab", "the service did not start:");
        stk_lab_show_log(&guard->place);
        return false;
    }
    return guard->ended && guard->status == 0;
}

static bool start_service(struct guard *guard)
{
    pid_t guardian = getpid();
    pid_t pid = begin(guard);

    if (pid == 0)
        stk_lab_become_porter(guard->lab, &guard->place, guardian);
    guard->service = pid > 0 ? pid : 0;
    return pid > 0;
}

static bool make_place(struct guard *guard)
{
    struct stk_error error = {0};
    char path[PATH_MAX] = "";
    enum stirkeep_status status = stk_lab_place_make(guard->lab, &guard->place, &error);

    if (status == STIRKEEP_OK && stk_lab_path(&guard->place, "service", path) &&
        (mkdir(path, 0700) != 0 || (guard->lab->uid != geteuid() &&
                                    chown(path, guard->lab->uid, (gid_t)guard->lab->uid) != 0)))
        status = stk_error_set(&error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    if (status == STIRKEEP_OK)
        status = stk_lab_link_programs(guard->lab, &guard->place, &error);
    if (status != STIRKEEP_OK)
        stk_complain("lab", "%s", error.message);
    return status == STIRKEEP_OK;
}

/* ---- COMMAND */

static _Noreturn void become_command(const struct guard *guard)
{
    char **command = guard->lab->command;

    (void)setpgid(0, guard->lab->group);
    (void)umask(guard->lab->umask);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    if (!stk_lab_environment(guard->lab, &guard->place))
        _exit(EXIT_NOT_RUN);
    (void)execvp(command[0], command);
    stk_complain(command[0], "%s", strerror(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
}

static int status_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? EXIT_SIGNAL + WTERMSIG(wait_status)
                                    : WEXITSTATUS(wait_status);
}

static int run_command(struct guard *guard)
{
    uint64_t until_us = 0;
    pid_t pid = begin(guard);

    if (pid == 0)
        become_command(guard);
    if (pid < 0)
        return STK_EXIT_FAILED;
    await(guard, pid);
    while (!guard->ended && !guard->abandoned) {
        watch(guard, until_us);
        /* Of a signal from the terminal COMMAND makes what it likes. */
        if (guard->note.signal != 0 && !guard->note.from_terminal && !guard->ended) {
            (void)kill(pid, guard->note.signal);
            if (until_us == 0)
                until_us = stk_clock_mono_us() + GRACE_MS * 1000ULL;
        }
        guard->note.signal = 0;
        if (until_us != 0 && stk_clock_mono_us() >= until_us && !guard->ended) {
            (void)kill(pid, SIGKILL);
            until_us = 0;
        }
    }
    return guard->ended ? status_of(guard->status) : STK_EXIT_FAILED;
}

static int wait_for_signal(struct guard *guard)
{
    if (!stk_lab_show(guard->lab, &guard->place))
        return STK_EXIT_FAILED;
    while (!is_asked(guard) && guard->service != 0)
        watch(guard, 0);
    if (is_asked(guard))
        return STK_EXIT_DONE;
    stk_complain("lab", "the service ended:");
    stk_lab_show_log(&guard->place);
    return STK_EXIT_FAILED;
}

/* ---- the whole */

static bool open_signals(struct guard *guard)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    (void)sigemptyset(&all);
    (void)sigaddset(&all, SIGCHLD);
    (void)sigaddset(&all, SIGTERM);
    (void)sigaddset(&all, SIGINT);
    (void)sigaddset(&all, SIGHUP);
    guard->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    return guard->signals >= 0;
}

static int asked_status(const struct guard *guard)
{
    return guard->note.signal != 0 ? EXIT_SIGNAL + guard->note.signal : STK_EXIT_FAILED;
}

int stk_lab_guard(struct stk_lab *lab, int line)
{
    struct guard guard = {.lab = lab, .place = {.lock = -1}, .line = line, .signals = -1};
    int result = STK_EXIT_FAILED;

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)prctl(PR_SET_NAME, "stirkeep-lab");
    if (!open_signals(&guard)) {
        stk_complain("lab", "%s", strerror(errno));
        return STK_EXIT_FAILED;
    }
    stk_lab_sweep(lab);
    lab->umask = umask(077);
    if (make_place(&guard) && do_step(&guard, stk_lab_prepare, false) && start_service(&guard) &&
        do_step(&guard, stk_lab_fill, true))
        result = lab->command != NULL ? run_command(&guard) : wait_for_signal(&guard);
    else if (is_asked(&guard))
        result = asked_status(&guard);
    if (!stk_lab_end_children(guard.abandoned ? 0 : GRACE_MS))
        stk_complain("lab", "a process of another user is left");
    if (!stk_lab_place_remove(&guard.place)) {
        stk_complain(guard.place.path, "cannot be removed");
        result = result == STK_EXIT_DONE ? STK_EXIT_FAILED : result;
    }
    return result;
}
