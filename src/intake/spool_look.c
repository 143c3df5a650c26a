/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_error.h"
#include "intake/spool_inside.h"

#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * An upload is whole when there is an empty file `ready` in it, and while this service runs also when
 * it was seen being renamed into place (which leaves a `ready` in it, too). Nothing else says so: what
 * a directory looks like by itself cannot be told from one that is being filled.
 */

#define LINES_MAX 10           /* of the log, in one pass, about what waits */
#define WAITS_TOLD_US 60000000 /* it may just be under way */
#define SETTLE_US 3000000      /* after a change of what was refused: more may follow */
#define PACE_AGAIN_US 3000000
#define OPEN_AGAIN_US 5000000 /* after a directory could not be opened for want of something */

/* Tell once what is the matter with a name; a swarm of them, by number. */
static void tell(struct stk_spool *spool, struct stk_spool_note *note, const char *name,
                 const char *reason)
{
    if (note == NULL || !stk_spool_note_tells(note, reason))
        return;
    if (spool->told++ < LINES_MAX)
        stk_log(STK_LOG_WARNING, "spool: %s: %s", name, reason);
}

static void cannot_open(struct stk_spool *spool, const struct stk_name *name, int problem)
{
    struct stk_error reason = {0};
    struct stk_spool_note *note = NULL;

    if (problem == ENOENT) {
        stk_spool_forget(spool, stk_spool_note_find(&spool->notes, name->text));
        return;
    }
    if (problem == ENOTDIR || problem == ELOOP)
        (void)stk_error_set(&reason, STIRKEEP_INVALID, "not a directory, so not an upload");
    else if (problem == EXDEV)
        (void)stk_error_set(&reason, STIRKEEP_INVALID, "on a file system of its own");
    else
        (void)stk_error_set(&reason, STIRKEEP_IO, "waits: it cannot be looked into: %s",
                            strerror(problem));
    note = stk_spool_note_make(&spool->notes, name);
    tell(spool, note, name->text, reason.message);
    if (note == NULL)
        return;
    note->pass = spool->pass;
    if (reason.status == STIRKEEP_IO && problem != EACCES && problem != EPERM)
        stk_spool_wake_at(spool, note, stk_clock_mono_us() + OPEN_AGAIN_US);
}

/* A directory that no certificate can be called after: its owner is told, once it is complete. */
static void misnamed(struct stk_spool *spool, const char *name, const struct stk_error *error)
{
    struct stk_spool_dir dir = {.fd = -1};

    if (!stk_spool_dir_open(spool->incoming, name, &dir))
        return;
    if (dir.ready && !dir.has[STK_SPOOL_ERROR] &&
        stk_spool_pace_allows(&spool->pace, dir.about.st_uid, stk_clock_mono_us())) {
        stk_spool_pace_charge(&spool->pace, dir.about.st_uid, stk_clock_mono_us());
        if (stk_spool_error_write(dir.fd, name, STK_SPOOL_MISNAMED, error, dir.state,
                                  stk_clock_seconds()))
            stk_log(STK_LOG_WARNING, "spool: %s: refused: %s", name, error->message);
    }
    stk_spool_dir_close(&dir);
}

/* ---- is it to be tried now? */

static void waits(struct stk_spool *spool, const struct stk_name *name, struct stk_spool_note *note,
                  const struct stk_spool_dir *dir)
{
    const char *reason = "waits: there is no empty file `ready` in it, and it was not seen being "
                         "renamed into place: make one, or rename it away and back";

    if (note == NULL)
        return;
    if (dir->has[STK_SPOOL_READY])
        reason = "waits: its `ready` is not an empty file";
    stk_spool_watch(spool, note);
    /* What was there before the start is not just coming. */
    if ((spool->pass == 1 && spool->listing != NULL) ||
        stk_clock_mono_us() - note->first_us >= WAITS_TOLD_US)
        tell(spool, note, name->text, reason);
}

/* Its key has gone already: there is only the rest to be done, complete or not. */
static bool is_cut_off(const struct stk_spool *spool, const struct stk_name *name,
                       const struct stk_spool_dir *dir)
{
    struct stk_spool_record record = {0};
    bool cut_off = stk_spool_record_exists(spool->done, name->text) &&
                   stk_spool_record_load(spool->done, name->text, &record) &&
                   stk_spool_record_is_of(&record, dir) &&
                   stk_spool_rest_of(&record, dir) != STK_SPOOL_WHOLE;

    stk_spool_record_free(&record);
    return cut_off;
}

/* Was it refused as it is? What is said in error.txt holds when nothing is remembered. */
static bool is_refused(struct stk_spool_note *note, const struct stk_spool_dir *dir,
                       bool *ret_changed)
{
    uint8_t state[STK_DIGEST_LENGTH] = {0};
    bool refused = false;

    if (note != NULL && note->refused) {
        memcpy(state, note->refused_state, sizeof(state));
        refused = true;
    } else {
        refused = dir->has[STK_SPOOL_ERROR] && stk_spool_error_read(dir->fd, state);
    }
    *ret_changed = refused && memcmp(state, dir->state, sizeof(state)) != 0;
    return refused && !*ret_changed;
}

