/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_FRONT_FRONT_H
#define STK_FRONT_FRONT_H

#include "base/arena.h"
#include "base/awake.h"
#include "config/config.h"
#include "front/connection.h"
#include "front/image.h"
#include "front/late.h"
#include "front/names.h"
#include "front/orders.h"
#include "front/pace.h"
#include "front/reading.h"
#include "front/refusals.h"
#include "front/tally.h"
#include "lockdown/lockdown.h"
#include "policy/usage.h"
#include "room/room.h"
#include "wire/codec_order.h"
#include "wire/codec_sign.h"

/*
 * The room that talks to signing clients: claims in, PASSporTs out. It has no key, no PIN, no
 * PKCS#11, and opens no file. One thread, one event loop; each turn of the loop handles all
 * descriptors that are ready, then sends what they left behind. (And a thread that does nothing but
 * read another configuration, while there is one.)
 */

#define STK_UNGRANTED_CONNECTIONS_MAX 64 /* of peers whom no grant names, all together */
#define STK_LIST_PAGE 64                 /* names in one answer: it must fit STK_SIGN_MESSAGE_MAX */
#define STK_ACCEPT_PAUSE_US 100000       /* when descriptors or memory are used up */
#define STK_DRAIN_US 4000000             /* to answer and flush when the service stops */
#define STK_DRAIN_READ_US 200000         /* of it, to read what clients had sent before it began */
#define STK_SNAPSHOT_AGAIN_US 1000000    /* after names that could not be taken */
#define STK_LOOK_AT_MAX (2 * STK_NAMES_MAX) /* names that lists may look at ... */
#define STK_LOOK_AGAIN_US 20000             /* ... within so long, while somebody waits */
#define STK_LOOKS_OF_REQUEST 1024           /* names: looking at so many takes about as long */
#define STK_ACKNOWLEDGE_MAX 64        /* pushes that intake's link does not take the word for */
#define STK_COUNTS_INTERVAL_US 500000 /* between two reports of what was used up */
#define STK_WORK_ARENA_MAX (2 * 1024 * 1024) /* for reading the inputs of one request */
#define STK_MESSAGE_WEIGHT_MAX (STK_DECODE_ARENA_MAX / 2) /* of the orders in one message */
#define STK_PROGRAMS_ASKED_MAX 64 /* so that the control channel has room for all the answers */
#define STK_STRANGER "no grant names this peer"

struct stk_batch;

struct stk_front {
    struct stk_config *config; /* with its policy; both change between two requests, and ... */
    struct stk_image rules;    /* ... its attestation rules with them */
    struct stk_usage *usage;
    struct event_base *base;
    struct stk_arena arena;     /* for the message being decoded */
    struct stk_arena work;      /* for what the request in it takes beyond that */
    uint8_t *message;           /* STK_LINK_MESSAGE_MAX: one that came over a link */
    struct stk_buffer outgoing; /* one on its way to a link */
    struct stk_names *names;
    struct stk_orders *orders;
    struct stk_late *late;
    struct stk_refusals refusals;
    struct stk_tally tally;
    struct stk_front_counters counters; /* being told */
    uint64_t counters_wanted;           /* with the acknowledgement of this push; 0: not */
    struct stk_certificate *page;       /* STK_LIST_PAGE, for lists */

    struct stk_connection *connections[STK_CONNECTIONS_MAX];
    size_t connection_count;
    size_t connection_limit;
    struct stk_pace pace;   /* of the keeper */
    struct stk_awake awake; /* for its answer to the only order that it has */
    uint64_t connection_serial;
    struct stk_connection_list dirty;
    struct stk_user_list hungry;
    struct stk_connection_list waiting;
    struct stk_connection_list lingering;
    struct stk_connection_list taking;         /* of taking_entry */
    struct stk_connection_list program_wanted; /* these two of program_entry */
    struct stk_connection_list program_asked;
    size_t program_asked_count;
    bool program_told; /* that the kernel cannot say */

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
    struct stk_usage_count counts[STK_USAGE_COUNTS_MAX]; /* to be reported */
    size_t count_count;
    uint64_t counts_due_us; /* when to look for more; 0: nothing was used since */
    size_t looked_at;       /* names, since ... */
    uint64_t looked_since_us;

    struct event control;
    struct event control_writable;
    bool control_full;
    struct stk_reading reading; /* of another configuration */
    struct event config_read;
    struct stk_control_message config_waiting; /* the one after it */
    bool has_config_waiting;
    struct stk_control_message taken; /* how the last one ended ... */
    bool taken_waits;                 /* ... still to be said */
    bool ready;                       /* the porter was told */
    char lockdown[STK_LOCKDOWN_WORD]; /* for READY */
    uint64_t drain_until_us;          /* 0: not draining */
    uint64_t drain_read_until_us;     /* so long what had been sent is read */
    bool done;
    int exit_status;

    struct event timer;
    uint64_t timer_at_us; /* UINT64_MAX: not set */
};

/* ---- front.c */
/* `config` belongs to it from now on, also on failure. */
enum stirkeep_status stk_front_new(struct stk_config *config, struct stk_front **ret_front,
                                   struct stk_error *error);
void stk_front_free(struct stk_front *front);

/* Until drained or orphaned; the exit status. */
int stk_front_run(struct stk_front *front);

