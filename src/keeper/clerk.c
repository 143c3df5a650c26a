/* SPDX-License-Identifier: BSD-2-Clause */
#include "keeper/clerk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void stk_clerk_init(struct stk_clerk *clerk)
{
    pthread_condattr_t attributes;

    *clerk = (struct stk_clerk){0};
    (void)pthread_mutex_init(&clerk->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&clerk->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void stk_clerk_note(struct stk_clerk *clerk, const char *act, enum stirkeep_status outcome,
                    const struct stk_key_id *key_id, const char *format, ...)
{
    struct stk_happening happening = {.act = act, .outcome = outcome};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(happening.text, sizeof(happening.text), format, arguments);
    va_end(arguments);
    if (key_id != NULL)
        happening.key_id = *key_id;
    (void)pthread_mutex_lock(&clerk->lock);
    if (clerk->count < STK_CLERK_MAX)
        clerk->waiting[clerk->count++] = happening;
    else
        clerk->lost++;
    (void)pthread_cond_broadcast(&clerk->changed);
    (void)pthread_mutex_unlock(&clerk->lock);
}

bool stk_clerk_settle(struct stk_clerk *clerk, unsigned wait_ms)
{
    struct timespec until = {0};
    bool settled = false;
    int result = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&clerk->lock);
    while (clerk->count > 0 && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&clerk->changed, &clerk->lock, &until);
    settled = clerk->count == 0;
    (void)pthread_mutex_unlock(&clerk->lock);
    return settled;
}

void stk_clerk_next(struct stk_clerk *clerk, struct stk_happening *ret_happening,
                    uint32_t *ret_lost)
{
    (void)pthread_mutex_lock(&clerk->lock);
    while (clerk->count == 0)
        (void)pthread_cond_wait(&clerk->changed, &clerk->lock);
    *ret_happening = clerk->waiting[0];
    *ret_lost = clerk->lost;
    (void)pthread_mutex_unlock(&clerk->lock);
}

void stk_clerk_done(struct stk_clerk *clerk, uint32_t lost)
{
    (void)pthread_mutex_lock(&clerk->lock);
    clerk->count--;
    clerk->lost -= lost;
    memmove(&clerk->waiting[0], &clerk->waiting[1], clerk->count * sizeof(clerk->waiting[0]));
    (void)pthread_cond_broadcast(&clerk->changed);
    (void)pthread_mutex_unlock(&clerk->lock);
}
