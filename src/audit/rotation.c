/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/state.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What a kill or a power cut leaves, at each step:
 *   1. the new file is made as PATH.next, its record "continue" in it and on disk: removed later
 *   2. the old file gets its new name, beside the path: taken away again when it is opened
 *   3. PATH.next is renamed to the path: done
 * Nothing is written to the new file before the names are on disk, and nothing to the old one after
 * the new one's record was made. So there is one chain at the path, whole, at every moment.
 */

#define NEXT ".next"

bool stk_trail_rotated_name(const char *path, uint64_t sequence, char ret_name[PATH_MAX])
{
    int length = snprintf(ret_name, PATH_MAX, "%s.%012" PRIu64, path, sequence);

    return length > 0 && length < PATH_MAX;
}

static bool next_name(const char *path, char ret_name[PATH_MAX])
{
    int length = snprintf(ret_name, PATH_MAX, "%s" NEXT, path);

    return length > 0 && length < PATH_MAX;
}

void stk_trail_remove_next(const char *path)
{
    char name[PATH_MAX] = "";

    if (next_name(path, name))
        (void)unlink(name);
}

void stk_trail_undo_rotation(int fd, const char *path, struct stat *about)
{
    struct stk_position position = {0};
    struct stat other = {0};
    char name[PATH_MAX] = "";

    if (!S_ISREG(about->st_mode) || about->st_nlink != 2 ||
        stk_tail_find(fd, path, about->st_size, &position, NULL) != STIRKEEP_OK ||
        !stk_trail_rotated_name(path, position.chain.sequence, name) || lstat(name, &other) != 0 ||
        other.st_dev != about->st_dev || other.st_ino != about->st_ino)
        return;
    if (unlink(name) == 0)
        (void)fstat(fd, about);
}

bool stk_trail_sync_names(struct stk_trail *trail)
{
    char directory[PATH_MAX] = "";

    trail->directory_unsynced = !stk_file_directory_of(trail->path, directory, sizeof(directory)) ||
                                !stk_file_sync_directory(directory);
    return !trail->directory_unsynced;
}

/* A rotation under way: what there is to take back. */
struct rotation {
    struct stk_trail *trail;
    char next[PATH_MAX];
    char old_name[PATH_MAX];
    bool has_next;
    bool has_name;
    int fd; /* of the new file */
    struct stat about;
    struct stk_position position; /* behind its one record */
};

static enum stirkeep_status fail(const struct rotation *rotation, const char *name,
                                 struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: cannot be rotated: %s: %s",
                         rotation->trail->path, name, strerror(errno));
}

/* The record "continue", also for a note that waits: it stands first in the new file. */
static enum stirkeep_status make_record(struct rotation *rotation, int64_t real_us)
{
    struct stk_trail *trail = rotation->trail;
    struct stk_record record = {.act = "continue", .outcome = "ok", .detail = trail->note};
    char text[STK_TRAIL_NOTE_MAX] = "";

    (void)snprintf(text, sizeof(text), "rotated; the file before, %.*s, ended with record %" PRIu64,
                   NAME_MAX, strrchr(rotation->old_name, '/') + 1, trail->written.chain.sequence);
    stk_trail_add_note(trail, "continue", text);
    trail->lines.length = 0;
    rotation->position.chain = trail->written.chain;
    return stk_line_append(&record, stk_trail_time_text(trail, real_us), &rotation->position.chain,
                           &trail->lines);
}

static enum stirkeep_status make_next(struct rotation *rotation, int64_t real_us,
                                      struct stk_error *error)
{
    struct stk_trail *trail = rotation->trail;
    enum stirkeep_status status = make_record(rotation, real_us);

    if (status != STIRKEEP_OK) {
        errno = ENOMEM;
        return fail(rotation, rotation->next, error);
    }
    if (unlink(rotation->next) != 0 && errno != ENOENT)
        return fail(rotation, rotation->next, error);
    status = stk_trail_open_file(rotation->next, O_EXCL, &rotation->fd, &rotation->about, error);
    if (status != STIRKEEP_OK)
        return STIRKEEP_AUDIT_UNAVAILABLE;
    rotation->has_next = true;
    if (!stk_file_write_all(rotation->fd, trail->lines.data, trail->lines.length) ||
        fdatasync(rotation->fd) != 0)
        return fail(rotation, rotation->next, error);
    rotation->position.end = (off_t)trail->lines.length;
    return STIRKEEP_OK;
}

