/* SPDX-License-Identifier: BSD-2-Clause */
#include "wipe/source.h"

#include "base/digest.h"
#include "base/file.h"
#include "wipe/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool same_time(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

const char *stk_source_difference(const struct stk_source *source, const struct stat *now)
{
    if (now->st_dev != source->about.st_dev || now->st_ino != source->about.st_ino)
        return "another file has taken its place";
    if (now->st_nlink != 1 && !source->keep)
        return "it has other hard links";
    if (now->st_size != source->about.st_size ||
        !same_time(&now->st_mtim, &source->about.st_mtim) ||
        !same_time(&now->st_ctim, &source->about.st_ctim))
        return "it changed since it was read";
    return NULL;
}

static enum stirkeep_status unsafe(const struct stk_source *source, const char *reason,
                                   struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_SOURCE_UNSAFE, "%s: cannot be removed safely: %s",
                         source->path, reason);
}

static enum stirkeep_status failed(const struct stk_source *source, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_IO, "%s: %s", source->path, strerror(errno));
}

static enum stirkeep_status split(struct stk_source *source, char ret_directory[PATH_MAX],
                                  struct stk_error *error)
{
    const char *slash = strrchr(source->path, '/');
    const char *name = slash == NULL ? source->path : slash + 1;

    if (!stk_file_directory_of(source->path, ret_directory, PATH_MAX) || strlen(name) > NAME_MAX) {
        errno = ENAMETOOLONG;
        return failed(source, error);
    }
    if (name[0] == '\0') {
        errno = EISDIR;
        return failed(source, error);
    }
    (void)strcpy(source->name, name);
    return STIRKEEP_OK;
}

static enum stirkeep_status open_directory(struct stk_source *source, struct stk_error *error)
{
    char directory[PATH_MAX] = "";
    enum stirkeep_status status = split(source, directory, error);

    if (status != STIRKEEP_OK)
        return status;
    source->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source->directory < 0 && errno == EACCES)
        source->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return source->directory < 0 ? failed(source, error) : STIRKEEP_OK;
}

static enum stirkeep_status take_directory(struct stk_source *source, int directory,
                                           const char *name, struct stk_error *error)
{
    if (strlen(name) > NAME_MAX || strchr(name, '/') != NULL) {
        errno = EINVAL;
        return failed(source, error);
    }
    (void)strcpy(source->name, name);
    source->directory = fcntl(directory, F_DUPFD_CLOEXEC, 0);
    return source->directory < 0 ? failed(source, error) : STIRKEEP_OK;
}

static enum stirkeep_status open_file(struct stk_source *source, struct stk_error *error)
{
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

    source->fd = openat(source->directory, source->name, source->keep ? flags : flags | O_NOFOLLOW);
    if (source->fd < 0 && errno == ELOOP && !source->keep)
        return unsafe(source, "it is a symbolic link", error);
    return source->fd < 0 ? failed(source, error) : STIRKEEP_OK;
}

static enum stirkeep_status check_kind(struct stk_source *source, struct stk_error *error)
{
    if (fstat(source->fd, &source->about) != 0)
        return failed(source, error);
    if (!S_ISREG(source->about.st_mode))
        return source->keep
                   ? stk_error_set(error, STIRKEEP_IO, "%s: not a regular file", source->path)
                   : unsafe(source, "it is not a regular file", error);
    if (source->about.st_nlink != 1 && !source->keep)
        return unsafe(source, "it has other hard links", error);
    if (source->about.st_size > STK_CERT_FILE_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: larger than %d bytes", source->path,
                             STK_CERT_FILE_MAX);
    return STIRKEEP_OK;
}

static enum stirkeep_status read_all(struct stk_source *source, struct stk_secret *data,
                                     struct stk_error *error)
{
    size_t size = (size_t)source->about.st_size;
    struct stat after = {0};

    while (data->length < size) {
        ssize_t got =
            pread(source->fd, data->data + data->length, size - data->length, (off_t)data->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(source, error);
        if (got == 0)
            break;
        data->length += (size_t)got;
    }
    if (fstat(source->fd, &after) != 0)
        return failed(source, error);
    if (data->length != size || stk_source_difference(source, &after) != NULL)
        return stk_error_set(error, STIRKEEP_SOURCE_UNSAFE, "%s: changed while it was being read",
                             source->path);
    stk_sha256(data->data, data->length, source->digest);
    return STIRKEEP_OK;
}

static enum stirkeep_status read_whole(struct stk_source *source, struct stk_secret *ret_data,
                                       struct stk_error *error)
{
    struct stk_secret data = {0};
    enum stirkeep_status status = open_file(source, error);

