/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/state.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two notes that wait at the same time become one; "continue" has to stand first in its file. */
void stk_trail_add_note(struct stk_trail *trail, const char *act, const char *text)
{
    bool pending = trail->note_act != NULL && trail->note_sequence == 0;
    size_t used = pending ? strlen(trail->note) : 0;

    (void)snprintf(trail->note + used, sizeof(trail->note) - used, "%s%s", pending ? "; " : "",
                   text);
    if (!pending || strcmp(act, "continue") == 0)
        trail->note_act = act;
    trail->note_sequence = 0;
}

static void note_continuation(struct stk_trail *trail, const char *what, bool synced)
{
    char text[STK_TRAIL_NOTE_MAX] = "";

    (void)snprintf(text, sizeof(text), "the file %s; it ended with record %" PRIu64 "%s", what,
                   trail->written.chain.sequence,
                   synced ? "" : "; its last records may not be on disk");
    stk_trail_add_note(trail, "continue", text);
}

/* Only its writer's own plain file: not one that others write, nor one with a second name. */
static enum stirkeep_status check_file(const char *path, const struct stat *about,
                                       struct stk_error *error)
{
    if (!S_ISREG(about->st_mode))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: not a regular file", path);
    if (about->st_uid != geteuid())
        return stk_error_set(error, STIRKEEP_INVALID, "%s: owned by uid %u, not by the keeper",
                             path, (unsigned)about->st_uid);
    if ((about->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: may be written by others (mode %04o)",
                             path, (unsigned)about->st_mode & 07777);
    if (about->st_nlink != 1)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: has %lu names", path,
                             (unsigned long)about->st_nlink);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_trail_open_file(const char *path, int flags, int *ret_fd,
                                         struct stat *ret_about, struct stk_error *error)
{
    int fd = open(
        path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags,
        0600);
    enum stirkeep_status status = STIRKEEP_OK;

