/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_INTAKE_H
#define STK_INTAKE_INTAKE_H

#include "base/arena.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "intake/calls.h"
#include "intake/connection.h"
#include "intake/errand.h"
#include "intake/expiry.h"
#include "intake/import.h"
#include "intake/locked.h"
#include "intake/pushes.h"
#include "intake/rebuild.h"
#include "intake/reload.h"
#include "intake/replay.h"
#include "intake/spool.h"
#include "intake/staged.h"
#include "lockdown/lockdown.h"
#include <event2/event.h>
#include <event2/event_struct.h>

/*
 * The room of administrators: names, certificates and the import journal. It never has a plaintext
 * key, a PIN or the token. One thread, one event loop; what takes the keeper or front a moment goes
 * on in a callback, so that the others are served meanwhile.
 */

#define STK_DRAIN_MS 4000  /* to finish what was begun; the porter waits for 5 s */
#define STK_SETTLE_MS 1000 /* for front and the trail to have what was committed */
#define STK_RETRY_MS 1000  /* until a record or a clean-up is tried again */

struct stk_intake {
    struct stk_config *config;
    char lockdown[STK_LOCKDOWN_WORD]; /* for READY */
    struct stk_locked locked;
    uint64_t started_us; /* CLOCK_MONOTONIC */
    struct stk_catalog *catalog;
    struct event_base *base;
    struct stk_arena arena; /* for a message of a link, or an act */
    uint8_t *message;       /* STK_LINK_MESSAGE_MAX */

    struct event listener;
    struct event listener_again; /* descriptors are used up: go on in a moment */
    struct stk_connection_list connections;
    size_t connection_count;
    struct stk_task_list tasks; /* under way */
    struct stk_errand_list errands;
    uint64_t strangers_paid_us; /* when the strangers recorded so far are within the rate */
    unsigned strangers_suppressed;
    struct stk_peer stranger; /* the last one of these */
    struct event strangers_tell;

    struct stk_calls calls;
    struct stk_pushes pushes;

    bool acts_flushing; /* a record is on its way to the trail */
    bool acts_waiting;  /* there are acts that are not in the trail */
    int64_t act_id;     /* of that record */
    bool acts_told;     /* that the trail takes none */
    bool act_recorded;  /* act_id is in the trail, but still in the catalog */
    struct event acts_again;

    struct stk_reloads reloads;
    struct stk_replay replay;
    struct stk_staged staged;
    struct stk_expiry expiry;
    struct stk_import_list imports; /* under way */
    struct stk_spool *spool;        /* NULL: none is configured */
    struct stk_rebuild *rebuild;    /* under way, or NULL */
    struct event lost_look;

    struct event control;
    struct event drain_over;
    bool keeper_up;
    bool front_up;
    bool draining;
    int exit_status;
};

/* ---- intake.c */
/* On failure too `*ret_intake` is what there is of it, which ends with the process; NULL: no memory. */
enum stirkeep_status stk_intake_new(struct stk_config *config, struct stk_intake **ret_intake,
                                    struct stk_error *error);
/* Until drained or orphaned; the exit status. */
int stk_intake_run(struct stk_intake *intake);
void stk_intake_free(struct stk_intake *intake);

/* Arm a one-shot timer; a loop that cannot keep time is of no use, so a failure ends the process. */
void stk_intake_timer(struct event *timer, unsigned milliseconds);

/* Leave when draining and nothing is under way. */
void stk_intake_drain_check(struct stk_intake *intake);

/* ---- listener.c */
/* May this peer ask here? By the configuration that is in force now. */
bool stk_is_administrator(const struct stk_intake *intake, const struct stk_peer *peer);
/* One who may not was here: recorded, or counted when there are many. */
void stk_stranger_note(struct stk_intake *intake, const struct stk_peer *peer);
#define STK_STRANGER_MESSAGE "this user is no administrator of this service ([admin] user)"
bool stk_listener_start(struct stk_intake *intake);
void stk_listener_stop(struct stk_intake *intake);

/* ---- control.c */
bool stk_control_start(struct stk_intake *intake);

/* ---- acts.c: records of acts on their way into the trail */
bool stk_acts_start(struct stk_intake *intake);
/* Something was recorded in the catalog: bring it to the trail. */
void stk_acts_flush(struct stk_intake *intake);
/* Record an act that changes nothing in the catalog, and flush it. */
void stk_acts_note(struct stk_intake *intake, const struct stk_act *act);

/* ---- lost.c */
/* Once, in a moment: does the catalog hold nothing, and the token keys? Then the log says what to
 * do. */
bool stk_lost_start(struct stk_intake *intake);

/* ---- operations: each ends with stk_task_answer, at once or later */
void stk_op_wrapping_key(struct stk_task *task);
void stk_op_audit_key(struct stk_task *task);
void stk_op_import(struct stk_task *task); /* and INSTALL */
void stk_op_source_removed(struct stk_task *task);
void stk_op_list(struct stk_task *task);
void stk_op_show(struct stk_task *task);
void stk_op_retire(struct stk_task *task);
void stk_op_rollback(struct stk_task *task);
void stk_op_status(struct stk_task *task);
void stk_op_generate(struct stk_task *task);
void stk_op_destroy(struct stk_task *task);
void stk_op_doctor(struct stk_task *task);
void stk_op_rebuild(struct stk_task *task);
void stk_op_reload(struct stk_task *task);

#endif
