/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/prune_remove.h"

#include "base/encode.h"
#include "base/file.h"
#include "cli/output.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEYS_TOLD 100 /* of those that lived when a file was removed by its name */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static enum stirkeep_status failed(const char *path, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_IO, "%s: %s", path, strerror(errno));
}

/* ---- what else is there */

static bool is_given(const struct stk_prune_plan *plan, const char *base)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(base_of(plan->files[i].path), base) == 0)
            return true;
    return false;
}

/* A file of the same trail that nobody gave: an older one, a copy, or a newer one, which may tell
 * that a key lives whose end is in those given. */
static bool is_left_out(const struct stk_prune_plan *plan, const char *path, const char *base)
{
    uint64_t number = 0;
    size_t stem = 0;
    size_t other_stem = 0;

    if (!stk_prune_is_rotated(base_of(path), &number, &stem))
        return false;
    if (!stk_prune_is_rotated(base, &number, &other_stem))
        other_stem = strlen(base); /* the one that is written? */
    return stem == other_stem && strncmp(base_of(path), base, stem) == 0 && !is_given(plan, base);
}

static const struct stk_prune_file *last_to_go(const struct stk_prune_plan *plan)
{
    const struct stk_prune_file *last = NULL;

    for (size_t i = 0; i < plan->count && plan->files[i].goes; i++)
        last = &plan->files[i];
    return last;
}

enum stirkeep_status stk_prune_look_around(const struct stk_prune_plan *plan,
                                           struct stk_error *error)
{
    const struct stk_prune_file *last = last_to_go(plan);
    char directory[PATH_MAX] = "";
    DIR *list = NULL;
    const struct dirent *entry = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (last == NULL)
        return STIRKEEP_OK;
    if (!stk_file_directory_of(last->path, directory, sizeof(directory)))
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: the path is too long", last->path);
    list = opendir(directory);
    if (list == NULL)
        return failed(directory, error);
    while (status == STIRKEEP_OK && (entry = readdir(list)) != NULL)
        if (is_left_out(plan, last->path, entry->d_name))
            status = stk_error_set(error, STIRKEEP_INVALID,
                                   "%s/%s was not given: all files of the trail have to be, up to "
                                   "the one that is written, and both copies of one that is being "
                                   "packed",
                                   directory, entry->d_name);
    (void)closedir(list);
    return status;
}

/* ---- the note */

/* A power cut, or a full disk, may have left half a line. */
static bool ends_in_a_line(int fd, off_t size)
{
    char last = '\n';

    return size == 0 || (pread(fd, &last, 1, size - 1) == 1 && last == '\n');
}

/* PATH.pruned, which nobody else may have put there as a way to another file, or may write. */
static enum stirkeep_status open_note(const struct stk_prune_file *file, char path[PATH_MAX],
                                      int *ret_fd, struct stk_error *error)
{
    struct stat about = {0};
    uint64_t number = 0;
    size_t stem = 0;

    if (!stk_prune_is_rotated(file->path, &number, &stem) ||
        snprintf(path, PATH_MAX, "%.*s.pruned", (int)stem, file->path) >= PATH_MAX)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%s: the path is too long", file->path);
    *ret_fd = open(
        path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (*ret_fd < 0 || fstat(*ret_fd, &about) != 0)
        return failed(path, error);
    if (!S_ISREG(about.st_mode) || about.st_nlink != 1)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: not a plain file with one name", path);
    if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: may be written by others (mode %04o)",
                             path, (unsigned)about.st_mode & 07777);
    if (!ends_in_a_line(*ret_fd, about.st_size) && !stk_file_write_all(*ret_fd, "\n", 1))
        return failed(path, error);
    return STIRKEEP_OK;
}

static json_t *living_json(const struct stk_prune_plan *plan, const struct stk_prune_file *file)
{
    const struct stk_prune_place *places = (const struct stk_prune_place *)plan->keys.places.data;
    json_t *array = json_array();
    bool done = array != NULL;

    for (size_t i = 0; i < plan->keys.places.length / sizeof(*places) && done; i++) {
        const struct stk_prune_key *key = stk_prune_keys_at(&plan->keys, places[i].key);
        int64_t end_s = 0;

        if (&plan->files[places[i].file] != file || json_array_size(array) == KEYS_TOLD ||
            (stk_prune_key_end(key, &end_s) &&
             stk_prune_age_after(&plan->age, end_s) <= plan->now_s))
            continue;
        done = json_array_append_new(array, stk_json_text(key->id)) == 0;
    }
    if (!done) {
        json_decref(array);
        return NULL;
    }
    return array;
}