    if (fd < 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: %s", path,
                             errno == ELOOP ? "is a symbolic link" : strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        status = errno == EWOULDBLOCK
                     ? stk_error_set(error, STIRKEEP_BUSY, "%s: another process writes it", path)
                     : stk_error_set(error, STIRKEEP_IO, "%s: flock: %s", path, strerror(errno));
    /* Looked at after the lock, when its size is settled. */
    else if (fstat(fd, ret_about) != 0)
        status = stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
    else {
        stk_trail_undo_rotation(fd, path, ret_about);
        status = check_file(path, ret_about, error);
    }
    if (status != STIRKEEP_OK) {
        (void)close(fd);
        return status;
    }
    *ret_fd = fd;
    return STIRKEEP_OK;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static enum stirkeep_status cut_torn(struct stk_trail *trail, int fd, off_t end, off_t size,
                                     int64_t real_us, struct stk_error *error)
{
    char name[PATH_MAX] = "";
    char text[STK_TRAIL_NOTE_MAX] = "";
    enum stirkeep_status status = STIRKEEP_OK;

    if (!stk_tail_name(trail->path, "torn", real_us, name))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: the path is too long", trail->path);
    status = stk_tail_cut(fd, trail->path, end, size, name, error);
    if (status != STIRKEEP_OK)
        return status;
    (void)snprintf(text, sizeof(text), "%lld bytes that were no whole record were moved to %s",
                   (long long)(size - end), base_of(name));
    stk_trail_add_note(trail, "cut", text);
    return STIRKEEP_OK;
}

/* On disk are: what was found, and the file's name. With NONE nothing is promised. */
static enum stirkeep_status settle(struct stk_trail *trail, int fd, bool fresh,
                                   struct stk_error *error)
{
    char directory[PATH_MAX] = "";

    if (trail->sync == STK_TRAIL_NONE)
        return STIRKEEP_OK;
    if (fdatasync(fd) != 0 ||
        (fresh && (!stk_file_directory_of(trail->path, directory, sizeof(directory)) ||
                   !stk_file_sync_directory(directory))))
        return stk_error_set(error, STIRKEEP_IO, "%s: cannot be synced: %s", trail->path,
                             strerror(errno));
    return STIRKEEP_OK;
}

/* A file that does not go on from our last record is evidence: it is kept, under another name. */
static enum stirkeep_status put_aside(struct stk_trail *trail, int64_t real_us,
                                      struct stk_error *error)
{
    char name[PATH_MAX] = "";
    char text[STK_TRAIL_NOTE_MAX] = "";

    if (!stk_tail_name(trail->path, "foreign", real_us, name))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: the path is too long", trail->path);
    if (renameat2(AT_FDCWD, trail->path, AT_FDCWD, name, RENAME_NOREPLACE) != 0)
        return stk_error_set(error, STIRKEEP_IO, "%s: cannot be put aside: %s", trail->path,
                             strerror(errno));
    (void)snprintf(text, sizeof(text), "a file that did not end with it was put aside as %s",
                   base_of(name));
    stk_trail_add_note(trail, "continue", text);
    return STIRKEEP_OK;
}

void stk_trail_adopt(struct stk_trail *trail, int fd, const struct stat *about,
                     const struct stk_position *position)
{
    trail->fd = fd;
    trail->device = about->st_dev;
    trail->inode = about->st_ino;
    trail->written = *position;
    trail->synced = *position;
    trail->unclean = false;
    trail->sync_failed = false;
    trail->begun_us = position->end > 0 ? stk_tail_begun(fd) : 0;
}

static bool same_chain(const struct stk_chain *a, const struct stk_chain *b)
{
    return a->sequence == b->sequence && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

enum stirkeep_status stk_trail_take_file(struct stk_trail *trail, int64_t real_us,
                                         struct stk_error *error)
{
    bool knows_chain = trail->written.chain.sequence > 0;
    struct stk_position found = {0};
    struct stat about = {0};
    int fd = -1;
    enum stirkeep_status status = stk_trail_open_file(trail->path, 0, &fd, &about, error);

    if (status != STIRKEEP_OK)
        return status;
    status = stk_tail_find(fd, trail->path, about.st_size, &found, error);
    if (knows_chain && about.st_size > 0 &&
        (status == STIRKEEP_INVALID ||
         (status == STIRKEEP_OK && !same_chain(&found.chain, &trail->written.chain)))) {
        (void)close(fd);
        status = put_aside(trail, real_us, error);
        return status == STIRKEEP_OK ? stk_trail_take_file(trail, real_us + 1, error) : status;
    }
    if (status == STIRKEEP_OK && found.end < about.st_size)
        status = cut_torn(trail, fd, found.end, about.st_size, real_us, error);
    if (status == STIRKEEP_OK)
        status = settle(trail, fd, about.st_size == 0, error);
    if (status != STIRKEEP_OK) {
        (void)close(fd);
        return status;
    }
    if (knows_chain)
        found.chain = trail->written.chain;
    stk_trail_adopt(trail, fd, &about, &found);
    return STIRKEEP_OK;
}

/* Leave a file that is not at the path any more. Those who wait for it to be synced are served. Of
 * a file that is nowhere any more, or was cut, no seal can show what it held: the chain covers it. */
static bool let_go(struct stk_trail *trail)
{
    bool synced = trail->sync == STK_TRAIL_NONE || fdatasync(trail->fd) == 0;
    struct stat about = {0};

    if (!synced && trail->sync == STK_TRAIL_ALWAYS)
        stk_trail_step_back(trail, &trail->synced);
    else
        trail->synced = trail->written;
    if (fstat(trail->fd, &about) != 0 || about.st_nlink == 0 || about.st_size < trail->written.end)
        stk_unsealed_leave(&trail->unsealed);
    (void)close(trail->fd);
    trail->fd = -1;
    stk_trail_tell(trail, true);
    return synced;
}

/* Something is not as it was left. What is it, and can it be put right? */
static enum stirkeep_status repair(struct stk_trail *trail, const struct stat *about,
                                   const char *what, int64_t real_us, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (what != NULL) {
        note_continuation(trail, what, let_go(trail));
        return stk_trail_take_file(trail, real_us, error);
    }
    if (trail->sync_failed) /* the sync thread sees to that, and to nothing being lost by it */
        return stk_error_set(error, STIRKEEP_IO, "%s: cannot be synced: %s", trail->path,
                             strerror(trail->sync_errno));
    if (trail->unclean) {
        if (!stk_trail_cut_back(trail))
            return stk_error_set(error, STIRKEEP_IO, "%s: cannot be cut back: %s", trail->path,
                                 strerror(errno));
    } else if (about->st_size > trail->written.end) {
        status = cut_torn(trail, trail->fd, trail->written.end, about->st_size, real_us, error);
    }
    return status;
}

/* Why the open file can no longer be written; NULL when it is at its path and has its length. */
static const char *what_happened(const struct stk_trail *trail, int found, const struct stat *about)
{
    if (found != 0)
        return "was removed";
    if (about->st_dev != trail->device || about->st_ino != trail->inode)
        return "was replaced";
    return about->st_size < trail->written.end ? "was cut" : NULL;
}

enum stirkeep_status stk_trail_make_ready(struct stk_trail *trail, int64_t real_us,
                                          struct stk_error *error)
{
    struct stat about = {0};
    const char *what = NULL;
    int found = 0;

    for (;;) {
        if (trail->fd < 0)
            return stk_trail_take_file(trail, real_us, error);
        if (trail->directory_unsynced && !stk_trail_sync_names(trail))
            return stk_error_set(error, STIRKEEP_IO, "%s: its directory cannot be synced: %s",
                                 trail->path, strerror(errno));
        found = lstat(trail->path, &about);
        if (found != 0 && errno != ENOENT)
            return stk_error_set(error, STIRKEEP_IO, "%s: %s", trail->path, strerror(errno));
        what = what_happened(trail, found, &about);
        if (what == NULL && about.st_size == trail->written.end && !trail->unclean &&
            !trail->sync_failed)
            return STIRKEEP_OK;
        if (!trail->syncing)
            return repair(trail, &about, what, real_us, error);
        (void)pthread_cond_wait(&trail->changed, &trail->lock);
    }
}
