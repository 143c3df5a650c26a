/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CATALOG_CATALOG_H
#define STK_CATALOG_CATALOG_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "model/certificate.h"
#include "model/generation.h"
#include "model/peer.h"

/*
 * Names, generations, chains and the import journal, in SQLite (WAL, synchronous FULL: what is
 * committed is on disk). intake is its only user; one thread. STORAGE when the disk fails, with
 * the reason; the catalog is then as before the call, and usable again when the disk is. A value
 * past a limit is INVALID, naming it; so is a name that is none.
 */
struct stk_catalog;

#define STK_INTENTS_MAX 1024      /* open intents */
#define STK_ACTS_MAX 100000       /* acts that wait for the trail */
#define STK_GENERATIONS_MAX 10000 /* under one name */
#define STK_CATALOG_TEXT_MAX 1024 /* a text that has no limit of its own in base/limits.h */
#define STK_ACT_DETAIL_MAX 2048   /* the detail of an act */

/*
 * Open or create (mode 0600, also when it was wider) and lock it for this process, by PATH.lock,
 * which stays. The directory must exist. BUSY when another process has it; UNSUPPORTED when a
 * newer version wrote it; STORAGE when it cannot be used or is not a catalog: it is then as it was.
 */
enum stirkeep_status stk_catalog_open(const char *path, struct stk_catalog **ret_catalog,
                                      struct stk_error *error);
void stk_catalog_close(struct stk_catalog *catalog);

/* ---- journal: an import between "the key may be on the token" and "the generation exists" */

struct stk_intent {
    int64_t id;
    struct stk_name name;
    struct stk_key_id key_id;
    char source[STK_SOURCE_MAX];
};

/* Commit an INTENT before the keeper is asked. BUSY when the name has one, or the key has one (two
 * names must not race for one key); OVERLOADED past STK_INTENTS_MAX. */
enum stirkeep_status stk_catalog_intend(struct stk_catalog *catalog, const char *name,
                                        const struct stk_key_id *key_id, const char *source,
                                        int64_t now, int64_t *ret_intent, struct stk_error *error);
/* Take it back, after the keeper's object is gone or never was. OK when it is gone already. */
enum stirkeep_status stk_catalog_forget(struct stk_catalog *catalog, int64_t intent,
                                        struct stk_error *error);
/* The oldest open one whose id is past `after` (0: of all); UNKNOWN_NAME when there is none. For
 * the replay. */
enum stirkeep_status stk_catalog_open_intent(struct stk_catalog *catalog, int64_t after,
                                             struct stk_intent *ret_intent,
                                             struct stk_error *error);

/* ---- audit records of intake's acts: committed with the act, removed when in the trail */

struct stk_act {
    int64_t id; /* never used twice in the life of a catalog; not asked for when committing */
    const char *act;
    const char *outcome;
    const char *name;
    uint32_t generation;
    struct stk_key_id key_id; /* zero: none */
    const char *detail;
    struct stk_peer peer;
    uint64_t request_id;
};
/* Commit an act by itself. OVERLOADED past STK_ACTS_MAX, here and wherever an act is recorded:
 * then the trail has not been written for long, and what cannot be recorded is not done. */
enum stirkeep_status stk_catalog_act(struct stk_catalog *catalog, const struct stk_act *act,
                                     struct stk_error *error);
/* The oldest one not yet in the trail; UNKNOWN_NAME when there is none. Texts in `arena`. */
enum stirkeep_status stk_catalog_next_act(struct stk_catalog *catalog, struct stk_arena *arena,
                                          struct stk_act *ret_act, struct stk_error *error);
/* It is in the trail. OK when it was told before. */
enum stirkeep_status stk_catalog_act_done(struct stk_catalog *catalog, int64_t id,
                                          struct stk_error *error);

/* ---- generations */