/* One line, on the disk when this returns. */
static enum stirkeep_status write_note(int fd, const char *path, const struct stk_prune_plan *plan,
                                       const struct stk_prune_file *file, const char *outcome,
                                       struct stk_error *error)
{
    char head[2 * STK_DIGEST_LENGTH + 1] = "";
    char time[STK_TIME_TEXT] = "";
    json_t *note = NULL;
    char *text = NULL;
    size_t length = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_hex_encode(file->head, STK_DIGEST_LENGTH, head);
    stk_clock_text(stk_clock_real_us(), time);
    note = json_pack("{s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:I, s:s, s:b, s:I, s:o}", "time", time,
                     "act", "prune", "outcome", outcome, "uid", (json_int_t)getuid(), "file",
                     stk_json_text(base_of(file->path)), "first", (json_int_t)file->first, "last",
                     (json_int_t)file->last, "bytes", (json_int_t)file->bytes, "head", head,
                     "named", file->named, "living_keys", (json_int_t)file->living, "living",
                     living_json(plan, file));
    text = note != NULL ? json_dumps(note, JSON_COMPACT) : NULL;
    if (text == NULL)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    else
        length = strlen(text);
    /* Its '\0' gives way to the line's end: one write for all of it. */
    if (text != NULL)
        text[length] = '\n';
    if (status == STIRKEEP_OK && (!stk_file_write_all(fd, text, length + 1) || fsync(fd) != 0))
        status = failed(path, error);
    free(text);
    json_decref(note);
    return status;
}

/* ---- removing */

static bool is_as_read(const struct stk_prune_file *file, const struct stat *now)
{
    const struct stat *then = &file->about;

    return then->st_dev == now->st_dev && then->st_ino == now->st_ino &&
           then->st_size == now->st_size && then->st_mtim.tv_sec == now->st_mtim.tv_sec &&
           then->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

static enum stirkeep_status remove_one(const struct stk_prune_plan *plan,
                                       const struct stk_prune_file *file, int note,
                                       const char *note_path, const char *directory,
                                       struct stk_error *error)
{
    struct stat now = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    if (lstat(file->path, &now) != 0)
        return failed(file->path, error);
    if (!is_as_read(file, &now))
        return stk_error_set(error, STIRKEEP_INVALID, "%s: not what was read: it was changed",
                             file->path);
    status = write_note(note, note_path, plan, file, "begun", error);
    if (status != STIRKEEP_OK)
        return status;
    if (unlink(file->path) != 0)
        return failed(file->path, error);
    /* Before the next one goes: power that fails must not keep this one alone. */
    if (!stk_file_sync_directory(directory))
        return failed(directory, error);
    return write_note(note, note_path, plan, file, "ok", error);
}

enum stirkeep_status stk_prune_remove(const struct stk_prune_plan *plan, size_t *ret_removed,
                                      struct stk_error *error)
{
    char directory[PATH_MAX] = "";
    char path[PATH_MAX] = "";
    int note = -1;
    enum stirkeep_status status = STIRKEEP_OK;

    *ret_removed = 0;
    if (last_to_go(plan) == NULL)
        return STIRKEEP_OK;
    status = open_note(&plan->files[0], path, &note, error);
    if (status == STIRKEEP_OK && (!stk_file_directory_of(path, directory, sizeof(directory)) ||
                                  !stk_file_sync_directory(directory)))
        status = failed(path, error);
    for (size_t i = 0; i < plan->count && plan->files[i].goes && status == STIRKEEP_OK; i++) {
        status = remove_one(plan, &plan->files[i], note, path, directory, error);
        *ret_removed += status == STIRKEEP_OK ? 1 : 0;
    }
    if (note >= 0)
        (void)close(note);
    return status;
}
