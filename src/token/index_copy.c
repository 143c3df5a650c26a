/* SPDX-License-Identifier: BSD-2-Clause */
#include "token/index_table.h"

#include <stdlib.h>
#include <string.h>

/* ---- public keys */

bool stk_index_point(struct stk_index *index, const struct stk_key_id *key_id,
                     uint8_t ret_point[STK_INDEX_POINT])
{
    const struct stk_index_entry *entry = NULL;
    bool known = false;

    stk_index_lock(index);
    entry = stk_index_find(index, key_id);
    known = entry != NULL && entry->has_point;
    if (known)
        memcpy(ret_point, entry->point, STK_INDEX_POINT);
    stk_index_unlock(index);
    return known;
}

void stk_index_keep_point(struct stk_index *index, const struct stk_key_id *key_id,
                          const uint8_t point[STK_INDEX_POINT])
{
    struct stk_index_entry *entry = NULL;

    stk_index_lock(index);
    entry = stk_index_find(index, key_id);
    if (entry != NULL) {
        memcpy(entry->point, point, STK_INDEX_POINT);
        entry->has_point = true;
    }
    stk_index_unlock(index);
}

/* ---- shared copies */

CK_OBJECT_HANDLE stk_index_retire_copy(struct stk_index_entry *entry)
{
    struct stk_index_copy *copy = entry->copy;
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;

    entry->copy = NULL;
    if (copy == NULL)
        return handle;
    copy->retired = true;
    if (copy->holders > 0)
        return handle;
    handle = copy->handle;
    free(copy);
    return handle;
}

struct stk_index_copy *stk_index_copy_take(struct stk_index *index, const struct stk_key_id *key_id)
{
    const struct stk_index_entry *entry = NULL;
    struct stk_index_copy *copy = NULL;

    stk_index_lock(index);
    entry = stk_index_find(index, key_id);
    copy = entry == NULL ? NULL : entry->copy;
    if (copy != NULL)
        copy->holders++;
    stk_index_unlock(index);
    return copy;
}

struct stk_index_copy *stk_index_copy_share(struct stk_index *index,
                                            const struct stk_key_id *key_id,
                                            CK_OBJECT_HANDLE handle,
                                            const struct stk_footprint *footprint)
{
    struct stk_index_copy *copy = calloc(1, sizeof(*copy));
    struct stk_index_entry *entry = NULL;
    bool shared = false;

    stk_index_lock(index);
    entry = copy == NULL ? NULL : stk_index_find(index, key_id);
    shared = entry != NULL && entry->copy == NULL && entry->objects != 0;
    if (shared) {
        *copy = (struct stk_index_copy){.handle = handle, .footprint = *footprint, .holders = 1};
        entry->copy = copy;
    }
    stk_index_unlock(index);
    if (shared)
        return copy;
    free(copy);
    return NULL;
}

CK_OBJECT_HANDLE stk_index_copy_release(struct stk_index *index, const struct stk_key_id *key_id,
                                        struct stk_index_copy *copy, bool retire)
{
    CK_OBJECT_HANDLE doomed = CK_INVALID_HANDLE;
    struct stk_index_entry *entry = NULL;

    stk_index_lock(index);
    copy->holders--;
    entry = retire ? stk_index_find(index, key_id) : NULL;
    if (entry != NULL && entry->copy == copy) {
        doomed = stk_index_retire_copy(entry);
    } else if (copy->retired && copy->holders == 0) {
        doomed = copy->handle;
        free(copy);
    }
    stk_index_unlock(index);
    return doomed;
}
