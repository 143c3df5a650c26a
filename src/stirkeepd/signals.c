/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool is_ignored(int number)
{
    struct sigaction action = {0};

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

enum stirkeep_status stk_signals_open(int *ret_fd, struct stk_error *error)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t wanted;
    int fd = -1;

    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGCHLD);
    (void)sigaddset(&wanted, SIGTERM);
    /* What nohup and shells leave ignored for a job in the background is to stay so: a blocked
     * signal would arrive all the same. */
    if (!is_ignored(SIGINT))
        (void)sigaddset(&wanted, SIGINT);
    if (!is_ignored(SIGHUP))
        (void)sigaddset(&wanted, SIGHUP);
    /* Who started us may have left it ignored: then no child could be waited for. */
    (void)sigaction(SIGCHLD, &standard, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    if (sigprocmask(SIG_BLOCK, &wanted, NULL) == 0)
        fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return stk_error_set(error, STIRKEEP_IO, "signals: %s", strerror(errno));
    *ret_fd = fd;
    return STIRKEEP_OK;
}

int stk_signals_next(int fd)
{
    struct signalfd_siginfo about = {0};
    ssize_t got = 0;

    do
        got = read(fd, &about, sizeof(about));
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(about) ? (int)about.ssi_signo : 0;
}