/* Both names for the old file, on disk; it has to be the one that is open. */
static enum stirkeep_status name_old(struct rotation *rotation, struct stk_error *error)
{
    struct stk_trail *trail = rotation->trail;
    struct stat about = {0};

    if (link(trail->path, rotation->old_name) != 0)
        return fail(rotation, rotation->old_name, error);
    rotation->has_name = true;
    if (lstat(rotation->old_name, &about) != 0)
        return fail(rotation, rotation->old_name, error);
    if (about.st_dev != trail->device || about.st_ino != trail->inode ||
        about.st_size != trail->written.end) {
        errno = ESTALE; /* somebody took it away this moment: the next append sees to that */
        return fail(rotation, trail->path, error);
    }
    return stk_trail_sync_names(trail) ? STIRKEEP_OK : fail(rotation, trail->path, error);
}

static void take_back(struct rotation *rotation)
{
    if (rotation->has_name)
        (void)unlink(rotation->old_name);
    if (rotation->has_next)
        (void)unlink(rotation->next);
    if (rotation->fd >= 0)
        (void)close(rotation->fd);
    rotation->trail->directory_unsynced = false; /* no name is left that would matter */
}

static void go_on_in_next(struct rotation *rotation, int64_t real_us)
{
    struct stk_trail *trail = rotation->trail;
    const struct stk_chain *chain = &rotation->position.chain;

    (void)stk_trail_sync_names(trail);
    (void)close(trail->fd);
    stk_trail_adopt(trail, rotation->fd, &rotation->about, &rotation->position);
    trail->begun_us = real_us;
    trail->note_sequence = chain->sequence;
    stk_unsealed_add(&trail->unsealed, chain->sequence, chain->digest, false, real_us);
    stk_trail_tell(trail, false);
}

/* With all of the old file on disk, and under the lock from there on. */
static enum stirkeep_status rotate_synced(struct stk_trail *trail, int64_t real_us,
                                          struct rotation *rotation, struct stk_error *error)
{
    const char *note_act = trail->note_act;
    uint64_t note_sequence = trail->note_sequence;
    char note[STK_TRAIL_NOTE_MAX];
    enum stirkeep_status status = STIRKEEP_OK;

    if (!next_name(trail->path, rotation->next) ||
        !stk_trail_rotated_name(trail->path, trail->written.chain.sequence, rotation->old_name))
        return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: the path is too long",
                             trail->path);
    memcpy(note, trail->note, sizeof(note));
    status = make_next(rotation, real_us, error);
    if (status == STIRKEEP_OK)
        status = name_old(rotation, error);
    if (status == STIRKEEP_OK && rename(rotation->next, trail->path) != 0)
        status = fail(rotation, rotation->next, error);
    if (status == STIRKEEP_OK) {
        go_on_in_next(rotation, real_us);
        return STIRKEEP_OK;
    }
    take_back(rotation);
    trail->note_act = note_act;
    trail->note_sequence = note_sequence;
    memcpy(trail->note, note, sizeof(note));
    return status;
}

/* The file is as it should be, and nobody else is syncing it. */
static enum stirkeep_status make_quiet(struct stk_trail *trail, int64_t real_us,
                                       struct stk_error *error)
{
    for (;;) {
        enum stirkeep_status status = stk_trail_make_ready(trail, real_us, error);

        if (status != STIRKEEP_OK)
            return STIRKEEP_AUDIT_UNAVAILABLE;
        if (!trail->syncing)
            break;
        (void)pthread_cond_wait(&trail->changed, &trail->lock);
    }
    if (trail->written.end == 0)
        return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE,
                             "%s: cannot be rotated: it has no records", trail->path);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_trail_rotate(struct stk_trail *trail, int64_t real_us,
                                      char ret_name[PATH_MAX], struct stk_error *error)
{
    struct rotation rotation = {.trail = trail, .fd = -1};
    enum stirkeep_status status = STIRKEEP_OK;

    (void)pthread_mutex_lock(&trail->lock);
    status = make_quiet(trail, real_us, error);
    if (status == STIRKEEP_OK)
        status = stk_trail_sync_held(trail, error);
    if (status == STIRKEEP_OK)
        status = rotate_synced(trail, real_us, &rotation, error);
    (void)pthread_mutex_unlock(&trail->lock);
    if (status == STIRKEEP_OK)
        memcpy(ret_name, rotation.old_name, sizeof(rotation.old_name));
    else if (error != NULL)
        error->status = status;
    return status;
}
