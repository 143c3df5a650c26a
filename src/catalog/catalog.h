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
 * What an older version wrote is brought to this one's schema, all of it or nothing.
 */
enum stirkeep_status stk_catalog_open(const char *path, struct stk_catalog **ret_catalog,
                                      struct stk_error *error);

/*
 * Is the file at its path the one that is open? STORAGE when it was moved, removed or replaced, or
 * its directory was: it is read on, and each change is refused with the same words.
 */
enum stirkeep_status stk_catalog_in_place(struct stk_catalog *catalog, struct stk_error *error);
void stk_catalog_close(struct stk_catalog *catalog);

/* ---- journal: what is under way between the token and the catalog */

enum stk_intent_kind {
    STK_INTENT_IMPORT,   /* the key may be on the token, no generation has it yet */
    STK_INTENT_GENERATE, /* the same, and it may be there under its ticket */
    STK_INTENT_DESTROY   /* condemned: may still be on the token, nothing signs with it any more */
};

struct stk_intent {
    int64_t id;
    enum stk_intent_kind kind;
    struct stk_name name;
    struct stk_key_id key_id;
    struct stk_key_id
        ticket; /* GENERATE: the CKA_ID before; zero when key_id is the ticket still */
    char source[STK_SOURCE_MAX];
};

/*
 * Commit an INTENT (IMPORT or GENERATE) before the keeper is asked. For GENERATE, `key_id` is the
 * ticket. BUSY when the name has one of any kind, or the key has one (two names must not race for
 * one key); OVERLOADED past STK_INTENTS_MAX.
 */
enum stirkeep_status stk_catalog_intend(struct stk_catalog *catalog, enum stk_intent_kind kind,
                                        const char *name, const struct stk_key_id *key_id,
                                        const char *source, int64_t now, int64_t *ret_intent,
                                        struct stk_error *error);
/* GENERATE: the token has made the key: from now on `key_id` is its id, and what it was, its
 * ticket. INTERNAL when there is no such intent, or it has a ticket already; BUSY when another one
 * has the key. */
enum stirkeep_status stk_catalog_intent_key(struct stk_catalog *catalog, int64_t intent,
                                            const struct stk_key_id *key_id,
                                            struct stk_error *error);
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
 * name), the active one before is "previous", the intent is gone, the act is recorded. With
 * about->activate_at not 0 it is staged instead, and the active one stays. A key that is held under
 * the name already keeps its origin. CONFLICT when the key is held under another name; BUSY when it
 * is condemned; TOO_LARGE past STK_NAMES_MAX or STK_GENERATIONS_MAX.
 */
enum stirkeep_status stk_catalog_add(struct stk_catalog *catalog,
                                     const struct stk_new_generation *generation,
                                     uint32_t *ret_generation, struct stk_error *error);

/* The name that holds a key. UNKNOWN_NAME when none does. */
enum stirkeep_status stk_catalog_holder(struct stk_catalog *catalog,
                                        const struct stk_key_id *key_id, struct stk_name *ret_name,
                                        struct stk_error *error);

/*
 * One transaction: the name signs no more and what was staged under it is retired, too; the act is
 * recorded with the number of the generation that was active (of the newest staged one when none
 * was). UNKNOWN_NAME, NOT_ACTIVE when nothing is active or staged.
 */
enum stirkeep_status stk_catalog_retire(struct stk_catalog *catalog, const char *name,
                                        const struct stk_act *act, uint32_t *ret_generation,
                                        struct stk_error *error);

/*
 * What a roll-back would go to: the newest generation before the active one whose key is held and
 * not condemned. UNKNOWN_NAME; NOT_ACTIVE when nothing is active; CONFLICT when there is none.
 */
enum stirkeep_status stk_catalog_earlier(struct stk_catalog *catalog, const char *name,
                                         struct stk_certificate *ret_active,
                                         struct stk_certificate *ret_earlier,
                                         struct stk_error *error);

/*
 * One transaction: generation `to`, a previous one, is the active one in the place of `from`, and
 * the act is recorded with its number. BUSY when `from` is not the active one any more, or `to` is
 * none to go to.
 */
enum stirkeep_status stk_catalog_roll_back(struct stk_catalog *catalog, const char *name,
                                           uint32_t from, uint32_t to, const struct stk_act *act,
                                           struct stk_error *error);

/* ---- staged generations */

struct stk_staged_generation {
    struct stk_certificate certificate;
    int64_t activate_at;
    int64_t row; /* in the order of making, among those of one time */
    bool late;   /* what is active under the name has a later time, or was brought in later */
};

