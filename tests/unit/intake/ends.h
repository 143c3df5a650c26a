/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TEST_INTAKE_ENDS_H
#define STK_TEST_INTAKE_ENDS_H

#include "born.h"

#include "catalog/catalog.h"
#include "wire/codec_admin.h"
#include "wire/codec_order.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

/*
 * stirkeep-intake with a keeper and a front that the test plays. Both work while the test waits
 * for something; what they are asked is counted.
 */

#define ACTS_MAX 256
#define KNOWN_MAX 512
#define COUNTS_MAX 1024

struct recorded {
    char act[32];
    char outcome[32];
    char name[STK_NAME_MAX + 1];
    char detail[512];
    uint32_t generation;
    struct stk_peer peer;
    uint64_t request_id;
};

struct ends {
    struct born born;
    unsigned client_timeout_ms; /* 0: 20000 */
    const char *profile;        /* NULL: strict */
    bool no_template;           /* for x5u */
    bool spool;                 /* DIRECTORY/spool, which the test makes */

    EVP_PKEY *prover; /* what the keeper proves with; NULL: a signature of no key */
    EVP_PKEY *made;   /* what it generates */
    enum stirkeep_status import_status;
    enum stirkeep_status prove_status;
    const struct stk_key_id *unproven; /* the only key that it is about; NULL: all are */
    enum stirkeep_status generate_status;
    enum stirkeep_status request_status;
    enum stirkeep_status destroy_status;
    const struct stk_key_id *indestructible; /* NULL: none */
    bool undead;                             /* what was destroyed still signs */
    bool keeper_silent;                      /* takes nothing from its link */
    bool keeper_stops; /* is silent from its next answer to IMPORT or DESTROY on */
    bool front_silent;
    /* Asked first; true: `answer` is filled in. */
    bool (*instead)(void *context, const struct stk_custody_order *order,
                    struct stk_custody_answer *answer);
    void *instead_context;

    unsigned orders[STK_CUSTODY_KIND_COUNT]; /* by kind */
    struct stk_key_id destroyed;             /* the last one ... */
    struct stk_key_id destroyed_before;      /* ... and the one before */
    struct stk_key_id ticket;                /* of the last GENERATE */
    struct stk_custody_order import;         /* the last one; no views */
    size_t sealed_length;
    struct recorded acts[ACTS_MAX];
    size_t act_count;

    struct stk_certificate known[KNOWN_MAX]; /* to front; their constraints are copies */
    size_t known_count;
    struct stk_usage_count counts[COUNTS_MAX]; /* of the last snapshot */
    size_t count_count;
    size_t longest;     /* bytes of a push */
    bool snapshot_done; /* the last one is complete */
    unsigned snapshots;
    unsigned pages;
    unsigned changes;

    struct stk_arena arena; /* of the messages between rooms */
    struct stk_arena answers;
    struct client caller; /* of call(), until the next one */
    uint64_t last_id;
};

/* For each test: everything new; not started. */
int ends_set_up(void **state);
int ends_tear_down(void **state);

/* Start it, and tell it that keeper and front are there. */
void ends_start(struct ends *ends);
/* The same, but it was told nothing. */
void ends_start_alone(struct ends *ends);
int ends_drain(struct ends *ends);

/* Work for both rooms until `fd` can be read (-1: never), at most so long; can it? */
bool ends_work(struct ends *ends, int fd, int milliseconds);
/* Work until there are at least so many acts of a kind with a name; fails the test otherwise. */
void ends_await_act(struct ends *ends, const char *act, const char *name, size_t count);
size_t ends_acts(const struct ends *ends, const char *act, const char *name);
const struct recorded *ends_last_act(const struct ends *ends, const char *act);
/* What front knows of a name; NULL: nothing. */
const struct stk_certificate *ends_known(const struct ends *ends, const char *name);

/* Front reports what was used up, and whether it wants a snapshot. */
void ends_report(struct ends *ends, const struct stk_usage_count *counts, size_t count,
                 bool snapshot_wanted);
/* Work until there were so many snapshots, and the last one is complete. */
void ends_await_snapshot(struct ends *ends, unsigned snapshots);

/* While intake is not running: the catalog, and whether an intent is open in it. */
struct stk_catalog *ends_catalog(const struct ends *ends);
bool ends_intent_open(const struct ends *ends);

/* r||s of a key over a challenge, as the keeper proves keys. */
void ends_sign_proof(EVP_PKEY *key, const uint8_t challenge[STK_CHALLENGE_LENGTH],
                     uint8_t ret_signature[STK_SIGNATURE_LENGTH]);

/* ---- clients */

/* Give the request an id and send it. */
void ask(struct ends *ends, const struct client *client, struct stk_admin_request *request);
/* Work until the client's next answer is there. It lives until the next one. */
struct stk_admin_response hear(struct ends *ends, struct client *client);
/* Both, on a connection of its own. */
struct stk_admin_response call(struct ends *ends, struct stk_admin_request request);

/* ---- material */

struct material {
    EVP_PKEY *key;
    struct stk_key_id id;
    struct stk_buffer der[2]; /* leaf, intermediate */
};

enum flaw { SOUND, EXPIRED, RSA_KEY, TNAUTHLIST_BROKEN, TNAUTHLIST_MISSING };

/* A certificate for a key (NULL: a new one) by an intermediate of its own. */
struct material material_new(EVP_PKEY *key, enum flaw flaw);
void material_free(struct material *material);

/* An import of it; the sealed key is any bytes: the keeper is the test. */
struct stk_admin_request import_of(const struct material *material, const char *name);
/* The installation of its certificate. */
struct stk_admin_request install_of(const struct material *material, const char *name);
/* An import, done: fails the test unless it is OK. */
struct stk_admin_response import_done(struct ends *ends, const struct material *material,
                                      const char *name);

#endif
