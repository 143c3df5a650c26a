/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_INTERNAL_H
#define STK_TOKEN_INTERNAL_H

#include "token/durable.h"
#include "token/inventory.h"
#include "token/session.h"
#include "token/softhsm.h"
#include "token/token.h"

#include <libp11.h>
#include <pthread.h>

#define STK_P256_SPKI_LENGTH 91  /* DER SubjectPublicKeyInfo of an uncompressed P-256 point */
#define STK_P256_POINT_LENGTH 65 /* that point */
#define STK_WRAPPING_BITS_MIN 2048
#define STK_WRAPPING_BITS 3072 /* made when the token has none */
#define STK_WRAPPING_BITS_MAX 4096
#define STK_WRAPPING_LABEL "stirkeep wrapping key"
#define STK_AES_KEY_LENGTH 32
#define STK_TOKEN_LABEL_LENGTH 32 /* CK_TOKEN_INFO */
#define STK_TOKEN_SERIAL_LENGTH 16
#define STK_TOKEN_MODEL_LENGTH 16

struct stk_token {
    void *library; /* never unmapped: a hanging thread may be in it */
    CK_FUNCTION_LIST *p11;
    PKCS11_CTX *context; /* NULL: C_Initialize has not been called */
    PKCS11_SLOT *slots;  /* kept for life: releasing them closes every session */
    unsigned int slot_count;
    CK_SLOT_ID slot;
    struct stk_session home; /* does nothing: the login lasts as long as a session is open */
    struct stk_session custody;
    bool custody_stale;      /* a call failed in a way that leaves the session in doubt */
    pthread_mutex_t objects; /* held while objects are searched, made, copied or destroyed */
    _Atomic uint64_t epoch;  /* counts imports and destructions */
    atomic_bool login_lost;
    CK_OBJECT_HANDLE wrapping_key;
    uint8_t *wrapping_spki;
    size_t wrapping_spki_length;
    size_t wrapping_length; /* bytes of the modulus */
    struct stk_softhsm softhsm;
    struct stk_durable durable;
    struct stk_inventory inventory; /* being walked through */
    struct stk_token_info info;
    char label[STK_TOKEN_LABEL_LENGTH + 1];
    char serial[STK_TOKEN_SERIAL_LENGTH + 1];
    char model[STK_TOKEN_MODEL_LENGTH + 1];
};

/* ---- module.c: the module, its slots, the token by label */
enum stirkeep_status stk_module_load(struct stk_token *token, const char *path,
                                     struct stk_error *error);
enum stirkeep_status stk_module_find_token(struct stk_token *token, const char *label,
                                           struct stk_error *error);
void stk_module_unload(struct stk_token *token);

/* ---- login.c */

/* What the token's flags say about trying a PIN: OK, or TOKEN_LOCKED with the reason. */
enum stirkeep_status stk_login_verdict(CK_FLAGS flags, struct stk_error *error);

/* One try with this PIN, which stays the caller's to wipe. STORAGE: the disk is full. */
enum stirkeep_status stk_login(struct stk_token *token, const struct stk_secret *pin,
                               struct stk_error *error);

/* ---- wrapping.c */

/* Find the RSA pair that proves itself, or make one. */
enum stirkeep_status stk_wrapping_open(struct stk_token *token, struct stk_error *error);

/* Find its handle again on a fresh session. */
enum stirkeep_status stk_wrapping_reopen(struct stk_token *token, struct stk_error *error);

/* Does it decrypt, now, what its public half encrypts? */
bool stk_wrapping_proves(struct stk_token *token);

/* ---- proof.c */
bool stk_spki_is_p256(struct stk_bytes spki);
bool stk_spki_from_point(const uint8_t point[STK_P256_POINT_LENGTH],
                         uint8_t ret_spki[STK_P256_SPKI_LENGTH]);
bool stk_signature_verifies(const uint8_t spki[STK_P256_SPKI_LENGTH],
                            const uint8_t digest[STK_DIGEST_LENGTH],
                            const uint8_t signature[STK_SIGNATURE_LENGTH]);

/*
 * Have the key sign a fresh challenge (model/proof.h) and verify it. Not CKR_OK: it did not sign;
 * CKR_OK and `*ret_proven` false: it signed as another key.
 */
CK_RV stk_key_prove(struct stk_session *session, CK_OBJECT_HANDLE key,
                    const uint8_t spki[STK_P256_SPKI_LENGTH], bool *ret_proven);

/* ---- key.c: keys on the token, by CKA_ID */

/* A key that has proven itself. */
struct stk_proven {
    CK_OBJECT_HANDLE handle;
    bool copy; /* a session object that the finder owns */
};

/*
 * Find the private keys with this CKA_ID and a certificate or public key beside them whose
 * SubjectPublicKeyInfo hashes to it; return the first private key that signs what that verifies,
 * as a session copy when `copy` and the token allows it. `*ret_rv`: why not, for a retry.
 */
