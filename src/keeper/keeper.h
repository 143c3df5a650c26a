/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_KEEPER_H
#define STK_KEEPER_KEEPER_H

#include "base/awake.h"
#include "config/config.h"
#include "keeper/clerk.h"
#include "keeper/compress.h"
#include "keeper/hiding.h"
#include "keeper/large_pages.h"
#include "keeper/outbox.h"
#include "keeper/recorder.h"
#include "keeper/tally.h"
#include "lockdown/lockdown.h"
#include "model/number_hash.h"
#include "room/room.h"
#include "token/signer.h"
#include "wire/codec_order.h"

struct stk_headers;

/*
 * The keeper's threads:
 *   main     starts the others, then watches over them and listens to the porter
 *   signers  one per token session, all receiving orders from the link to front
 *   custody  opens the token and does intake's orders, one at a time
 *   outbox   records and sends what signers did, where they do not do so themselves
 *   sealer   signs checkpoints of the trail and rotates its file
 *   clerk    writes down what others must not wait for
 *   and one that compresses rotated files, which shares nothing with them
 * They share the token's module, the recorder, and what is atomic below.
 */

/* Does a thread work on a message? main lets them finish, and then begin nothing new. */
struct stk_shift {
    _Alignas(64) atomic_bool working; /* a cache line of its own */
};

/* One order's life within a batch. */
struct stk_sign_item {
    const struct stk_order *order; /* NULL: it failed its checks */
    struct stk_answer answer;
    struct stk_error error;
    struct stk_buffer identity; /* kept from batch to batch */
    const char *dest[STK_DEST_MAX];
    char attest[2];
    char attest_asked[2];
    char detail[STK_URI_MAX + sizeof(STK_DIVERTING)];
    uint8_t signature[STK_SIGNATURE_LENGTH];
    uint8_t signature_digest[STK_DIGEST_LENGTH]; /* of its record */
};

/* Everything that a signer thread needs, once: on a stack it would be cleared for each batch. */
struct stk_signer_thread {
    struct stk_shift shift;
    struct stk_keeper *keeper;
    struct stk_signer *signer; /* NULL: the token is locked */
    struct stk_awake awake;    /* for the next message */
    uint32_t in_a_row;         /* messages that it had not to wait for */
    struct stk_headers *headers;
    pthread_t thread;
    struct stk_signer_tally tally;
    uint64_t now_us; /* CLOCK_MONOTONIC, as it was when the signature before ended */
    struct stk_arena arena;
    struct stk_sign_item items[STK_BATCH_MAX];
    size_t item_count;
    struct stk_answer bad[STK_BATCH_MAX];
    struct stk_record records[2 * STK_BATCH_MAX];
    size_t record_count;
    struct stk_hidden hidden[2 * STK_BATCH_MAX]; /* of the records; not touched while numbers are
                                                    written as they are */
    uint8_t message[STK_LINK_MESSAGE_MAX];
};

struct stk_custody_thread {
    struct stk_shift shift;
    struct stk_keeper *keeper;
    _Atomic uint64_t busy_since; /* CLOCK_MONOTONIC us; 0: no order under way */
    pthread_t thread;
    struct stk_arena arena;
    struct stk_buffer out;
    char attributes[STK_ATTRIBUTES_MAX];
    struct stk_token_destroyed destroyed;
    struct stk_keeper_counters counters; /* being told */
    uint8_t message[STK_LINK_MESSAGE_MAX];
};

/* The clerk's thread. */
struct stk_clerk_thread {
    struct stk_shift shift;
    struct stk_keeper *keeper;
    pthread_t thread;
};

/* The sealer's thread. What is not atomic or under the lock is its own. */
struct stk_sealer {
    struct stk_shift shift;
    struct stk_keeper *keeper;
    pthread_t thread;
    _Atomic(struct stk_signer *) signer; /* NULL: the token gave no session so far */
    _Atomic uint64_t sealed;             /* the last record that it sealed; 0: none */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool last; /* the trail has ended: one seal more */
    bool done; /* there is none to come */

