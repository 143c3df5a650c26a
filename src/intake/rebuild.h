/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_INTAKE_REBUILD_H
#define STK_INTAKE_REBUILD_H

#include "base/arena.h"
#include "intake/calls.h"

/*
 * What the token holds and the catalog does not know becomes part of the catalog. First a walk
 * through all keys of the token: what is new has to prove itself. Then, name by name and in the
 * order of their certificates, each becomes a generation, in a transaction of its own. Killed
 * anywhere and begun again it comes to the same end; nothing that the catalog has is changed.
 */

struct stk_chain;
struct stk_intake;
struct stk_task;

/* ---- rebuild_plan.c: what is to become generations, and in which order */

/* A certificate on the token that the catalog does not know, whose key has proven itself. */
struct stk_candidate {
    struct stk_name name;
    struct stk_key_id key_id;
    char fingerprint[2 * STK_DIGEST_LENGTH + 1];
    int64_t not_before;
    int64_t not_after;
    bool active; /* it is the one of its name that may become active */
};

struct stk_plan {
    struct stk_candidate *items;
    size_t count;
    size_t capacity;
};

/* NO_MEMORY. */
enum stirkeep_status stk_plan_add(struct stk_plan *plan, const struct stk_candidate *candidate);
void stk_plan_free(struct stk_plan *plan);

/*
 * Put them into the order of names, and of notBefore within a name; mark in each name the one that
 * is valid at `now` and began last, or when none is valid, the one that began last.
 */
void stk_plan_settle(struct stk_plan *plan, int64_t now);

/* ---- a rebuild under way */

struct stk_rebuild {
    struct stk_intake *intake;
    struct stk_task *task;
    struct stk_arena arena; /* for one key */
    struct stk_plan plan;
    size_t at; /* of the plan, when that is carried out */

    /* The key that is looked at. */
    struct stk_key_id key_id;
    struct stk_name name;
    size_t plan_before;     /* so long was the plan before it */
    struct stk_chain *leaf; /* one of its certificates; NULL: it has none */
    uint8_t challenge[STK_CHALLENGE_LENGTH];

    bool new_name;  /* the name that is carried out was not known before */
    uint32_t added; /* generations of it */
    uint64_t push;  /* the last one */
    uint32_t names;
    uint32_t generations;
    uint32_t known;
    const char **problems; /* in the task's arena */
    size_t problem_count;
    size_t problems_left_out;
};

/* ---- rebuild_walk.c: the first half */

/* Go on behind the key that was looked at. */
void stk_rebuild_walk(struct stk_rebuild *rebuild);

/* What does the token have behind this key id? */
void stk_rebuild_ask(struct stk_rebuild *rebuild, const struct stk_key_id *after,
                     stk_call_done *done);

/* ---- rebuild_take.c: the second half */

/* Go on with the next candidate. */
void stk_rebuild_carry(struct stk_rebuild *rebuild);

/* The key that is looked at has no certificate: the catalog holds it as one that waits for it. */
enum stirkeep_status stk_rebuild_take_key(struct stk_rebuild *rebuild, const char *attributes,
                                          struct stk_error *error);

/* ---- op_rebuild.c: the beginning and the end */

/* A line for the answer; the rebuild goes on. */
void stk_rebuild_problem(struct stk_rebuild *rebuild, const struct stk_name *name,
                         const struct stk_key_id *key_id, const char *why);

/* May it go on after this, because it has to do with one key alone? */
bool stk_rebuild_spares(enum stirkeep_status status);

/* Answer; it is gone afterwards. What was added stays, and the same command goes on from there. */
void stk_rebuild_finish(struct stk_rebuild *rebuild);
void stk_rebuild_stop(struct stk_rebuild *rebuild, const struct stk_error *error);

/* The service is ending: then it has been stopped. */
bool stk_rebuild_drains(struct stk_rebuild *rebuild);

void stk_rebuild_forget_key(struct stk_rebuild *rebuild);

/* For the end of the program, too; NULL is allowed. */
void stk_rebuild_free(struct stk_rebuild *rebuild);

#endif
