/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/softhsm.h"

#include "base/file.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* SoftHSM takes no notice of names that do not end in ".object". */
#define TOKEN_FILE "token.object"
#define COPY "token.object.stirkeep"
#define COPY_UNFINISHED "token.object.stirkeep-new"
#define TOKEN_FILE_MAX (1024 * 1024)

/* For so long a former keeper may take to end, with a write to a slow disk before it. */
#define CLAIM_TRIES 500
#define CLAIM_PAUSE_NS 20000000

static enum stirkeep_status read_token_file(int directory, const char *name,
                                            struct stk_buffer *ret_content, struct stk_error *error)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    enum stirkeep_status status = STIRKEEP_OK;

    if (fd < 0)
        return stk_error_set(error, STIRKEEP_STORAGE, "%s: %s", name, strerror(errno));
    status = stk_file_read_fd(fd, name, TOKEN_FILE_MAX, ret_content, error);
    (void)close(fd);
    return status;
}

/* Is token.object whole, and not shorter than `size`? A login changes no length. */
static bool token_file_is_well(int directory, off_t size)
{
    struct stk_buffer content = {0};
    bool well = read_token_file(directory, TOKEN_FILE, &content, NULL) == STIRKEEP_OK &&
                content.length >= (size_t)size &&
                stk_softhsm_object_whole((struct stk_bytes){content.data, content.length});

    stk_buffer_free(&content);
    return well;
}

