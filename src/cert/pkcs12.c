/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/pkcs12.h"

#include "cert/chain.h"
#include "cert/der.h"
#include "cert/key_open.h"
#include "cert/key_plain.h"
#include "cert/safe.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

bool stk_pkcs12_is(struct stk_bytes file)
{
    /* Of all forms only PKCS#12 may have indefinite lengths. */
    return file.length > 1 && file.data[0] == STK_DER_SEQUENCE &&
           (file.data[1] == 0x80 || stk_file_kind_of(file) == STK_FILE_PKCS12);
}

/* Certificates of the file, read; those that went into the chain are empty. */
struct pool {
    struct stk_chain_item items[STK_SAFE_CERTIFICATES_MAX];
    size_t count;
};

static enum stirkeep_status fill_pool(const struct stk_safe *safe, struct pool *pool,
                                      struct stk_error *error)
{
    for (size_t i = 0; i < safe->certificate_count; i++) {
        struct stk_error inner = {0};
        enum stirkeep_status status =
            stk_chain_item_read(safe->certificates[i], &pool->items[i], &inner);

        if (status != STIRKEEP_OK)
            return stk_error_set(error, status, "PKCS#12: certificate %zu: %s", i + 1,
                                 inner.message);
        pool->count++;
    }
    return STIRKEEP_OK;
}

static struct stk_chain_item *find_leaf(struct pool *pool, const struct stk_key_id *id)
{
    for (size_t i = 0; i < pool->count; i++) {
        const struct stk_subject_key *key = &pool->items[i].key;
        if (key->p256 && memcmp(key->id.bytes, id->bytes, sizeof(id->bytes)) == 0)
            return &pool->items[i];
    }
    return NULL;
}

static struct stk_chain_item *find_issuer(struct pool *pool, X509 *x509)
{
    for (size_t i = 0; i < pool->count; i++) {
        X509 *candidate = pool->items[i].x509;
        if (candidate != NULL && X509_check_issued(candidate, x509) == X509_V_OK &&
            X509_verify(x509, X509_get0_pubkey(candidate)) == 1)
            return &pool->items[i];
    }
    return NULL;
}

/* The leaf, then each one's issuer as long as there is one. */
static enum stirkeep_status link_chain(struct pool *pool, const struct stk_key_id *id,
                                       struct stk_chain *chain, struct stk_error *error)
{
    struct stk_chain_item *next = find_leaf(pool, id);

    if (pool->count == 0)
        return stk_error_set(error, STIRKEEP_CERT_INVALID, "PKCS#12: no certificate in it");
    if (next == NULL)
        return stk_error_set(error, STIRKEEP_KEY_MISMATCH,
                             "PKCS#12: none of its %zu certificates belongs to its key",
                             pool->count);
    for (; next != NULL && chain->count < STK_CHAIN_MAX;
         next = find_issuer(pool, chain->items[chain->count - 1].x509)) {
        chain->items[chain->count++] = *next;
        *next = (struct stk_chain_item){0};
    }
    return next == NULL
               ? STIRKEEP_OK
               : stk_error_set(error, STIRKEEP_TOO_LARGE,
                               "PKCS#12: a chain of more than %d certificates", STK_CHAIN_MAX);
}

static enum stirkeep_status make_chain(const struct stk_safe *safe, const struct stk_key_id *id,
                                       struct stk_chain **ret_chain, struct stk_error *error)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    struct stk_chain *chain = calloc(1, sizeof(*chain));
    enum stirkeep_status status = STIRKEEP_OK;

    if (pool == NULL || chain == NULL)
        status = stk_error_set(error, STIRKEEP_NO_MEMORY, "no memory");
    if (status == STIRKEEP_OK)
        status = fill_pool(safe, pool, error);
    if (status == STIRKEEP_OK)
        status = link_chain(pool, id, chain, error);
    ERR_clear_error();
    for (size_t i = 0; pool != NULL && i < pool->count; i++)
        stk_chain_item_free(&pool->items[i]);
    free(pool);
    if (status == STIRKEEP_OK)
        *ret_chain = chain;
    else
        stk_chain_free(chain);
    return status;
}

static enum stirkeep_status key_of(const struct stk_safe *safe, struct stk_private_key *ret_key,
                                   struct stk_error *error)
{
    if (safe->key_count == 0)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE, "PKCS#12: no private key in it");
    if (safe->key_count > 1)
        return stk_error_set(error, STIRKEEP_KEY_UNREADABLE,
                             "PKCS#12: %zu private keys in it; one is wanted", safe->key_count);
    return stk_key_from_plain(safe->key, (struct stk_bytes){0}, ret_key, error);
}

enum stirkeep_status stk_key_open_pkcs12(struct stk_bytes file, struct stk_passphrase *passphrase,
                                         struct stk_private_key *ret_key,
                                         struct stk_chain **ret_chain, struct stk_error *error)
{
    struct stk_safe safe = {0};
    struct stk_private_key key = {0};
    enum stirkeep_status status = stk_safe_open(file, passphrase, &safe, error);

    if (status == STIRKEEP_OK)
        status = key_of(&safe, &key, error);
    if (status == STIRKEEP_OK && ret_chain != NULL)
        status = make_chain(&safe, &key.id, ret_chain, error);
    stk_safe_free(&safe);
    if (status != STIRKEEP_OK) {
        stk_private_key_free(&key);
        return status;
    }
    key.form = "PKCS#12";
    *ret_key = key;
    return STIRKEEP_OK;
}
