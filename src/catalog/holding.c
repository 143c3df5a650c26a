/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include <string.h>

enum stirkeep_status stk_name_find(struct stk_catalog *catalog, const char *name, int64_t *ret_id,
                                   struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_NAME_FIND);
    int64_t id = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_text(&query, name);
    if (stk_query_step(&query))
        id = stk_query_integer(&query);
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (query.rows == 0)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME,
                             "%s: no certificate is held under this name", name);
    *ret_id = id;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_name_hold(struct stk_catalog *catalog, const char *name, int64_t *ret_id,
                                   struct stk_error *error)
{
    struct stk_query query = {0};
    uint32_t names = 0;
    enum stirkeep_status status = stk_name_find(catalog, name, ret_id, error);

    if (status != STIRKEEP_UNKNOWN_NAME)
        return status;
    status = stk_catalog_count(catalog, &names, error);
    if (status == STIRKEEP_OK && names >= STK_NAMES_MAX)
        status = stk_error_set(error, STIRKEEP_TOO_LARGE,
                               "%s: the catalog holds %d names already, and no more are allowed",
                               name, STK_NAMES_MAX);
    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_NAME_INSERT);
    stk_query_bind_text(&query, name);
    status = stk_query_run(&query, error);
    if (status == STIRKEEP_OK)
        *ret_id = sqlite3_last_insert_rowid(catalog->db);
    return status;
}

/* The row of a key that is held, and the name that holds it; UNKNOWN_NAME when none does. */
static enum stirkeep_status find_key(struct stk_catalog *catalog, const struct stk_key_id *key_id,
                                     int64_t *ret_id, struct stk_name *ret_name,
                                     struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_KEY_FIND);
    struct stk_name name = {0};
    int64_t id = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_bytes(&query, key_id->bytes, sizeof(key_id->bytes));
    if (stk_query_step(&query)) {
        id = stk_query_integer(&query);
        stk_query_text_into(&query, name.text, STK_NAME_MAX);
    }
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (query.rows == 0)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "no name holds this key");
    *ret_id = id;
    *ret_name = name;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_key_hold(struct stk_catalog *catalog, const struct stk_generation *about,
                                  int64_t name, int64_t *ret_key, struct stk_error *error)
{
    struct stk_query query = {0};
    struct stk_name holder = {0};
    int64_t key = 0;
    enum stirkeep_status status = find_key(catalog, &about->key_id, &key, &holder, error);

    if (status == STIRKEEP_OK && strcmp(holder.text, about->name) != 0)
        return stk_error_set(error, STIRKEEP_CONFLICT,
                             "%s: this key is held under the name %s already", about->name,
                             holder.text);
    if (status == STIRKEEP_OK) {
        query = stk_query_new(catalog, STK_SQL_KEY_UPDATE);
        stk_query_bind_text(&query, about->attributes);
        stk_query_bind_integer(&query, key);
        *ret_key = key;
        return stk_query_run(&query, error);
    }
    if (status != STIRKEEP_UNKNOWN_NAME)
        return status;
    query = stk_query_new(catalog, STK_SQL_KEY_INSERT);
    stk_query_bind_bytes(&query, about->key_id.bytes, sizeof(about->key_id.bytes));
    stk_query_bind_integer(&query, name);
    stk_query_bind_text(&query, about->origin);
    stk_query_bind_text(&query, about->attributes);
    status = stk_query_run(&query, error);
    if (status == STIRKEEP_OK)
        *ret_key = sqlite3_last_insert_rowid(catalog->db);
    return status;
}

enum stirkeep_status stk_catalog_holder(struct stk_catalog *catalog,
                                        const struct stk_key_id *key_id, struct stk_name *ret_name,
                                        struct stk_error *error)
{
    int64_t key = 0;

    return find_key(catalog, key_id, &key, ret_name, error);
}