/* It was refused and changed: has it been like this for a moment? */
static bool is_settled(struct stk_spool *spool, struct stk_spool_note *note,
                       const struct stk_spool_dir *dir)
{
    uint64_t now = stk_clock_mono_us();

    if (note == NULL)
        return false;
    if (note->settling_us != 0 &&
        memcmp(note->settling_state, dir->state, sizeof(dir->state)) == 0 &&
        now - note->settling_us >= SETTLE_US)
        return true;
    if (note->settling_us == 0 ||
        memcmp(note->settling_state, dir->state, sizeof(dir->state)) != 0) {
        note->settling_us = now;
        memcpy(note->settling_state, dir->state, sizeof(dir->state));
    }
    stk_spool_wake_at(spool, note, note->settling_us + SETTLE_US);
    return false;
}

static bool is_due(struct stk_spool *spool, const struct stk_name *name,
                   const struct stk_spool_dir *dir)
{
    struct stk_spool_note *note = stk_spool_note_make(&spool->notes, name);
    bool changed = false;

    if (note != NULL) {
        note->pass = spool->pass;
        if (note->first_us == 0)
            note->first_us = stk_clock_mono_us();
    }
    if (is_refused(note, dir, &changed)) {
        if (note != NULL)
            stk_spool_watch(spool, note);
        return false;
    }
    if (is_cut_off(spool, name, dir))
        return true;
    if (!dir->ready && (note == NULL || note->moved != dir->about.st_ino)) {
        waits(spool, name, note, dir);
        return false;
    }
    if (changed && !is_settled(spool, note, dir))
        return false;
    if (!stk_spool_pace_allows(&spool->pace, dir->about.st_uid, stk_clock_mono_us())) {
        if (note != NULL)
            stk_spool_wake_at(spool, note, stk_clock_mono_us() + PACE_AGAIN_US);
        return false;
    }
    return true;
}

void stk_spool_look(struct stk_spool *spool, const char *text)
{
    const struct stk_spool_note *note = stk_spool_note_find(&spool->notes, text);
    struct stk_spool_dir dir = {.fd = -1};
    struct stk_error error = {0};
    struct stk_name name = {0};

    if (stk_name_parse(text, &name, &error) != STIRKEEP_OK) {
        misnamed(spool, text, &error);
        return;
    }
    if (note != NULL && note->again_us > stk_clock_mono_us()) {
        stk_spool_note_find(&spool->notes, text)->pass = spool->pass;
        return;
    }
    if (!stk_spool_dir_open(spool->incoming, text, &dir)) {
        cannot_open(spool, &name, errno);
        return;
    }
    if (is_due(spool, &name, &dir))
        stk_spool_upload_begin(spool, &name, &dir);
    stk_spool_dir_close(&dir);
}

/* ---- removals that were cut off */

static void recover_one(struct stk_spool *spool, const struct stk_name *name)
{
    struct stk_spool_record record = {0};
    struct stk_spool_dir dir = {.fd = -1};
    struct stk_error error = {0};

    if (!stk_spool_record_load(spool->done, name->text, &record)) {
        stk_log(STK_LOG_ERROR, "spool: the record of the removal of %s cannot be used: %s",
                name->text, strerror(errno));
        return;
    }
    if (stk_spool_dir_open(spool->incoming, name->text, &dir)) {
        if (stk_spool_record_is_of(&record, &dir))
            stk_spool_hint(spool, name);
        /* Another directory: the next look at it ends the record. */
        stk_spool_dir_close(&dir);
    } else if (errno == ENOENT &&
               stk_spool_remove(spool, name, NULL, &record, NULL, NULL, &error) != STIRKEEP_OK) {
        stk_log(STK_LOG_WARNING, "spool: %s: its removal: %s", name->text, error.message);
    }
    stk_spool_record_free(&record);
}

void stk_spool_recover(struct stk_spool *spool)
{
    int copy = openat(spool->done, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry = NULL;
    struct stk_name name = {0};

    if (listing == NULL && copy >= 0)
        (void)close(copy);
    while (listing != NULL && (entry = readdir(listing)) != NULL) {
        /* What a former intake was writing. */
        if (strncmp(entry->d_name, STK_SPOOL_OWN_PREFIX, strlen(STK_SPOOL_OWN_PREFIX)) == 0)
            (void)unlinkat(spool->done, entry->d_name, 0);
        else if (stk_spool_record_name(entry->d_name, &name))
            recover_one(spool, &name);
    }
    if (listing != NULL)
        (void)closedir(listing);
}
