/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/trail.h"

#include "audit/state.h"
#include "base/file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

    if (trail == NULL || !stk_unsealed_make(&trail->unsealed)) {
        free(trail);
        return NULL;
    }
    trail->fd = -1;
    trail->sync = sync;
    trail->text_second = -1;
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
    stk_unsealed_free(&trail->unsealed);
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
    if (status == STIRKEEP_OK) {
        stk_trail_remove_next(path);
        stk_unsealed_find(&trail->unsealed, trail->fd, &trail->written);
    }
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
    stk_unsealed_take_back(&trail->unsealed, position->chain.sequence);
}

const char *stk_trail_time_text(struct stk_trail *trail, int64_t real_us)
{
    static const size_t us_at = sizeof("2026-11-25T20:06:24.") - 1;
    int64_t us = real_us % 1000000;

    if (us < 0 || real_us / 1000000 != trail->text_second) {
        stk_clock_text(real_us, trail->time_text);
        trail->text_second = us < 0 ? -1 : real_us / 1000000;
    } else {
        for (size_t i = 6; i-- > 0; us /= 10)
            trail->time_text[us_at + i] = (char)('0' + us % 10);
    }
    return trail->time_text;
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

void stk_trail_extent(struct stk_trail *trail, uint64_t *ret_bytes, int64_t *ret_begun_us)
{
    (void)pthread_mutex_lock(&trail->lock);
    *ret_bytes = (uint64_t)trail->written.end;
    *ret_begun_us = trail->begun_us;
    (void)pthread_mutex_unlock(&trail->lock);
}