enum stirkeep_status stk_key_find(struct stk_session *session, const struct stk_key_id *key_id,
                                  bool copy, struct stk_proven *ret_key, CK_RV *ret_rv,
                                  struct stk_error *error);

/* All token objects with this CKA_ID, of one class or (CK_UNAVAILABLE_INFORMATION) of all. */
CK_RV stk_key_objects(struct stk_session *session, const struct stk_key_id *key_id,
                      CK_OBJECT_CLASS class, struct stk_handles *ret_handles);

/* The beginning of a key id in hex, enough for a person: with '\0'. */
#define STK_KEY_ID_TEXT 17
const char *stk_key_id_text(const struct stk_key_id *key_id, char text[STK_KEY_ID_TEXT]);

/* ---- certificates.c */

/* The SubjectPublicKeyInfo of a DER certificate, when it is a P-256 key's. */
bool stk_certificate_spki(struct stk_bytes der, uint8_t ret_spki[STK_P256_SPKI_LENGTH]);

/* CERT_INVALID when one of the chain is no certificate, KEY_MISMATCH when the leaf is another's. */
enum stirkeep_status stk_certificates_check(const struct stk_token_import *import,
                                            struct stk_error *error);

/* The objects of the certificates that one import made. */
struct stk_certificates_made {
    CK_OBJECT_HANDLE items[STK_CHAIN_MAX];
    size_t count;
};

/* Store a chain under its CKA_ID; certificates that are there already are left. What was made is
 * told on failure too. */
enum stirkeep_status stk_certificates_store(struct stk_token *token,
                                            const struct stk_token_import *import,
                                            struct stk_certificates_made *made,
                                            struct stk_error *error);

/* ---- template.c */

#define STK_KEY_LABEL_SIZE (sizeof("stirkeep:") + STK_NAME_MAX)
void stk_key_label(const char *name, char ret_label[STK_KEY_LABEL_SIZE]);

/* Attributes for a key that is to be made. Values are the caller's, or the template's own. */
#define STK_KEY_TEMPLATE_MAX 24
struct stk_key_template {
    CK_ATTRIBUTE attributes[STK_KEY_TEMPLATE_MAX];
    size_t count;
    CK_OBJECT_CLASS class;
    CK_KEY_TYPE type;
    char label[STK_KEY_LABEL_SIZE];
};

void stk_template_add(struct stk_key_template *template, CK_ATTRIBUTE_TYPE type, const void *value,
                      size_t length);
void stk_template_add_bool(struct stk_key_template *template, CK_ATTRIBUTE_TYPE type, bool value);

/* A private EC key that signs and does nothing else, and that never leaves the token. */
void stk_template_ec(struct stk_key_template *template, const struct stk_token_import *import,
                     bool on_token);

/* An AES key that unwraps, for this session. */
void stk_template_aes(struct stk_key_template *template);

/* ---- unwrap.c */

/* Both steps: the AES key as a session object, then the EC key. `*ret_call` names what failed. */
CK_RV stk_unwrap(struct stk_token *token, struct stk_bytes sealed,
                 struct stk_key_template *template, CK_OBJECT_HANDLE *ret_key,
                 const char **ret_call);

/* KEY_UNREADABLE when the sealed key is to blame, else as stk_ckr_error. */
enum stirkeep_status stk_unwrap_error(struct stk_token *token, const char *call, CK_RV rv,
                                      struct stk_error *error);

/* ---- create.c */

/* An EC key from a PKCS#8 (C_CreateObject). KEY_UNREADABLE when that is no P-256 key's. */
enum stirkeep_status stk_create(struct stk_token *token, const struct stk_secret *pkcs8,
                                struct stk_key_template *template, CK_OBJECT_HANDLE *ret_key,
                                struct stk_error *error);

/* ---- attributes.c */

/* TOKEN_ERROR naming what is wrong when the key is not kept as stk_template_ec asks. */
enum stirkeep_status stk_attributes_check(struct stk_session *session, CK_OBJECT_HANDLE key,
                                          struct stk_error *error);

/* A private key's attributes in words, as stk_token_attributes tells them. */
void stk_attributes_read(struct stk_session *session, CK_OBJECT_HANDLE key,
                         char ret_text[STK_ATTRIBUTES_MAX]);

/* ---- custody.c */

/* A custody session that works, opened again when it must be. Before each custody function. */
enum stirkeep_status stk_custody_ready(struct stk_token *token, struct stk_error *error);

/* Get it ready, then find a key that proves itself, as the token object. */
enum stirkeep_status stk_custody_find(struct stk_token *token, const struct stk_key_id *key_id,
                                      CK_OBJECT_HANDLE *ret_key, struct stk_error *error);

#endif
