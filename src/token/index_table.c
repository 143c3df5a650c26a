/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/index_table.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 1024 /* a power of two, as every later number */
#define ROOM_FIRST 256

enum stirkeep_status stk_index_table_new(struct stk_index_table *table)
{
    *table = (struct stk_index_table){.buckets = calloc(BUCKETS_FIRST, sizeof(*table->buckets)),
                                      .bucket_mask = BUCKETS_FIRST - 1};
    return table->buckets == NULL ? STIRKEEP_NO_MEMORY : STIRKEEP_OK;
}

void stk_index_table_free(struct stk_index_table *table)
{
    for (uint32_t at = 1; at <= table->entries_used; at++)
        free(table->entries[at].copy);
    free(table->entries);
    free(table->objects);
    free(table->buckets);
    *table = (struct stk_index_table){0};
}

/* A key id is a hash already. */
static uint32_t *bucket_of(const struct stk_index_table *table, const struct stk_key_id *key_id)
{
    uint32_t hash = 0;

    memcpy(&hash, key_id->bytes, sizeof(hash));
    return &table->buckets[hash & table->bucket_mask];
}

struct stk_index_entry *stk_index_table_find(const struct stk_index_table *table,
                                             const struct stk_key_id *key_id)
{
    uint32_t at = *bucket_of(table, key_id);

    while (at != 0 && memcmp(&table->entries[at].key_id, key_id, sizeof(*key_id)) != 0)
        at = table->entries[at].chain;
    return at == 0 ? NULL : &table->entries[at];
}

/* Is there, or can there be, a place after `used`? The first one is not used. */
static bool make_room(void **array, size_t size, uint32_t used, uint32_t *room, uint32_t limit)
{
    uint32_t wanted = *room == 0 ? ROOM_FIRST : *room * 2;
    void *grown = NULL;

    if (used >= limit)
        return false;
    if (used + 1 < *room)
        return true;
    grown = reallocarray(*array, wanted, size);
    if (grown == NULL)
        return false;
    *array = grown;
    *room = wanted;
    return true;
}

/* As many as there are keys, so that chains stay short. Without memory for them they are longer. */
static void grow_buckets(struct stk_index_table *table)
{
    uint32_t count = (table->bucket_mask + 1) * 2;
    uint32_t *buckets = calloc(count, sizeof(*buckets));

    if (buckets == NULL)
        return;
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_mask = count - 1;
    for (uint32_t at = 1; at <= table->entries_used; at++) {
        uint32_t *bucket = bucket_of(table, &table->entries[at].key_id);

        table->entries[at].chain = *bucket;
        *bucket = at;
    }
}

struct stk_index_entry *stk_index_table_add(struct stk_index_table *table,
                                            const struct stk_key_id *key_id, uint64_t tick)
{
    uint32_t at = table->entries_free;
    uint32_t *bucket = NULL;

    if (at != 0) {
        table->entries_free = table->entries[at].chain;
    } else {
        if (!make_room((void **)&table->entries, sizeof(*table->entries), table->entries_used,
                       &table->entries_room, STK_INDEX_KEYS_MAX))
            return NULL;
        if (table->entries_used > table->bucket_mask) /* no place is free: all have a key id */
            grow_buckets(table);
        at = ++table->entries_used;
    }
    bucket = bucket_of(table, key_id);
    table->entries[at] =
        (struct stk_index_entry){.key_id = *key_id, .noted = tick, .chain = *bucket};
    *bucket = at;
    return &table->entries[at];
}

static void free_object(struct stk_index_table *table, uint32_t at)
{
    table->objects[at] = (struct stk_index_object){.next = table->objects_free};
    table->objects_free = at;
    table->object_count--;
}

void stk_index_table_remove(struct stk_index_table *table, struct stk_index_entry *entry)
{
    uint32_t at = (uint32_t)(entry - table->entries);
    uint32_t *link = bucket_of(table, &entry->key_id);

    stk_index_table_take_all(table, entry);
    while (*link != at)
        link = &table->entries[*link].chain;
    *link = entry->chain;
    *entry = (struct stk_index_entry){.chain = table->entries_free};
    table->entries_free = at;
}

bool stk_index_table_put(struct stk_index_table *table, struct stk_index_entry *entry,
                         struct stk_indexed object)
{
    uint32_t at = entry->objects;

    while (at != 0 && table->objects[at].handle != object.handle)
        at = table->objects[at].next;
    if (at != 0) {
        table->objects[at].class = object.class;
        return true;
    }
    at = table->objects_free;
    if (at != 0)
        table->objects_free = table->objects[at].next;
    else if (make_room((void **)&table->objects, sizeof(*table->objects), table->objects_used,
                       &table->objects_room, STK_INDEX_OBJECTS_MAX))
        at = ++table->objects_used;
    else
        return false;
    table->objects[at] = (struct stk_index_object){.handle = object.handle,
                                                   .class = object.class,
                                                   .owner = (uint32_t)(entry - table->entries),
                                                   .next = entry->objects};
    entry->objects = at;
    table->object_count++;
    return true;
}

void stk_index_table_take(struct stk_index_table *table, uint32_t object)
{
    uint32_t *link = &table->entries[table->objects[object].owner].objects;

    while (*link != object)
        link = &table->objects[*link].next;
    *link = table->objects[object].next;
    free_object(table, object);
}

void stk_index_table_take_all(struct stk_index_table *table, struct stk_index_entry *entry)
{
    while (entry->objects != 0) {
        uint32_t at = entry->objects;

        entry->objects = table->objects[at].next;
        free_object(table, at);
    }
}

uint32_t stk_index_table_handle(const struct stk_index_table *table, CK_OBJECT_HANDLE handle)
{
    for (uint32_t at = 1; at <= table->objects_used; at++)
        if (table->objects[at].owner != 0 && table->objects[at].handle == handle)
            return at;
    return 0;
}
