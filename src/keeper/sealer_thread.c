/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "keeper/keeper.h"
#include <errno.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 50       /* while something is unsealed */
#define IDLE_TICK_MS 250 /* more than this is not to be sealed at a full rate */

void stk_sealer_init(struct stk_sealer *sealer, struct stk_keeper *keeper)
{
    pthread_condattr_t attributes;

    sealer->keeper = keeper;
    (void)pthread_mutex_init(&sealer->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&sealer->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static void after_ms(struct timespec *until, unsigned wait_ms)
{
    (void)clock_gettime(CLOCK_MONOTONIC, until);
    until->tv_sec += wait_ms / 1000;
    until->tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until->tv_sec += until->tv_nsec / 1000000000;
    until->tv_nsec %= 1000000000;
}

/* True: the trail has ended. */
static bool nap(struct stk_sealer *self, unsigned wait_ms)
{
    struct timespec until = {0};
    bool last = false;

    after_ms(&until, wait_ms);
    (void)pthread_mutex_lock(&self->lock);
    while (!self->last && pthread_cond_timedwait(&self->changed, &self->lock, &until) != ETIMEDOUT)
        continue;
    last = self->last;
    (void)pthread_mutex_unlock(&self->lock);
    return last;
}

static void work(struct stk_sealer *self)
{
    struct stk_trail *trail = stk_recorder_trail(&self->keeper->recorder);

    stk_sealing_send(self);
    if (trail == NULL)
        return;
    stk_sealing_if_due(self, trail);
    stk_rotating_if_due(self, trail);
}

static void seal_last(struct stk_sealer *self)
{
    struct stk_trail *trail = stk_recorder_trail(&self->keeper->recorder);

    self->seal_again = 0;
    if (trail != NULL)
        (void)stk_sealing_do(self, trail);
    stk_sealing_send(self);
    (void)pthread_mutex_lock(&self->lock);
    self->done = true;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
}

void *stk_sealer_thread_run(void *argument)
{
    struct stk_sealer *self = argument;

    do {
        if (!stk_shift_begin(self->keeper, &self->shift))
            continue; /* main says when the trail has ended */
        work(self);
        stk_shift_end(&self->shift);
    } while (!nap(self, self->waiting_since != 0 ? TICK_MS : IDLE_TICK_MS));
    seal_last(self);
    for (;;)
        (void)pause(); /* main ends the process */
}

bool stk_sealer_end(struct stk_sealer *sealer, unsigned wait_ms)
{
    struct timespec until = {0};
    bool done = false;
    int result = 0;

    after_ms(&until, wait_ms);
    (void)pthread_mutex_lock(&sealer->lock);
    sealer->last = true;
    (void)pthread_cond_broadcast(&sealer->changed);
    while (!sealer->done && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&sealer->changed, &sealer->lock, &until);
    done = sealer->done;
    (void)pthread_mutex_unlock(&sealer->lock);
    return done;
}
