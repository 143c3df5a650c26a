/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/secret_file.h"

#include "model/number_hash.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum stirkeep_status credential_path(const struct stk_secret_file *file, char *ret_path,
                                            size_t size, struct stk_error *error)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");

    if (directory == NULL || directory[0] == '\0')
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s is empty, and no credential \"%s\" was given "
                             "(CREDENTIALS_DIRECTORY is not set)",
                             file->key, file->credential);
    if (snprintf(ret_path, size, "%s/%s", directory, file->credential) >= (int)size)
        return stk_error_set(error, STIRKEEP_CONFIG, "CREDENTIALS_DIRECTORY: too long");
    return STIRKEEP_OK;
}

/*
 * A credential of a service with User= is root's with an access list for that user, which shows
 * as rights of the group, root.
 */
static bool is_private(const struct stat *about, bool is_credential)
{
    mode_t others = about->st_mode & 077;

    if (is_credential && about->st_uid == 0 && about->st_gid == 0)
        others &= ~(mode_t)040;
    return others == 0;
}

static enum stirkeep_status judge(const struct stk_secret_file *file, const char *path,
                                  const struct stat *about, uid_t keeper_uid,
                                  struct stk_error *error)
{
    if (!S_ISREG(about->st_mode))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: not a regular file", path);
    if (about->st_uid != 0 && about->st_uid != geteuid() && about->st_uid != keeper_uid)
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: owned by uid %u, who could change %s",
                             path, (unsigned)about->st_uid, file->what);
    if (!is_private(about, file->path[0] == '\0'))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: mode %04o lets others at %s (chmod 600)",
                             path, (unsigned)(about->st_mode & 07777), file->what);
    if (about->st_size == 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: empty", path);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_secret_file_open(const struct stk_secret_file *file, uid_t keeper_uid,
                                          int *ret_fd, struct stat *ret_about,
                                          struct stk_error *error)
{
    char credential[PATH_MAX] = "";
    const char *path = file->path;
    enum stirkeep_status status = STIRKEEP_OK;
    struct stat about = {0};
    int fd = -1;

    if (path[0] == '\0') {
        status = credential_path(file, credential, sizeof(credential), error);
        if (status != STIRKEEP_OK)
            return status;
        path = credential;
    }
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: %s", path,
                             errno == ELOOP ? "a symbolic link" : strerror(errno));
    if (fstat(fd, &about) != 0)
        status = stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    else
        status = judge(file, path, &about, keeper_uid, error);
    if (status != STIRKEEP_OK) {
        (void)close(fd);
        return status;
    }
    *ret_about = about;
    *ret_fd = fd;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_number_key_open(const char *path, uid_t keeper_uid, int *ret_fd,
                                         struct stk_error *error)
{
    const struct stk_secret_file file = {.path = path,
                                         .credential = "number-key",
                                         .key = "[audit] number-key",
                                         .what = "the key for numbers"};
    struct stat about = {0};
    int fd = -1;
    enum stirkeep_status status = stk_secret_file_open(&file, keeper_uid, &fd, &about, error);

    if (status != STIRKEEP_OK)
        return status;
    if (about.st_size < STK_NUMBER_KEY_MIN || about.st_size > STK_NUMBER_KEY_MAX) {
        (void)close(fd);
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s: %lld bytes: a key for numbers has %d to %d",
                             path[0] != '\0' ? path : "credential number-key",
                             (long long)about.st_size, STK_NUMBER_KEY_MIN, STK_NUMBER_KEY_MAX);
    }
    *ret_fd = fd;
    return STIRKEEP_OK;
}
