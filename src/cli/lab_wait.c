/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/lab.h"

#include "cli/output.h"
#include "cli/verb.h"
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void pass_on(int signals, int line)
{
    struct signalfd_siginfo about;

    while (read(signals, &about, sizeof(about)) == (ssize_t)sizeof(about)) {
        /* What is typed goes to all processes of the group; kill(1) to this one alone, as does a
         * terminal that goes away. */
        const struct stk_lab_note note = {(int)about.ssi_signo,
                                          about.ssi_code == SI_KERNEL && about.ssi_signo != SIGHUP};

        if (about.ssi_signo != SIGCHLD)
            (void)send(line, &note, sizeof(note), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

int stk_lab_wait(const struct stk_lab *lab, pid_t guardian, int line)
{
    int status = 0;
    int signals = signalfd(-1, &lab->watched, SFD_CLOEXEC | SFD_NONBLOCK);
    pid_t pid = 0;

    while (signals >= 0) {
        struct pollfd item = {.fd = signals, .events = POLLIN};

        if (poll(&item, 1, -1) > 0)
            pass_on(signals, line);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0 && pid != guardian)
            ;
        if (pid == guardian)
            break;
    }
    if (signals >= 0 && WIFEXITED(status))
        return WEXITSTATUS(status);
    stk_complain("lab", "its guardian was killed: the service and what it had started end");
    (void)stk_lab_end_children(0);
    stk_lab_sweep(lab);
    return STK_EXIT_FAILED;
}
