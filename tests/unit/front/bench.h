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
#define BENCH_CONFIG_MAX 8192
#define BENCH_X5U "https://certs.example.com/a.pem"

struct bench {
    struct born born;
    unsigned client_timeout_ms; /* 0: 20000 */
    unsigned deadline_ms;       /* 0: 20000 */
    bool stranger;              /* the grant is somebody else's */
    const char *grant;          /* more lines of the grant; NULL: none */
    const char *sections;       /* more sections, behind it; NULL: none */
    const char *signing;        /* more lines of [signing]; NULL: none */
    struct stk_arena arena;     /* of the last message of front's */
    struct stk_arena answers;   /* of the last answer to a client */

    /* What the keeper was asked, since bench_forget. */
    struct taken {
        uint64_t id;
        uint64_t request_id;
        uid_t uid;
        char name[STK_NAME_MAX + 1];
        char grant[STK_GRANT_NAME_MAX + 1];
        char ppt[STK_PPT_MAX + 1];
        char orig[STK_TN_MAX + 1];
        char attest; /* as given */
        char attest_asked;
        bool has_origid;
    } taken[TAKEN_MAX];
    size_t taken_count;
    size_t refusal_count;
    uint64_t suppressed;                 /* refusals told of, but not one by one */
    enum stirkeep_status refusal_status; /* the last one, ... */
    char refusal_reason[STK_ERROR_MAX];
    char refusal_orig[STK_URI_MAX + 1];
    char refusal_attest[STK_PPT_MAX + 1];
    uint64_t acknowledged; /* the last push */
    bool snapshot_wanted;
    struct stk_usage_count counts[16]; /* what was used up, by its last report */
    size_t count_count;
    size_t report_count; /* of those with counts in them */
};

int bench_set_up(void **state);
int bench_tear_down(void **state);

/* The configuration that the fields above make. */
void bench_config(const struct bench *bench, char ret_config[BENCH_CONFIG_MAX]);

/* Names into the link, then the program, then word that the keeper is up. */
void bench_start(struct bench *bench);
/* The same without a keeper. */
void bench_start_alone(struct bench *bench);

/* ---- the keeper */

/* Take messages until `count` orders are there; fails the test otherwise. */
void bench_take(struct bench *bench, size_t count);
/* Take one message. */
void bench_take_some(struct bench *bench);
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
/* Take reports until so much of a grant's or certificate's quota was told of. */
void bench_await_count(struct bench *bench, bool of_certificate, const char *name, uint64_t count);
/* One name, with what its certificate says it may sign. */
void bench_push_constrained(struct bench *bench, uint64_t push, const char *name,
                            const struct stk_constraints *constraints);

/* Rules like "14155550100 A\n1415555* B\n", compiled; numbers without one get `otherwise`. */
int bench_rules(const char *rules, enum stk_level otherwise);

/* ---- clients */

void sign_to(const struct client *client, uint64_t id, const char *name, const char *attest,
             uint32_t deadline_ms);
/* A header and a payload as the service itself would write them. */
struct bench_input {
    char header[512];
    char payload[512];
};
struct bench_input bench_input(const struct stk_claims_input *claims, const char *x5u);

/* Good shaken claims; `orig` is a number. */
struct stk_claims_input claims_of(const char *orig, const char *attest);
void claims_to(const struct client *client, uint64_t id, const char *name,
               const struct stk_claims_input *claims);
void input_to(const struct client *client, uint64_t id, const char *name, const char *header,
              const char *payload);
void batch_to(const struct client *client, uint64_t id, const struct stk_signing_input *signings,
              size_t count, bool whole, uint32_t deadline_ms);
void ping_to(const struct client *client, uint64_t id);
/* The next answer; lives until the next one. */
struct stk_response hear(struct bench *bench, struct client *client);
/* It is a refusal with this status, whose message has this text in it. */
void hear_refusal(struct bench *bench, struct client *client, uint64_t id,
                  enum stirkeep_status status, const char *text);
/* A ping on a connection of its own is answered. */
void expect_served(struct bench *bench);

#endif
