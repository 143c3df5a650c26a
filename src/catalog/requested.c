/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

/* Keys that are asked for and given up again must not fill the catalog. */
static enum stirkeep_status check_room(struct stk_catalog *catalog, const char *text, int64_t name,
                                       struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_KEY_COUNT);
    int64_t count = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, name);
    if (stk_query_step(&query))
        count = stk_query_integer(&query);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK && count >= STK_GENERATIONS_MAX)
        status = stk_error_set(error, STIRKEEP_TOO_LARGE,
                               "%s: %d keys have come under this name, and no more are allowed",
                               text, STK_GENERATIONS_MAX);
    return status;
}

static enum stirkeep_status hold(struct stk_catalog *catalog, const struct stk_new_key *key,
                                 struct stk_error *error)
{
    const struct stk_generation about = {.name = key->name,
                                         .key_id = key->key_id,
                                         .origin = "generated",
                                         .attributes = key->attributes,
                                         .created = key->created,
                                         .created_by = key->created_by};
    int64_t name = 0;
    int64_t row = 0;
    enum stirkeep_status status = stk_name_hold(catalog, key->name, &name, error);

    if (status == STIRKEEP_OK)
        status = check_room(catalog, key->name, name, error);
    if (status == STIRKEEP_OK)
        status = stk_key_hold(catalog, &about, name, &row, error);
    if (status == STIRKEEP_OK && key->intent != 0)
        status = stk_intent_end(catalog, key->intent, STK_INTENT_GENERATE, key->name, &key->key_id,
                                error);
    if (status == STIRKEEP_OK && key->act != NULL)
        status = stk_act_insert(catalog, key->act, 0, error);
    return status;
}

enum stirkeep_status stk_catalog_hold_key(struct stk_catalog *catalog,
                                          const struct stk_new_key *key, struct stk_error *error)
{
    enum stirkeep_status status = stk_check_name(key->name, error);

    if (status == STIRKEEP_OK)
        status = stk_check_text("attributes", key->attributes, STK_ATTRIBUTES_MAX - 1, error);
    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    return stk_db_end(catalog, hold(catalog, key, error), error);
}

static struct stk_requested_key read_key(struct stk_query *query, struct stk_arena *arena)
{
    struct stk_requested_key key = {0};

    stk_query_key_id(query, false, &key.key_id);
    key.attributes = stk_query_text(query, arena, STK_ATTRIBUTES_MAX - 1);
    key.created = stk_query_integer(query);
    key.created_by = (uint32_t)stk_query_number(query, 0, UINT32_MAX);
    return key;
}

enum stirkeep_status stk_catalog_requested(struct stk_catalog *catalog, const char *name,
                                           struct stk_arena *arena,
                                           struct stk_requested_key *ret_keys, size_t room,
                                           size_t *ret_count, struct stk_error *error)
{
    struct stk_query query = {0};
    size_t count = 0;
    enum stirkeep_status status = stk_check_name(name, error);

    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_KEY_REQUESTED);
    stk_query_bind_text(&query, name);
    stk_query_bind_integer(&query, (int64_t)room);
    while (count < room && stk_query_step(&query))
        ret_keys[count++] = read_key(&query, arena);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK)
        *ret_count = count;
    return status;
}