struct stk_new_generation {
    const struct stk_generation *about; /* .generation and .state are decided here */
    const struct stk_bytes *chain;      /* DER, leaf first */
    size_t chain_count;
    int64_t intent;            /* journal row that it ends; 0: none */
    const struct stk_act *act; /* recorded in the same transaction with the new generation's
                                  number; NULL: none */
};
/*
 * One transaction: the generation exists and is the active one of its name (also of a retired
 * name), the active one before is "previous", the intent is gone, the act is recorded. CONFLICT
 * when the key is held under another name; TOO_LARGE past STK_NAMES_MAX or STK_GENERATIONS_MAX.
 */
enum stirkeep_status stk_catalog_add(struct stk_catalog *catalog,
                                     const struct stk_new_generation *generation,
                                     uint32_t *ret_generation, struct stk_error *error);

/* The name that holds a key. UNKNOWN_NAME when none does. */
enum stirkeep_status stk_catalog_holder(struct stk_catalog *catalog,
                                        const struct stk_key_id *key_id, struct stk_name *ret_name,
                                        struct stk_error *error);

/* One transaction: the name signs no more, the act is recorded with the generation's number.
 * UNKNOWN_NAME, NOT_ACTIVE when it is retired already. */
enum stirkeep_status stk_catalog_retire(struct stk_catalog *catalog, const char *name,
                                        const struct stk_act *act, uint32_t *ret_generation,
                                        struct stk_error *error);

/*
 * What a roll-back would go to: the newest generation before the active one whose key is held.
 * UNKNOWN_NAME; NOT_ACTIVE when nothing is active; CONFLICT when there is none before it.
 */
enum stirkeep_status stk_catalog_earlier(struct stk_catalog *catalog, const char *name,
                                         struct stk_certificate *ret_active,
                                         struct stk_certificate *ret_earlier,
                                         struct stk_error *error);

/*
 * One transaction: generation `to`, a previous one, is the active one in the place of `from`, and
 * the act is recorded with its number. BUSY when `from` is not the active one any more.
 */
enum stirkeep_status stk_catalog_roll_back(struct stk_catalog *catalog, const char *name,
                                           uint32_t from, uint32_t to, const struct stk_act *act,
                                           struct stk_error *error);

/* What signing needs of a name: its active generation, or its newest when it is retired. */
enum stirkeep_status stk_catalog_certificate(struct stk_catalog *catalog, const char *name,
                                             struct stk_certificate *ret_certificate,
                                             struct stk_error *error);

/* Up to `room` names after `after`, in byte order; `*ret_count` < `room`: no more. */
enum stirkeep_status stk_catalog_certificates(struct stk_catalog *catalog, const char *after,
                                              struct stk_certificate *ret_certificates, size_t room,
                                              size_t *ret_count, struct stk_error *error);

/* The active (or newest) generation of up to `room` names after `after`; texts in `arena`.
 * TOO_LARGE when the arena is too small for `room` of them (STK_GENERATION_TEXT_MAX each). */
#define STK_GENERATION_TEXT_MAX 8192
enum stirkeep_status stk_catalog_list(struct stk_catalog *catalog, const char *after,
                                      struct stk_arena *arena,
                                      struct stk_generation *ret_generations, size_t room,
                                      size_t *ret_count, struct stk_error *error);

/* All generations of a name, newest first, at most `room`; UNKNOWN_NAME. Texts in `arena`. */
enum stirkeep_status stk_catalog_show(struct stk_catalog *catalog, const char *name,
                                      struct stk_arena *arena,
                                      struct stk_generation *ret_generations, size_t room,
                                      size_t *ret_count, struct stk_error *error);

/* The chain of a generation, DER, leaf first, in `arena`. UNKNOWN_NAME. */
enum stirkeep_status stk_catalog_chain(struct stk_catalog *catalog, const char *name,
                                       uint32_t generation, struct stk_arena *arena,
                                       struct stk_bytes ret_chain[STK_CHAIN_MAX], size_t *ret_count,
                                       struct stk_error *error);

enum stirkeep_status stk_catalog_count(struct stk_catalog *catalog, uint32_t *ret_names,
                                       struct stk_error *error);

#endif
