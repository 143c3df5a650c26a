/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/recorder.h"

#include "base/clock.h"
#include "base/log.h"
#include <time.h>

#define OPEN_RETRY_US 100000
#define FORMER_TRIES 30 /* of those */

static void complain(struct stk_recorder *recorder, const char *why)
{
    if (!atomic_exchange(&recorder->complained, true))
        stk_log(STK_LOG_ERROR, "audit trail: %s: nothing is signed until it can be written", why);
}

static void rejoice(struct stk_recorder *recorder)
{
    if (atomic_load_explicit(&recorder->complained, memory_order_relaxed) &&
        atomic_exchange(&recorder->complained, false))
        stk_log(STK_LOG_INFO, "audit trail: %s is written again", recorder->path);
}

static enum stirkeep_status open_now(struct stk_recorder *recorder, struct stk_error *error)
{
    struct stk_record start = {.act = "start", .outcome = "ok", .detail = recorder->start_detail};
    struct stk_trail *trail = NULL;
    int64_t now = stk_clock_real_us();
    enum stirkeep_status status =
        stk_trail_open(recorder->path, recorder->sync, now, &trail, error);

    if (status == STIRKEEP_OK)
        status = stk_trail_append(trail, &start, 1, now, error);
    if (status != STIRKEEP_OK) {
        stk_trail_close(trail);
        return status;
    }
    atomic_store(&recorder->trail, trail);
    return STIRKEEP_OK;
}

static enum stirkeep_status open_if_time(struct stk_recorder *recorder, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    uint64_t now = 0;

    (void)pthread_mutex_lock(&recorder->opening);
    now = stk_clock_mono_us();
    if (atomic_load(&recorder->trail) == NULL) {
        if (now >= recorder->next_try_us) {
            recorder->next_try_us = now + OPEN_RETRY_US;
            status = open_now(recorder, &recorder->why);
        } else {
            status = recorder->why.status;
        }
    }
    if (status != STIRKEEP_OK && error != NULL)
        *error = recorder->why;
    (void)pthread_mutex_unlock(&recorder->opening);
    return status;
}

void stk_recorder_begin(struct stk_recorder *recorder, const char *path, enum stk_trail_sync sync,
                        const char *start_detail)
{
    const struct timespec pause = {.tv_nsec = OPEN_RETRY_US * 1000};
    struct stk_error error = {0};
    enum stirkeep_status status = STIRKEEP_BUSY;

    recorder->path = path;
    recorder->sync = sync;
    recorder->start_detail = start_detail;
    (void)pthread_mutex_init(&recorder->opening, NULL);
    /* The keeper of a stirkeepd that was killed has it for as long as it takes it to end. */
    for (unsigned tries = 0; status == STIRKEEP_BUSY && tries < FORMER_TRIES; tries++) {
        if (tries > 0)
            (void)nanosleep(&pause, NULL);
        status = open_if_time(recorder, &error);
    }
    if (status != STIRKEEP_OK)
        complain(recorder, error.message);
}

void stk_recorder_try(struct stk_recorder *recorder)
{
    if (atomic_load(&recorder->trail) == NULL && open_if_time(recorder, NULL) == STIRKEEP_OK)
        rejoice(recorder);
}

static enum stirkeep_status trail_of(struct stk_recorder *recorder, struct stk_trail **ret_trail,
                                     struct stk_error *error)
{
    struct stk_trail *trail = atomic_load(&recorder->trail);
    enum stirkeep_status status = STIRKEEP_OK;

    if (trail == NULL) {
        status = open_if_time(recorder, error);
        trail = atomic_load(&recorder->trail);
    }
    *ret_trail = trail;
    return status;
}

/* What the log is told, and the caller. */
static enum stirkeep_status end_append(struct stk_recorder *recorder, enum stirkeep_status status,
                                       const struct stk_error *why, struct stk_error *error)
{
    if (status == STIRKEEP_OK) {
        rejoice(recorder);
        return STIRKEEP_OK;
    }
    if (status == STIRKEEP_INVALID) /* the record is to blame, and not the trail */
        return stk_error_set(error, status, "%s", why->message);
    complain(recorder, why->message);
    return stk_error_set(error, STIRKEEP_AUDIT_UNAVAILABLE, "%s", why->message);
}

enum stirkeep_status stk_recorder_append(struct stk_recorder *recorder,
                                         const struct stk_record *records, size_t count,
                                         struct stk_error *error)
{
    struct stk_trail *trail = NULL;
    struct stk_error why = {0};
    enum stirkeep_status status = trail_of(recorder, &trail, &why);

    if (status == STIRKEEP_OK)
        status = stk_trail_append(trail, records, count, stk_clock_real_us(), &why);
    return end_append(recorder, status, &why, error);
}

enum stirkeep_status stk_recorder_append_composed(struct stk_recorder *recorder,
                                                  const struct stk_buffer *const *bodies,
                                                  size_t count, struct stk_error *error)
{
    struct stk_trail *trail = NULL;
    struct stk_error why = {0};
    enum stirkeep_status status = trail_of(recorder, &trail, &why);

    if (status == STIRKEEP_OK)
        status = stk_trail_append_composed(trail, bodies, count, stk_clock_real_us(), &why);
    return end_append(recorder, status, &why, error);
}

enum stirkeep_status stk_recorder_sync(struct stk_recorder *recorder, struct stk_error *error)
{
    struct stk_trail *trail = atomic_load(&recorder->trail);
    struct stk_error why = {0};
    enum stirkeep_status status = trail == NULL ? STIRKEEP_OK : stk_trail_sync(trail, &why);

    if (status == STIRKEEP_OK)
        return STIRKEEP_OK;
    complain(recorder, why.message);
    return stk_error_set(error, status, "%s", why.message);
}

void stk_recorder_watch(struct stk_recorder *recorder)
{
    struct stk_trail *trail = atomic_load(&recorder->trail);

    if (trail == NULL)
        return;
    if (!stk_trail_writable(trail))
        complain(recorder, recorder->path);
    else
        rejoice(recorder);
}

struct stk_trail *stk_recorder_trail(struct stk_recorder *recorder)
{
    return atomic_load(&recorder->trail);
}

uint64_t stk_recorder_sequence(struct stk_recorder *recorder)
{
    struct stk_trail *trail = atomic_load(&recorder->trail);

    return trail == NULL ? 0 : stk_trail_sequence(trail);
}

bool stk_recorder_writable(struct stk_recorder *recorder)
{
    struct stk_trail *trail = atomic_load(&recorder->trail);

    return trail != NULL && stk_trail_writable(trail);
}

void stk_recorder_stop(struct stk_recorder *recorder, const char *detail)
{
    struct stk_record stop = {.act = "stop", .outcome = "ok", .detail = detail};
    struct stk_trail *trail = atomic_load(&recorder->trail);

    if (trail == NULL)
        return;
    (void)stk_trail_append(trail, &stop, 1, stk_clock_real_us(), NULL);
    (void)stk_trail_sync(trail, NULL);
}

void stk_recorder_close(struct stk_recorder *recorder)
{
    stk_trail_close(atomic_exchange(&recorder->trail, NULL));
}
