/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_READING_H
#define STK_FRONT_READING_H

#include "config/config.h"
#include "front/image.h"
#include <pthread.h>
#include <semaphore.h>

/*
 * A configuration that is to take over, read and made ready to decide in a thread of its own: a
 * large one takes longer than a request may wait. Everything else of it is the caller's thread's.
 * The thread is there from the beginning, as front can start none once it is locked down.
 */
struct stk_reading {
    pthread_t thread;
    bool has_thread;
    bool over;       /* the thread's time is */
    sem_t begin;     /* there is something to be read */
    sem_t end;       /* it is read */
    bool is_running; /* between start and join */
    int done;        /* an eventfd: readable when it is over */
    uint64_t number;
    int fds[2]; /* configuration, rules (-1: none); owned */
    struct stk_config *config;
    struct stk_image rules;
    struct stk_error error; /* with a status that is not OK: why it is not usable */
};

/* IO, when there is no descriptor left; UNAVAILABLE, when there is no thread to be had. */
enum stirkeep_status stk_reading_init(struct stk_reading *reading);

/* Begin; the descriptors belong to it. One at a time. */
void stk_reading_start(struct stk_reading *reading, uint64_t number, int config, int rules);

/* Wait for its end, which is there when `done` is readable: then `config` and `rules`, or `error`. */
void stk_reading_join(struct stk_reading *reading);

/* Free what is in it: whatever was not taken out. It can be started again. */
void stk_reading_drop(struct stk_reading *reading);

/* The same, the thread, and the eventfd. */
void stk_reading_free(struct stk_reading *reading);

/* Have a configuration's policy decide by these attestation rules. */
void stk_reading_bind(struct stk_config *config, const struct stk_image *rules);

#endif