/* ---- listener.c */
bool stk_listener_start(struct stk_front *front);
void stk_listener_resume(struct stk_front *front);
void stk_listener_stop(struct stk_front *front);
/* Is there room for one more connection that no grant names, beside all others? */
bool stk_listener_holds_stranger(const struct stk_front *front,
                                 const struct stk_connection *connection);

/* ---- operations.c */

/* Handle one message of a connection's: decode it, and run the operation that it asks for. */
void stk_operation_run(struct stk_connection *connection, struct stk_bytes message);

struct stk_ask {
    struct stk_connection *connection;
    const struct stk_request *request;
    const struct stk_request_sketch *sketch;
    size_t length;    /* of the message */
    uint64_t mono_us; /* now: one moment for the whole request */
    int64_t real_s;
};

/* Answer that it is refused, and have it recorded. */
void stk_refuse(const struct stk_ask *ask, enum stirkeep_status status, const char *message);

/* The same for one of the signings in it; and note it alone, the answer being somebody else's. */
void stk_refuse_signing(const struct stk_ask *ask, const struct stk_signing *signing,
                        enum stirkeep_status status, const char *message);
void stk_note_signing(const struct stk_ask *ask, const struct stk_signing *signing,
                      enum stirkeep_status status, const char *reason);

/* "A", "B", "C"; "" for anything else. */
const char *stk_attest_text(char attest);

/* Note a refusal for the trail, and make room for it if need be. */
void stk_refusal_note(struct stk_front *front, const struct stk_refusal *refusal);

/* The operations, one file each. */
void stk_op_sign(const struct stk_ask *ask);
void stk_op_batch(const struct stk_ask *ask);
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

/* ---- answers.c: what an order came to, told to whoever still waits; its slot is released */

/* The keeper's word. */
void stk_answer_deliver(struct stk_front *front, const struct stk_answer *said);
/* None came in time. What the keeper was never told is given back. */
void stk_answer_expire(struct stk_front *front, struct stk_slot *slot);
/* Whoever asked has left: what waits in the flow is not signed, and is given back. */
void stk_answer_forget(struct stk_front *front, struct stk_flow *flow);
/* A batch has all its results; it is freed. */
void stk_answer_batch(struct stk_front *front, struct stk_batch *batch);
/* The end of the program: free batches under way. */
void stk_answer_nobody(struct stk_front *front);

/* ---- link_intake.c */
bool stk_link_intake_start(struct stk_front *front);
/* Acknowledge pushes, ask for a snapshot, report counts, as far as the link takes it. */
void stk_link_intake_flush(struct stk_front *front);

/* ---- counts.c: what was used up, which intake remembers */

/* Something was charged or given back: look for it in STK_COUNTS_INTERVAL_US. */
void stk_counts_touch(struct stk_front *front, uint64_t now_us);
/* Give back what was charged for one signature that is not made. */
void stk_counts_refund(struct stk_front *front, const struct stk_decision *decision,
                       const struct stk_name *name, uint64_t now_us, int64_t real_s);
/* The same of the day's quota alone. */
void stk_counts_refund_quota(struct stk_front *front, const struct stk_decision *decision,
                             const struct stk_name *name, uint64_t now_us, int64_t real_s);
void stk_counts_expire(struct stk_front *front, uint64_t now_us);
/* Take up what changed, as far as one report has room for it. */
void stk_counts_gather(struct stk_front *front);
/* A report with all that was gathered is on its way. */
void stk_counts_sent(struct stk_front *front);
/* Report all at once; false: the link does not take it yet. */
bool stk_counts_settle(struct stk_front *front);
/* NO_MEMORY. */
enum stirkeep_status stk_counts_recall(struct stk_front *front,
                                       const struct stk_catalog_push *push);

/* ---- program.c: which program each peer is; see also connection.h */

/* Ask the porter for those wanted, as far as the channel takes it. */
void stk_program_flush(struct stk_front *front);
/* The porter's answer. One that comes after its time is taken, too. */
void stk_program_learn(struct stk_front *front, uint64_t token, const char *text);
uint64_t stk_program_next_deadline(const struct stk_front *front);
void stk_program_expire(struct stk_front *front, uint64_t now_us);

/* ---- reload.c */

bool stk_reload_start(struct stk_front *front);
/* Another configuration is to take over, all of it or nothing; once it is read it does so between
 * two requests, and the porter is told. What was decided before goes its way as it was decided.
 * While one is read the next one waits; of several that wait the last one counts. The message's
 * descriptors are taken out of it. */
void stk_reload(struct stk_front *front, struct stk_control_message *message);
void stk_reload_stop(struct stk_front *front);

/* ---- control.c */
bool stk_control_start(struct stk_front *front);
/* False: the channel takes no more for the moment; the turn after it does will try again. */
bool stk_control_say(struct stk_front *front, const struct stk_control_message *message);
/* All that is still to be said. */
void stk_control_flush(struct stk_front *front);
/* Leave the loop with this status. */
void stk_front_leave(struct stk_front *front, int exit_status);
/* Draining: leave when nothing is left to do. */
void stk_drain_check(struct stk_front *front, uint64_t now_us);

/* ---- timer.c: everything that has a deadline */
bool stk_timer_start(struct stk_front *front);
/* Have the timer go off at the earliest deadline. */
void stk_timer_set(struct stk_front *front);

#endif
