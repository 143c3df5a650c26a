/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/signer.h"

#include "base/clock.h"
#include "base/digest.h"
#include "token/internal.h"
#include "token/key_table.h"
#include "token/verifier.h"
#include <stdlib.h>
#include <string.h>

#define FORGET_QUEUE 64          /* past it, everything is forgotten */
#define ABSENT_FOR_US 1000000ULL /* a key that is not there is not searched for more often */

struct stk_signer {
    struct stk_token *token;
    struct stk_session session;
    struct stk_verifier *verifier;
    uint64_t chance; /* never 0 */
    struct stk_key_table table;
    uint32_t own_count; /* keys of the table that are copies of its own */
    atomic_bool forget_pending;
    pthread_mutex_t forget_lock; /* for the rest */
    struct stk_key_id forget[FORGET_QUEUE];
    size_t forget_count;
    bool forget_all;
};

static void let_go(struct stk_signer *signer, struct stk_key_entry *entry)
{
    const struct stk_proven key = {
        .handle = entry->handle, .shared = entry->shared, .own = entry->own};

    signer->own_count -= entry->own ? 1 : 0;
    stk_key_release(&signer->session, &entry->key_id, &key, false);
}

static void drop(struct stk_signer *signer, struct stk_key_entry *entry)
{
    let_go(signer, entry);
    stk_key_table_remove(&signer->table, entry);
}

static void drop_all(struct stk_signer *signer)
{
    while (signer->table.newest != 0)
        drop(signer, &signer->table.entries[signer->table.newest]);
    stk_session_close(&signer->session);
}

enum stirkeep_status stk_signer_new(struct stk_token *token, struct stk_signer **ret_signer,
                                    struct stk_error *error)
{
    struct stk_signer *signer = calloc(1, sizeof(*signer));
    CK_RV rv = CKR_OK;

    if (signer == NULL || stk_verifier_new(&signer->verifier) != STIRKEEP_OK ||
        stk_key_table_new(&signer->table, STK_SIGNER_KEYS_MAX) != STIRKEEP_OK) {
        if (signer != NULL)
            stk_verifier_free(signer->verifier);
        free(signer);
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "signer: out of memory");
    }
    signer->token = token;
    stk_random(&signer->chance, sizeof(signer->chance));
    signer->chance |= 1;
    signer->session = (struct stk_session){.token = token, .told = token->home.told};
    (void)pthread_mutex_init(&signer->forget_lock, NULL);
    rv = stk_session_open(&signer->session);
    signer->session.told = NULL; /* from now on it is busy_since that is asked */
    if (rv != CKR_OK) {
        stk_signer_free(signer);
        return stk_ckr_error(error, "C_OpenSession", rv);
    }
    *ret_signer = signer;
    return STIRKEEP_OK;
}

void stk_signer_free(struct stk_signer *signer)
{
    if (signer == NULL)
        return;
    if (signer->table.entries != NULL)
        drop_all(signer);
    stk_key_table_free(&signer->table);
    stk_verifier_free(signer->verifier);
    (void)pthread_mutex_destroy(&signer->forget_lock);
    free(signer);
}

void stk_signer_forget(struct stk_signer *signer, const struct stk_key_id *key_id)
{
    (void)pthread_mutex_lock(&signer->forget_lock);
    if (signer->forget_count < FORGET_QUEUE)
        signer->forget[signer->forget_count++] = *key_id;
    else
        signer->forget_all = true;
    atomic_store_explicit(&signer->forget_pending, true, memory_order_release);
    (void)pthread_mutex_unlock(&signer->forget_lock);
}

static void forget_pending(struct stk_signer *signer)
{
    struct stk_key_id forget[FORGET_QUEUE];
    size_t count = 0;
    bool all = false;

    (void)pthread_mutex_lock(&signer->forget_lock);
    count = signer->forget_count;
    memcpy(forget, signer->forget, count * sizeof(forget[0]));
    all = signer->forget_all;
    signer->forget_count = 0;
    signer->forget_all = false;
    atomic_store_explicit(&signer->forget_pending, false, memory_order_relaxed);
    (void)pthread_mutex_unlock(&signer->forget_lock);
    if (all)
        drop_all(signer);
    for (size_t i = 0; i < count && !all; i++) {
        struct stk_key_entry *entry = stk_key_table_find(&signer->table, &forget[i]);

        if (entry != NULL)
            drop(signer, entry);
    }
}

