/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_TOKEN_H
#define STK_TOKEN_TOKEN_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "model/diagnosis.h"
#include "model/key_id.h"
#include "model/name.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The PKCS#11 token: the only folder that knows PKCS#11. One process owns a token. libp11 loads
 * the module, finds the token and handles certificates; keys go by raw PKCS#11 2.40 calls.
 */
struct stk_token;

/* What becomes of the PIN (C_Login), as it does. */
enum stk_pin_news {
    STK_PIN_TRIED,   /* the token is about to be given it */
    STK_PIN_TAKEN,   /* it is right */
    STK_PIN_REFUSED, /* it is not, or must not be tried: never try it again */
    STK_PIN_UNJUDGED /* the call failed for another reason */
};

struct stk_token_options {
    const char *module;
    const char *label;
    const char *directory; /* files to make durable; "": found by itself for SoftHSM */
    bool require_hardware;
    /* NULL, or called before the files of a SoftHSM token are used, which one process may: it comes
     * back when they can be had, or says (false) that they are not wanted any more. */
    bool (*await_turn)(void *context);
    /* NULL, or told at once: no other call of the module's, which may hang or crash, comes between.
     * With TOKEN_LOCKED a refusal was told, once. From the thread that opens. */
    void (*tell_pin)(void *context, enum stk_pin_news news, const char *message);
    void *context;
    bool verify_sampled;    /* not every signature is verified before it is given out */
    _Atomic uint64_t *busy; /* when the call under way began, for who watches while the token is
                               opened (CLOCK_MONOTONIC us; 0: none); lives as long as the token.
                               C_Initialize, C_Login (tokens make those wait who had it wrong) and
                               the making of the wrapping key take their time, and are not told.
                               NULL: nobody watches */
};

/* What the token is and can do, probed at opening. Texts are owned by the token. */
struct stk_token_info {
    const char *label;
    const char *serial;
    const char *model;
    bool hardware;              /* CKF_HW_SLOT */
    bool unwraps;               /* C_UnwrapKey takes a sealed key (stk_token_try_unwrap); else the
                                   keeper unwraps */
    bool copies;                /* C_CopyObject to session objects works: signers use copies */
    unsigned long max_sessions; /* 0: not stated */
};

/*
 * Load the module, find the token by label, log in with `pin`, keep one session logged in for
 * life, make or find the RSA wrapping key pair, probe, read which objects lie under which key id.
 * `pin` is wiped and freed whatever happens.
 * TOKEN_LOCKED: the PIN was refused, is locked, or only one try is left: never try again with the
 * same PIN. The module is left as it is then, and what there is of the token is in `ret_token`, good
 * for nothing but stk_token_close. UNSUPPORTED: hardware required and this is none. TOKEN_ERROR with
 * call and CKR name.
 * Call it from the thread that will also call the custody functions below.
 */
enum stirkeep_status stk_token_open(const struct stk_token_options *options, struct stk_secret *pin,
                                    struct stk_token **ret_token, struct stk_error *error);

/* Log out and finalise. All signers must be gone. */
void stk_token_close(struct stk_token *token);

/* Any thread; lives as long as the token. */
const struct stk_token_info *stk_token_info(const struct stk_token *token);

/* DER SubjectPublicKeyInfo of the RSA wrapping key; lives as long as the token. Any thread. */
struct stk_bytes stk_token_wrapping_spki(const struct stk_token *token);

/*
 * The login is gone (a device was reset, somebody logged the application out). The PIN is not
 * kept, so only a new process can log in again. Any thread.
 */
bool stk_token_login_lost(const struct stk_token *token);

/* A call said that the device, or the module's state, has gone. Any thread. */
bool stk_token_gone(const struct stk_token *token);

/* A call said CKR_DEVICE_ERROR, and nobody called it well since. Any thread. */
bool stk_token_device_error(const struct stk_token *token);
void stk_token_well(struct stk_token *token);

/* How many signatures of signers did not verify, or had another length than a signature has: none of
 * them was given out. Any thread. */
uint64_t stk_token_wrong(const struct stk_token *token);

/* SoftHSM does not see all of its objects any more, and a new process would. Any thread. */
bool stk_token_is_blind(const struct stk_token *token);

/* As stk_signer_busy_since, for the custody functions. Any thread. */
uint64_t stk_token_busy_since(const struct stk_token *token);

/* ---- custody: one thread at a time, objects made and destroyed one by one */

