/* SPDX-License-Identifier: BSD-2-Clause */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    atomic_bool counting;
    enum steps_end end;
    int at;
    atomic_int count;
} steps;

void steps_begin(enum steps_end end, int at)
{
    steps.end = end;
    steps.at = at;
    steps.count = 0;
    steps.counting = true;
}

int steps_over(void)
{
    steps.counting = false;
    return steps.count;
}

/* Is this the call that fails? */
static bool fails(void)
{
    if (!steps.counting || ++steps.count != steps.at)
        return false;
    if (steps.end == STEPS_KILL)
        (void)kill(getpid(), SIGKILL);
    errno = EIO;
    return steps.end == STEPS_FAIL;
}

#define STEP(result, name, parameters, arguments)                                                  \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        return fails() ? -1 : __real_##name arguments;                                             \
    }

STEP(int, link, (const char *from, const char *to), (from, to))
STEP(int, rename, (const char *from, const char *to), (from, to))
STEP(int, unlink, (const char *path), (path))
STEP(int, fdatasync, (int fd), (fd))
STEP(int, fsync, (int fd), (fd))
STEP(int, flock, (int fd, int operation), (fd, operation))
STEP(int, lstat64, (const char *path, struct stat *about), (path, about))
STEP(int, fstat64, (int fd, struct stat *about), (fd, about))
STEP(ssize_t, pread64, (int fd, void *data, size_t length, off_t at), (fd, data, length, at))

ssize_t __real_write(int fd, const void *data, size_t length);
ssize_t __wrap_write(int fd, const void *data, size_t length);
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_close(int fd);
int __wrap_close(int fd);

/* Standard output belongs to the test's report. */
ssize_t __wrap_write(int fd, const void *data, size_t length)
{
    return fd > STDERR_FILENO && fails() ? -1 : __real_write(fd, data, length);
}

int __wrap_open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list arguments;

    if ((flags & O_CREAT) != 0) {
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return fails() ? -1 : __real_open64(path, flags, mode);
}

/* A close that fails has closed all the same. */
int __wrap_close(int fd)
{
    bool failed = fails();

    return __real_close(fd) != 0 || failed ? -1 : 0;
}