static struct stk_key_entry *make_entry(struct stk_signer *signer, const struct stk_key_id *key_id)
{
    struct stk_key_entry *oldest = stk_key_table_oldest_when_full(&signer->table);

    if (oldest != NULL)
        drop(signer, oldest);
    return stk_key_table_add(&signer->table, key_id);
}

static uint64_t epoch(const struct stk_signer *signer)
{
    return atomic_load_explicit(&signer->token->epoch, memory_order_acquire);
}

/* Somebody who keeps asking for a key that is not there must not keep the token searching. */
static void remember_absent(struct stk_signer *signer, const struct stk_key_id *key_id,
                            uint64_t seen_epoch)
{
    struct stk_key_entry *entry = make_entry(signer, key_id);

    entry->absent = true;
    entry->epoch = seen_epoch;
    entry->absent_until = stk_clock_mono_us() + ABSENT_FOR_US;
}

static void keep(struct stk_signer *signer, struct stk_key_entry *entry,
                 const struct stk_proven *key, uint64_t seen_epoch)
{
    entry->epoch = seen_epoch;
    entry->handle = key->handle;
    entry->shared = key->shared;
    entry->own = key->own;
    entry->uses = 0;
    entry->verified = 0;
    memcpy(entry->point, key->point, sizeof(entry->point));
    signer->own_count += key->own ? 1 : 0;
}

static enum stk_key_form form_for(const struct stk_signer *signer)
{
    return signer->token->copies_for_all || signer->own_count < STK_SIGNER_ALONE_MAX
               ? STK_KEY_COPY_FOR_ALL
               : STK_KEY_ON_TOKEN;
}

static enum stirkeep_status load(struct stk_signer *signer, const struct stk_key_id *key_id,
                                 struct stk_key_entry **ret_entry, CK_RV *ret_rv,
                                 struct stk_error *error)
{
    struct stk_proven key = {0};
    uint64_t seen_epoch = epoch(signer);
    enum stirkeep_status status =
        stk_key_find(&signer->session, key_id, form_for(signer), &key, ret_rv, error);

    /* Without a login no key is shown. */
    if (status == STIRKEEP_KEY_UNAVAILABLE &&
        stk_session_check(&signer->session) == CKR_USER_NOT_LOGGED_IN) {
        atomic_store_explicit(&signer->token->login_lost, true, memory_order_relaxed);
        return stk_ckr_error(error, "C_GetSessionInfo", CKR_USER_NOT_LOGGED_IN);
    }
    if (status == STIRKEEP_KEY_UNAVAILABLE)
        remember_absent(signer, key_id, seen_epoch);
    if (status != STIRKEEP_OK)
        return status;
    *ret_entry = make_entry(signer, key_id);
    keep(signer, *ret_entry, &key, seen_epoch);
    return STIRKEEP_OK;
}

/* For a key that is used a lot. Without one, it goes on as it is. */
static void take_own(struct stk_signer *signer, struct stk_key_entry *entry)
{
    struct stk_proven key = {0};
    uint64_t seen_epoch = epoch(signer);
    CK_RV rv = CKR_OK;

    if (stk_key_find(&signer->session, &entry->key_id, STK_KEY_COPY_OF_OWN, &key, &rv, NULL) !=
        STIRKEEP_OK)
        return;
    if (!key.own)
        return;
    let_go(signer, entry);
    keep(signer, entry, &key, seen_epoch);
}

static bool deserves_own(const struct stk_signer *signer, struct stk_key_entry *entry)
{
    return entry->shared != NULL && ++entry->uses == STK_SIGNER_OWN_USES &&
           signer->own_count < STK_SIGNER_OWN_MAX;
}