    struct stk_buffer line;
    struct stk_control_message unsent; /* to the porter; kind 0: nothing */
    bool begun;                        /* what a former process left was looked at */
    uint64_t waiting_since; /* CLOCK_MONOTONIC us, like all here: what is unsealed; 0: nothing */
    uint64_t seal_again;    /* not before */
    uint64_t rotate_again;
    bool told_unsealed; /* to the log */
    bool told_unrotated;
};

/* How another room was seen last. */
enum stk_room_sight { STK_SIGHT_NONE, STK_SIGHT_UP, STK_SIGHT_DOWN };

struct stk_keeper {
    struct stk_config *config;
    uint64_t started_us;   /* CLOCK_MONOTONIC */
    ino_t trail_directory; /* that Landlock lets it write to; 0: any */
    struct stk_recorder recorder;
    struct stk_outbox outbox;
    struct stk_clerk clerk;
    enum stk_room_sight rooms[STK_ROOM_COUNT]; /* main's */
    struct stk_large_pages large_pages;        /* main's */
    struct stk_compressor compressor;
    struct stk_number_key *number_key; /* NULL: numbers are written as they are */
    struct stk_token_audit_key
        audit_key;             /* of use while `has_audit_key` is set, and then constant */
    atomic_bool has_audit_key; /* set by custody, taken back by the sealer */
    uint64_t audit_key_again;  /* custody's: CLOCK_MONOTONIC us, not before */
    bool told_no_audit_key;
    char start_detail[STK_ERROR_MAX];

    _Atomic uint64_t busy_since; /* a call under way while the token is opened; 0: none */
    struct stk_token *token;     /* NULL: locked, and `locked` says why */
    struct stk_token *left;      /* one that refused the PIN: asked for nothing any more */
    struct stk_error locked;
    size_t rsa_length; /* bytes of the RSA part of a sealed key */

    /* How opening the token went, from the custody thread to main. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool opened;
    bool stands_by;    /* another keeper has the trail: GO has to come first */
    bool waits_for_go; /* all that can be done before it is done */
    enum stirkeep_status open_status;
    struct stk_error open_error;

    /* The token failed in a way that may not pass by itself: since when (0: it does not), and how
     * often. */
    _Atomic uint64_t failing_since;
    atomic_uint failures;
    uint64_t told_wrong; /* signatures that were none: main's */
    uint64_t told_wrong_us;
    atomic_bool told_locked;
    atomic_bool told_malformed;

    atomic_bool closed; /* begin nothing new */
    struct stk_custody_thread custody;
    struct stk_clerk_thread clerk_thread;
    struct stk_sealer sealer;
    struct stk_signer_thread *signers;
    size_t signer_count;
    atomic_flag awake;           /* one signer is, and the others sleep */
    _Atomic uint64_t message_us; /* when the last one came, to whichever of them */
    atomic_bool messages_soon;   /* the last one came soon after the one before */
};

/* ---- shift.c */

/* Begin to work on a message; false: the keeper ends, do nothing. */
bool stk_shift_begin(struct stk_keeper *keeper, struct stk_shift *shift);
void stk_shift_end(struct stk_shift *shift);
bool stk_shift_anyone(const struct stk_keeper *keeper);

/* ---- opening.c: the custody thread */

/* Read the PIN, open the token, probe it, make the signers, begin the trail. A PIN that is refused
 * is no failure: the keeper stays up without a token. */
enum stirkeep_status stk_keeper_open_token(struct stk_keeper *keeper, struct stk_error *error);

/* ---- audit_key.c: the custody thread */

/* Find the audit key, or make it, when there is none so far and it is time to try. Without one the
 * trail goes on unsealed; that is logged once. */
void stk_keeper_find_audit_key(struct stk_keeper *keeper);

/* ---- number_key.c: main, before the others */

/* Read the key for numbers, when they are hashed. CONFIG with the reason, NO_MEMORY. */
enum stirkeep_status stk_keeper_read_number_key(struct stk_keeper *keeper, struct stk_error *error);

/* ---- access.c */

