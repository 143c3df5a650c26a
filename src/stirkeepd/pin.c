/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/pin.h"

#include "stirkeepd/secret_file.h"
#include <inttypes.h>
#include <stdio.h>
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
    pin->is_tried = false;
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
    if (!is_same(&identity, &pin->handed))
        pin->unheard = 0;
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
    pin->is_tried = false;
}

void stk_pin_note_tried(struct stk_pin *pin)
{
    pin->is_tried = pin->is_handed;
}

void stk_pin_note_taken(struct stk_pin *pin)
{
    if (!pin->is_tried)
        return;
    pin->taken = pin->handed;
    pin->is_taken = true;
    stk_pin_note_unjudged(pin);
}

void stk_pin_note_unjudged(struct stk_pin *pin)
{
    pin->is_tried = false;
    pin->unheard = 0;
}

bool stk_pin_note_end(struct stk_pin *pin)
{
    if (!pin->is_tried)
        return false;
    pin->is_tried = false;
    if (pin->is_taken && is_same(&pin->taken, &pin->handed))
        return false;
    if (++pin->unheard < STK_PIN_UNHEARD_MAX)
        return false;
    stk_pin_note_refused(pin);
    return true;
}

bool stk_pin_is_lacking(const struct stk_pin *pin)
{
    return !pin->is_handed || (pin->is_refused && is_same(&pin->refused, &pin->handed));
}

#define WORD " PIN-REFUSED"

void stk_pin_word(const struct stk_pin *pin, char ret_word[STK_PIN_WORD])
{
    const struct stk_pin_identity *file = &pin->refused;

    ret_word[0] = '\0';
    if (pin->is_refused)
        (void)snprintf(ret_word, STK_PIN_WORD, WORD " %ju %ju %jd %jd %ld", (uintmax_t)file->device,
                       (uintmax_t)file->inode, (intmax_t)file->size,
                       (intmax_t)file->modified.tv_sec, file->modified.tv_nsec);
}

bool stk_pin_take_word(struct stk_pin *pin, const char *word)
{
    uintmax_t device = 0;
    uintmax_t inode = 0;
    intmax_t size = 0;
    intmax_t seconds = 0;
    long nanoseconds = 0;
    int length = 0;

    if (sscanf(word, WORD " %ju %ju %jd %jd %ld%n", &device, &inode, &size, &seconds, &nanoseconds,
               &length) != 5 ||
        word[length] != '\0')
        return false;
    pin->refused =
        (struct stk_pin_identity){.device = (dev_t)device,
                                  .inode = (ino_t)inode,
                                  .size = (off_t)size,
                                  .modified = {.tv_sec = (time_t)seconds, .tv_nsec = nanoseconds}};
    pin->is_refused = true;
    return true;
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
