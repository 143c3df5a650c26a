/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_PUSHES_H
#define STK_INTAKE_PUSHES_H

#include "base/arena.h"
#include "base/buffer.h"
#include "catalog/catalog.h"
#include "model/name.h"
#include "wire/codec_order.h"
#include <event2/event_struct.h>
#include <sys/queue.h>

/*
 * The names on their way to front, each with what its certificate says that it may sign: a snapshot
 * in pages, and changes one by one behind it. What is sent is read from the catalog at the moment of
 * sending. With a snapshot goes what was used up of today's quotas; the other way front tells what
 * is used up. One thread.
 */

struct stk_intake;

#define STK_PUSH_PAGE 64 /* names in a message */

/* A message of several names is not larger, so that front can decode it: constraints of many
 * numbers take several times the room there. One name always fits (STK_CERT_DER_MAX). */
#define STK_PUSH_BYTES_MAX (96 * 1024)
#define STK_PUSH_ARENA (1024 * 1024) /* for the constraints of a page */
#define STK_PUSH_LEAF_ARENA (STK_CERT_DER_MAX + 64)

#define STK_USAGE_DAYS 2 /* counts are kept for so many days past */

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
    bool names_sent;                  /* all of the snapshot's */
    bool usage_sent;                  /* ... and of the counts */
    struct stk_usage_row usage_after; /* the last one that was sent; no name: none was */
    int64_t usage_day;                /* whose counts are sent */
    bool usage_told;                  /* that counts cannot be kept */
    uint64_t question;                /* for a report, not sent yet: its number; 0: none */
    uint64_t heard;                   /* the highest number that front has acknowledged */
    struct stk_front_report report;
    struct stk_front_counters counters; /* of the last report that had some ... */
    uint64_t counted;                   /* ... and the number of its push; 0: none had */
    struct stk_certificate *page;
    struct stk_usage_row *usage; /* STK_USAGE_COUNTS_MAX */
    struct stk_usage_count *counts;
    struct stk_arena constraints;
    struct stk_arena leaf;           /* one certificate's DER */
    struct stk_name unread;          /* the last one whose constraints could not be read ... */
    char unread_text[STK_ERROR_MAX]; /* ... and why; "": all could */
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

/* ---- push_entries.c */

/*
 * Give certificates that were read from the catalog their constraints, in pushes.constraints (which
 * is reset). `*ret_done` of them, at least one: there was no room for more. One whose constraints
 * cannot be read is told not to be active, and the log says why. STORAGE.
 */
enum stirkeep_status stk_push_constrain(struct stk_intake *intake,
                                        struct stk_certificate *certificates, size_t count,
                                        size_t *ret_done, struct stk_error *error);

/* What is wrong with a certificate that does not sign for this; "": nothing is. */
const char *stk_push_trouble(const struct stk_intake *intake);

/* ---- usage.c */

bool stk_usage_start(struct stk_intake *intake);
void stk_usage_stop(struct stk_intake *intake);

/* What front says was used up, into the catalog. A failure is logged, once until it works again:
 * the next report of the same names makes up for it. */
void stk_usage_keep(struct stk_intake *intake, const struct stk_front_report *report);

/* The next counts of a snapshot into `push`; pushes.usage holds them. STORAGE. */
enum stirkeep_status stk_usage_page(struct stk_intake *intake, struct stk_catalog_push *push,
                                    struct stk_error *error);
/* They are on their way. */
void stk_usage_page_sent(struct stk_intake *intake, const struct stk_catalog_push *push);

/* Ask front for a report; with it in pushes.report, pushes.heard is at least this number. */
uint64_t stk_push_ask(struct stk_intake *intake);

#endif
