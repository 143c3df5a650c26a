/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/trail.h"

#include "audit/state.h"
#include "base/file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WRITE_TRIES 2 /* the second one is for a file that was removed under the first */

static bool start_thread(struct stk_trail *trail)
{
    if (trail->sync != STK_TRAIL_INTERVAL)
        return true;
    trail->has_thread = pthread_create(&trail->thread, NULL, stk_trail_sync_thread, trail) == 0;
    return trail->has_thread;
}

static struct stk_trail *new_trail(const char *path, enum stk_trail_sync sync)
{
    struct stk_trail *trail = calloc(1, sizeof(*trail));
    pthread_condattr_t attributes;

    if (trail == NULL)
        return NULL;
    trail->fd = -1;
    trail->sync = sync;
    (void)snprintf(trail->path, sizeof(trail->path), "%s", path);
    (void)pthread_mutex_init(&trail->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&trail->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return trail;
}

static void free_trail(struct stk_trail *trail)
{
    if (trail->fd >= 0)
        (void)close(trail->fd);
    (void)pthread_cond_destroy(&trail->changed);
    (void)pthread_mutex_destroy(&trail->lock);
    stk_buffer_free(&trail->lines);
    free(trail);
}

enum stirkeep_status stk_trail_open(const char *path, enum stk_trail_sync sync, int64_t real_us,
                                    struct stk_trail **ret_trail, struct stk_error *error)
{
    struct stk_trail *trail = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (path[0] != '/' || strlen(path) >= sizeof(trail->path))
        return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: not an absolute path", path);
    trail = new_trail(path, sync);
    if (trail == NULL)
        return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: out of memory", path);
    status = stk_trail_take_file(trail, real_us, error);
    if (status == STIRKEEP_OK && !start_thread(trail))
        status = stk_error_set(error, STIRKEEP_IO, "%s: no thread for syncing", path);
    if (status != STIRKEEP_OK) {
        free_trail(trail);
        if (error != NULL && status != STIRKEEP_BUSY)
            error->status = STIRKEEP_AUDIT_UNAVAILABLE;
        return status == STIRKEEP_BUSY ? status : STIRKEEP_AUDIT_UNAVAILABLE;
    }
    trail->writable = true;
    *ret_trail = trail;
    return STIRKEEP_OK;
}

void stk_trail_close(struct stk_trail *trail)
{
    if (trail == NULL)
        return;
    (void)pthread_mutex_lock(&trail->lock);
    trail->stopping = true;
    (void)pthread_cond_broadcast(&trail->changed);
    (void)pthread_mutex_unlock(&trail->lock);
    if (trail->has_thread)
        (void)pthread_join(trail->thread, NULL);
    if (trail->fd >= 0 && trail->unclean)
        (void)stk_trail_cut_back(trail);
    if (trail->fd >= 0)
        (void)fdatasync(trail->fd);
    free_trail(trail);
}

void stk_trail_step_back(struct stk_trail *trail, const struct stk_position *position)
{
    trail->written = *position;
    if (trail->note_sequence > position->chain.sequence)
        trail->note_sequence = 0;
}

/* All lines of one append into `lines`; `chain` moves on with them. */
static enum stirkeep_status compose(struct stk_trail *trail, const struct stk_record *records,
                                    size_t count, int64_t real_us, struct stk_chain *chain)
{
    struct stk_record note = {.act = trail->note_act, .outcome = "ok", .detail = trail->note};
    bool has_note = trail->note_act != NULL && trail->note_sequence == 0;
    enum stirkeep_status status = STIRKEEP_OK;
    char time_text[STK_TIME_TEXT];

    stk_clock_text(real_us, time_text);
    trail->lines.length = 0;
    if (has_note)
        status = stk_line_append(&note, time_text, chain, &trail->lines);
    for (size_t i = 0; i < count && status == STIRKEEP_OK; i++)
        status = stk_line_append(&records[i], time_text, chain, &trail->lines);
    return status;
}

/* Write what was composed. On failure the file is as it was, or `unclean`. */
static enum stirkeep_status write_lines(struct stk_trail *trail, const struct stk_chain *chain,
                                        struct stk_error *error)
{
    bool was_clean = trail->written.end == trail->synced.end;

    if (!stk_file_write_all(trail->fd, trail->lines.data, trail->lines.length)) {
        stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: cannot be written: %s", trail->path,
                      strerror(errno));
        (void)stk_trail_cut_back(trail);
        return STIRKEEP_AUDIT_UNAVAILABLE;
    }
    if (trail->note_act != NULL && trail->note_sequence == 0)
        trail->note_sequence = trail->written.chain.sequence + 1;
    trail->written.chain = *chain;
    trail->written.end += (off_t)trail->lines.length;
    if (was_clean && trail->has_thread)
        (void)pthread_cond_broadcast(&trail->changed);
    return STIRKEEP_OK;
}

/* Is the file still one that can be found? If it was removed between the look and the write, the
 * lines are nowhere; when it was only renamed they are where its owner took it. */
static bool is_linked(const struct stk_trail *trail)
{
    struct stat about = {0};

    return fstat(trail->fd, &about) == 0 && about.st_nlink > 0;
}

static enum stirkeep_status append_locked(struct stk_trail *trail, const struct stk_record *records,
                                          size_t count, int64_t real_us, struct stk_error *error)
{
    for (int try = 0; try < WRITE_TRIES; try++) {
        enum stirkeep_status status = stk_trail_make_ready(trail, real_us, error);
        struct stk_chain chain = trail->written.chain;
        struct stk_position before = trail->written;

        if (status != STIRKEEP_OK)
            return status;
        if (compose(trail, records, count, real_us, &chain) != STIRKEEP_OK)
            return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: out of memory",
                                 trail->path);
        status = write_lines(trail, &chain, error);
        if (status != STIRKEEP_OK)
            return status;
        if (is_linked(trail))
            return trail->sync == STK_TRAIL_ALWAYS
                       ? stk_trail_sync_through(trail, chain.sequence, error)
                       : STIRKEEP_OK;
        stk_trail_step_back(trail, &before);
    }
    return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s: is removed again and again",
                         trail->path);
}

enum stirkeep_status stk_trail_append(struct stk_trail *trail, const struct stk_record *records,
                                      size_t count, int64_t real_us, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    (void)pthread_mutex_lock(&trail->lock);
    status = append_locked(trail, records, count, real_us, error);
    trail->writable = status == STIRKEEP_OK && !trail->sync_failed;
    (void)pthread_mutex_unlock(&trail->lock);
    if (status == STIRKEEP_OK)
        return STIRKEEP_OK;
    if (error != NULL)
        error->status = STIRKEEP_AUDIT_UNAVAILABLE;
    return STIRKEEP_AUDIT_UNAVAILABLE;
}

uint64_t stk_trail_sequence(struct stk_trail *trail)
{
    uint64_t sequence = 0;

    (void)pthread_mutex_lock(&trail->lock);
    sequence = trail->written.chain.sequence;
    (void)pthread_mutex_unlock(&trail->lock);
    return sequence;
}

bool stk_trail_writable(struct stk_trail *trail)
{
    return atomic_load(&trail->writable);
}
