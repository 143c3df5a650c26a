/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum stirkeep_status credential_path(char *ret_path, size_t size, struct stk_error *error)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");

    if (directory == NULL || directory[0] == '\0')
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "[token] pin-file is empty, and no credential \"pin\" was given "
                             "(CREDENTIALS_DIRECTORY is not set)");
    if (snprintf(ret_path, size, "%s/pin", directory) >= (int)size)
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

static enum stirkeep_status judge(const char *path, const struct stat *about, uid_t keeper_uid,
                                  bool is_credential, struct stk_error *error)
{
    if (!S_ISREG(about->st_mode))
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: not a regular file", path);
    if (about->st_uid != 0 && about->st_uid != geteuid() && about->st_uid != keeper_uid)
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s: owned by uid %u, who could change the PIN", path,
                             (unsigned)about->st_uid);
    if (!is_private(about, is_credential))
        return stk_error_set(error, STIRKEEP_CONFIG,
                             "%s: mode %04o lets others at the PIN (chmod 600)", path,
                             (unsigned)(about->st_mode & 07777));
    if (about->st_size == 0)
        return stk_error_set(error, STIRKEEP_CONFIG, "%s: empty", path);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_pin_open(const char *path, uid_t keeper_uid, int *ret_fd,
                                  struct stk_pin_identity *ret_identity, struct stk_error *error)
{
    const bool is_credential = path[0] == '\0';
    char credential[PATH_MAX] = "";
    enum stirkeep_status status = STIRKEEP_OK;
    struct stat about = {0};
    int fd = -1;

    if (is_credential) {
        status = credential_path(credential, sizeof(credential), error);
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
        status = judge(path, &about, keeper_uid, is_credential, error);
    if (status != STIRKEEP_OK) {
        (void)close(fd);
        return status;
    }
    *ret_identity = (struct stk_pin_identity){.device = about.st_dev,
                                              .inode = about.st_ino,
                                              .size = about.st_size,
                                              .modified = about.st_mtim};
    *ret_fd = fd;
    return STIRKEEP_OK;
}

static bool is_same(const struct stk_pin_identity *one, const struct stk_pin_identity *other)
{
    return one->device == other->device && one->inode == other->inode && one->size == other->size &&
           one->modified.tv_sec == other->modified.tv_sec &&
           one->modified.tv_nsec == other->modified.tv_nsec;
}

enum stirkeep_status stk_pin_hand_out(struct stk_pin *pin, const char *path, uid_t keeper_uid,
                                      int *ret_fd, struct stk_error *error)
{
    struct stk_pin_identity identity = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = -1;

    pin->is_handed = false;
    status = stk_pin_open(path, keeper_uid, &fd, &identity, error);
    if (status != STIRKEEP_OK)
        return status;
    if (pin->is_refused && is_same(&identity, &pin->refused)) {
        (void)close(fd);
        return stk_error_set(error, STIRKEEP_TOKEN_LOCKED,
                             "the token has refused the PIN, and its file has not changed since: "
                             "not tried again");
    }
    pin->is_refused = false;
    pin->handed = identity;
    pin->is_handed = true;
    *ret_fd = fd;
    return STIRKEEP_OK;
}

void stk_pin_note_refused(struct stk_pin *pin)
{
    if (!pin->is_handed)
        return;
    pin->refused = pin->handed;
    pin->is_refused = true;
}

bool stk_pin_look(struct stk_pin *pin, const char *path, uid_t keeper_uid)
{
    const struct stk_pin_identity before = pin->looked;
    struct stk_pin_identity identity = {0};
    int fd = -1;

    pin->looked = identity;
    if (stk_pin_open(path, keeper_uid, &fd, &identity, NULL) != STIRKEEP_OK)
        return false;
    (void)close(fd);
    if (pin->is_refused && is_same(&identity, &pin->refused))
        return false;
    pin->looked = identity;
    return is_same(&identity, &before);
}
