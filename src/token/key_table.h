/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_KEY_TABLE_H
#define STK_TOKEN_KEY_TABLE_H

#include "base/fetch.h"
#include "model/key_id.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stirkeep/status.h>

/*
 * Key ids and what a signer holds for them, bounded, the least recently used one going first, of
 * those that came or were used since the table is half full. All memory is taken at the start; what
 * is not used is never touched. One thread.
 */

/* What a signature needs of it lies in its first 64 octets: with thousands of keys, each line of
 * memory is waited for. */
struct stk_key_entry {
    struct stk_key_id key_id;
    unsigned long handle;          /* PKCS#11 object */
    struct stk_index_copy *shared; /* held, to be released when the entry goes; NULL */
    uint32_t uses;                 /* while it is shared */
    uint32_t chain;                /* next in its bucket; these are indices, 0 is none */
    uint32_t verified;     /* signatures, since it was found; stops at those that always are */
    bool own;              /* a session object, to be destroyed when the entry goes */
    bool absent;           /* not a key but the knowledge that there is none that proves itself */
    uint64_t absent_until; /* CLOCK_MONOTONIC us */
    uint64_t epoch;        /* of the token, when it was looked for */
    uint32_t newer;
    uint32_t older;
    uint8_t point[64]; /* of the public key */
} __attribute__((aligned(STK_CACHE_LINE)));

struct stk_key_table {
    struct stk_key_entry *entries; /* the first one is never used */
    uint32_t *buckets;
    uint32_t capacity;
    uint32_t bucket_mask;
    uint32_t used; /* entries ever used */
    uint32_t free; /* chain of entries given back */
    uint32_t newest;
    uint32_t oldest;
    uint32_t count;
};

enum stirkeep_status stk_key_table_new(struct stk_key_table *table, uint32_t capacity);
void stk_key_table_free(struct stk_key_table *table);

/* Look up, and make it the most recently used once the table is half full; NULL. Valid until the next add or remove. */
struct stk_key_entry *stk_key_table_find(struct stk_key_table *table,
                                         const struct stk_key_id *key_id);

/* The same without a word on its use. */
struct stk_key_entry *stk_key_table_peek(const struct stk_key_table *table,
                                         const struct stk_key_id *key_id);

/* These will be looked up soon: they are fetched into the processor's caches, at the same time. */
void stk_key_table_expect(const struct stk_key_table *table,
                          const struct stk_key_id *const *key_ids, size_t count);

/* The entry that has to go before the next add: the table is full. NULL: none. */
struct stk_key_entry *stk_key_table_oldest_when_full(struct stk_key_table *table);

/* A new entry for a key id that is not in the table, which is not full. */
struct stk_key_entry *stk_key_table_add(struct stk_key_table *table,
                                        const struct stk_key_id *key_id);

void stk_key_table_remove(struct stk_key_table *table, struct stk_key_entry *entry);
void stk_key_table_clear(struct stk_key_table *table);

#endif
