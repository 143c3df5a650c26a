/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_PUSHES_H
#define STK_INTAKE_PUSHES_H

#include "base/buffer.h"
#include "model/name.h"
#include "wire/codec_order.h"
#include <event2/event_struct.h>
#include <sys/queue.h>

/*
 * The names on their way to front: a snapshot in pages, and changes one by one behind it. What is
 * sent is read from the catalog at the moment of sending. One thread.
 */

struct stk_intake;

#define STK_PUSH_PAGE 64 /* names in a message */

/* A change that waits to be sent. */
struct stk_change {
    uint64_t push;
    struct stk_name name;
    TAILQ_ENTRY(stk_change) entry;
};

/* Somebody who waits until front knows a change and the trail has the acts so far. */
struct stk_waiter {
    uint64_t push; /* 0: front knows */
    struct event timer;
    void (*done)(void *context);
    void *context;
    struct stk_intake *intake;
    TAILQ_ENTRY(stk_waiter) entry;
};

struct stk_pushes {
    uint64_t last_push;
    TAILQ_HEAD(stk_change_list, stk_change) changes;
    TAILQ_HEAD(stk_waiter_list, stk_waiter) waiters;
    bool snapshot; /* under way ... */
    bool first;    /* ... and nothing of it sent yet */
    struct stk_name after;
    uint64_t question; /* for a report, not sent yet: its number; 0: none */
    uint64_t heard;    /* the highest number that front has acknowledged */
    struct stk_front_report report;
    struct stk_certificate *page;
    struct stk_buffer out;
    struct event readable;
    struct event writable;
    struct event again;
};

bool stk_pushes_start(struct stk_intake *intake);
void stk_pushes_stop(struct stk_intake *intake);

/* Tell front what a name is now; the number of the push. */
uint64_t stk_push_name(struct stk_intake *intake, const struct stk_name *name);

/* Call `done` once front has acknowledged `push` (0: none) and all acts are in the trail, or
 * STK_SETTLE_MS have passed. Never before this returns. */
void stk_settle(struct stk_intake *intake, uint64_t push, void (*done)(void *context),
                void *context);
/* Acts have reached the trail: look who may go on. */
void stk_settle_check(struct stk_intake *intake);

/* Ask front for a report; with it in pushes.report, pushes.heard is at least this number. */
uint64_t stk_push_ask(struct stk_intake *intake);

#endif
