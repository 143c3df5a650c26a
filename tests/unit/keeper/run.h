/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_KEEPER_RUN_H
#define STK_TEST_KEEPER_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audit/verify.h"
#include "model/number_hash.h"
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
    const char *module;       /* NULL: SoftHSM */
    const char *pin;          /* NULL: the token's; "": no descriptor is handed out */
    const char *audit_file;   /* relative to the directory; NULL: "audit.jsonl" */
    const char *audit_sync;   /* NULL: "none" */
    unsigned sessions;        /* 0: 2 */
    unsigned call_timeout_ms; /* 0: 2000 */
    const char *audit;        /* further lines of [audit]; NULL: none */
    const char
        *number_key; /* what the file with the key for numbers has; NULL: none is handed on */
};

/* For main(): without SoftHSM nothing is tested, which with CI set is a failure. */
void run_require_softhsm(void);

/* The set-up of a group: a token, no keeper yet. */
int run_set_up(void **state);
int run_tear_down(void **state);

/* The tear-down of a test that starts its own keeper: whatever is left of it is taken away, and the
 * links are new ones. */
int run_clean_up(void **state);

/* Start it and wait for what it says first. */
struct stk_control_message run_start_and_hear(struct run *run, const struct run_options *options);
/* The next thing that it says; run_hear_but passes over what is of this kind. */
struct stk_control_message run_hear(struct run *run);
struct stk_control_message run_hear_but(struct run *run, enum stk_control_kind kind);
/* Start it; fails the test when it does not become ready. */
void run_start(struct run *run, const struct run_options *options);

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
bool test_key_verifies(const struct test_key *key, const struct stk_answer *answer);
/* The same for a signature (r||s) over a digest. */
bool test_key_verifies_digest(const struct test_key *key, const uint8_t digest[STK_DIGEST_LENGTH],
                              const uint8_t signature[STK_SIGNATURE_LENGTH]);

/* ---- orders */

/* Give it an id and send it. */
void run_send_custody(struct run *run, struct stk_custody_order *order);
/* The answer to one that was sent; lives until the next message. */
struct stk_custody_answer run_custody_answer(struct run *run,
                                             const struct stk_custody_order *order);
/* Both. */
struct stk_custody_answer run_custody(struct run *run, struct stk_custody_order *order);

struct stk_custody_answer run_prove(struct run *run, const struct stk_key_id *id);
struct stk_custody_answer run_destroy(struct run *run, const struct stk_key_id *id);

/* Seal `key` as the CLI does. */
void run_seal(struct run *run, const struct test_key *key, struct stk_buffer *ret_sealed);
/* The same, and import it under `certificate`'s. */
struct stk_custody_answer run_import_as(struct run *run, const struct test_key *key,
                                        const struct test_key *certificate);
/* An import order of everything said. */
struct stk_custody_answer run_import_sealed(struct run *run, const struct stk_key_id *id,
                                            struct stk_bytes certificate, struct stk_bytes sealed);
/* A new key, imported; fails the test if that does not work. */
struct test_key run_new_key(struct run *run, const char *subject);

/* A shaken order that is in order, for a key. */
struct stk_order run_order(struct run *run, const struct test_key *key);

/* Send orders (and refusals) as one message. */
void run_send(struct run *run, const struct stk_order *orders, size_t order_count,
              const struct stk_refusal *refusals, size_t refusal_count);

/* The next message of answers; fails the test after five seconds. They live until the next. */
struct stk_answer *run_answers(struct run *run, size_t *ret_count);

/* Send one, get its answer. */
struct stk_answer run_sign(struct run *run, const struct stk_order *order);

/* Is there nothing to be received, for a while? */
bool run_is_silent(int fd, int milliseconds);

/* ---- the trail */

/* What a verifier says of these files together, with the audit key (NULL: none); fails the test when
 * they do not verify. */
struct stk_verdict trail_verdict(const struct run *run, const char *const *files, size_t count,
                                 const uint8_t (*key)[STK_SPKI_LENGTH]);

/* How many records it has; fails the test when it does not verify. */
uint64_t trail_records(const struct run *run, const char *file);
/* How many of its lines hold both texts. */
size_t trail_count(const struct run *run, const char *file, const char *one, const char *other);

#endif
