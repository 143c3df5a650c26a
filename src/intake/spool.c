/* SPDX-License-Identifier: BSD-2-Clause */
#include "intake/spool_inside.h"

#include "base/clock.h"
#include "base/log.h"
#include "room/spool.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMPORT_ARENA_MAX ((size_t)1024 * 1024) /* as an administrator's import has */
#define LOOKS_PER_TURN 32                      /* of the loop, then the others have their turn */
#define SOON_MS 50                             /* changes come in swarms */
#define RESCAN_MS 60000                        /* what inotify did not tell */
#define RESCAN_SOON_MS 500
#define RESCAN_MAX_MS 600000
#define RESCAN_UNUSABLE_MS 5000
#define PASS_SHARE 10 /* of the time goes into passes, at most */

/* ---- the directories */

static void close_places(struct stk_spool *spool)
{
    if (spool->listing != NULL)
        (void)closedir(spool->listing);
    spool->listing = NULL;
    if (spool->incoming >= 0)
        (void)close(spool->incoming);
    if (spool->done >= 0)
        (void)close(spool->done);
    spool->incoming = -1;
    spool->done = -1;
}

static int open_place(const struct stk_spool *spool, const char *name)
{
    char path[PATH_MAX] = "";

    (void)snprintf(path, sizeof(path), "%s/%s", spool->directory, name);
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Is what is held still what the path leads to? */
static bool is_current(const struct stk_spool *spool, int held, const char *name)
{
    char path[PATH_MAX] = "";
    struct stat there = {0};
    struct stat about = {0};

    (void)snprintf(path, sizeof(path), "%s/%s", spool->directory, name);
    return held >= 0 && fstat(held, &about) == 0 && lstat(path, &there) == 0 &&
           about.st_dev == there.st_dev && about.st_ino == there.st_ino;
}

static enum stirkeep_status check_places(const struct stk_spool *spool, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    for (unsigned place = 0; place < STK_SPOOL_PLACE_COUNT && status == STIRKEEP_OK; place++)
        status = stk_spool_check(spool->directory, (enum stk_spool_place)place, error);
    return status;
}

/* Ready to be used? It is told when that changes. */
static bool open_places(struct stk_spool *spool)
{
    struct stk_error error = {0};
    enum stirkeep_status status = check_places(spool, &error);

    if (status == STIRKEEP_OK && spool->incoming_watch >= 0 &&
        is_current(spool, spool->incoming, STK_SPOOL_INCOMING_NAME) &&
        is_current(spool, spool->done, STK_SPOOL_DONE_NAME))
        return true;
    close_places(spool);
    if (status == STIRKEEP_OK) {
        spool->incoming = open_place(spool, STK_SPOOL_INCOMING_NAME);
        spool->done = open_place(spool, STK_SPOOL_DONE_NAME);
        if (spool->incoming < 0 || spool->done < 0 || !stk_spool_watch_incoming(spool))
            status = stk_error_set(&error, STIRKEEP_IO, "spool: %s: %s", spool->directory,
                                   strerror(errno));
    }
    if (status != STIRKEEP_OK) {
        close_places(spool);
        if (strcmp(spool->trouble, error.message) != 0)
            stk_log(STK_LOG_ERROR, "%s", error.message);
        (void)snprintf(spool->trouble, sizeof(spool->trouble), "%s", error.message);
        return false;
    }
    if (spool->trouble[0] != '\0')
        stk_log(STK_LOG_INFO, "spool: %s: usable now", spool->directory);
    spool->trouble[0] = '\0';
    return true;
}

/* ---- a pass over all of incoming */

static bool begin_pass(struct stk_spool *spool)
{
    int copy = openat(spool->incoming, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    spool->pass_wanted = false;
    spool->listing = copy < 0 ? NULL : fdopendir(copy);
    if (spool->listing == NULL) {
        stk_log(STK_LOG_ERROR, "spool: %s: %s", spool->directory, strerror(errno));
        if (copy >= 0)
            (void)close(copy);
        return false;
    }
    spool->pass++;
    spool->told = 0;
    spool->looking_us = 0;
    spool->rescan_soon = false;
    stk_spool_recover(spool);
    return true;
}

/* What it has not found is not there any more. */
static void end_pass(struct stk_spool *spool)
{
    struct stk_spool_note *note = NULL;
    struct stk_spool_note *next = NULL;
    uint64_t pause_ms = spool->looking_us / 1000 * PASS_SHARE;

    (void)closedir(spool->listing);
    spool->listing = NULL;
    for (note = TAILQ_FIRST(&spool->notes.all); note != NULL; note = next) {
        next = TAILQ_NEXT(note, all);
        if (note->pass != spool->pass && !note->hinted)
            stk_spool_forget(spool, note);
    }
    if (pause_ms < RESCAN_MS && !spool->rescan_soon)
        pause_ms = RESCAN_MS;
    if (pause_ms < RESCAN_SOON_MS)
        pause_ms = RESCAN_SOON_MS;
    stk_intake_timer(&spool->rescan, pause_ms < RESCAN_MAX_MS ? (unsigned)pause_ms : RESCAN_MAX_MS);
}

static void pass_on(struct stk_spool *spool)
{
    const struct dirent *entry = readdir(spool->listing);

    if (entry == NULL)
        end_pass(spool);
    else if (entry->d_name[0] != '.')
        stk_spool_look(spool, entry->d_name);
}

/* ---- whose turn it is */

static bool may_go_on(const struct stk_spool *spool)
{
    return !spool->upload.busy && !spool->intake->draining && spool->incoming >= 0;
}

/* One hint, then one of the pass: neither waits for the other. False: there is nothing to look at. */
static bool take_turn(struct stk_spool *spool)
{
    unsigned looks = 0;

    while (may_go_on(spool) && looks < LOOKS_PER_TURN) {
        const struct stk_spool_note *note = stk_spool_note_next(&spool->notes);
        struct stk_name name = {0};

        if (note != NULL) {
            name = note->name; /* the note may be forgotten meanwhile */
            stk_spool_look(spool, name.text);
        }
        if (!may_go_on(spool))
            return false;
        if (spool->listing == NULL && spool->pass_wanted && !begin_pass(spool))
            stk_intake_timer(&spool->rescan, RESCAN_UNUSABLE_MS);
        if (spool->listing != NULL)
            pass_on(spool);
        else if (note == NULL)
            return false;
        looks++;
    }
    return true;
}

static void step(evutil_socket_t fd, short what, void *context)
{
    struct stk_spool *spool = context;
    uint64_t began_us = stk_clock_mono_us();
    bool more = take_turn(spool);
    (void)fd;
    (void)what;

    spool->looking_us += stk_clock_mono_us() - began_us;
    if (more)
        stk_spool_go_on(spool);
}

void stk_spool_go_on(struct stk_spool *spool)
{
    if (may_go_on(spool))
        stk_intake_timer(&spool->step, 0);
}

void stk_spool_soon(struct stk_spool *spool)
{
    if (evtimer_pending(&spool->soon, NULL) == 0)
        stk_intake_timer(&spool->soon, SOON_MS);
}

void stk_spool_rescan_soon(struct stk_spool *spool)
{
    if (spool->rescan_soon)
        return;
    spool->rescan_soon = true;
    if (spool->listing == NULL)
        stk_intake_timer(&spool->rescan, RESCAN_SOON_MS);
}

void stk_spool_hint(struct stk_spool *spool, const struct stk_name *name)
{
    struct stk_spool_note *note = stk_spool_note_make(&spool->notes, name);

    if (note != NULL)
        stk_spool_note_hint(&spool->notes, note);
    else
        stk_spool_rescan_soon(spool);
    stk_spool_soon(spool);
}

void stk_spool_forget(struct stk_spool *spool, struct stk_spool_note *note)
{
    if (note == NULL)
        return;
    stk_spool_unwatch(spool, note);
    stk_spool_note_drop(&spool->notes, note);
}

/* ---- times */

static void arm_wake(struct stk_spool *spool)
{
    uint64_t now = stk_clock_mono_us();
    uint64_t wait_ms = spool->wake_us > now ? (spool->wake_us - now) / 1000 + 1 : 0;

    if (spool->wake_us != 0)
        stk_intake_timer(&spool->wake, wait_ms < INT_MAX ? (unsigned)wait_ms : INT_MAX);
}

void stk_spool_wake_at(struct stk_spool *spool, struct stk_spool_note *note, uint64_t at_us)
{
    note->again_us = at_us;
    if (spool->wake_us != 0 && spool->wake_us <= at_us)
        return;
    spool->wake_us = at_us;
    arm_wake(spool);
}

static void wake(evutil_socket_t fd, short what, void *context)
{
    struct stk_spool *spool = context;
    struct stk_spool_note *note = NULL;
    uint64_t now = stk_clock_mono_us();
    (void)fd;
    (void)what;

    spool->wake_us = 0;
    TAILQ_FOREACH(note, &spool->notes.all, all)
    {
        if (note->again_us == 0)
            continue;
        if (note->again_us <= now) {
            note->again_us = 0;
            stk_spool_note_hint(&spool->notes, note);
        } else if (spool->wake_us == 0 || note->again_us < spool->wake_us) {
            spool->wake_us = note->again_us;
        }
    }
    arm_wake(spool);
    stk_spool_go_on(spool);
}

static void rescan(evutil_socket_t fd, short what, void *context)
{
    struct stk_spool *spool = context;
    (void)fd;
    (void)what;

    /* An upload under way needs the directories as they are. */
    if (spool->upload.busy || !open_places(spool)) {
        stk_intake_timer(&spool->rescan, spool->upload.busy ? RESCAN_SOON_MS : RESCAN_UNUSABLE_MS);
        return;
    }
    spool->pass_wanted = true;
    stk_spool_go_on(spool);
}

/* ---- its life */

static bool assign_events(struct stk_spool *spool)
{
    struct event_base *base = spool->intake->base;

    return evtimer_assign(&spool->step, base, step, spool) == 0 &&
           evtimer_assign(&spool->soon, base, step, spool) == 0 &&
           evtimer_assign(&spool->wake, base, wake, spool) == 0 &&
           evtimer_assign(&spool->rescan, base, rescan, spool) == 0;
}

bool stk_spool_start(struct stk_intake *intake)
{
    struct stk_spool *spool = NULL;

    if (intake->config->storage.spool[0] == '\0')
        return true;
    spool = calloc(1, sizeof(*spool));
    if (spool == NULL)
        return false;
    intake->spool = spool;
    spool->intake = intake;
    spool->directory = intake->config->storage.spool;
    spool->incoming = -1;
    spool->done = -1;
    spool->inotify = -1;
    spool->upload.dir.fd = -1;
    spool->upload.work.signal = -1;
    stk_spool_notes_init(&spool->notes);
    if (!assign_events(spool) || !stk_spool_watch_start(spool) ||
        !stk_spool_work_start(&spool->upload.work, intake->base, stk_spool_upload_read, spool) ||
        stk_arena_new(&spool->upload.arena, IMPORT_ARENA_MAX) != STIRKEEP_OK)
        return false;
    rescan(-1, 0, spool);
    return true;
}

void stk_spool_stop(struct stk_intake *intake)
{
    struct stk_spool *spool = intake->spool;
    struct stk_spool_note *note = NULL;

    if (spool == NULL)
        return;
    /* A thread that is deep in a passphrase: nothing may be taken from under it, and what was begun
     * is the next intake's. */
    if (!stk_spool_work_stop(&spool->upload.work))
        _exit(intake->exit_status);
    (void)event_del(&spool->step);
    (void)event_del(&spool->soon);
    (void)event_del(&spool->wake);
    (void)event_del(&spool->rescan);
    while ((note = TAILQ_FIRST(&spool->notes.all)) != NULL)
        stk_spool_forget(spool, note);
    stk_spool_watch_stop(spool);
    stk_spool_dir_close(&spool->upload.dir);
    stk_spool_record_free(&spool->upload.record);
    stk_arena_free(&spool->upload.arena);
    close_places(spool);
    free(spool);
    intake->spool = NULL;
}

bool stk_spool_idle(const struct stk_intake *intake)
{
    return intake->spool == NULL || !intake->spool->upload.busy;
}

void stk_spool_again(struct stk_intake *intake)
{
    struct stk_spool *spool = intake->spool;
    struct stk_spool_note *note = NULL;

    if (spool == NULL)
        return;
    TAILQ_FOREACH(note, &spool->notes.all, all)
    if (note->tries > 0) {
        note->again_us = 0;
        stk_spool_note_hint(&spool->notes, note);
    }
    stk_spool_go_on(spool);
}

const char *stk_spool_trouble(const struct stk_intake *intake)
{
    return intake->spool == NULL ? "" : intake->spool->trouble;
}