/*
 * Does C_UnwrapKey take a key sealed the way of seal/seal.h? Tried for real with a throw-away one
 * as session objects, since tokens misstate their mechanisms. Sets info.unwraps; before any import.
 */
void stk_token_try_unwrap(struct stk_token *token, struct stk_bytes sealed);

/* For tokens that do not unwrap: decrypt the RSA-OAEP part of a sealed key (C_Decrypt). */
enum stirkeep_status stk_token_decrypt(struct stk_token *token, struct stk_bytes rsa_part,
                                       struct stk_secret *ret_aes_key, struct stk_error *error);

/* A key on its way onto the token. */
struct stk_token_import {
    struct stk_key_id key_id;
    struct stk_bytes spki;          /* 91 bytes, P-256; SHA-256 of it is key_id */
    const char *name;               /* certificate name, for CKA_LABEL */
    struct stk_bytes sealed;        /* unwrapped by the token ... */
    const struct stk_secret *pkcs8; /* ... or, when not NULL, created from this (C_CreateObject);
                                       neither: the key has to be on the token */
    const struct stk_bytes *chain;  /* DER, leaf first */
    size_t chain_count;
    const char *x5u; /* CKA_URL of the leaf, where the token takes it; NULL or "": none */
};

/*
 * Bring it onto the token: CKA_TOKEN, PRIVATE, SENSITIVE, not EXTRACTABLE, SIGN only, CKA_ID = key
 * id, CKA_LABEL = "stirkeep:NAME"; read its attributes back; check that it signs what `spki`
 * verifies; store the chain as certificate objects with the same CKA_ID. A key that is there
 * already and proves itself is left as it is; private keys with this CKA_ID that do not prove
 * themselves are destroyed. The files are durable when it returns OK; on failure no private key
 * object of this call is left, or the message says that one may be. KEY_MISMATCH, KEY_UNREADABLE
 * (not sealed to this token's key), KEY_UNAVAILABLE (none was brought and none is there that proves
 * itself), TOKEN_ERROR.
 */
enum stirkeep_status stk_token_import(struct stk_token *token,
                                      const struct stk_token_import *import,
                                      struct stk_error *error);

#define STK_TOKEN_SPKI_LENGTH 91 /* DER SubjectPublicKeyInfo of a P-256 key */

/*
 * Make a P-256 key pair on the token under a ticket: the private key exactly as an import's, but
 * that CKA_ID is the ticket; the public key beside it as a token object. A pair that is there
 * already and proves itself is answered again; what else lies under the ticket is destroyed. The
 * files are durable when it returns OK; on failure nothing is left under the ticket, or the message
 * says that it may be. UNSUPPORTED: the token makes no such keys. TOKEN_ERROR, STORAGE.
 */
enum stirkeep_status stk_token_generate(struct stk_token *token, const char *name,
                                        const struct stk_key_id *ticket,
                                        uint8_t ret_spki[STK_TOKEN_SPKI_LENGTH],
                                        struct stk_error *error);

/*
 * Give the pair under the ticket its key id, which has to be the SHA-256 of its public key: the
 * public key first, then the private one, which proves itself before and after. Done or half done
 * already, it goes on from there. KEY_UNAVAILABLE: the pair is not there; SoftHSM rewrites an
 * object's file in place, so a kill in the middle may have lost it, and a new one has to be made.
 * KEY_MISMATCH, TOKEN_ERROR, STORAGE. Durable when it returns OK; may be half done when it fails.
 */
enum stirkeep_status stk_token_adopt(struct stk_token *token, const struct stk_key_id *ticket,
                                     const struct stk_key_id *key_id, struct stk_error *error);

/* The public key of a pair made on the token, which proves itself. KEY_UNAVAILABLE: none. */
enum stirkeep_status stk_token_spki(struct stk_token *token, const struct stk_key_id *key_id,
                                    uint8_t ret_spki[STK_TOKEN_SPKI_LENGTH],
                                    struct stk_error *error);

/*
 * The audit key: it seals the trail and does nothing else.
 *
 * Find the pair, or make it: P-256, generated in the token, SENSITIVE, never EXTRACTABLE, SIGN
 * only, as is read back; CKA_ID = key id, the public key beside it, labelled as no certificate's
 * key is. Of several, the one with the lowest key id is used; the others are left alone, as they
 * may have sealed something once. It gets its key id only when it is whole on the disk: what a kill
 * leaves before has sealed nothing, and is gone on with or destroyed.
 * From then on all other functions, and stk_signer_sign, answer NOT_PERMITTED to its key id, and the
 * inventory has it not. UNSUPPORTED: the token makes no such keys. TOKEN_ERROR, STORAGE: try again.
 */
