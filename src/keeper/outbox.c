/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/outbox.h"

#include "base/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#define ANSWER_WAIT_MS 1000 /* for a front that does not read */

void stk_outbox_init(struct stk_outbox *outbox, struct stk_recorder *recorder, bool always)
{
    pthread_condattr_t attributes;

    outbox->recorder = recorder;
    outbox->always = always;
    outbox->end = &outbox->first;
    (void)pthread_mutex_init(&outbox->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&outbox->due, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_cond_init(&outbox->room, NULL);
}

/* ---- recording and sending */

/* No signature leaves that is not recorded. */
static void take_back(struct stk_parcel *parcel)
{
    struct stk_answer answer = {.status = STIRKEEP_AUDIT_UNAVAILABLE,
                                .message = stirkeep_status_text(STIRKEEP_AUDIT_UNAVAILABLE)};

    parcel->messages.length = 0;
    parcel->message_count = 0;
    parcel->signatures = 0;
    for (size_t i = 0; i < parcel->id_count; i++) {
        answer.id = parcel->ids[i];
        (void)stk_answer_append(&answer, &parcel->messages);
    }
    if (parcel->messages.length > 0)
        parcel->ends[parcel->message_count++] = parcel->messages.length;
}

static bool record(struct stk_outbox *outbox, struct stk_parcel *first)
{
    const struct stk_buffer *bodies[STK_OUTBOX_TOGETHER];
    size_t count = 0;

    for (struct stk_parcel *parcel = first; parcel != NULL; parcel = parcel->next)
        if (parcel->bodies.length > 0)
            bodies[count++] = &parcel->bodies;
    return count == 0 ||
           stk_recorder_append_composed(outbox->recorder, bodies, count, NULL) == STIRKEEP_OK;
}

static void send_out(const struct stk_parcel *parcel)
{
    size_t from = 0;

    for (size_t i = 0; i < parcel->message_count; i++) {
        (void)stk_link_send(STK_FD_KEEPER_FRONT, parcel->messages.data + from,
                            parcel->ends[i] - from, ANSWER_WAIT_MS, NULL);
        from = parcel->ends[i];
    }
}

static void trim(struct stk_buffer *buffer)
{
    buffer->length = 0;
    if (buffer->capacity > STK_OUTBOX_KEPT_MAX)
        stk_buffer_free(buffer);
}

/* Without the lock. */
static void post(struct stk_outbox *outbox, struct stk_parcel *first)
{
    bool recorded = record(outbox, first);
    uint64_t recorded_us = stk_clock_mono_us();

    for (struct stk_parcel *parcel = first; parcel != NULL; parcel = parcel->next) {
        if (!recorded || parcel->unrecorded)
            take_back(parcel);
        atomic_fetch_add_explicit(&outbox->signatures, parcel->signatures, memory_order_relaxed);
        send_out(parcel);
        parcel->took_us = recorded_us - parcel->since_us;
        trim(&parcel->bodies);
        trim(&parcel->messages);
    }
}

/* ---- the queue: under the lock */

static struct stk_parcel *pick(struct stk_outbox *outbox)
{
    struct stk_parcel *first = outbox->first;
    struct stk_parcel **link = &outbox->first;
    size_t bytes = 0;
    size_t count = 0;

    while (*link != NULL && count < STK_OUTBOX_TOGETHER && bytes < STK_OUTBOX_TOGETHER_BYTES) {
        bytes += (*link)->bodies.length;
        outbox->asked -= (*link)->asked;
        link = &(*link)->next;
        count++;
    }
    outbox->first = *link;
    if (outbox->first == NULL)
        outbox->end = &outbox->first;
    *link = NULL;
    outbox->count -= count;
    return first;
}

static void give_back(struct stk_outbox *outbox, struct stk_parcel *first)
{
    struct stk_parcel **link = &first;
    size_t count = 0;

    for (; *link != NULL; link = &(*link)->next) {
        if ((*link)->signatures > 0)
            stk_histogram_add(&outbox->audit, (*link)->took_us, (*link)->signatures);
        outbox->bytes -= (*link)->bytes;
        count++;
    }
    *link = outbox->free;
    outbox->free = first;
    atomic_fetch_sub(&outbox->under_way, count);
    (void)pthread_cond_broadcast(&outbox->room);
}

static void post_picked(struct stk_outbox *outbox)
{
    struct stk_parcel *first = pick(outbox);

    (void)pthread_mutex_unlock(&outbox->lock);
    post(outbox, first);
    (void)pthread_mutex_lock(&outbox->lock);
    give_back(outbox, first);
}

/* Bytes that wait to be signed, in all messages. */
static size_t still_asked(void)
{
    int queued = 0;

    return ioctl(STK_FD_KEEPER_FRONT, FIONREAD, &queued) == 0 && queued > 0 ? (size_t)queued : 0;
}

static bool is_due(const struct stk_outbox *outbox)
{
    if (outbox->count == 0)
        return false;
    return outbox->count >= (outbox->always ? STK_OUTBOX_ALWAYS : STK_OUTBOX_ENOUGH) ||
           stk_clock_mono_us() >= outbox->first->since_us + STK_OUTBOX_MS * 1000 ||
           still_asked() < outbox->asked;
}

/* Whoever has put something here, or has nothing else to do. */
static void see_to(struct stk_outbox *outbox)
{
    while (is_due(outbox)) {
        if (outbox->always) {
            (void)pthread_cond_signal(&outbox->due);
            return;
        }
        post_picked(outbox);
    }
}

/* ---- signers */

struct stk_parcel *stk_outbox_take(struct stk_outbox *outbox)
{
    struct stk_parcel *parcel = NULL;

    (void)pthread_mutex_lock(&outbox->lock);
    while (atomic_load(&outbox->under_way) >= STK_OUTBOX_MAX ||
           outbox->bytes >= STK_OUTBOX_BYTES_MAX)
        (void)pthread_cond_wait(&outbox->room, &outbox->lock);
    parcel = outbox->free;
    if (parcel != NULL)
        outbox->free = parcel->next;
    else
        parcel = calloc(1, sizeof(*parcel));
    if (parcel != NULL)
        atomic_fetch_add(&outbox->under_way, 1);
    (void)pthread_mutex_unlock(&outbox->lock);
    if (parcel == NULL)
        return NULL;
    *parcel = (struct stk_parcel){.bodies = parcel->bodies, .messages = parcel->messages};
    return parcel;
}

void stk_outbox_put(struct stk_outbox *outbox, struct stk_parcel *parcel)
{
    bool waits = parcel->bodies.length > 0;

    if (waits)
        parcel->bytes = parcel->bodies.length + parcel->messages.length;
    else
        post(outbox, parcel); /* nothing to record: nothing to wait for */
    (void)pthread_mutex_lock(&outbox->lock);
    outbox->bytes += parcel->bytes;
    if (waits) {
        parcel->since_us = stk_clock_mono_us();
        *outbox->end = parcel;
        outbox->end = &parcel->next;
        outbox->count++;
        outbox->asked += parcel->asked;
        see_to(outbox);
    } else {
        give_back(outbox, parcel);
    }
    (void)pthread_mutex_unlock(&outbox->lock);
}

void stk_outbox_rest(struct stk_outbox *outbox)
{
    (void)pthread_mutex_lock(&outbox->lock);
    see_to(outbox);
    (void)pthread_mutex_unlock(&outbox->lock);
}

void stk_outbox_leave(struct stk_outbox *outbox)
{
    (void)pthread_mutex_lock(&outbox->lock);
    if (outbox->count > 0 && outbox->asleep)
        (void)pthread_cond_signal(&outbox->due);
    (void)pthread_mutex_unlock(&outbox->lock);
}

/* ---- the thread */

static void wait_until(struct stk_outbox *outbox, uint64_t us)
{
    const struct timespec until = {.tv_sec = (time_t)(us / 1000000),
                                   .tv_nsec = (long)(us % 1000000) * 1000};

    (void)pthread_cond_timedwait(&outbox->due, &outbox->lock, &until);
}

void *stk_outbox_run(void *argument)
{
    struct stk_outbox *outbox = argument;

    (void)pthread_mutex_lock(&outbox->lock);
    for (;;) {
        if (is_due(outbox)) {
            post_picked(outbox);
        } else if (outbox->count > 0) {
            wait_until(outbox, outbox->first->since_us + STK_OUTBOX_MS * 1000);
        } else {
            outbox->asleep = true;
            (void)pthread_cond_wait(&outbox->due, &outbox->lock);
            outbox->asleep = false;
        }
    }
    return NULL;
}
