/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_SIGNER_H
#define STK_TOKEN_SIGNER_H

#include "token/token.h"

/*
 * One session that signs: used by one thread. It keeps, per key id, the handle of a session-object
 * copy of the key (or of the token object where the token refuses copies), found and proven at
 * first use, so that signing itself searches nothing. The copy is one for all signers; keys that
 * are used a lot get one for each, since threads that sign with one object wait for each other.
 * Past STK_SIGNER_KEYS_MAX those used longest ago are let go (key_table.h).
 */
struct stk_signer;

#define STK_SIGNER_KEYS_MAX 131072 /* memory is used as keys are */
#define STK_SIGNER_OWN_MAX 64      /* copies of its own: each takes 8 KiB in SoftHSM */
#define STK_SIGNER_ALONE_MAX 4096  /* ... where a token's sessions do not share them */
#define STK_SIGNER_OWN_USES 256    /* signatures after which a key gets one */
#define STK_SIGNER_SAMPLE_FIRST 4 /* signatures that are verified whenever a key was found (anew) */
#define STK_SIGNER_SAMPLE 256     /* and then one of so many, by chance */

enum stirkeep_status stk_signer_new(struct stk_token *token, struct stk_signer **ret_signer,
                                    struct stk_error *error);
void stk_signer_free(struct stk_signer *signer);

/*
 * CKM_ECDSA over a SHA-256 digest (PKCS#11 2.40 mechanisms section 2.3.6): 64 bytes r||s. At first
 * use of a key id in this signer, the key is found by CKA_ID and must sign something that its
 * certificate on the token, whose SubjectPublicKeyInfo hashes to the key id, verifies.
 * What the token gives is verified before it is given out: all of it or samples, as the token was
 * opened; from the first one on that does not verify, all of it. One of another length than 64 bytes
 * is none.
 * After CKR_SESSION_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID or
 * CKR_USER_NOT_LOGGED_IN, and after a signature that is none, it reopens, finds and proves the key again and tries once more; after any
 * failure, when keys have come or gone since the key was found, it finds it again: one that was
 * destroyed in the middle of a signature is KEY_UNAVAILABLE.
 * KEY_UNAVAILABLE, TOKEN_LOCKED, TOKEN_ERROR with call and CKR name; NOT_PERMITTED for the audit
 * key.
 */
enum stirkeep_status stk_signer_sign(struct stk_signer *signer, const struct stk_key_id *key_id,
                                     const uint8_t digest[STK_DIGEST_LENGTH],
                                     uint8_t ret_signature[STK_SIGNATURE_LENGTH],
                                     struct stk_error *error);

/* The same with the audit key, and with no other: NOT_PERMITTED. */
enum stirkeep_status stk_signer_seal(struct stk_signer *signer, const struct stk_key_id *key_id,
                                     const uint8_t digest[STK_DIGEST_LENGTH],
                                     uint8_t ret_signature[STK_SIGNATURE_LENGTH],
                                     struct stk_error *error);

/* These keys are likely to sign soon, and this one next: what that takes is fetched into the
 * processor's caches meanwhile, as far as it is known where it lies. */
void stk_signer_expect(const struct stk_signer *signer, const struct stk_key_id *const *key_ids,
                       size_t count);
void stk_signer_expect_next(const struct stk_signer *signer, const struct stk_key_id *key_id);

/* When the last call of stk_signer_sign's to the token began and ended (CLOCK_MONOTONIC us): asked
 * by its thread, after it returned OK. */
void stk_signer_times(const struct stk_signer *signer, uint64_t *ret_began_us,
                      uint64_t *ret_ended_us);

/* Forget a key (it was destroyed or replaced). Safe from any thread: takes effect before the next
 * signature. */
void stk_signer_forget(struct stk_signer *signer, const struct stk_key_id *key_id);

/* When the PKCS#11 call under way began (CLOCK_MONOTONIC us); 0: none. Any thread: this is how a
 * watchdog finds a call that hangs. */
uint64_t stk_signer_busy_since(const struct stk_signer *signer);

#endif
