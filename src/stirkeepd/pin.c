/* SPDX-License-Identifier: BSD-2-Clause */
#include "stirkeepd/pin.h"

#include "base/digest.h"
#include "stirkeepd/secret_file.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
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

static bool was_refused(const struct stk_pin *pin, const struct stk_pin_identity *file)
{
    for (size_t i = 0; i < pin->refused_count; i++)
        if (is_same(&pin->refused[i], file))
            return true;
    return false;
}

/* The oldest one is forgotten for it. */
static void remember_refused(struct stk_pin *pin, const struct stk_pin_identity *file)
{
    if (was_refused(pin, file))
        return;
    memmove(&pin->refused[1], &pin->refused[0], sizeof(pin->refused) - sizeof(pin->refused[0]));
    pin->refused[0] = *file;
    if (pin->refused_count < STK_PIN_REFUSED_MAX)
        pin->refused_count++;
}

/* Both stirkeepds, of two versions perhaps, have to come to the same. */
static void add_text(uint8_t digest[STK_DIGEST_LENGTH], const char *text)
{
    stk_sha256_two(digest, STK_DIGEST_LENGTH, text, strlen(text), digest);
}

void stk_pin_init(struct stk_pin *pin, const struct stk_config *config)
{
    uint8_t digest[STK_DIGEST_LENGTH] = {0};

    add_text(digest, config->token.module);
    add_text(digest, config->token.label);
    for (size_t i = 0; i < STK_TOKEN_ENVIRONMENT_MAX; i++)
        if (config->token.environment[i] != NULL)
            add_text(digest, config->token.environment[i]);
    *pin = (struct stk_pin){0};
    memcpy(&pin->token, digest, sizeof(pin->token));
}

enum stirkeep_status stk_pin_hand_out(struct stk_pin *pin, const char *path, uid_t keeper_uid,
                                      int *ret_fd, struct stk_error *error)
{
    struct stk_pin_identity identity = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    int fd = -1;

    pin->is_handed = false;
    pin->is_tried = false;
    pin->logged_in = false;
    status = stk_pin_open(path, keeper_uid, &fd, &identity, error);
    if (status != STIRKEEP_OK)
        return status;
    if (was_refused(pin, &identity)) {
        (void)close(fd);
        return stk_error_set(error, STIRKEEP_TOKEN_LOCKED,
                             "the token has refused the PIN, and its file has not changed since: "
                             "not tried again");
    }
    if (!is_same(&identity, &pin->handed))
        pin->unheard = 0;
    pin->handed = identity;
    pin->is_handed = true;
    *ret_fd = fd;
    return STIRKEEP_OK;
}

bool stk_pin_note_refused(struct stk_pin *pin)
{
    const bool is_news = pin->is_handed && !was_refused(pin, &pin->handed);

    if (is_news)
        remember_refused(pin, &pin->handed);
    pin->is_tried = false;
    pin->logged_in = false;
    return is_news;
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
    pin->logged_in = true;
    stk_pin_note_unjudged(pin);
}

void stk_pin_note_unjudged(struct stk_pin *pin)
{
    pin->is_tried = false;
    pin->unheard = 0;
}

enum stk_pin_end stk_pin_note_end(struct stk_pin *pin)
{
    if (!pin->is_tried)
        return STK_PIN_NO_TRY;
    pin->is_tried = false;
    if (pin->is_taken && is_same(&pin->taken, &pin->handed))
        return STK_PIN_NO_TRY;
    if (++pin->unheard < STK_PIN_UNHEARD_MAX)
        return STK_PIN_UNHEARD;
    (void)stk_pin_note_refused(pin);
    return STK_PIN_GIVEN_UP;
}

bool stk_pin_is_lacking(const struct stk_pin *pin)
{
    return !pin->is_handed || (!pin->logged_in && was_refused(pin, &pin->handed));
}

#define WORD " PIN-REFUSED"

void stk_pin_words(const struct stk_pin *pin, char ret_words[STK_PIN_WORDS])
{
    size_t length = 0;

    ret_words[0] = '\0';
    for (size_t i = pin->refused_count; i-- > 0;) { /* the newest one last, as it came */
        const struct stk_pin_identity *file = &pin->refused[i];

        length += (size_t)snprintf(
            ret_words + length, STK_PIN_WORDS - length, WORD " %ju %ju %ju %jd %jd %ld",
            (uintmax_t)pin->token, (uintmax_t)file->device, (uintmax_t)file->inode,
            (intmax_t)file->size, (intmax_t)file->modified.tv_sec, file->modified.tv_nsec);
    }
}

bool stk_pin_take_words(struct stk_pin *pin, const char *words)
{
    do {
        uintmax_t token = 0;
        uintmax_t device = 0;
        uintmax_t inode = 0;
        intmax_t size = 0;
        intmax_t seconds = 0;
        long nanoseconds = 0;
        int length = 0;
        struct stk_pin_identity file = {0};

        if (sscanf(words, WORD " %ju %ju %ju %jd %jd %ld%n", &token, &device, &inode, &size,
                   &seconds, &nanoseconds, &length) != 6)
            return false;
        words += length;
        file = (struct stk_pin_identity){
            .device = (dev_t)device,
            .inode = (ino_t)inode,
            .size = (off_t)size,
            .modified = {.tv_sec = (time_t)seconds, .tv_nsec = nanoseconds}};
        if (token == pin->token)
            remember_refused(pin, &file);
    } while (*words != '\0');
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
    if (was_refused(pin, &identity))
        return false;
    pin->looked = identity;
    return is_same(&identity, &before);
}
