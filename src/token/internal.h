/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_INTERNAL_H
#define STK_TOKEN_INTERNAL_H

#include "token/durable.h"
#include "token/index.h"
#include "token/inventory.h"
#include "token/session.h"
#include "token/softhsm.h"
#include "token/token.h"
#include "token/wrapping_pair.h"

#include <libp11.h>
#include <pthread.h>

#define STK_P256_SPKI_LENGTH 91  /* DER SubjectPublicKeyInfo of an uncompressed P-256 point */
#define STK_P256_POINT_LENGTH 65 /* that point */
#define STK_AUDIT_LABEL "stirkeep audit"
#define STK_AES_KEY_LENGTH 32
#define STK_TOKEN_LABEL_LENGTH 32 /* CK_TOKEN_INFO */
#define STK_TOKEN_SERIAL_LENGTH 16
#define STK_TOKEN_MODEL_LENGTH 16

/* What of the index is not known any more, and when it may be looked for. */
struct stk_lookups {
    pthread_mutex_t lock;  /* held while it is looked for */
    unsigned stale;        /* handles that meant something else since the last walk */
    uint64_t walk_again;   /* CLOCK_MONOTONIC us, not before */
    uint64_t search_again; /* for a key that is most likely not there */
};

/*
 * Keys whose objects the token did not destroy when it was told to. SoftHSM shows such an object no
 * more, and finds its file again at the next start: that it is not found proves nothing.
 */
#define STK_UNDESTROYED_MAX 16
struct stk_undestroyed {
    struct stk_key_id key_ids[STK_UNDESTROYED_MAX];
    size_t count; /* may be larger: then it could be any */
};

/* What SoftHSM shows of what lies on the disk. */
struct stk_sight {
    pthread_mutex_t lock;
    bool begun;     /* it is SoftHSM, and its files can be counted */
    bool doubt;     /* when it was looked at last, it could not be told */
    size_t hidden;  /* files without an object, when the token was opened */
    uint64_t again; /* CLOCK_MONOTONIC us: who signs does not look before */
};

/* Keys with the audit key's label, of which one is used: none of them does anything else. */
#define STK_AUDIT_KEYS_MAX 16
struct stk_audit_keys {
    struct stk_key_id ids[STK_AUDIT_KEYS_MAX];
    atomic_size_t count; /* grows, while signers look on */
};

