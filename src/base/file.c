/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OWN_DESCRIPTORS "/proc/self/fd"

bool stk_fd_about(int fd, struct stat *ret_about)
{
#if defined(__x86_64__) || defined(__aarch64__)
    return syscall(SYS_fstat, fd, ret_about) == 0;
#else
    return fstat(fd, ret_about) == 0;
#endif
}

enum stirkeep_status stk_file_read_fd(int fd, const char *name, size_t limit,
                                      struct stk_buffer *ret_data, struct stk_error *error)
{
    struct stk_buffer data = {.ceiling = limit};
    enum stirkeep_status status = STIRKEEP_OK;
    struct stat about = {0};

    if (!stk_fd_about(fd, &about))
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", name, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: not a regular file", name);
    if ((uint64_t)about.st_size > limit)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: larger than %zu bytes", name, limit);
    status = stk_buffer_reserve(&data, (size_t)about.st_size);
    while (status == STIRKEEP_OK && data.length < (size_t)about.st_size) {
        ssize_t got = pread(fd, data.data + data.length, (size_t)about.st_size - data.length,
                            (off_t)data.length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = stk_error_set(error, STIRKEEP_IO, "%s: %s", name, strerror(errno));
        if (got <= 0)
            break;
        data.length += (size_t)got;
    }
    if (status != STIRKEEP_OK) {
        stk_buffer_free(&data);
        return status == STIRKEEP_NO_MEMORY
                   ? stk_error_set(error, status, "%s: out of memory", name)
                   : status;
    }
    *ret_data = data;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_file_read(const char *path, size_t limit, struct stk_buffer *ret_data,
                                   struct stk_error *error)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    enum stirkeep_status status = STIRKEEP_OK;

    if (fd < 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    status = stk_file_read_fd(fd, path, limit, ret_data, error);
    (void)close(fd);
    return status;
}

bool stk_file_write_all(int fd, const void *data, size_t length)
{
    const uint8_t *at = data;

    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        at += written;
        length -= (size_t)written;
    }
    return true;
}

bool stk_file_sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    int saved = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = saved;
    return done;
}

bool stk_file_directory_of(const char *path, char *ret_directory, size_t size)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 1 : (size_t)(slash - path);

    if (length == 0)
        length = 1; /* the root */
    if (length >= size)
        return false;
    memcpy(ret_directory, slash == NULL ? "." : path, length);
    ret_directory[length] = '\0';
    return true;
}

/*
 * A file without a name until it is whole, so that a kill leaves none. *ret_named: that cannot be
 * had, so it has its name from the beginning.
 */
static int create_new(const char *path, const char *directory, bool *ret_named)
{
    int fd = access(OWN_DESCRIPTORS, X_OK) == 0
                 ? open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644)
                 : -1;

    *ret_named = fd < 0;
    if (fd < 0)
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
    return fd;
}

static bool give_name(int fd, const char *path)
{
    char self[64] = "";

    (void)snprintf(self, sizeof(self), OWN_DESCRIPTORS "/%d", fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

enum stirkeep_status stk_file_write_new(const char *path, struct stk_bytes data,
                                        struct stk_error *error)
{
    char directory[PATH_MAX] = "";
    bool named = false;
    bool done = false;
    int saved = 0;
    int fd = -1;

    if (!stk_file_directory_of(path, directory, sizeof(directory)))
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(ENAMETOOLONG));
    fd = create_new(path, directory, &named);
    if (fd < 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    done = stk_file_write_all(fd, data.data, data.length) && fsync(fd) == 0;
    if (done && !named)
        done = named = give_name(fd, path);
    done = done && stk_file_sync_directory(directory);
    saved = errno;
    (void)close(fd);
    if (done)
        return STIRKEEP_OK;
    if (named)
        (void)unlink(path);
    return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(saved));
}
