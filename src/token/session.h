/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_SESSION_H
#define STK_TOKEN_SESSION_H

#include "token/pkcs11.h"

#include "base/limits.h"
#include "model/key_id.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct stk_token;

/*
 * A PKCS#11 session and the calls that this project makes on one, each noted while it lasts, so
 * that a watchdog can see a call that hangs. One thread at a time; busy_since any thread.
 * SoftHSM 2.6 races when one thread makes or destroys an object while another searches, so the
 * calls marked (exclusive) take the token's one lock; signing takes none.
 */
struct stk_session {
    struct stk_token *token;
    CK_SESSION_HANDLE handle; /* CK_INVALID_HANDLE: not open */
    bool writable;
    _Atomic uint64_t busy_since; /* CLOCK_MONOTONIC us; 0: no call under way */
    _Atomic uint64_t *told;      /* the same, for who watches while the token is opened; NULL */
    uint64_t sign_began_us;      /* the last stk_session_sign's call */
    uint64_t sign_ended_us;
};

/* Attributes for an object that is to be made. */
struct stk_template {
    CK_ATTRIBUTE *attributes;
    size_t count;
};

/* Handles found, on the heap. {0} is none. */
struct stk_handles {
    CK_OBJECT_HANDLE *items;
    size_t count;
};

void stk_handles_free(struct stk_handles *handles);

/* Around a call that is made elsewhere than here, and takes no lock. `rv` is given back. */
void stk_call_begins(struct stk_session *session);
CK_RV stk_call_ended(struct stk_session *session, CK_RV rv);

/* The same for a call that takes the lock. The wait for it is not noted: who holds it is in a call
 * that is. A long call may last longer, the more objects there are on the token. */
void stk_exclusive_call_begins(struct stk_session *session);
void stk_long_call_begins(struct stk_session *session);
CK_RV stk_exclusive_call_ended(struct stk_session *session, CK_RV rv);

/* Open; a session that was open before is closed. */
CK_RV stk_session_open(struct stk_session *session);
void stk_session_close(struct stk_session *session);

/* CKR_USER_NOT_LOGGED_IN when the session is not the user's. */
CK_RV stk_session_check(struct stk_session *session);

/* All objects that have these attributes (exclusive). */
CK_RV stk_session_find(struct stk_session *session, CK_ATTRIBUTE *attributes, size_t count,
                       struct stk_handles *ret_handles);

/* Read one attribute of at most `capacity` bytes (CKR_BUFFER_TOO_SMALL: it is longer, and may be
 * had); one without a value is of length 0. */
CK_RV stk_session_read(struct stk_session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                       void *ret_data, size_t capacity, size_t *ret_length);

/* Read several at once, which costs little more than one. Each one's ulValueLen is its room before,
 * and its length after; CK_UNAVAILABLE_INFORMATION: it was not to be had, or is longer. */
CK_RV stk_session_read_all(struct stk_session *session, CK_OBJECT_HANDLE object,
                           CK_ATTRIBUTE *attributes, size_t count);

/* What an object is, as far as it tells. */
struct stk_described {
    CK_OBJECT_CLASS class; /* CK_UNAVAILABLE_INFORMATION: it does not say */
    bool on_token;
    bool has_key_id; /* its CKA_ID has the length of ours */
    struct stk_key_id key_id;
};
CK_RV stk_session_describe(struct stk_session *session, CK_OBJECT_HANDLE object,
                           struct stk_described *ret_object);

/* ---- objects.c: calls that make, change and destroy objects (exclusive). The index is told. */

CK_RV stk_session_create(struct stk_session *session, CK_ATTRIBUTE *attributes, size_t count,
                         CK_OBJECT_HANDLE *ret_object);
CK_RV stk_session_destroy(struct stk_session *session, CK_OBJECT_HANDLE object);
CK_RV stk_session_unwrap(struct stk_session *session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                         const void *wrapped, size_t length, CK_ATTRIBUTE *attributes, size_t count,
                         CK_OBJECT_HANDLE *ret_object);
CK_RV stk_session_generate(struct stk_session *session, CK_MECHANISM *mechanism,
                           const struct stk_template *public, const struct stk_template *private,
                           CK_OBJECT_HANDLE *ret_public, CK_OBJECT_HANDLE *ret_private);

/* C_SetAttributeValue. */
CK_RV stk_session_write(struct stk_session *session, CK_OBJECT_HANDLE object,
                        CK_ATTRIBUTE *attributes, size_t count);

/* A copy as a session object, which ends with the session. */
CK_RV stk_session_copy(struct stk_session *session, CK_OBJECT_HANDLE object,
                       CK_OBJECT_HANDLE *ret_copy);

/* A copy for all sessions, which lasts as long as the token is open. */
CK_RV stk_session_copy_for_all(struct stk_session *session, CK_OBJECT_HANDLE object,
                               CK_OBJECT_HANDLE *ret_copy);

/* Destroy a copy of either kind, unless somebody did, and its handle is another object's since.
 * CK_INVALID_HANDLE is none. */
void stk_session_drop_copy(struct stk_session *session, CK_OBJECT_HANDLE copy,
                           const struct stk_key_id *key_id);

/* ---- session.c */

/* RSA-OAEP as in seal/seal.h; `*length` is the room in `ret_data` before, the bytes in it after. */
CK_RV stk_session_decrypt(struct stk_session *session, CK_OBJECT_HANDLE key, const void *data,
                          size_t data_length, void *ret_data, size_t *length);

/* CKM_ECDSA; CKR_SIGNATURE_LEN_RANGE when the token returns anything but 64 bytes. */
CK_RV stk_session_sign(struct stk_session *session, CK_OBJECT_HANDLE key,
                       const uint8_t digest[STK_DIGEST_LENGTH],
                       uint8_t ret_signature[STK_SIGNATURE_LENGTH]);

/* RSA-OAEP with SHA-1, the parameters that seal/seal.h states. */
CK_MECHANISM *stk_mechanism_oaep(CK_MECHANISM *mechanism, CK_RSA_PKCS_OAEP_PARAMS *parameters);

#endif