struct stk_token {
    void *library; /* never unmapped: a hanging thread may be in it */
    CK_FUNCTION_LIST *p11;
    bool initialised;
    PKCS11_CTX *context;
    PKCS11_SLOT *slots; /* kept for life: releasing them closes every session */
    unsigned int slot_count;
    CK_SLOT_ID slot;
    struct stk_session home; /* does nothing: the login lasts as long as a session is open */
    struct stk_session custody;
    bool custody_stale;         /* a call failed in a way that leaves the session in doubt */
    pthread_mutex_t objects;    /* held while objects are searched, made, copied or destroyed */
    atomic_size_t object_count; /* at the last walk */
    struct stk_index *index;
    struct stk_lookups lookups;
    bool copies_for_all;    /* a session object of one session serves all others */
    _Atomic uint64_t epoch; /* counts imports and destructions */
    bool verify_sampled;
    _Atomic uint64_t wrong; /* signatures that were none */
    atomic_bool login_lost;
    atomic_bool gone;
    atomic_bool device_error; /* said, and no signature since */
    atomic_bool blind;
    struct stk_sight sight;
    bool refuses_url; /* CKA_URL of certificates */
    struct stk_undestroyed undestroyed;
    struct stk_audit_keys audit_keys;
    struct stk_token_audit_key audit_key; /* custody's; not fit: none */
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
    void (*tell_pin)(void *context, enum stk_pin_news news, const char *message);
    void *tell_context;
    bool refusal_told;
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

/* To options' tell_pin; a refusal once, and nothing after it. `error` may be NULL. */
void stk_login_tell(struct stk_token *token, enum stk_pin_news news, const struct stk_error *error);

/* One try with this PIN, which stays the caller's to wipe; that it was refused is told. STORAGE: the disk
 * is full. */
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

/* How a key is to be found: as what is on the token, or as a session object of it. */
enum stk_key_form {
    STK_KEY_ON_TOKEN,
    STK_KEY_COPY_FOR_ALL, /* the one that all signers share, made when there is none */
    STK_KEY_COPY_OF_OWN,  /* one of the finder's session */
};

/* A key that has proven itself. */
struct stk_proven {
    CK_OBJECT_HANDLE handle;
    struct stk_index_copy *shared;  /* to be released by stk_key_release; NULL */
    bool own;                       /* a session object that the finder destroys */
    uint8_t point[STK_INDEX_POINT]; /* of its public key */
};

/*
 * Find the private keys with this CKA_ID and a certificate or public key beside them whose
 * SubjectPublicKeyInfo hashes to it; return the first private key that signs what that verifies,
 * in the form asked for, or as the token's object where the token does not copy. `*ret_rv`: why
 * not, for a retry. Searches nothing as long as the index has it right.
 */
enum stirkeep_status stk_key_find(struct stk_session *session, const struct stk_key_id *key_id,
                                  enum stk_key_form form, struct stk_proven *ret_key, CK_RV *ret_rv,
                                  struct stk_error *error);

/* Let go of what was found; `retire`: it is of no use to anybody else either. */
void stk_key_release(struct stk_session *session, const struct stk_key_id *key_id,
                     const struct stk_proven *key, bool retire);

/* ---- lookup.c: objects by CKA_ID */

/*
 * All token objects with this CKA_ID: of one class as the index knows them, which is enough for who
 * makes objects; or of all classes (CK_UNAVAILABLE_INFORMATION), searched for.
 */
CK_RV stk_key_objects(struct stk_session *session, const struct stk_key_id *key_id,
                      CK_OBJECT_CLASS class, struct stk_handles *ret_handles);

/* The same with their classes, from the index where it has them right, else searched for. One that
 * is not in the index is searched for as well, but not for a signer at any price. */
CK_RV stk_lookup_key(struct stk_session *session, const struct stk_key_id *key_id,
                     struct stk_indexed_list *ret_list);

/* The same, always searched for. */
CK_RV stk_lookup_search(struct stk_session *session, const struct stk_key_id *key_id,
                        struct stk_indexed_list *ret_list);

/* Walk over all objects and fill the index. CKR_FUNCTION_CANCELED: it would take too long on this
 * token, which does better with searches. */
CK_RV stk_lookup_walk(struct stk_session *session);

/* ---- key.c */

/* The beginning of a key id in hex, enough for a person: with '\0'. */
#define STK_KEY_ID_TEXT 17
/* KEY_UNAVAILABLE: it is not on the token, or (SoftHSM finds nothing where it cannot open a file)
 * this process can open no more files. */
enum stirkeep_status stk_key_not_found(const struct stk_key_id *key_id, struct stk_error *error);

const char *stk_key_id_text(const struct stk_key_id *key_id, char text[STK_KEY_ID_TEXT]);

/* ---- pair.c: key pairs made on the token, by the CKA_ID of each half */

/* The SubjectPublicKeyInfo of a public key object; false when it is no P-256 key's. */
bool stk_public_key_spki(struct stk_session *session, CK_OBJECT_HANDLE object,
                         uint8_t ret_spki[STK_P256_SPKI_LENGTH]);

/* Is the key id the SHA-256 of this SubjectPublicKeyInfo? */
bool stk_spki_is_of(const uint8_t spki[STK_P256_SPKI_LENGTH], const struct stk_key_id *key_id);

struct stk_pair {
    CK_OBJECT_HANDLE public;
    CK_OBJECT_HANDLE private;
    uint8_t spki[STK_P256_SPKI_LENGTH];
};

/*
 * A public key (one whose key id is `key_id`, when not NULL) and a private key that signs what it
 * verifies. `ret_pair` stays as it is when there is none.
 */
CK_RV stk_pair_find(struct stk_session *session, const struct stk_key_id *public_id,
                    const struct stk_key_id *private_id, const struct stk_key_id *key_id,
                    struct stk_pair *ret_pair);

/* ---- generate.c, adopt.c: stk_token_generate and stk_token_adopt for any label */
enum stirkeep_status stk_pair_generate(struct stk_token *token, const char *label,
                                       const struct stk_key_id *ticket,
                                       uint8_t ret_spki[STK_P256_SPKI_LENGTH],
                                       struct stk_error *error);
enum stirkeep_status stk_pair_adopt(struct stk_token *token, const struct stk_key_id *ticket,
                                    const struct stk_key_id *key_id, struct stk_error *error);

/* ---- audit_key.c */

/* Is it the key id of an audit key? Any thread. */
bool stk_audit_key_is(const struct stk_token *token, const struct stk_key_id *key_id);

/* NOT_PERMITTED when it is the CKA_ID of one, or of one in the making. Any thread. */
enum stirkeep_status stk_audit_key_spare(const struct stk_token *token,
                                         const struct stk_key_id *key_id, struct stk_error *error);

/* ---- pair.c */

/* Destroy all token objects with this CKA_ID that can be destroyed; how many were tried. */
CK_RV stk_key_clear(struct stk_session *session, const struct stk_key_id *key_id,
                    size_t *ret_destroyed);

/* ---- certificates.c */

/* The SubjectPublicKeyInfo of a DER certificate, when it is a P-256 key's. */
bool stk_certificate_spki(struct stk_bytes der, uint8_t ret_spki[STK_P256_SPKI_LENGTH]);

#define STK_KEY_HASH_LENGTH 20 /* SHA-1, unless CKA_NAME_HASH_ALGORITHM says otherwise */

/* What PKCS#11 wants beside a certificate (2.40 base, section 4.6.3): names and number in DER. */
struct stk_certificate_parts {
    unsigned char *subject;
    unsigned char *issuer;
    unsigned char *serial;
    int subject_length;
    int issuer_length;
    int serial_length;
    uint8_t key_hash[STK_KEY_HASH_LENGTH];
    uint8_t issuer_hash[STK_KEY_HASH_LENGTH];
    bool has_issuer_hash; /* the issuer's key is its own, or the certificate names its hash */
};

/* False when it is no certificate, or without memory. */
bool stk_certificate_take_apart(struct stk_bytes der, struct stk_certificate_parts *ret_parts);
void stk_certificate_parts_free(struct stk_certificate_parts *parts);

/* CERT_INVALID when one of the chain is no certificate, KEY_MISMATCH when the leaf is another's. */
enum stirkeep_status stk_certificates_check(const struct stk_token_import *import,
                                            struct stk_error *error);

/* ---- store.c: certificates on the token */

/* What one import did with certificates. */
struct stk_certificates_stored {
    CK_OBJECT_HANDLE made[STK_CHAIN_MAX];
    size_t made_count;
    struct stk_handles outdated; /* the leaf with another CKA_URL, which has to go */
};

/*
 * Store a chain under its CKA_ID, the leaf with its URL; certificates that are there already are
 * left. One with another URL gets a successor beside it: SoftHSM changes no CKA_URL, and what it
 * changes, it writes in place, while a key without a certificate signs no more. Once the new one
 * is durable, stk_certificates_settle destroys the old one. A token that does not take the URL
 * gets the certificate without it; that is logged once. `stored` is told on failure too.
 */
enum stirkeep_status stk_certificates_store(struct stk_token *token,
                                            const struct stk_token_import *import,
                                            struct stk_certificates_stored *stored,
                                            struct stk_error *error);

/* Destroy what has been replaced; releases `stored`. */
void stk_certificates_settle(struct stk_token *token, struct stk_certificates_stored *stored);

/* Destroy what has been made; releases `stored`. */
void stk_certificates_undo(struct stk_token *token, struct stk_certificates_stored *stored);

/* ---- template.c */

#define STK_KEY_LABEL_SIZE (sizeof("stirkeep:") + STK_NAME_MAX)
void stk_key_label(const char *name, char ret_label[STK_KEY_LABEL_SIZE]);

/* Attributes for a key that is to be made. Values are the caller's, or the template's own: the
 * label is copied. */
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
void stk_template_ec(struct stk_key_template *template, const char *label,
                     const struct stk_key_id *key_id, bool on_token);

/* The public key of a pair whose private key is made by stk_template_ec. */
void stk_template_ec_public(struct stk_key_template *template, const char *label,
                            const struct stk_key_id *key_id);

/* CKA_EC_PARAMS: P-256. */
void stk_template_add_p256(struct stk_key_template *template);

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

/* The same of an audit key, which besides does nothing but sign, and was made in the token. What a
 * token does not tell is not held against it. */
enum stirkeep_status stk_attributes_check_sealing(struct stk_session *session, CK_OBJECT_HANDLE key,
                                                  struct stk_error *error);

/* A private key's attributes in words, as stk_token_attributes tells them. */
void stk_attributes_read(struct stk_session *session, CK_OBJECT_HANDLE key,
                         char ret_text[STK_ATTRIBUTES_MAX]);

/* ---- sight.c */

/* Once the token is open. */
void stk_sight_begin(struct stk_token *token);

/* Does SoftHSM still show all that it showed at the beginning? To be asked when something is not
 * found, or could not be destroyed: it is slow. When it does not and a new process would, the token
 * is blind from then on. */
bool stk_sight_is_whole(struct stk_session *session);

/* It was to be looked at, and could not: it has to be again. */
bool stk_sight_in_doubt(struct stk_token *token);

/* Is it known that it does? */
bool stk_sight_is_sure(struct stk_session *session);

/* While it is being opened: are there whole objects that it does not show? */
bool stk_sight_hides_whole(struct stk_token *token);

/* ---- custody.c */

/* A custody session that works, opened again when it must be. Before each custody function. */
enum stirkeep_status stk_custody_ready(struct stk_token *token, struct stk_error *error);

/* That a key was not found (KEY_UNAVAILABLE) is only true while the session is logged in: without a
 * login no key is shown. TOKEN_ERROR else. */
enum stirkeep_status stk_custody_absent(struct stk_token *token, enum stirkeep_status status,
                                        struct stk_error *error);

/*
 * After something was made on the token or failed: what SoftHSM says of a full disk is vague, if it
 * says anything, but its files tell. TOKEN_ERROR and KEY_UNAVAILABLE become STORAGE when they do.
 */
enum stirkeep_status stk_custody_explain(struct stk_token *token, enum stirkeep_status status,
                                         struct stk_error *error);

/* Get it ready, then find a key that proves itself, as the token object. */
enum stirkeep_status stk_custody_find(struct stk_token *token, const struct stk_key_id *key_id,
                                      CK_OBJECT_HANDLE *ret_key, struct stk_error *error);

#endif
