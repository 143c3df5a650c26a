/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include "wipe/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * In this order: what is overwritten was opened and compared by content, so it is what was read;
 * from then on the name leads to nothing worth keeping, whatever happens. What is unlinked was moved
 * aside and looked at before, so that a file that took its place meanwhile is not lost.
 */

#define SUFFIX_BYTES 8

/* What a key file begins with once it is overwritten; shorter than any file with a P-256 key. */
static const char mark[] = "stirkeep: imported, being removed\n";
static const char note_mark[] = "note: ";

static enum stirkeep_status unsafe(const struct stk_source *source, const char *reason,
                                   struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_SOURCE_UNSAFE,
                         "%s: not removed, and nothing was done to it: %s", source->path, reason);
}

static bool same_content(const struct stk_source *source, int fd)
{
    uint8_t digest[STK_DIGEST_LENGTH];
    struct stk_secret data = {0};
    size_t size = (size_t)source->about.st_size;
    bool same = false;

    if (stk_secret_new(&data, size + 1) != STIRKEEP_OK)
        return false;
    while (data.length <= size) {
        ssize_t got =
            pread(fd, data.data + data.length, size + 1 - data.length, (off_t)data.length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        data.length += (size_t)got;
    }
    stk_sha256(data.data, data.length, digest);
    same = data.length == size && memcmp(digest, source->digest, sizeof(digest)) == 0;
    stk_secret_free(&data);
    return same;
}

/* Is it the file's fault that it cannot be opened, and not that of the host at the moment? */
static bool blames_file(int problem)
{
    return problem == ENOENT || problem == ELOOP || problem == EACCES || problem == EPERM ||
           problem == ENXIO || problem == EISDIR || problem == EROFS;
}

/* The file that was read, for writing; -1 with SOURCE_UNSAFE, or IO when it may pass. */
static int open_again(const struct stk_source *source, enum stirkeep_status *ret_status,
                      struct stk_error *error)
{
    struct stat now = {0};
    const char *difference = NULL;
    int fd = openat(source->directory, source->name,
                    O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0) {
        int problem = errno;

        *ret_status = unsafe(source, strerror(problem), error);
        if (!blames_file(problem))
            *ret_status = STIRKEEP_IO;
        if (error != NULL)
            error->status = *ret_status;
        return -1;
    }
    if (fstat(fd, &now) != 0)
        difference = strerror(errno);
    else
        difference = stk_source_difference(source, &now);
    if (difference == NULL && !same_content(source, fd))
        difference = "its content changed since it was read";
    if (difference != NULL) {
        *ret_status = unsafe(source, difference, error);
        (void)close(fd);
        return -1;
    }
    return fd;
}

bool stk_source_is_remains(const struct stk_secret *data)
{
    return data->length >= sizeof(mark) - 1 && memcmp(data->data, mark, sizeof(mark) - 1) == 0;
}

bool stk_source_remains_note(const struct stk_secret *data, char ret_note[STK_SOURCE_NOTE])
{
    const size_t before = sizeof(mark) - 1 + sizeof(note_mark) - 1;
    const char *at = (const char *)data->data + before;
    size_t length = 0;

    if (!stk_source_is_remains(data) || data->length <= before ||
        memcmp(at - (sizeof(note_mark) - 1), note_mark, sizeof(note_mark) - 1) != 0)
        return false;
    while (length < STK_SOURCE_NOTE - 1 && before + length < data->length && at[length] >= ' ' &&
           at[length] <= '~')
        length++;
    if (before + length == data->length || at[length] != '\n')
        return false;
    memcpy(ret_note, at, length);
    ret_note[length] = '\0';
    return true;
}

/* What the file begins with from now on. */
static void write_mark(const struct stk_source *source, uint8_t *data, size_t length)
{
    char whole[sizeof(mark) + sizeof(note_mark) + STK_SOURCE_NOTE] = "";
    size_t fits = sizeof(mark) - 1;
    size_t noted =
        (size_t)snprintf(whole, sizeof(whole), "%s%s%s\n", mark, note_mark, source->note);

    if (source->note[0] != '\0' && noted <= length)
        fits = noted;
    if (fits <= length)
        memcpy(data, whole, fits);
}

/* Random bytes behind the mark: zeros might be stored as a hole by a file system that compresses. */
static enum stirkeep_status overwrite(const struct stk_source *source, int fd,
                                      struct stk_error *error)
{
    uint8_t noise[4096];
    size_t left = (size_t)source->about.st_size;
    bool done = lseek(fd, 0, SEEK_SET) == 0;

    while (done && left > 0) {
        size_t length = left < sizeof(noise) ? left : sizeof(noise);

        stk_random(noise, length);
        if (left == (size_t)source->about.st_size)
            write_mark(source, noise, length);
        done = stk_file_write_all(fd, noise, length);
        left -= length;
    }
    if (done && fsync(fd) == 0)
        return STIRKEEP_OK;
    return stk_error_set(error, STIRKEEP_IO, "%s: overwriting it failed: %s", source->path,
                         strerror(errno));
}

/* What another one put in its place, or what could not be unlinked, gets its name again: whoever
 * looks for the file, and the next try, find it there. */
static bool put_back(const struct stk_source *source, const char *aside)
{
    return renameat2(source->directory, aside, source->directory, source->name, RENAME_NOREPLACE) ==
           0;
}

static enum stirkeep_status unlink_checked(const struct stk_source *source, struct stk_error *error)
{
    uint8_t random[SUFFIX_BYTES];
    char suffix[2 * SUFFIX_BYTES + 1] = "";
    char aside[64] = "";
    struct stat now = {0};
    int why = 0;

    stk_random(random, sizeof(random));
    stk_hex_encode(random, sizeof(random), suffix);
    (void)snprintf(aside, sizeof(aside), ".stirkeep-removed-%s", suffix);
    if (renameat(source->directory, source->name, source->directory, aside) != 0 ||
        fstatat(source->directory, aside, &now, AT_SYMLINK_NOFOLLOW) != 0)
        return stk_error_set(error, errno == ENOENT ? STIRKEEP_SOURCE_UNSAFE : STIRKEEP_IO,
                             "%s: overwritten, but not unlinked: %s", source->path,
                             strerror(errno));
    if (now.st_dev != source->about.st_dev || now.st_ino != source->about.st_ino) {
        (void)put_back(source, aside);
        return stk_error_set(error, STIRKEEP_SOURCE_UNSAFE,
                             "%s: overwritten; another file has taken its place, which was kept",
                             source->path);
    }
    if (unlinkat(source->directory, aside, 0) == 0)
        return STIRKEEP_OK;
    why = errno;
    return put_back(source, aside)
               ? stk_error_set(error, STIRKEEP_IO, "%s: overwritten, but not unlinked: %s",
                               source->path, strerror(why))
               : stk_error_set(error, STIRKEEP_IO,
                               "%s: overwritten and moved to %s, not unlinked: %s", source->path,
                               aside, strerror(why));
}

enum stirkeep_status stk_source_remove(struct stk_source *source, char ret_how[STK_SOURCE_HOW],
                                       struct stk_error *error)
{
    struct stk_filesystem filesystem = stk_filesystem_of(source->fd);
    enum stirkeep_status status = stk_source_removable(source, error);
    int fd = -1;

    if (status != STIRKEEP_OK)
        return status;
    fd = open_again(source, &status, error);
    if (fd < 0)
        return status;
    status = overwrite(source, fd, error);
    (void)close(fd);
    if (status == STIRKEEP_OK)
        status = unlink_checked(source, error);
    if (status != STIRKEEP_OK)
        return status;
    if (fsync(source->directory) == 0)
        (void)snprintf(ret_how, STK_SOURCE_HOW,
                       "overwritten, synced, unlinked, directory synced, on %s: %s",
                       filesystem.name, filesystem.promise);
    else /* the key is gone for good: what a power cut may bring back is a name */
        (void)snprintf(ret_how, STK_SOURCE_HOW,
                       "overwritten, synced, unlinked, directory NOT synced (%s): the name of the "
                       "overwritten file may come back; on %s: %s",
                       strerror(errno), filesystem.name, filesystem.promise);
    return STIRKEEP_OK;
}
