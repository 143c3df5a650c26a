/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/pin.h"

#include "stirkeepd/secret_file.h"
#include <unistd.h>

enum stirkeep_status stk_pin_open(const char *path, uid_t keeper_uid, int *ret_fd,
                                  struct stk_pin_identity *ret_identity, struct stk_error *error)
{
    const struct stk_secret_file file = {
        .path = path, .credential = "pin", .key = "[token] pin-file", .what = "the PIN"};
    struct stat about = {0};
    enum stirkeep_status status = stk_secret_file_open(&file, keeper_uid, ret_fd, &about, error);

    if (status != STIRKEEP_OK)
        return status;
    *ret_identity = (struct stk_pin_identity){.device = about.st_dev,
                                              .inode = about.st_ino,
                                              .size = about.st_size,
                                              .modified = about.st_mtim};
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
