/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"
#include "config/file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum stirkeep_status stk_config_trust(const char *path, const struct stat *about, uid_t uid,
                                      struct stk_error *error)
{
    const unsigned mode = (unsigned)about->st_mode & 07777;

    if (!S_ISREG(about->st_mode))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: not a regular file", path);
    if ((mode & S_IWOTH) != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: everybody may write to it (mode %04o)",
                             path, mode);
    if ((mode & S_IWGRP) != 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: its group may write to it (mode %04o)",
                             path, mode);
    if (about->st_uid != 0 && about->st_uid != uid)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s: owned by uid %u, who is neither root nor uid %u", path,
                             (unsigned)about->st_uid, (unsigned)uid);
    return STIRKEEP_OK;
}

/* Files of /proc and the like say that nothing is in them, and then something is. */
static bool goes_on(int fd, const struct stat *about)
{
    char more = 0;

    return pread(fd, &more, 1, about->st_size) > 0;
}

enum stirkeep_status stk_config_read_whole(int fd, const char *path, size_t limit,
                                           struct stk_buffer *ret_text, struct stk_error *error)
{
    struct stat before = {0};
    struct stat after = {0};
    struct stk_buffer text = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (fstat(fd, &before) != 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    status = stk_config_trust(path, &before, geteuid(), error);
    if (status == STIRKEEP_OK && before.st_size > (off_t)limit)
        status = stk_error_set(error, STIRKEEP_CONFIG, "%s: larger than %zu bytes", path, limit);
    if (status == STIRKEEP_OK && before.st_size == 0 && goes_on(fd, &before))
        status = stk_error_set(error, STIRKEEP_CONFIG, "%s: not a regular file", path);
    if (status == STIRKEEP_OK)
        status = stk_file_read_fd(fd, path, limit, &text, error);
    if (status == STIRKEEP_OK && fstat(fd, &after) != 0)
        status = stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    if (status == STIRKEEP_OK &&
        (before.st_size != after.st_size || before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
         before.st_mtim.tv_nsec != after.st_mtim.tv_nsec || text.length != (size_t)before.st_size))
        status = stk_error_set(error, STIRKEEP_CONFIG,
                               "%s: changed while it was read (write a new file beside it and "
                               "rename that)",
                               path);
    if (status != STIRKEEP_OK) {
        stk_buffer_free(&text);
        return status;
    }
    *ret_text = text;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_config_read(const char *path, struct stk_buffer *ret_text,
                                     struct stk_error *error)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    enum stirkeep_status status = STIRKEEP_OK;

    if (fd < 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    status = stk_config_read_whole(fd, path, STK_CONFIG_MAX, ret_text, error);
    (void)close(fd);
    return status;
}
