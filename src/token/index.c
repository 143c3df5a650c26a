/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/index_table.h"

#include <stdlib.h>

enum stirkeep_status stk_index_new(struct stk_index **ret_index)
{
    struct stk_index *index = calloc(1, sizeof(*index));

    if (index == NULL || stk_index_table_new(&index->table) != STIRKEEP_OK) {
        free(index);
        return STIRKEEP_NO_MEMORY;
    }
    (void)pthread_mutex_init(&index->lock, NULL);
    index->ticks = 1;
    *ret_index = index;
    return STIRKEEP_OK;
}

void stk_index_free(struct stk_index *index)
{
    if (index == NULL)
        return;
    stk_index_table_free(&index->table);
    (void)pthread_mutex_destroy(&index->lock);
    free(index);
}

void stk_indexed_free(struct stk_indexed_list *list)
{
    free(list->items);
    *list = (struct stk_indexed_list){0};
}

/* The entry of a key; NULL: no room, and from now on the index does not know everything. */
static struct stk_index_entry *find_or_add(struct stk_index *index, const struct stk_key_id *key_id,
                                           bool doubtful)
{
    struct stk_index_entry *entry = stk_index_find(index, key_id);

    if (entry != NULL)
        return entry;
    entry = stk_index_table_add(&index->table, key_id, index->ticks);
    if (entry == NULL)
        index->complete = false;
    else
        entry->doubtful = doubtful;
    return entry;
}

static void put(struct stk_index *index, struct stk_index_entry *entry, struct stk_indexed object)
{
    if (stk_index_table_put(&index->table, entry, object))
        return;
    index->complete = false;
    entry->doubtful = true;
}

static void note(struct stk_index *index, struct stk_index_entry *entry)
{
    entry->noted = ++index->ticks;
}

static CK_OBJECT_HANDLE remove_entry(struct stk_index *index, struct stk_index_entry *entry)
{
    CK_OBJECT_HANDLE doomed = stk_index_retire_copy(entry);

    stk_index_table_remove(&index->table, entry);
    return doomed;
}

/* ---- what is on the token */

static bool list_objects(const struct stk_index_table *table, const struct stk_index_entry *entry,
                         struct stk_indexed_list *ret_list)
{
    struct stk_indexed_list list = {0};

    for (uint32_t at = entry->objects; at != 0; at = table->objects[at].next)
        list.count++;
    list.items = calloc(list.count + 1, sizeof(*list.items));
    if (list.items == NULL)
        return false;
    list.count = 0;
    for (uint32_t at = entry->objects; at != 0; at = table->objects[at].next)
        list.items[list.count++] =
            (struct stk_indexed){table->objects[at].handle, table->objects[at].class};
    *ret_list = list;
    return true;
}

enum stk_index_answer stk_index_look(struct stk_index *index, const struct stk_key_id *key_id,
                                     struct stk_indexed_list *ret_list, uint64_t *ret_noted)
{
    enum stk_index_answer answer = STK_INDEX_ASK;
    const struct stk_index_entry *entry = NULL;

    stk_index_lock(index);
    entry = stk_index_find(index, key_id);
    *ret_noted = entry == NULL ? 0 : entry->noted;
    if (entry == NULL)
        answer = index->complete ? STK_INDEX_NONE : STK_INDEX_ASK;
    else if (!entry->doubtful && list_objects(&index->table, entry, ret_list))
        answer = STK_INDEX_KNOWN;
    stk_index_unlock(index);
    return answer;
}

uint64_t stk_index_search_begins(struct stk_index *index, const struct stk_key_id *key_id)
{
    struct stk_index_entry *entry = NULL;
    uint64_t begun = 0;

    stk_index_lock(index);
    entry = find_or_add(index, key_id, true);
    if (entry != NULL)
        begun = entry->noted;
    stk_index_unlock(index);
    return begun;
}

CK_OBJECT_HANDLE stk_index_search_ended(struct stk_index *index, const struct stk_key_id *key_id,
                                        uint64_t begun, const struct stk_indexed_list *found)
{
    CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;
    struct stk_index_entry *entry = NULL;

    stk_index_lock(index);
    entry = stk_index_find(index, key_id);
    if (entry != NULL && entry->noted == begun && found->count == 0) {
        doomed = remove_entry(index, entry);
    } else if (entry != NULL && entry->noted == begun) {
        stk_index_table_take_all(&index->table, entry);
        entry->has_point = false;
        entry->doubtful = false;
        for (size_t i = 0; i < found->count; i++)
            put(index, entry, found->items[i]);
        note(index, entry);
    }
    stk_index_unlock(index);
    return doomed;
}

uint64_t stk_index_walk_begins(struct stk_index *index)
{
    uint64_t begun = 0;

    stk_index_lock(index);
    begun = index->ticks;
    stk_index_unlock(index);
    return begun;
}

