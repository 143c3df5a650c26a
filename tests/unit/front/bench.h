/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_FRONT_BENCH_H
#define STK_TEST_FRONT_BENCH_H

#include "born.h"

#include "wire/codec_order.h"
#include "wire/codec_sign.h"

/*
 * stirkeep-front with a keeper and an intake that the test plays, step by step. It holds Alpha
 * (active), Bravo (retired), Charlie (expired), Delta (not valid yet) and Zulu (active, but no
 * grant names it); this user may ask for A and B.
 */

#define TAKEN_MAX 8192

struct bench {
    struct born born;
    unsigned client_timeout_ms; /* 0: 20000 */
    unsigned deadline_ms;       /* 0: 20000 */
    bool stranger;              /* the grant is somebody else's */
    struct stk_arena arena;     /* of the last message of front's */
    struct stk_arena answers;   /* of the last answer to a client */

    /* What the keeper was asked, since bench_forget. */
    struct taken {
        uint64_t id;
        uint64_t request_id;
        uid_t uid;
        char name[STK_NAME_MAX + 1];
        char grant[STK_GRANT_NAME_MAX + 1];
    } taken[TAKEN_MAX];
    size_t taken_count;
    size_t refusal_count;
    uint64_t suppressed;                 /* refusals told of, but not one by one */
    enum stirkeep_status refusal_status; /* the last one */
    uint64_t acknowledged;               /* the last push */
    bool snapshot_wanted;
};

int bench_set_up(void **state);
int bench_tear_down(void **state);

/* Names into the link, then the program, then word that the keeper is up. */
void bench_start(struct bench *bench);
/* The same without a keeper. */
void bench_start_alone(struct bench *bench);

/* ---- the keeper */

/* Take messages until `count` orders are there; fails the test otherwise. */
void bench_take(struct bench *bench, size_t count);
/* Until so many refusals were reported. */
void bench_take_refusals(struct bench *bench, size_t count);
/* Is there nothing more, for a moment? */
bool bench_keeper_is_idle(const struct bench *bench);
void bench_forget(struct bench *bench);
/* Answer an order: OK comes with the identity "h.p.s;ppt=shaken", else "the keeper says so". */
void bench_answer(struct bench *bench, uint64_t id, enum stirkeep_status status);

/* ---- intake */

struct stk_certificate bench_certificate(const char *name);
void bench_push(struct bench *bench, uint64_t push, bool first, bool last,
                struct stk_certificate *entries, size_t count);
/* Take reports until this push is acknowledged. */
void bench_await(struct bench *bench, uint64_t push);

/* ---- clients */

void sign_to(const struct client *client, uint64_t id, const char *name, const char *attest,
             uint32_t deadline_ms);
void ping_to(const struct client *client, uint64_t id);
/* The next answer; lives until the next one. */
struct stk_response hear(struct bench *bench, struct client *client);
/* A ping on a connection of its own is answered. */
void expect_served(struct bench *bench);

#endif
