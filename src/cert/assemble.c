/* SPDX-License-Identifier: BSD-2-Clause */
#include "cert/assemble.h"

#include "cert/chain.h"
#include <openssl/err.h>
#include <stdlib.h>

/* Certificates to choose from; those that could not be read have no x509. */
struct pool {
    struct stk_chain_item items[STK_ASSEMBLE_MAX];
    bool used[STK_ASSEMBLE_MAX];
    size_t count;
};

static bool issued(const struct stk_chain_item *issuer, const struct stk_chain_item *subject)
{
    EVP_PKEY *key = NULL;
    bool verifies = false;

    if (X509_NAME_cmp(X509_get_issuer_name(subject->x509), X509_get_subject_name(issuer->x509)) !=
        0)
        return false;
    key = X509_get0_pubkey(issuer->x509);
    verifies = key != NULL && X509_verify(subject->x509, key) == 1;
    ERR_clear_error();
    return verifies;
}

/* STK_ASSEMBLE_MAX: none, or it has issued itself. */
static size_t issuer_of(const struct pool *pool, size_t subject)
{
    size_t best = STK_ASSEMBLE_MAX;

    if (issued(&pool->items[subject], &pool->items[subject]))
        return best;
    for (size_t i = 0; i < pool->count; i++)
        if (!pool->used[i] && pool->items[i].x509 != NULL &&
            (best == STK_ASSEMBLE_MAX || pool->items[i].not_after > pool->items[best].not_after) &&
            issued(&pool->items[i], &pool->items[subject]))
            best = i;
    return best;
}

static size_t choose(struct pool *pool, size_t leaf, struct stk_bytes ret_chain[STK_CHAIN_MAX])
{
    size_t count = 0;

    for (size_t at = leaf; count < STK_CHAIN_MAX && at != STK_ASSEMBLE_MAX;
         at = issuer_of(pool, at)) {
        const struct stk_buffer *der = &pool->items[at].der;

        pool->used[at] = true;
        ret_chain[count++] = (struct stk_bytes){der->data, der->length};
    }
    return count;
}

enum stirkeep_status stk_chain_assemble(const struct stk_bytes *certificates, size_t count,
                                        size_t leaf, struct stk_chain **ret_chain,
                                        struct stk_error *error)
{
    struct pool *pool = NULL;
    struct stk_bytes chain[STK_CHAIN_MAX] = {{0}};
    size_t length = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (count > STK_ASSEMBLE_MAX || leaf >= count)
        return stk_error_set(error, STIRKEEP_TOO_LARGE, "%zu certificates to choose from", count);
    pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "out of memory");
    pool->count = count;
    for (size_t i = 0; i < count; i++)
        if (i != leaf)
            (void)stk_chain_item_read(certificates[i], &pool->items[i], NULL);
    status = stk_chain_item_read(certificates[leaf], &pool->items[leaf], error);
    if (status == STIRKEEP_OK) {
        length = choose(pool, leaf, chain);
        status = stk_chain_from_der(chain, length, ret_chain, error);
    }
    for (size_t i = 0; i < count; i++)
        stk_chain_item_free(&pool->items[i]);
    free(pool);
    return status;
}
