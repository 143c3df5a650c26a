/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/key_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum stirkeep_status stk_key_table_new(struct stk_key_table *table, uint32_t capacity)
{
    uint32_t buckets = 2;

    assert(capacity > 0 && capacity < UINT32_MAX / 4);
    while (buckets < capacity * 2)
        buckets *= 2;
    *table = (struct stk_key_table){
        .entries = aligned_alloc(STK_CACHE_LINE, ((size_t)capacity + 1) * sizeof(*table->entries)),
        .buckets = calloc(buckets, sizeof(*table->buckets)),
        .capacity = capacity,
        .bucket_mask = buckets - 1,
    };
    if (table->entries == NULL || table->buckets == NULL) {
        stk_key_table_free(table);
        return STIRKEEP_NO_MEMORY;
    }
    return STIRKEEP_OK;
}

void stk_key_table_free(struct stk_key_table *table)
{
    free(table->entries);
    free(table->buckets);
    *table = (struct stk_key_table){0};
}

/* A key id is a hash already. */
static uint32_t *bucket_of(const struct stk_key_table *table, const struct stk_key_id *key_id)
{
    uint32_t hash = 0;

    memcpy(&hash, key_id->bytes, sizeof(hash));
    return &table->buckets[hash & table->bucket_mask];
}

static uint32_t index_of(const struct stk_key_table *table, const struct stk_key_entry *entry)
{
    return (uint32_t)(entry - table->entries);
}

static void unlink_age(struct stk_key_table *table, struct stk_key_entry *entry)
{
    if (entry->newer != 0)
        table->entries[entry->newer].older = entry->older;
    else
        table->newest = entry->older;
    if (entry->older != 0)
        table->entries[entry->older].newer = entry->newer;
    else
        table->oldest = entry->newer;
}

static void link_newest(struct stk_key_table *table, struct stk_key_entry *entry)
{
    uint32_t index = index_of(table, entry);

    entry->newer = 0;
    entry->older = table->newest;
    if (table->newest != 0)
        table->entries[table->newest].newer = index;
    else
        table->oldest = index;
    table->newest = index;
}

struct stk_key_entry *stk_key_table_peek(const struct stk_key_table *table,
                                         const struct stk_key_id *key_id)
{
    uint32_t at = *bucket_of(table, key_id);

    while (at != 0 &&
           memcmp(table->entries[at].key_id.bytes, key_id->bytes, sizeof(key_id->bytes)) != 0)
        at = table->entries[at].chain;
    return at == 0 ? NULL : &table->entries[at];
}

struct stk_key_entry *stk_key_table_find(struct stk_key_table *table,
                                         const struct stk_key_id *key_id)
{
    struct stk_key_entry *entry = stk_key_table_peek(table, key_id);

    if (entry != NULL && index_of(table, entry) != table->newest &&
        table->count >= table->capacity / 2) {
        unlink_age(table, entry);
        link_newest(table, entry);
    }
    return entry;
}

void stk_key_table_expect(const struct stk_key_table *table,
                          const struct stk_key_id *const *key_ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(bucket_of(table, key_ids[i]));
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&table->entries[*bucket_of(table, key_ids[i])]);
}

struct stk_key_entry *stk_key_table_oldest_when_full(struct stk_key_table *table)
{
    return table->count < table->capacity ? NULL : &table->entries[table->oldest];
}

struct stk_key_entry *stk_key_table_add(struct stk_key_table *table,
                                        const struct stk_key_id *key_id)
{
    uint32_t index = table->free;
    struct stk_key_entry *entry = NULL;
    uint32_t *bucket = bucket_of(table, key_id);

    assert(table->count < table->capacity);
    if (index != 0)
        table->free = table->entries[index].chain;
    else
        index = ++table->used;
    entry = &table->entries[index];
    *entry = (struct stk_key_entry){.key_id = *key_id, .chain = *bucket};
    *bucket = index;
    link_newest(table, entry);
    table->count++;
    return entry;
}

void stk_key_table_remove(struct stk_key_table *table, struct stk_key_entry *entry)
{
    uint32_t index = index_of(table, entry);
    uint32_t *link = bucket_of(table, &entry->key_id);

    while (*link != index)
        link = &table->entries[*link].chain;
    *link = entry->chain;
    unlink_age(table, entry);
    *entry = (struct stk_key_entry){.chain = table->free};
    table->free = index;
    table->count--;
}

void stk_key_table_clear(struct stk_key_table *table)
{
    while (table->newest != 0)
        stk_key_table_remove(table, &table->entries[table->newest]);
}