static enum stirkeep_status entry_of(struct stk_signer *signer, const struct stk_key_id *key_id,
                                     struct stk_key_entry **ret_entry, CK_RV *ret_rv,
                                     struct stk_error *error)
{
    struct stk_key_entry *entry = stk_key_table_find(&signer->table, key_id);
    char id[STK_KEY_ID_TEXT] = "";

    if (entry != NULL && !entry->absent) {
        if (deserves_own(signer, entry))
            take_own(signer, entry);
        *ret_entry = entry;
        return STIRKEEP_OK;
    }
    if (entry != NULL && entry->epoch == epoch(signer) && stk_clock_mono_us() < entry->absent_until)
        return stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                             "key %s was not found usable on the token a moment ago",
                             stk_key_id_text(key_id, id));
    if (entry != NULL)
        drop(signer, entry);
    return load(signer, key_id, ret_entry, ret_rv, error);
}

static bool by_chance(struct stk_signer *signer)
{
    signer->chance ^= signer->chance << 13;
    signer->chance ^= signer->chance >> 7;
    signer->chance ^= signer->chance << 17;
    return signer->chance % STK_SIGNER_SAMPLE == 0;
}

/* All of them, unless samples are wanted; and all of them from the first wrong one on. */
static bool is_to_be_verified(struct stk_signer *signer, struct stk_key_entry *entry)
{
    if (!signer->token->verify_sampled ||
        atomic_load_explicit(&signer->token->wrong, memory_order_relaxed) > 0)
        return true;
    if (entry->verified < STK_SIGNER_SAMPLE_FIRST) {
        entry->verified++;
        return true;
    }
    return by_chance(signer);
}

/* What the token gave as a signature and is none is nobody's to see. */
static CK_RV sign_and_verify(struct stk_signer *signer, struct stk_key_entry *entry,
                             const uint8_t digest[STK_DIGEST_LENGTH],
                             uint8_t ret_signature[STK_SIGNATURE_LENGTH])
{
    uint8_t signature[STK_SIGNATURE_LENGTH];
    CK_RV rv = stk_session_sign(&signer->session, entry->handle, digest, signature);

    if (rv == CKR_OK && is_to_be_verified(signer, entry) &&
        !stk_verifier_holds(signer->verifier, entry->point, digest, signature))
        rv = CKR_SIGNATURE_INVALID;
    if (rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE)
        (void)atomic_fetch_add(&signer->token->wrong, 1);
    if (rv == CKR_OK)
        memcpy(ret_signature, signature, sizeof(signature));
    return rv;
}

static enum stirkeep_status sign_once(struct stk_signer *signer, const struct stk_key_id *key_id,
                                      const uint8_t digest[STK_DIGEST_LENGTH],
                                      uint8_t ret_signature[STK_SIGNATURE_LENGTH], CK_RV *ret_rv,
                                      struct stk_error *error)
{
    struct stk_key_entry *entry = NULL;
    enum stirkeep_status status = entry_of(signer, key_id, &entry, ret_rv, error);

    if (entry == NULL)
        return status;
    *ret_rv = sign_and_verify(signer, entry, digest, ret_signature);
    if (*ret_rv == CKR_OK)
        return STIRKEEP_OK;
    return stk_ckr_error(error, "C_Sign", *ret_rv);
}

/* Not what the key that was proven would say: the handle has come to mean another object. */
static bool names_another(CK_RV rv)
{
    return rv == CKR_KEY_TYPE_INCONSISTENT || rv == CKR_KEY_FUNCTION_NOT_PERMITTED ||
           rv == CKR_KEY_SIZE_RANGE;
}

/*
 * It did not sign. When keys have come or gone since it was found, this one may have gone in the
 * middle of its signature, of which a token says what comes to its mind: true, try again. The next
 * time it is found again, and has to prove itself.
 */
static bool drop_failed(struct stk_signer *signer, const struct stk_key_id *key_id, CK_RV rv)
{
    struct stk_key_entry *entry = stk_key_table_find(&signer->table, key_id);
    bool outdated = entry != NULL && !entry->absent && entry->epoch != epoch(signer);

    if (outdated || (entry != NULL && names_another(rv)))
        drop(signer, entry);
    return outdated;
}

