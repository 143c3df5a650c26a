/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_TOKEN_INDEX_TABLE_H
#define STK_TOKEN_INDEX_TABLE_H

#include "token/index.h"
#include <pthread.h>

/*
 * The arrays behind the index: keys by their id, and the objects of each. They grow as they fill,
 * up to what index.h allows. Numbers are places in them, 0 is none. No lock of its own.
 */
struct stk_index_entry {
    struct stk_key_id key_id;
    uint8_t point[STK_INDEX_POINT];
    bool has_point;
    bool doubtful;    /* its objects may be others, or more */
    uint64_t noted;   /* the tick at which something of it was noted; 0: a free place */
    uint32_t chain;   /* next in its bucket, or of the free ones */
    uint32_t objects; /* the first of its objects */
    struct stk_index_copy *copy;
};

struct stk_index_object {
    CK_OBJECT_HANDLE handle;
    CK_OBJECT_CLASS class;
    uint32_t owner; /* 0: a free place */
    uint32_t next;  /* of the same key, or of the free ones */
};

struct stk_index_table {
    struct stk_index_entry *entries;
    uint32_t entries_used; /* places ever used; the first one is not */
    uint32_t entries_room;
    uint32_t entries_free;
    struct stk_index_object *objects;
    uint32_t objects_used;
    uint32_t objects_room;
    uint32_t objects_free;
    uint32_t object_count;
    uint32_t *buckets;
    uint32_t bucket_mask;
};

enum stirkeep_status stk_index_table_new(struct stk_index_table *table);

/* Copies are freed too, whoever holds them. */
void stk_index_table_free(struct stk_index_table *table);

/* Valid until the next entry is added or removed; NULL. */
struct stk_index_entry *stk_index_table_find(const struct stk_index_table *table,
                                             const struct stk_key_id *key_id);

/* One for a key id that has none; `tick` is not 0. NULL: no room. */
struct stk_index_entry *stk_index_table_add(struct stk_index_table *table,
                                            const struct stk_key_id *key_id, uint64_t tick);

/* Its copy must be gone. */
void stk_index_table_remove(struct stk_index_table *table, struct stk_index_entry *entry);

/* Give a key an object, or that object a class. False: no room. */
bool stk_index_table_put(struct stk_index_table *table, struct stk_index_entry *entry,
                         struct stk_indexed object);

/* Take an object away from the key that has it. */
void stk_index_table_take(struct stk_index_table *table, uint32_t object);
void stk_index_table_take_all(struct stk_index_table *table, struct stk_index_entry *entry);

/* The object with this handle; 0. Looks at all of them. */
uint32_t stk_index_table_handle(const struct stk_index_table *table, CK_OBJECT_HANDLE handle);

/* ---- the index itself, for index.c and index_copy.c */

struct stk_index {
    pthread_mutex_t lock; /* for all of it */
    struct stk_index_table table;
    uint64_t ticks; /* of notes; from 1 */
    bool complete;
};

static inline void stk_index_lock(struct stk_index *index)
{
    (void)pthread_mutex_lock(&index->lock);
}

static inline void stk_index_unlock(struct stk_index *index)
{
    (void)pthread_mutex_unlock(&index->lock);
}

static inline struct stk_index_entry *stk_index_find(struct stk_index *index,
                                                     const struct stk_key_id *key_id)
{
    return stk_index_table_find(&index->table, key_id);
}

/* Nobody takes the copy of this key any more. Its handle, when nobody holds it either. */
CK_OBJECT_HANDLE stk_index_retire_copy(struct stk_index_entry *entry);

#endif