static bool sync_token_file(int directory)
{
    int fd = openat(directory, TOKEN_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool done = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        (void)close(fd);
    return done;
}

/* Needs no room on the disk. */
static bool put_back(int directory)
{
    return renameat(directory, COPY, directory, TOKEN_FILE) == 0 && fsync(directory) == 0;
}

/*
 * The lock lasts as long as its process, whatever ends it, and any that its death leaves behind in
 * the middle of a write. Where a file system locks no directories, one goes without. False:
 * another process has it.
 */
static bool lock_directory(int directory)
{
    const struct timespec pause = {.tv_nsec = CLAIM_PAUSE_NS};

    for (int tries = 0; flock(directory, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return true;
        if (tries == CLAIM_TRIES)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

enum stirkeep_status stk_softhsm_claim(struct stk_softhsm *softhsm, struct stk_error *error)
{
    int directory = -1;

    if (softhsm->token[0] == '\0')
        return STIRKEEP_OK;
    directory = open(softhsm->token, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return stk_error_set(error, STIRKEEP_STORAGE, "%s: %s", softhsm->token, strerror(errno));
    if (!lock_directory(directory)) {
        (void)close(directory);
        return stk_error_set(error, STIRKEEP_BUSY, "%s: another keeper uses this token",
                             softhsm->token);
    }
    softhsm->lock = directory;
    return STIRKEEP_OK;
}

void stk_softhsm_release(struct stk_softhsm *softhsm)
{
    if (softhsm->lock >= 0)
        (void)close(softhsm->lock);
    softhsm->lock = -1;
}

static void recover_token(const char *tokens, int directory, const char *name)
{
    struct stat copy = {0};

    (void)unlinkat(directory, COPY_UNFINISHED, 0);
    if (fstatat(directory, COPY, &copy, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (token_file_is_well(directory, copy.st_size))
        (void)unlinkat(directory, COPY, 0);
    else if (put_back(directory))
        stk_log(STK_LOG_WARNING,
                "%s/%s: a login was cut off while SoftHSM wrote " TOKEN_FILE
                ": put back from the copy",
                tokens, name);
    else
        stk_log(STK_LOG_ERROR,
                "%s/%s: " TOKEN_FILE " is damaged, its copy " COPY " cannot be put back: %s",
                tokens, name, strerror(errno));
}

void stk_softhsm_recover(const struct stk_softhsm *softhsm)
{
    DIR *stream = softhsm->tokens[0] == '\0' ? NULL : opendir(softhsm->tokens);
    const struct dirent *entry = NULL;

    if (stream == NULL)
        return;
    while ((entry = readdir(stream)) != NULL) {
        int fd = -1;

        if (entry->d_name[0] == '.')
            continue;
        fd = openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            continue;
        /* Not while its keeper is at it, which may be a former one that is still ending. */
        if (faccessat(fd, COPY, F_OK, AT_SYMLINK_NOFOLLOW) == 0 && lock_directory(fd))
            recover_token(softhsm->tokens, fd, entry->d_name);
        (void)close(fd);
    }
    (void)closedir(stream);
}

static bool write_copy(int directory, const struct stk_buffer *content)
{
    int fd = -1;
    bool done = false;
    int saved = 0;

    (void)unlinkat(directory, COPY_UNFINISHED, 0);
    fd = openat(directory, COPY_UNFINISHED, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                0600);
    if (fd < 0)
        return false;
    done = stk_file_write_all(fd, content->data, content->length) && fsync(fd) == 0;
    saved = errno;
    if (close(fd) != 0 && done) {
        saved = errno;
        done = false;
    }
    if (done &&
        (renameat(directory, COPY_UNFINISHED, directory, COPY) != 0 || fsync(directory) != 0)) {
        saved = errno;
        done = false;
    }
    if (!done)
        (void)unlinkat(directory, COPY_UNFINISHED, 0);
    errno = saved;
    return done;
}

enum stirkeep_status stk_softhsm_guard(struct stk_softhsm *softhsm, struct stk_error *error)
{
    struct stk_buffer content = {0};
    enum stirkeep_status status = STIRKEEP_OK;
    int directory = -1;

    if (softhsm->token[0] == '\0')
        return STIRKEEP_OK;
    directory = open(softhsm->token, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return stk_error_set(error, STIRKEEP_STORAGE, "%s: %s", softhsm->token, strerror(errno));
    /* Of a keeper that ended in the middle of its login only now. */
    recover_token(softhsm->tokens, directory, strrchr(softhsm->token, '/') + 1);
    /* The database back end keeps no such file, and its own journal. */
    if (faccessat(directory, TOKEN_FILE, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        goto out;
    status = read_token_file(directory, TOKEN_FILE, &content, error);
    if (status != STIRKEEP_OK) {
        status = stk_error_set(error, STIRKEEP_STORAGE, "cannot read token.object in %s",
                               softhsm->token);
        goto out;
    }
    if (!write_copy(directory, &content)) {
        status = stk_error_set(error, STIRKEEP_STORAGE,
                               "no copy of token.object could be made in %s (%s): not logging in, "
                               "because SoftHSM would rewrite the file without one",
                               softhsm->token, strerror(errno));
        goto out;
    }
    softhsm->guarded = (off_t)content.length;
out:
    stk_buffer_free(&content);
    (void)close(directory);
    return status;
}

enum stirkeep_status stk_softhsm_settle(struct stk_softhsm *softhsm, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    int directory = -1;

    if (softhsm->guarded == 0)
        return STIRKEEP_OK;
    directory = open(softhsm->token, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return stk_error_set(error, STIRKEEP_STORAGE, "%s: %s", softhsm->token, strerror(errno));
    if (token_file_is_well(directory, softhsm->guarded)) {
        /* Without a sync the copy stays, for the next start to judge. */
        if (sync_token_file(directory))
            (void)unlinkat(directory, COPY, 0);
    } else if (put_back(directory)) {
        stk_log(STK_LOG_ERROR,
                "%s: SoftHSM could not write token.object at login (is the disk full?): put back",
                softhsm->token);
        status = stk_error_set(error, STIRKEEP_STORAGE,
                               "SoftHSM could not write token.object in %s at login; it was put "
                               "back (is the disk full?)",
                               softhsm->token);
    } else {
        status =
            stk_error_set(error, STIRKEEP_STORAGE,
                          "token.object in %s is damaged, its copy " COPY " cannot be put back: %s",
                          softhsm->token, strerror(errno));
    }
    softhsm->guarded = 0;
    (void)close(directory);
    return status;
}
