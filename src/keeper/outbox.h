/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_OUTBOX_H
#define STK_KEEPER_OUTBOX_H

#include "base/buffer.h"
#include "keeper/recorder.h"
#include "room/room.h"
#include "wire/codec_order.h"
#include <pthread.h>
#include <stdatomic.h>

/*
 * Where answers wait for their records. A signer puts what it has signed here, in a form that
 * needs nothing of the signer's any more, and signs on; what lies here is recorded together, by one
 * append, and then sent. Nothing is sent before its records are in the trail, and as durable as
 * the trail's mode promises.
 *
 * Nobody waits for company when there is none to come: as soon as a signer has nothing to do,
 * everything is recorded and sent. So it is when STK_OUTBOX_MS have passed, and when there is
 * enough of it. Without ALWAYS the signer that finds so does it; with ALWAYS, where the disk is
 * waited for, the outbox's own thread.
 */
#define STK_OUTBOX_MS 1        /* an answer lies here no longer, unless the disk keeps it waiting */
#define STK_OUTBOX_MAX 256     /* parcels; a signer that wants another one waits */
#define STK_OUTBOX_ENOUGH 4    /* parcels: more together save little */
#define STK_OUTBOX_ALWAYS 16   /* likewise, where a sync is to be shared */
#define STK_OUTBOX_TOGETHER 64 /* parcels in one append, at most */

/* What came of one message of front's. */
struct stk_parcel {
    struct stk_parcel *next;
    struct stk_buffer bodies;   /* its records: stk_trail_compose */
    bool unrecorded;            /* they could not be composed: no signature of it leaves */
    struct stk_buffer messages; /* its answers, as they are to be sent */
    size_t ends[STK_BATCH_MAX]; /* of each message, in `messages` */
    size_t message_count;
    uint64_t ids[STK_BATCH_MAX]; /* of its orders */
    size_t id_count;
    uint64_t signatures;
    uint64_t since_us; /* CLOCK_MONOTONIC: when it was put here */
};

struct stk_outbox {
    struct stk_recorder *recorder;
    bool always;
    pthread_mutex_t lock;
    pthread_cond_t due;  /* for the thread */
    pthread_cond_t room; /* for signers: a parcel is free */
    pthread_t thread;
    struct stk_parcel *first;
    struct stk_parcel **end;
    size_t count;            /* that lie here */
    struct stk_parcel *free; /* kept for the next ones */
    bool asleep;             /* the thread waits without a time */
    atomic_size_t idle;      /* signers that wait for orders */
    atomic_size_t under_way; /* parcels that were taken and whose answers are not sent yet */
    _Atomic uint64_t signatures;
};

void stk_outbox_init(struct stk_outbox *outbox, struct stk_recorder *recorder, bool always);

/* pthread_create(..., outbox). */
void *stk_outbox_run(void *outbox);

/* An empty parcel to fill, which has to be put; NULL: no memory. Waits when there are too many. */
struct stk_parcel *stk_outbox_take(struct stk_outbox *outbox);
void stk_outbox_put(struct stk_outbox *outbox, struct stk_parcel *parcel);

/* A signer has nothing to do, and has something to do again. */
void stk_outbox_rest(struct stk_outbox *outbox);
void stk_outbox_rise(struct stk_outbox *outbox);
/* A signer has its next orders while something of its may lie here: somebody looks after that. */
void stk_outbox_leave(struct stk_outbox *outbox);

#endif
