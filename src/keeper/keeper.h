/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_KEEPER_KEEPER_H
#define STK_KEEPER_KEEPER_H

#include "config/config.h"
#include "keeper/recorder.h"
#include "token/signer.h"
#include "wire/codec_order.h"

struct stk_headers;

/*
 * The keeper's threads:
 *   main     starts the others, then watches over them and listens to the porter
 *   signers  one per token session, all receiving orders from the link to front
 *   custody  opens the token and does intake's orders, one at a time
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
    char detail[STK_URI_MAX + sizeof("div ")];
    uint8_t signature_digest[STK_DIGEST_LENGTH];
};

/* Everything that a signer thread needs, once: on a stack it would be cleared for each batch. */
struct stk_signer_thread {
    struct stk_shift shift;
    struct stk_keeper *keeper;
    struct stk_signer *signer; /* NULL: the token is locked */
    struct stk_headers *headers;
    _Atomic uint64_t signatures;
    pthread_t thread;
    struct stk_arena arena;
    struct stk_buffer out;
    struct stk_sign_item items[STK_BATCH_MAX];
    size_t item_count;
    struct stk_answer bad[STK_BATCH_MAX];
    struct stk_record records[2 * STK_BATCH_MAX];
    size_t record_count;
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
    uint8_t message[STK_LINK_MESSAGE_MAX];
};

struct stk_keeper {
    struct stk_config *config;
    struct stk_recorder recorder;
    char start_detail[STK_ERROR_MAX];

    struct stk_token *token; /* NULL: locked, and `locked` says why */
    struct stk_error locked;
    size_t rsa_length; /* bytes of the RSA part of a sealed key */

    /* How opening the token went, from the custody thread to main. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool opened;
    enum stirkeep_status open_status;
    struct stk_error open_error;

    /* The token failed in a way that may not pass by itself: since when (0: it does not), and how
     * often. */
    _Atomic uint64_t failing_since;
    atomic_uint failures;
    atomic_bool told_locked;
    atomic_bool told_malformed;

    atomic_bool closed; /* begin nothing new */
    struct stk_custody_thread custody;
    struct stk_signer_thread *signers;
    size_t signer_count;
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

/* ---- memory.c */

/* Keep all memory out of the swap where RLIMIT_MEMLOCK allows; logs once which it is. */
void stk_memory_lock(void);

/* ---- signer_thread.c, custody_thread.c: pthread_create(..., their struct) */
void *stk_signer_thread_run(void *signer_thread);
void *stk_custody_thread_run(void *custody_thread);

/* ---- op_sign.c */

/* One message from front: decode, sign, record, answer. */
void stk_sign_batch(struct stk_signer_thread *self, struct stk_bytes message);

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

/* A token's status as a signer met it. */
void stk_watchdog_note(struct stk_keeper *keeper, enum stirkeep_status status,
                       const struct stk_error *error);

/* ---- control.c: main */

/* Until the porter says DRAIN or is gone, then finish and end the process. */
_Noreturn void stk_control_loop(struct stk_keeper *keeper);

#endif
