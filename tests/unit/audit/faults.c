/* SPDX-License-Identifier: BSD-2-Clause */
#include "faults.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct faults faults;

int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t length);
ssize_t __real_write(int fd, const void *data, size_t length);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate(int fd, off_t length);
int __wrap_ftruncate64(int fd, off_t length);
ssize_t __wrap_write(int fd, const void *data, size_t length);

void faults_reset(void)
{
    faults.fdatasync_errno = 0;
    faults.ftruncate_errno = 0;
    faults.write_errno = 0;
    faults.write_short = 0;
    faults.unlink_at_write = false;
    faults.fdatasync_ms = 0;
    faults.fdatasyncs = 0;
    faults.writes = 0;
    faults.path = NULL;
}

int __wrap_fdatasync(int fd)
{
    struct timespec pause = {.tv_nsec = faults.fdatasync_ms * 1000000L};

    faults.fdatasyncs++;
    (void)nanosleep(&pause, NULL);
    errno = faults.fdatasync_errno;
    return errno != 0 ? -1 : __real_fdatasync(fd);
}

int __wrap_ftruncate(int fd, off_t length)
{
    errno = faults.ftruncate_errno;
    return errno != 0 ? -1 : __real_ftruncate(fd, length);
}

/* Its name where file offsets are 64 bits wide by choice. */
int __wrap_ftruncate64(int fd, off_t length)
{
    return __wrap_ftruncate(fd, length);
}

/* Standard output belongs to the test's report. */
ssize_t __wrap_write(int fd, const void *data, size_t length)
{
    size_t left = faults.write_short;

    if (fd <= STDERR_FILENO)
        return __real_write(fd, data, length);
    faults.writes++;
    if (faults.unlink_at_write) {
        faults.unlink_at_write = false;
        (void)unlink(faults.path);
    }
    if (faults.write_errno == 0)
        return __real_write(fd, data, length);
    if (left > 0) {
        faults.write_short = 0;
        return __real_write(fd, data, left < length ? left : length);
    }
    errno = faults.write_errno;
    return -1;
}