/* Of what was noted meanwhile the walk may have seen half: it is searched for when it is wanted. */
static void doubt_all(struct stk_index *index, uint64_t begun)
{
    for (uint32_t at = 1; at <= index->table.entries_used; at++) {
        struct stk_index_entry *entry = &index->table.entries[at];

        if (entry->noted == 0)
            continue;
        entry->doubtful = true;
        if (entry->noted <= begun)
            stk_index_table_take_all(&index->table, entry);
    }
}

/* Those that the walk did not see. One with a copy stays for it to be found and retired. */
static void remove_vanished(struct stk_index *index, uint64_t begun)
{
    for (uint32_t at = 1; at <= index->table.entries_used; at++) {
        struct stk_index_entry *entry = &index->table.entries[at];

        if (entry->noted != 0 && entry->noted <= begun && entry->objects == 0 &&
            entry->copy == NULL)
            stk_index_table_remove(&index->table, entry);
    }
}

void stk_index_walk_ended(struct stk_index *index, uint64_t begun,
                          const struct stk_index_walked *items, size_t count)
{
    stk_index_lock(index);
    index->complete = true; /* unless there is no room */
    doubt_all(index, begun);
    for (size_t i = 0; i < count; i++) {
        struct stk_index_entry *entry = stk_index_find(index, &items[i].key_id);

        if (entry == NULL) {
            entry = find_or_add(index, &items[i].key_id, false);
            if (entry != NULL)
                entry->noted = begun;
        }
        if (entry == NULL || entry->noted > begun)
            continue;
        entry->doubtful = false;
        put(index, entry, items[i].object);
    }
    remove_vanished(index, begun);
    stk_index_unlock(index);
}

bool stk_index_is_complete(struct stk_index *index)
{
    bool complete = false;

    stk_index_lock(index);
    complete = index->complete;
    stk_index_unlock(index);
    return complete;
}

/* ---- notes */

void stk_index_made(struct stk_index *index, const struct stk_key_id *key_id,
                    struct stk_indexed object)
{
    struct stk_index_entry *entry = NULL;

    stk_index_lock(index);
    entry = find_or_add(index, key_id, !index->complete);
    if (entry != NULL) {
        put(index, entry, object);
        note(index, entry);
    }
    stk_index_unlock(index);
}

/* The key of an object; NULL. */
static struct stk_index_entry *owner_of(struct stk_index *index, uint32_t object)
{
    return object == 0 ? NULL : &index->table.entries[index->table.objects[object].owner];
}

/* Take an object from its key. What was read from that one may be of the object. */
static void take(struct stk_index *index, uint32_t object)
{
    struct stk_index_entry *entry = owner_of(index, object);

    stk_index_table_take(&index->table, object);
    entry->has_point = false;
    note(index, entry);
}

void stk_index_renamed(struct stk_index *index, CK_OBJECT_HANDLE handle,
                       const struct stk_key_id *key_id)
{
    struct stk_index_entry *entry = NULL;
    struct stk_indexed object = {.handle = handle};
    uint32_t at = 0;

    stk_index_lock(index);
    at = stk_index_table_handle(&index->table, handle);
    if (at != 0) {
        object.class = index->table.objects[at].class;
        entry = owner_of(index, at);
        take(index, at);
        if (entry->objects == 0 && !entry->doubtful && entry->copy == NULL)
            stk_index_table_remove(&index->table, entry);
    }
    entry = find_or_add(index, key_id, !index->complete);
    if (entry != NULL && at != 0)
        put(index, entry, object);
    else if (entry != NULL)
        entry->doubtful = true; /* of which class is it? */
    if (entry != NULL)
        note(index, entry);
    stk_index_unlock(index);
}

bool stk_index_gone(struct stk_index *index, CK_OBJECT_HANDLE handle, struct stk_key_id *ret_key_id,
                    CK_OBJECT_HANDLE *ret_doomed)
{
    struct stk_index_entry *entry = NULL;
    uint32_t at = 0;

    stk_index_lock(index);
    at = stk_index_table_handle(&index->table, handle);
    if (at != 0) {
        bool private = index->table.objects[at].class == CKO_PRIVATE_KEY;

        entry = owner_of(index, at);
        *ret_key_id = entry->key_id;
        take(index, at);
        if (entry->objects == 0 && !entry->doubtful)
            *ret_doomed = remove_entry(index, entry);
        else if (private)
            *ret_doomed = stk_index_retire_copy(entry);
    }
    stk_index_unlock(index);
    return at != 0;
}

static void doubt(struct stk_index *index, struct stk_index_entry *entry)
{
    if (entry == NULL)
        return;
    entry->doubtful = true;
    note(index, entry);
}

void stk_index_doubt_object(struct stk_index *index, CK_OBJECT_HANDLE handle,
                            const struct stk_key_id *key_id)
{
    stk_index_lock(index);
    doubt(index, owner_of(index, stk_index_table_handle(&index->table, handle)));
    doubt(index, find_or_add(index, key_id, true));
    stk_index_unlock(index);
}

void stk_index_doubt(struct stk_index *index, const struct stk_key_id *key_id)
{
    stk_index_lock(index);
    doubt(index, find_or_add(index, key_id, true));
    stk_index_unlock(index);
}
