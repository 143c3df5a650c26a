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
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "%s: nothing is held under this name",
                             name);
    *ret_id = id;
    return STIRKEEP_OK;
}

enum stirkeep_status stk_name_hold(struct stk_catalog *catalog, const char *name, int64_t *ret_id,
                                   struct stk_error *error)
{
    struct stk_query query = {0};
    int64_t names = 0;
    enum stirkeep_status status = stk_name_find(catalog, name, ret_id, error);

    if (status != STIRKEEP_UNKNOWN_NAME)
        return status;
    query = stk_query_new(catalog, STK_SQL_NAME_COUNT);
    if (stk_query_step(&query))
        names = stk_query_integer(&query);
    status = stk_query_end(&query, error);
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

struct holding {
    int64_t key; /* its row */
    struct stk_name name;
    bool condemned;
};

/* Who holds a key; UNKNOWN_NAME when nobody does. */
static enum stirkeep_status find_key(struct stk_catalog *catalog, const struct stk_key_id *key_id,
                                     struct holding *ret_holding, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_KEY_FIND);
    struct holding holding = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_bytes(&query, key_id->bytes, sizeof(key_id->bytes));
    if (stk_query_step(&query)) {
        holding.key = stk_query_integer(&query);
        stk_query_text_into(&query, holding.name.text, STK_NAME_MAX);
        holding.condemned = stk_query_integer(&query) != 0;
    }
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (query.rows == 0)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "no name holds this key");
    *ret_holding = holding;
    return STIRKEEP_OK;
}

static enum stirkeep_status insert_key(struct stk_catalog *catalog,
                                       const struct stk_generation *about, int64_t name,
                                       int64_t *ret_key, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_KEY_INSERT);
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_bytes(&query, about->key_id.bytes, sizeof(about->key_id.bytes));
    stk_query_bind_integer(&query, name);
    stk_query_bind_text(&query, about->origin);
    stk_query_bind_text(&query, about->attributes);
    stk_query_bind_integer(&query, about->created);
    stk_query_bind_integer(&query, about->created_by);
    status = stk_query_run(&query, error);
    if (status == STIRKEEP_OK)
        *ret_key = sqlite3_last_insert_rowid(catalog->db);
    return status;
}

enum stirkeep_status stk_key_hold(struct stk_catalog *catalog, const struct stk_generation *about,
                                  int64_t name, int64_t *ret_key, struct stk_error *error)
{
    struct stk_query query = {0};
    struct holding holding = {0};
    enum stirkeep_status status = find_key(catalog, &about->key_id, &holding, error);

    if (status == STIRKEEP_UNKNOWN_NAME)
        return insert_key(catalog, about, name, ret_key, error);
    if (status != STIRKEEP_OK)
        return status;
    if (strcmp(holding.name.text, about->name) != 0)
        return stk_error_set(error, STIRKEEP_CONFLICT,
                             "%s: this key is held under the name %s already", about->name,
                             holding.name.text);
    if (holding.condemned)
        return stk_error_set(error, STIRKEEP_BUSY,
                             "%s: this key is being destroyed; try again in a moment", about->name);
    query = stk_query_new(catalog, STK_SQL_KEY_UPDATE);
    stk_query_bind_text(&query, about->attributes);
    stk_query_bind_integer(&query, holding.key);
    *ret_key = holding.key;
    return stk_query_run(&query, error);
}

enum stirkeep_status stk_catalog_holder(struct stk_catalog *catalog,
                                        const struct stk_key_id *key_id, struct stk_name *ret_name,
                                        struct stk_error *error)
{
    struct holding holding = {0};
    enum stirkeep_status status = find_key(catalog, key_id, &holding, error);

    if (status == STIRKEEP_OK)
        *ret_name = holding.name;
    return status;
}
