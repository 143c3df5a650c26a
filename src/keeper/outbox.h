/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_OUTBOX_H
#define STK_KEEPER_OUTBOX_H

#include "base/buffer.h"
#include "base/histogram.h"
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
 * Nobody waits for company that may not come: as soon as less waits to be signed than lies here,
 * all of it is recorded and sent, so that whoever waits for these answers before they ask for more
 * keeps the signers busy. So it is when STK_OUTBOX_MS have passed, and when there is enough of it.
 * Without ALWAYS the signer that finds so does it; with ALWAYS, where the disk is waited for, the
 * outbox's own thread.
 */
#define STK_OUTBOX_MS 2        /* an answer lies here no longer, unless the disk keeps it waiting */
#define STK_OUTBOX_MAX 256     /* parcels; a signer that wants another one waits */
#define STK_OUTBOX_ENOUGH 8    /* parcels: more together save little */
#define STK_OUTBOX_ALWAYS 16   /* likewise, where a sync is to be shared */
#define STK_OUTBOX_TOGETHER 64 /* parcels in one append, at most ... */
#define STK_OUTBOX_TOGETHER_BYTES ((size_t)1024 * 1024) /* ... and of about so many bytes */
#define STK_OUTBOX_BYTES_MAX ((size_t)32 * 1024 * 1024) /* under way; as STK_OUTBOX_MAX */
#define STK_OUTBOX_KEPT_MAX ((size_t)64 * 1024) /* a buffer that is kept for the next ones */

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
    size_t asked; /* bytes of front's message */
    size_t bytes; /* of records and answers */
    uint64_t signatures;
    uint64_t since_us; /* CLOCK_MONOTONIC: when it was put here */
    uint64_t took_us;  /* until its records were in the trail */
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
    size_t count;            /* that lie here ... */
    size_t asked;            /* ... and bytes of the messages that they came of */
    struct stk_parcel *free; /* kept for the next ones */
    size_t bytes;            /* of all that is under way and was put */
    bool asleep;             /* the thread waits without a time */
    atomic_size_t under_way; /* parcels that were taken and whose answers are not sent yet */
    _Atomic uint64_t signatures;
    struct stk_histogram audit; /* from putting to having recorded, of each signature */
};

void stk_outbox_init(struct stk_outbox *outbox, struct stk_recorder *recorder, bool always);

/* pthread_create(..., outbox). */
void *stk_outbox_run(void *outbox);

/* An empty parcel to fill, which has to be put; NULL: no memory. Waits when there are too many. */
struct stk_parcel *stk_outbox_take(struct stk_outbox *outbox);
void stk_outbox_put(struct stk_outbox *outbox, struct stk_parcel *parcel);

/* A signer has nothing to do. */
void stk_outbox_rest(struct stk_outbox *outbox);
/* A signer has its next orders while something of its may lie here: somebody looks after that. */
void stk_outbox_leave(struct stk_outbox *outbox);

#endif
