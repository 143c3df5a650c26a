/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_KEEPER_RUN_H
#define STK_TEST_KEEPER_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "room/room.h"
#include "wire/codec_order.h"
#include <openssl/evp.h>
#include <sys/types.h>

/*
 * The real stirkeep-keeper with a SoftHSM token of its own, born as the porter gives birth to it;
 * the test holds the other ends. STIRKEEP_KEEPER names the program, STIRKEEP_SOURCE the project.
 */
struct run {
    char directory[64];
    pid_t pid; /* 0: not running */
    int control;
    int front; /* what front would hold */
    int intake;
    int keeper_front; /* the porter's copies of the keeper's ends: they outlive it */
    int keeper_intake;
    uint64_t next_id;
    struct stk_arena arena; /* of the last message received */
};

/* How a keeper is started. */
struct run_options {
    const char *pin;        /* NULL: the token's; "": no descriptor is handed out */
    const char *audit_file; /* relative to the directory; NULL: "audit.jsonl" */
    const char *audit_sync; /* NULL: "none" */
    unsigned sessions;      /* 0: 2 */
};

/* Exit 77 (or fail, with CI set) when SoftHSM is not installed. `softhsm_line` is added to its
 * configuration. */
int run_make_token(struct run *run, const char *softhsm_line);
void run_free(struct run *run);

/* Start it and wait for what it says first; the text too. */
enum stk_control_kind run_start(struct run *run, const struct run_options *options,
                                struct stk_control_message *ret_said);

/* Send DRAIN, wait until it is gone; its exit status. */
int run_drain(struct run *run);

/* Wait for its end, at most ten seconds; its exit status, or -1 when a signal ended it. */
int run_wait(struct run *run);

/* "DIRECTORY/name" in a static buffer. */
const char *run_path(const struct run *run, const char *name);

/* ---- keys */

struct test_key {
    EVP_PKEY *key;
    struct stk_key_id id;
    struct stk_bytes certificate; /* DER, self-signed; owned */
};

struct test_key test_key_make(const char *subject);
void test_key_free(struct test_key *key);

/* Does the Identity header value carry a signature of this key over itself? */
bool test_key_verifies(const struct test_key *key, const char *identity);

/* ---- orders */

/* The answer to a custody order; lives until the next one. */
struct stk_custody_answer run_custody(struct run *run, struct stk_custody_order *order);

/* Import it, sealed as the CLI does; fails the test if that does not work. */
void run_import(struct run *run, const struct test_key *key, const char *name);
struct stk_custody_answer run_try_import(struct run *run, const struct test_key *key,
                                         const struct stk_key_id *id, struct stk_bytes sealed);
/* `pkcs8` sealed to the token's wrapping key. */
void run_seal(struct run *run, const struct test_key *key, struct stk_buffer *ret_sealed);

/* A shaken order that is in order, for a key. */
struct stk_order run_order(struct run *run, const struct test_key *key);

/* Send orders (and refusals) as one message. */
void run_send(struct run *run, const struct stk_order *orders, size_t order_count,
              const struct stk_refusal *refusals, size_t refusal_count);

/* The next message of answers; fails the test after five seconds. They live until the next. */
struct stk_answer *run_answers(struct run *run, size_t *ret_count);

/* Send one, get its answer. */
struct stk_answer run_sign(struct run *run, const struct stk_order *order);

#endif
