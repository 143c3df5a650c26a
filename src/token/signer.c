/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/signer.h"

#include "base/clock.h"
#include "token/internal.h"
#include "token/key_table.h"
#include <stdlib.h>
#include <string.h>

#define FORGET_QUEUE 64          /* past it, everything is forgotten */
#define ABSENT_FOR_US 1000000ULL /* a key that is not there is not searched for more often */

struct stk_signer {
    struct stk_token *token;
    struct stk_session session;
    struct stk_key_table table;
    atomic_bool forget_pending;
    pthread_mutex_t forget_lock; /* for the rest */
    struct stk_key_id forget[FORGET_QUEUE];
    size_t forget_count;
    bool forget_all;
};

enum stirkeep_status stk_signer_new(struct stk_token *token, struct stk_signer **ret_signer,
                                    struct stk_error *error)
{
    struct stk_signer *signer = calloc(1, sizeof(*signer));
    CK_RV rv = CKR_OK;

    if (signer == NULL || stk_key_table_new(&signer->table, STK_SIGNER_KEYS_MAX) != STIRKEEP_OK) {
        free(signer);
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "signer: out of memory");
    }
    signer->token = token;
    signer->session = (struct stk_session){.token = token};
    (void)pthread_mutex_init(&signer->forget_lock, NULL);
    rv = stk_session_open(&signer->session);
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
    stk_session_close(&signer->session); /* its copies end with it */
    stk_key_table_free(&signer->table);
    (void)pthread_mutex_destroy(&signer->forget_lock);
    free(signer);
}

static void drop(struct stk_signer *signer, struct stk_key_entry *entry)
{
    if (entry->copy)
        (void)stk_session_destroy(&signer->session, entry->handle);
    stk_key_table_remove(&signer->table, entry);
}

static void drop_all(struct stk_signer *signer)
{
    stk_session_close(&signer->session); /* quicker than one by one */
    stk_key_table_clear(&signer->table);
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
    entry->absent_epoch = seen_epoch;
    entry->absent_until = stk_clock_mono_us() + ABSENT_FOR_US;
}

static enum stirkeep_status load(struct stk_signer *signer, const struct stk_key_id *key_id,
                                 CK_OBJECT_HANDLE *ret_handle, CK_RV *ret_rv,
                                 struct stk_error *error)
{
    struct stk_proven key = {0};
    struct stk_key_entry *entry = NULL;
    uint64_t seen_epoch = epoch(signer);
    enum stirkeep_status status = stk_key_find(&signer->session, key_id, true, &key, ret_rv, error);

    if (status == STIRKEEP_KEY_UNAVAILABLE)
        remember_absent(signer, key_id, seen_epoch);
    if (status != STIRKEEP_OK)
        return status;
    entry = make_entry(signer, key_id);
    entry->handle = key.handle;
    entry->copy = key.copy;
    *ret_handle = key.handle;
    return STIRKEEP_OK;
}

static enum stirkeep_status handle_of(struct stk_signer *signer, const struct stk_key_id *key_id,
                                      CK_OBJECT_HANDLE *ret_handle, CK_RV *ret_rv,
                                      struct stk_error *error)
{
    struct stk_key_entry *entry = stk_key_table_find(&signer->table, key_id);
    char id[STK_KEY_ID_TEXT] = "";

    if (entry != NULL && !entry->absent) {
        *ret_handle = entry->handle;
        return STIRKEEP_OK;
    }
    if (entry != NULL && entry->absent_epoch == epoch(signer) &&
        stk_clock_mono_us() < entry->absent_until)
        return stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                             "key %s was not found usable on the token a moment ago",
                             stk_key_id_text(key_id, id));
    if (entry != NULL)
        drop(signer, entry);
    return load(signer, key_id, ret_handle, ret_rv, error);
}

/* Not what the key that was proven would say: the handle has come to mean another object. */
static bool names_another(CK_RV rv)
{
    return rv == CKR_KEY_TYPE_INCONSISTENT || rv == CKR_KEY_FUNCTION_NOT_PERMITTED ||
           rv == CKR_KEY_SIZE_RANGE || rv == CKR_SIGNATURE_LEN_RANGE;
}

static enum stirkeep_status sign_once(struct stk_signer *signer, const struct stk_key_id *key_id,
                                      const uint8_t digest[STK_DIGEST_LENGTH],
                                      uint8_t ret_signature[STK_SIGNATURE_LENGTH], CK_RV *ret_rv,
                                      struct stk_error *error)
{
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    enum stirkeep_status status = handle_of(signer, key_id, &handle, ret_rv, error);

    if (status != STIRKEEP_OK)
        return status;
    *ret_rv = stk_session_sign(&signer->session, handle, digest, ret_signature);
    if (*ret_rv == CKR_OK)
        return STIRKEEP_OK;
    if (names_another(*ret_rv)) /* the next time it is found again, and has to prove itself */
        drop(signer, stk_key_table_find(&signer->table, key_id));
    return stk_ckr_error(error, "C_Sign", *ret_rv);
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

enum stirkeep_status stk_signer_sign(struct stk_signer *signer, const struct stk_key_id *key_id,
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
    if (!stk_ckr_is_stale(rv))
        return status;
    status = reopen(signer, error);
    return status != STIRKEEP_OK ? status
                                 : sign_once(signer, key_id, digest, ret_signature, &rv, error);
}

uint64_t stk_signer_busy_since(const struct stk_signer *signer)
{
    return atomic_load_explicit(&signer->session.busy_since, memory_order_relaxed);
}