static enum stirkeep_status reopen(struct stk_signer *signer, struct stk_error *error)
{
    CK_RV rv = CKR_OK;

    drop_all(signer);
    rv = stk_session_open(&signer->session);
    if (rv != CKR_OK)
        return stk_ckr_error(error, "C_OpenSession", rv);
    rv = stk_session_check(&signer->session);
    if (rv == CKR_USER_NOT_LOGGED_IN)
        atomic_store_explicit(&signer->token->login_lost, true, memory_order_relaxed);
    return rv == CKR_OK ? STIRKEEP_OK : stk_ckr_error(error, "C_GetSessionInfo", rv);
}

static enum stirkeep_status sign(struct stk_signer *signer, const struct stk_key_id *key_id,
                                 const uint8_t digest[STK_DIGEST_LENGTH],
                                 uint8_t ret_signature[STK_SIGNATURE_LENGTH],
                                 struct stk_error *error)
{
    CK_RV rv = CKR_OK;
    enum stirkeep_status status = STIRKEEP_OK;

    if (atomic_load_explicit(&signer->forget_pending, memory_order_acquire))
        forget_pending(signer);
    if (signer->session.handle == CK_INVALID_HANDLE)
        status = reopen(signer, error);
    if (status != STIRKEEP_OK)
        return status;
    status = sign_once(signer, key_id, digest, ret_signature, &rv, error);
    if (rv != CKR_OK && drop_failed(signer, key_id, rv)) {
        rv = CKR_OK;
        status = sign_once(signer, key_id, digest, ret_signature, &rv, error);
    }
    if (!stk_ckr_is_stale(rv))
        return status;
    status = reopen(signer, error);
    return status != STIRKEEP_OK ? status
                                 : sign_once(signer, key_id, digest, ret_signature, &rv, error);
}

enum stirkeep_status stk_signer_sign(struct stk_signer *signer, const struct stk_key_id *key_id,
                                     const uint8_t digest[STK_DIGEST_LENGTH],
                                     uint8_t ret_signature[STK_SIGNATURE_LENGTH],
                                     struct stk_error *error)
{
    enum stirkeep_status status = stk_audit_key_spare(signer->token, key_id, error);

    return status == STIRKEEP_OK ? sign(signer, key_id, digest, ret_signature, error) : status;
}

enum stirkeep_status stk_signer_seal(struct stk_signer *signer, const struct stk_key_id *key_id,
                                     const uint8_t digest[STK_DIGEST_LENGTH],
                                     uint8_t ret_signature[STK_SIGNATURE_LENGTH],
                                     struct stk_error *error)
{
    char id[STK_KEY_ID_TEXT] = "";

    if (!stk_audit_key_is(signer->token, key_id))
        return stk_error_set(error, STIRKEEP_NOT_PERMITTED, "key %s is no audit key",
                             stk_key_id_text(key_id, id));
    return sign(signer, key_id, digest, ret_signature, error);
}

void stk_signer_expect(const struct stk_signer *signer, const struct stk_key_id *const *key_ids,
                       size_t count)
{
    stk_key_table_expect(&signer->table, key_ids, count);
    for (size_t i = 0; i < count; i++) {
        const struct stk_key_entry *entry = stk_key_table_peek(&signer->table, key_ids[i]);

        if (entry != NULL && entry->shared != NULL)
            stk_fetch(&entry->shared->footprint, sizeof(entry->shared->footprint));
    }
}

void stk_signer_expect_next(const struct stk_signer *signer, const struct stk_key_id *key_id)
{
    const struct stk_key_entry *entry = stk_key_table_peek(&signer->table, key_id);

    if (entry != NULL && entry->shared != NULL)
        stk_footprint_fetch(&entry->shared->footprint);
}

uint64_t stk_signer_busy_since(const struct stk_signer *signer)
{
    return atomic_load_explicit(&signer->session.busy_since, memory_order_relaxed);
}

void stk_signer_times(const struct stk_signer *signer, uint64_t *ret_began_us,
                      uint64_t *ret_ended_us)
{
    *ret_began_us = signer->session.sign_began_us;
    *ret_ended_us = signer->session.sign_ended_us;
}
