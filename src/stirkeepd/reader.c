/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/reader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESULT_FD (STDERR_FILENO + 1)

/* The porter's descriptors must not live on here when it dies: rooms know its end by them. */
static bool be_alone(int result, pid_t porter)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != porter ||
        dup2(result, RESULT_FD) != RESULT_FD)
        return false;
    closefrom(RESULT_FD + 1);
    return true;
}

/* Whatever is wrong with what somebody wrote is a fault of the configuration. */
static enum stirkeep_status kind_of_fault(enum stirkeep_status status)
{
    return status == STIRKEEP_NO_MEMORY || status == STIRKEEP_INTERNAL ? status : STIRKEEP_CONFIG;
}

static _Noreturn void read_and_tell(const char *path, const struct stk_config *now)
{
    struct stk_control_message message = {.kind = STK_CONTROL_FAILED};
    struct stk_reading reading = {0};
    struct stk_error error = {0};
    enum stirkeep_status status = stk_reading_take(path, now, &reading, &error);

    if (status == STIRKEEP_OK) {
        message.kind = STK_CONTROL_CONFIG;
        message.fds[message.fd_count++] = reading.config_fd;
        if (reading.rules_fd >= 0)
            message.fds[message.fd_count++] = reading.rules_fd;
        (void)snprintf(message.text, sizeof(message.text), "%s", reading.text);
    } else {
        message.status = kind_of_fault(status);
        (void)snprintf(message.text, sizeof(message.text), "%s", error.message);
    }
    _exit(stk_control_send_message(RESULT_FD, &message) ? 0 : 1);
}

enum stirkeep_status stk_reader_start(struct stk_reader *reader, const char *path,
                                      const struct stk_config *now, struct stk_error *error)
{
    const pid_t porter = getpid();
    int ends[2] = {-1, -1};
    pid_t pid = -1;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0)
        pid = fork();
    if (pid == 0) {
        if (be_alone(ends[1], porter))
            read_and_tell(path, now);
        _exit(1);
    }
    if (pid < 0)
        (void)stk_error_set(error, STIRKEEP_IO, "%s: cannot be read: no new process: %s", path,
                            strerror(errno));
    if (ends[1] >= 0)
        (void)close(ends[1]);
    if (pid < 0 && ends[0] >= 0)
        (void)close(ends[0]);
    if (pid < 0)
        return STIRKEEP_IO;
    *reader = (struct stk_reader){.pid = pid, .fd = ends[0]};
    return STIRKEEP_OK;
}

bool stk_reader_done(struct stk_reader *reader, struct stk_reading *ret_reading,
                     struct stk_error *ret_error)
{
    struct stk_control_message message = {0};
    enum stirkeep_status status = stk_control_receive(reader->fd, &message);

    if (status == STIRKEEP_UNAVAILABLE)
        return false;
    if (status != STIRKEEP_OK) {
        (void)stk_error_set(ret_error, STIRKEEP_INTERNAL,
                            "the process that reads the configuration died");
    } else if (message.kind == STK_CONTROL_CONFIG) {
        *ret_reading =
            (struct stk_reading){.config_fd = message.fds[0], .rules_fd = message.fds[1]};
        (void)snprintf(ret_reading->text, sizeof(ret_reading->text), "%.*s",
                       (int)sizeof(ret_reading->text) - 1, message.text);
        ret_error->status = STIRKEEP_OK;
    } else {
        (void)stk_error_set(ret_error, (enum stirkeep_status)message.status, "%s", message.text);
    }
    stk_reader_stop(reader);
    return true;
}

void stk_reader_bury(struct stk_reader *reader, pid_t pid)
{
    if (pid == reader->pid)
        reader->pid = 0;
}

void stk_reader_stop(struct stk_reader *reader)
{
    if (reader->pid > 0)
        (void)kill(reader->pid, SIGKILL);
    if (reader->fd >= 0)
        (void)close(reader->fd);
    reader->fd = -1;
}
