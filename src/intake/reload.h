/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_RELOAD_H
#define STK_INTAKE_RELOAD_H

#include "room/room.h"
#include "wire/codec_admin.h"
#include <event2/event_struct.h>
#include <sys/queue.h>

/*
 * Which policy is in force: told by stirkeepd, which reads it and has the rooms take it over.
 * Administrators' reloads go to it. Before a policy takes over the trail says so (act "policy",
 * outcome "begun"); each outcome is recorded, too, whoever caused it, and then answered. One thread.
 */

struct stk_intake;
struct stk_task;

#define STK_RELOADS_MAX 16 /* asked for and not over; fewer than stirkeepd takes of one intake */

/* One that somebody asked for, or that is to be recorded: that it is over, or (POLICY, POLICY_NEXT)
 * that a policy is in force or about to be. */
struct stk_reload {
    struct stk_intake *intake;
    struct stk_task *task; /* NULL: nobody waits for it here */
    struct stk_peer peer;  /* who asked */
    uint64_t request_id;
    uint64_t number;
    enum stk_control_kind kind;
    enum stirkeep_status status; /* when it is over */
    char text[STK_ERROR_MAX];
    TAILQ_ENTRY(stk_reload) entry;
};

TAILQ_HEAD(stk_reload_list, stk_reload);

/* STK_POLICY_TEXT taken apart. */
struct stk_policy_facts {
    char configuration[2 * STK_DIGEST_LENGTH + 1];
    char attestation[2 * STK_DIGEST_LENGTH + 1]; /* "": no file */
    size_t grants;
    size_t rules;
};

struct stk_reloads {
    struct stk_reload_list asked;
    struct stk_reload_list over; /* the first one of which is `recording` */
    bool recording;
    size_t asked_count;
    size_t over_count;
    uint64_t last_number; /* from a random start: what a former intake asked for is recognised */
    bool told;            /* that outcomes cannot be recorded */
    struct stk_policy_facts facts;
    struct event again; /* when to try to record again */
    struct event late;  /* when to answer without a record */
};

bool stk_reloads_start(struct stk_intake *intake);
void stk_reloads_stop(struct stk_intake *intake);

/* CONFIG: take its administrators, and say so. */
void stk_reload_take(struct stk_intake *intake, const struct stk_control_message *message);

/* RELOADED: record it, and answer who asked. */
void stk_reload_over(struct stk_intake *intake, const struct stk_control_message *message);

/* POLICY, POLICY_NEXT: bring it into the trail, and say that it is there or why it cannot be. */
void stk_reload_record(struct stk_intake *intake, const struct stk_control_message *message);

/* Is `text` a STK_POLICY_TEXT? */
bool stk_policy_facts_read(const char *text, struct stk_policy_facts *ret_facts);

#endif
