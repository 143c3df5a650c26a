/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_FRONT_H
#define STK_FRONT_FRONT_H

#include "base/arena.h"
#include "config/config.h"
#include "front/connection.h"
#include "front/names.h"
#include "front/orders.h"
#include "front/refusals.h"
#include "wire/codec_sign.h"

/*
 * The room that talks to signing clients: claims in, PASSporTs out. It has no key, no PIN, no
 * PKCS#11, and opens no file. One thread, one event loop; each turn of the loop handles all
 * descriptors that are ready, then sends what they left behind.
 */

#define STK_UNGRANTED_CONNECTIONS_MAX 64 /* of peers whom no grant names, all together */
#define STK_LIST_PAGE 64                 /* names in one answer: it must fit STK_SIGN_MESSAGE_MAX */
#define STK_ACCEPT_PAUSE_US 100000       /* when descriptors or memory are used up */
#define STK_DRAIN_US 4000000             /* to answer and flush when the service stops */
#define STK_SNAPSHOT_AGAIN_US 1000000    /* after names that could not be taken */
#define STK_LOOK_AT_MAX (2 * STK_NAMES_MAX) /* names in a turn: others wait as long as that takes */
#define STK_ACKNOWLEDGE_MAX 64 /* pushes that intake's link does not take the word for */

struct stk_front {
    struct stk_config *config;
    struct event_base *base;
    struct stk_arena arena;     /* for the message being decoded */
    uint8_t *message;           /* STK_LINK_MESSAGE_MAX: one that came over a link */
    struct stk_buffer outgoing; /* one on its way to a link */
    struct stk_names *names;
    struct stk_orders *orders;
    struct stk_refusals refusals;
    struct stk_certificate *page; /* STK_LIST_PAGE, for lists */

    struct stk_connection *connections[STK_CONNECTIONS_MAX];
    size_t connection_count;
    size_t connection_limit;
    unsigned signers; /* of the keeper */
    uint64_t connection_serial;
    struct stk_connection_list dirty;
    struct stk_connection_list waiting;
    struct stk_connection_list lingering;
    struct stk_connection_list taking; /* of taking_entry */

    struct event listener;
    uint64_t accept_again_us; /* 0: accepting */
    uint64_t accept_told_us;  /* when it was last logged */

    struct event keeper_readable;
    struct event keeper_writable;
    bool keeper_up;
    bool keeper_full; /* its link takes no more for the moment */

    struct event intake_readable;
    struct event intake_writable;
    uint64_t acknowledge[STK_ACKNOWLEDGE_MAX]; /* pushes */
    size_t acknowledge_count;
    bool snapshot_wanted;
    uint64_t snapshot_again_us; /* when to ask again, since names were lost; 0: they were not */
    bool intake_full;
    size_t looked_at; /* names, in this turn */

    struct event control;
    bool ready;              /* the porter was told */
    uint64_t drain_until_us; /* 0: not draining */
    bool done;
    int exit_status;

    struct event timer;
    uint64_t timer_at_us; /* UINT64_MAX: not set */
};

/* ---- front.c */
enum stirkeep_status stk_front_new(struct stk_config *config, struct stk_front **ret_front);
void stk_front_free(struct stk_front *front);

/* Until drained or orphaned; the exit status. */
int stk_front_run(struct stk_front *front);

/* ---- listener.c */
bool stk_listener_start(struct stk_front *front);
void stk_listener_resume(struct stk_front *front);
void stk_listener_stop(struct stk_front *front);

/* ---- operations.c */

/* Handle one message of a connection's: decode it, and run the operation that it asks for. */
void stk_operation_run(struct stk_connection *connection, struct stk_bytes message);

struct stk_ask {
    struct stk_connection *connection;
    const struct stk_request *request;
    const struct stk_request_sketch *sketch;
};

/* Answer that it is refused, and have it recorded. */
void stk_refuse(const struct stk_ask *ask, enum stirkeep_status status, const char *message);

/* Note a refusal for the trail, and make room for it if need be. */
void stk_refusal_note(struct stk_front *front, const struct stk_refusal *refusal);

/* The operations, one file each. */
void stk_op_sign(const struct stk_ask *ask);
void stk_op_list(const struct stk_ask *ask);
void stk_op_ping(const struct stk_ask *ask);

/* Note a refusal that has no request behind it (a broken frame). */
void stk_refusal_of_connection(struct stk_connection *connection, enum stirkeep_status status,
                               const char *reason);

/* ---- link_keeper.c */
bool stk_link_keeper_start(struct stk_front *front);
/* Send orders and refusals that wait, as far as the link takes them. */
void stk_link_keeper_flush(struct stk_front *front);
/* Send refusals alone, in the middle of a turn. */
void stk_link_keeper_flush_refusals(struct stk_front *front);
/* The keeper has a successor: send again what is unanswered. */
void stk_link_keeper_again(struct stk_front *front);
/* Answer the order of a slot with an error, if somebody still waits, and release it. */
void stk_link_keeper_fail(struct stk_front *front, struct stk_slot *slot,
                          enum stirkeep_status status, const char *message);

/* ---- link_intake.c */
bool stk_link_intake_start(struct stk_front *front);
/* Acknowledge pushes, ask for a snapshot, as far as the link takes it. */
void stk_link_intake_flush(struct stk_front *front);

/* ---- control.c */
bool stk_control_start(struct stk_front *front);
/* Leave the loop with this status. */
void stk_front_leave(struct stk_front *front, int exit_status);
/* Draining: leave when nothing is left to do. */
void stk_drain_check(struct stk_front *front, uint64_t now_us);

/* ---- timer.c: everything that has a deadline */
bool stk_timer_start(struct stk_front *front);
/* Have the timer go off at the earliest deadline. */
void stk_timer_set(struct stk_front *front);

#endif