    if (status == STIRKEEP_OK)
        status = check_kind(source, error);
    if (status == STIRKEEP_OK &&
        stk_secret_new(&data, (size_t)source->about.st_size + 1) != STIRKEEP_OK)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", source->path);
    if (status == STIRKEEP_OK)
        status = read_all(source, &data, error);
    if (status == STIRKEEP_OK)
        *ret_data = data;
    else
        stk_secret_free(&data);
    return status;
}

/* `name` NULL: `path` leads there. */
static enum stirkeep_status open_source(int directory, const char *name, const char *path,
                                        bool keep, struct stk_source **ret_source,
                                        struct stk_secret *ret_data, struct stk_error *error)
{
    struct stk_source *source = calloc(1, sizeof(*source));
    enum stirkeep_status status = STIRKEEP_OK;

    if (source == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", path);
    source->directory = -1;
    source->fd = -1;
    source->keep = keep;
    source->path = strdup(path);
    if (source->path == NULL)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "%s: out of memory", path);
    else
        status = name == NULL ? open_directory(source, error)
                              : take_directory(source, directory, name, error);
    if (status == STIRKEEP_OK)
        status = read_whole(source, ret_data, error);
    if (status == STIRKEEP_OK)
        *ret_source = source;
    else
        stk_source_free(source);
    return status;
}

enum stirkeep_status stk_source_open(const char *path, bool keep, struct stk_source **ret_source,
                                     struct stk_secret *ret_data, struct stk_error *error)
{
    return open_source(-1, NULL, path, keep, ret_source, ret_data, error);
}

enum stirkeep_status stk_source_open_at(int directory, const char *name, const char *path,
                                        bool keep, struct stk_source **ret_source,
                                        struct stk_secret *ret_data, struct stk_error *error)
{
    return open_source(directory, name, path, keep, ret_source, ret_data, error);
}

void stk_source_set_note(struct stk_source *source, const char *note)
{
    (void)snprintf(source->note, sizeof(source->note), "%s", note);
}

/* chattr +i or +a: not even root may remove it. */
static bool is_immutable(int fd)
{
    int flags = 0;

    return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
           (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0;
}

/* In a sticky directory (sticky(7)) only the owners of file and directory remove a file. */
static bool sticky_forbids(const struct stk_source *source, const struct stat *directory)
{
    uid_t me = geteuid();

    return (directory->st_mode & S_ISVTX) != 0 && me != 0 && me != source->about.st_uid &&
           me != directory->st_uid;
}

enum stirkeep_status stk_source_removable(const struct stk_source *source, struct stk_error *error)
{
    struct stat now = {0};
    struct stat directory = {0};
    const char *difference = NULL;

    if (fstatat(source->directory, source->name, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
        fstat(source->directory, &directory) != 0)
        return unsafe(source, strerror(errno), error);
    difference = stk_source_difference(source, &now);
    if (difference != NULL)
        return unsafe(source, difference, error);
    if (faccessat(source->directory, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return unsafe(source,
                      errno == EROFS ? "its file system is read-only"
                                     : "its directory may not be written to",
                      error);
    if (faccessat(source->directory, source->name, W_OK, AT_EACCESS) != 0)
        return unsafe(source, "it may not be written to, so it cannot be overwritten", error);
    if (faccessat(source->directory, ".", R_OK, AT_EACCESS) != 0)
        return unsafe(source, "its directory may not be read, so it cannot be synced", error);
    if (sticky_forbids(source, &directory))
        return unsafe(source, "it is another user's in a sticky directory", error);
    if (is_immutable(source->fd))
        return unsafe(source, "it is immutable (chattr)", error);
    if (is_immutable(source->directory))
        return unsafe(source, "its directory is immutable (chattr)", error);
    return STIRKEEP_OK;
}

void stk_source_free(struct stk_source *source)
{
    if (source == NULL)
        return;
    if (source->fd >= 0)
        (void)close(source->fd);
    if (source->directory >= 0)
        (void)close(source->directory);
    free(source->path);
    free(source);
}