/* The staged generation whose time comes next after that of `after` (NULL: the first of all).
 * UNKNOWN_NAME when there is none. */
enum stirkeep_status stk_catalog_next_staged(struct stk_catalog *catalog,
                                             const struct stk_staged_generation *after,
                                             struct stk_staged_generation *ret_staged,
                                             struct stk_error *error);

/* One transaction: a staged generation is a previous one without ever having been active, the act
 * is recorded with its number. BUSY when it is not staged any more. */
enum stirkeep_status stk_catalog_supersede(struct stk_catalog *catalog, const char *name,
                                           uint32_t generation, const struct stk_act *act,
                                           struct stk_error *error);

/* One transaction: a staged generation is the active one of its name, the active one before is
 * "previous", the act is recorded with its number. BUSY when it is not staged any more. */
enum stirkeep_status stk_catalog_activate(struct stk_catalog *catalog, const char *name,
                                          uint32_t generation, const struct stk_act *act,
                                          struct stk_error *error);

/* One transaction: a staged generation has another time, the act is recorded with its number. BUSY
 * when it is not staged any more; INVALID when the time is not after 1970. */
enum stirkeep_status stk_catalog_restage(struct stk_catalog *catalog, const char *name,
                                         uint32_t generation, int64_t activate_at,
                                         const struct stk_act *act, struct stk_error *error);

/* ---- keys that were made on the token and wait for their certificate */

struct stk_new_key {
    const char *name;
    struct stk_key_id key_id;
    const char *attributes;
    int64_t created;
    uint32_t created_by;
    int64_t intent;            /* GENERATE; journal row that it ends; 0: none */
    const struct stk_act *act; /* recorded in the same transaction */
};
/* One transaction: the name holds the key, which no generation has yet. CONFLICT, BUSY, TOO_LARGE as
 * stk_catalog_add (STK_GENERATIONS_MAX keys, too). A name that has nothing else is unknown to list,
 * certificate and show, and not counted. */
enum stirkeep_status stk_catalog_hold_key(struct stk_catalog *catalog,
                                          const struct stk_new_key *key, struct stk_error *error);

/* The keys of a name that no generation has and that are not condemned, newest first, at most
 * `room`; none: OK and 0, also for a name that is not held. Texts in `arena`. */
enum stirkeep_status stk_catalog_requested(struct stk_catalog *catalog, const char *name,
                                           struct stk_arena *arena,
                                           struct stk_requested_key *ret_keys, size_t room,
                                           size_t *ret_count, struct stk_error *error);

/* ---- recovery: what the token holds and the catalog does not know */

/* Does the name have a generation with this certificate whose key is not destroyed? */
enum stirkeep_status stk_catalog_knows(struct stk_catalog *catalog, const char *name,
                                       const char *fingerprint, bool *ret_known,
                                       struct stk_error *error);

/* BUSY when the name or the key has an open intent, of whatever kind. */
enum stirkeep_status stk_catalog_idle(struct stk_catalog *catalog, const char *name,
                                      const struct stk_key_id *key_id, struct stk_error *error);

/*
 * One transaction: as stk_catalog_add without an intent and a time, but the generation is a previous
 * one from its beginning, and what is active stays. Only with `active`, and when the name has
 * nothing but previous generations, it becomes the active one. `*ret_generation` is 0 when the
 * name knows the certificate already: nothing changes then. BUSY as stk_catalog_idle.
 */
enum stirkeep_status stk_catalog_recover(struct stk_catalog *catalog,
                                         const struct stk_new_generation *generation, bool active,
                                         uint32_t *ret_generation, struct stk_error *error);

/* A key that is held and not condemned. */
struct stk_held_key {
    int64_t row; /* in the order of coming; never used twice in a walk */
    struct stk_key_id key_id;
    struct stk_name name;
    bool active; /* the active generation of the name has it */
};

/* Up to `room` keys of rows after `after` (0: all); `*ret_count` < `room`: no more. */
enum stirkeep_status stk_catalog_held(struct stk_catalog *catalog, int64_t after,
                                      struct stk_held_key *ret_keys, size_t room, size_t *ret_count,
                                      struct stk_error *error);

/* ---- destruction */

/*
 * One transaction: what is active or staged with a key of the name (`key_id` NULL: any key of it)
 * is retired, and a DESTROY intent is there for each such key that is not destroyed (past
 * STK_INTENTS_MAX, too: nothing holds up the end of a key); the act is recorded with the number of
 * what was retired, as in stk_catalog_retire, or its own. `*ret_stopped`: the name was active and
 * is not any more. UNKNOWN_NAME; KEY_UNAVAILABLE when the name holds no such key (any more); BUSY
 * when an IMPORT or GENERATE of the name or of such a key is open.
 */
