/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/witness.h"

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define CANNOT_RUN 127

/* The porter's descriptors must not live on here when it dies: rooms know its end by them. */
static void be_alone(int first)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &standard, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0); /* whoever kills it kills what it started, too */
    closefrom(first);
}

/* ---- the file */

static _Noreturn void fail(void)
{
    _exit(errno > 0 && errno < STK_WITNESS_NOT_A_FILE ? errno : EIO);
}

/* Only root's, or our own user's: whoever else can write it may write it anew. */
int stk_witness_judge(const struct stat *about)
{
    if (!S_ISREG(about->st_mode) || about->st_nlink != 1)
        return STK_WITNESS_NOT_A_FILE;
    if (about->st_uid != 0 && about->st_uid != geteuid())
        return STK_WITNESS_NOT_OURS;
    return (about->st_mode & (S_IWGRP | S_IWOTH)) != 0 ? STK_WITNESS_OPEN_TO_OTHERS : 0;
}

static void check(int fd, struct stat *ret_about)
{
    int fault = 0;

    if (fstat(fd, ret_about) != 0)
        fail();
    fault = stk_witness_judge(ret_about);
    if (fault != 0)
        _exit(fault);
}

/* A power cut, or a full disk, may have left half a line. */
static bool ends_in_a_line(int fd, off_t size)
{
    char last = '\n';

    return size == 0 || (pread(fd, &last, 1, size - 1) == 1 && last == '\n');
}

static _Noreturn void append(const char *path, const char *lines, size_t length)
{
    int fd = open(
        path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    char directory[PATH_MAX] = "";
    struct stat about = {0};

    if (fd < 0)
        fail();
    check(fd, &about);
    if ((!ends_in_a_line(fd, about.st_size) && !stk_file_write_all(fd, "\n", 1)) ||
        !stk_file_write_all(fd, lines, length)) {
        int why = errno;

        (void)!ftruncate(fd, about.st_size);
        errno = why;
        fail();
    }
    if (fdatasync(fd) != 0)
        fail();
    if (about.st_size == 0 && stk_file_directory_of(path, directory, sizeof(directory)))
        (void)stk_file_sync_directory(directory);
    _exit(0);
}

pid_t stk_witness_append(const char *path, const char *lines, size_t length)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    be_alone(STDERR_FILENO + 1);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file at its limit is a failed write */
    append(path, lines, length);
}

/* ---- the command */

static _Noreturn void become_command(const char *command, int input)
{
    char path[] = "PATH=/usr/bin:/bin";
    char language[] = "LANG=C";
    char *environment[] = {path, language, NULL};
    char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    char *rest = strdup(command);
    char *word = NULL;
    size_t count = 0;

    while (rest != NULL && count < ARGUMENTS_MAX && (word = strsep(&rest, " \t")) != NULL)
        if (word[0] != '\0')
            arguments[count++] = word;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (count == 0 || dup2(input, STDIN_FILENO) < 0 ||
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO) < 0)
        _exit(CANNOT_RUN);
    be_alone(STDERR_FILENO + 1);
    stk_process_go_first(false);
    (void)execve(arguments[0], arguments, environment);
    stk_log(STK_LOG_ERROR, "%s: %s", arguments[0], strerror(errno));
    _exit(CANNOT_RUN);
}

pid_t stk_witness_run(const char *command, const char *line)
{
    int ends[2] = {-1, -1};
    bool filled = false;
    pid_t pid = -1;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    /* It has room for it: nobody needs to read yet. */
    filled =
        stk_file_write_all(ends[1], line, strlen(line)) && stk_file_write_all(ends[1], "\n", 1);
    if (filled)
        pid = fork();
    if (filled && pid == 0)
        become_command(command, ends[0]);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return pid;
}