/* No files from now on but the trail's, the module's and the token's (docs/man/stirkeep.conf.5,
 * [lock-down]). As stk_lockdown_files. */
enum stirkeep_status stk_keeper_lock_files(const struct stk_config *config,
                                           struct stk_lockdown *lock, struct stk_error *error);
/* Then: which directory the trail's is; and is it another one now? */
void stk_keeper_note_trail(struct stk_keeper *keeper);
bool stk_keeper_trail_moved(const struct stk_keeper *keeper);

/* ---- signer_thread.c, custody_thread.c, clerk_thread.c, sealer_thread.c:
 * pthread_create(..., their struct) */
void *stk_signer_thread_run(void *signer_thread);
void *stk_custody_thread_run(void *custody_thread);
void *stk_clerk_thread_run(void *clerk_thread);
void *stk_sealer_thread_run(void *sealer);

/* ---- sealer_thread.c */
void stk_sealer_init(struct stk_sealer *sealer, struct stk_keeper *keeper);

/* When the trail has its last record: have it sealed. False when that took too long: what the sealer
 * uses must then be left alone. main, when all others have ended. */
bool stk_sealer_end(struct stk_sealer *sealer, unsigned wait_ms);

/* ---- sealing.c: the sealer */

/* Seal what is unsealed, as much as can be; false: something is left that should have been. */
bool stk_sealing_do(struct stk_sealer *self, struct stk_trail *trail);
/* The same when it is due. */
void stk_sealing_if_due(struct stk_sealer *self, struct stk_trail *trail);
/* Send the newest seal to the porter, if it took it not at once. */
void stk_sealing_send(struct stk_sealer *self);

/* ---- rotating.c: the sealer */
void stk_rotating_if_due(struct stk_sealer *self, struct stk_trail *trail);

/* ---- op_sign.c */

/* One message from front: decode, sign, and give record and answer to the outbox. */
void stk_sign_batch(struct stk_signer_thread *self, struct stk_bytes message);

/* ---- sign_record.c */

/* The records of what became of the batch, and of front's refusals: stk_trail_compose. False: they
 * could not all be made. */
bool stk_sign_record(struct stk_signer_thread *self, const struct stk_front_orders *orders,
                     struct stk_buffer *bodies);

/* ---- custody.c and op_*.c: one message from intake */

void stk_custody_message(struct stk_custody_thread *self, struct stk_bytes message);

/* Each fills in what its answer has beside id and status. */
typedef enum stirkeep_status stk_custody_op(struct stk_custody_thread *self,
                                            const struct stk_custody_order *order,
                                            struct stk_custody_answer *answer,
                                            struct stk_error *error);
stk_custody_op stk_op_token, stk_op_import, stk_op_prove, stk_op_destroy, stk_op_record;
stk_custody_op stk_op_generate, stk_op_request, stk_op_examine, stk_op_inventory;

/* Sign the order's challenge with its key and read its attributes back, into the answer. */
enum stirkeep_status stk_custody_prove(struct stk_custody_thread *self,
                                       const struct stk_custody_order *order,
                                       struct stk_custody_answer *answer, struct stk_error *error);

/* Every signer lets go of the key before its next signature. */
void stk_custody_forget(struct stk_keeper *keeper, const struct stk_key_id *key_id);

/* ---- watchdog.c: main */

/* Ends the process with 1 when a call to the token hangs or the token keeps failing: a new process
 * is what brings a module back. */
void stk_watchdog_check(struct stk_keeper *keeper);

/* After a failure that only a new process mends, it does not return: the order stays unanswered, and
 * who gave it gives it again to the next keeper. */
void stk_watchdog_hold_back(const struct stk_keeper *keeper, enum stirkeep_status status);

/* A token's status as a signer met it. */
void stk_watchdog_note(struct stk_keeper *keeper, enum stirkeep_status status,
                       const struct stk_error *error);

/* ---- control.c: main */

/* Until the porter says DRAIN or is gone, then finish and end the process. */
_Noreturn void stk_control_loop(struct stk_keeper *keeper);

#endif