enum stirkeep_status stk_catalog_condemn(struct stk_catalog *catalog, const char *name,
                                         const struct stk_key_id *key_id, int64_t now,
                                         const struct stk_act *act, bool *ret_stopped,
                                         struct stk_error *error);

/*
 * One transaction: the key is destroyed, so are the generations that have it (`*ret_generations` of
 * them), the DESTROY intent is gone, the act is recorded with the newest of them. All rows stay. OK
 * and 0 when the intent is gone already, INTERNAL when it is not a DESTROY.
 */
enum stirkeep_status stk_catalog_destroyed(struct stk_catalog *catalog, int64_t intent,
                                           const struct stk_act *act, uint32_t *ret_generations,
                                           struct stk_error *error);

/* ---- reading */

/* Active generations with `from` <= notAfter < `until`, the soonest first, at most `room`; how many
 * there are in all. */
enum stirkeep_status stk_catalog_expiring(struct stk_catalog *catalog, int64_t from, int64_t until,
                                          struct stk_certificate *ret_certificates, size_t room,
                                          size_t *ret_count, uint32_t *ret_total,
                                          struct stk_error *error);

/* Active generations with notBefore after `now`, the soonest first, at most `room`; how many there
 * are in all. */
enum stirkeep_status stk_catalog_early(struct stk_catalog *catalog, int64_t now,
                                       struct stk_certificate *ret_certificates, size_t room,
                                       size_t *ret_count, uint32_t *ret_total,
                                       struct stk_error *error);

/* What signing needs of a name: its active generation, or its newest when none is active. */
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

/* The generations of a name, newest first, at most `room`: the active one, then those that are
 * staged, then the newest are there in any case. UNKNOWN_NAME. Texts in `arena`. */
enum stirkeep_status stk_catalog_show(struct stk_catalog *catalog, const char *name,
                                      struct stk_arena *arena,
                                      struct stk_generation *ret_generations, size_t room,
                                      size_t *ret_count, struct stk_error *error);

/* The chain of a generation, DER, leaf first, in `arena`. UNKNOWN_NAME. */
enum stirkeep_status stk_catalog_chain(struct stk_catalog *catalog, const char *name,
                                       uint32_t generation, struct stk_arena *arena,
                                       struct stk_bytes ret_chain[STK_CHAIN_MAX], size_t *ret_count,
                                       struct stk_error *error);

/* The certificate of a generation, without the rest of its chain; DER, in `arena`. UNKNOWN_NAME. */
enum stirkeep_status stk_catalog_leaf(struct stk_catalog *catalog, const char *name,
                                      uint32_t generation, struct stk_arena *arena,
                                      struct stk_bytes *ret_der, struct stk_error *error);

/* How many names stk_catalog_list has. */
enum stirkeep_status stk_catalog_count(struct stk_catalog *catalog, uint32_t *ret_names,
                                       struct stk_error *error);

/* ---- what was used up of quotas, so that it outlives front, which counts it */

struct stk_usage_row {
    bool of_certificate; /* else of a grant */
    char name[STK_GRANT_NAME_MAX + 1];
    int64_t day; /* days since 1970, UTC */
    uint64_t count;
};

#define STK_USAGE_ROWS_MAX 500000
#define STK_USAGE_WAITING_MAX 100000

/* One transaction: of each name and day the larger count stands, and what is of days before
 * `oldest` is gone. INVALID; OVERLOADED past STK_USAGE_ROWS_MAX: nothing is changed then. STORAGE:
 * these counts wait in this process's memory, STK_USAGE_WAITING_MAX at most, and the next call, of no
 * row even, stores them, too; stk_catalog_used knows of them. */
enum stirkeep_status stk_catalog_use(struct stk_catalog *catalog, const struct stk_usage_row *rows,
                                     size_t count, int64_t oldest, struct stk_error *error);

/* Up to `room` counts of a day, those of certificates first, then by name; behind `after` (NULL:
 * from the first). `*ret_count` < `room`: no more. */
enum stirkeep_status stk_catalog_used(struct stk_catalog *catalog, int64_t day,
                                      const struct stk_usage_row *after,
                                      struct stk_usage_row *ret_rows, size_t room,
                                      size_t *ret_count, struct stk_error *error);

#endif