struct stk_token_audit_key {
    struct stk_key_id key_id;
    uint8_t spki[STK_TOKEN_SPKI_LENGTH];
    char attributes[STK_ATTRIBUTES_MAX];
    bool made;     /* now */
    size_t fit;    /* so many of its kind could be used ... */
    size_t others; /* ... and so many there are beside it */
};
enum stirkeep_status stk_token_audit_key(struct stk_token *token,
                                         struct stk_token_audit_key *ret_key,
                                         struct stk_error *error);

/* What was destroyed, and how it was proven. */
#define STK_DESTROYED_TEXT_MAX 256
struct stk_token_destroyed {
    uint32_t objects; /* on the token; signers' copies are not counted */
    char proof[STK_DESTROYED_TEXT_MAX];
};

/*
 * Destroy every object with this CKA_ID, on the token and of its sessions (the copies that signers
 * hold); then prove it: nothing is found under the CKA_ID any more, and to sign with any private
 * key's former handle is refused. Durable when it returns OK. KEY_UNAVAILABLE: there was no private
 * key; what else there was is destroyed all the same. TOKEN_ERROR: something could not be destroyed
 * or STILL SIGNS, as the message says; also later, as long as the token may only hide it.
 * `ret_destroyed` may be NULL.
 *
 * What SoftHSM does with the files: it unlinks them without overwriting. The blocks that come free
 * hold the object encrypted with the token's own key, which lies in token.object under the PIN:
 * whoever has both of these and the disk may find a destroyed key again, as in every backup of the
 * token's directory, which no overwriting reaches either. Overwriting has no place here: the names
 * of files are random and CKA_ID is encrypted in them, so that nothing outside of SoftHSM can tell
 * which file is whose, and an object whose file was changed behind its back is not destroyed but
 * left, torn. Changing the PIN after destroying, and destroying backups, is the operator's.
 */
enum stirkeep_status stk_token_destroy(struct stk_token *token, const struct stk_key_id *key_id,
                                       struct stk_token_destroyed *ret_destroyed,
                                       struct stk_error *error);

/*
 * The private key's attributes as the token tells them:
 * "PRIVATE=1 SENSITIVE=1 EXTRACTABLE=0 ALWAYS_SENSITIVE=0 NEVER_EXTRACTABLE=0 LOCAL=0".
 */
enum stirkeep_status stk_token_attributes(struct stk_token *token, const struct stk_key_id *key_id,
                                          char ret_text[STK_ATTRIBUTES_MAX],
                                          struct stk_error *error);

/* What the token holds of one key: its private half, and the certificates with its CKA_ID. */
#define STK_TOKEN_HELD_MAX 32
struct stk_token_held {
    struct stk_key_id key_id;            /* zero: nothing */
    struct stk_name name;                /* of the label */
    char attributes[STK_ATTRIBUTES_MAX]; /* as stk_token_attributes tells them; not proven */
    struct stk_bytes certificates[STK_TOKEN_HELD_MAX]; /* DER: its own first, then others */
    const char *x5u[STK_TOKEN_HELD_MAX];               /* CKA_URL of each; "": none */
    size_t certificate_count;
};

/*
 * The private key with the project's label whose id comes next after this one (zero: the first), in
 * the order of ids; a zero key id when there is none. What is there is listed when it begins, and
 * kept until its end is reached: what comes later is not told. Bytes and texts live in `arena`.
 */
enum stirkeep_status stk_token_inventory(struct stk_token *token, const struct stk_key_id *after,
                                         struct stk_arena *arena, struct stk_token_held *ret_held,
                                         struct stk_error *error);

/*
 * What the token is, can do and holds, as facts and troubles: tried and measured where it can be,
 * without making a token object. Listing what is there takes its time; what is done with each thing
 * takes `budget_us` in all, and as much of it as there is time for.
 */
enum stirkeep_status stk_token_examine(struct stk_token *token, uint64_t budget_us,
                                       struct stk_diagnosis *diagnosis, struct stk_error *error);

/* Sign a digest with a key once, on the custody session, by the token object. */
enum stirkeep_status stk_token_sign(struct stk_token *token, const struct stk_key_id *key_id,
                                    const uint8_t digest[STK_DIGEST_LENGTH],
                                    uint8_t ret_signature[STK_SIGNATURE_LENGTH],
                                    struct stk_error *error);

#endif
