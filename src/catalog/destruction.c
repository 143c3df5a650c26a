/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include <string.h>

static struct stk_query of_name_and_key(struct stk_catalog *catalog, enum stk_sql sql, int64_t name,
                                        const struct stk_key_id *key_id)
{
    struct stk_query query = stk_query_new(catalog, sql);

    stk_query_bind_integer(&query, name);
    if (key_id != NULL)
        stk_query_bind_bytes(&query, key_id->bytes, sizeof(key_id->bytes));
    else
        stk_query_bind_null(&query);
    return query;
}

/* An import that is under way may be about to use the key, and would bring back what is gone. */
static enum stirkeep_status check_free(struct stk_catalog *catalog, const char *text, int64_t name,
                                       const struct stk_key_id *key_id, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_INTENT_OF_NAME);
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_text(&query, text);
    stk_query_bind_text(&query, "destroy");
    status = stk_intent_in_the_way(&query, text, error);
    if (status != STIRKEEP_OK)
        return status;
    query = of_name_and_key(catalog, STK_SQL_INTENT_OF_HELD_KEYS, name, key_id);
    return stk_intent_in_the_way(&query, text, error);
}

/* The row of a key that the name holds; any one of them when `key_id` is NULL. */
static enum stirkeep_status find_key(struct stk_catalog *catalog, const char *text, int64_t name,
                                     const struct stk_key_id *key_id, int64_t *ret_key,
                                     struct stk_error *error)
{
    struct stk_query query = of_name_and_key(catalog, STK_SQL_KEY_OF_NAME, name, key_id);
    int64_t key = 0;
    enum stirkeep_status status = STIRKEEP_OK;

    if (stk_query_step(&query))
        key = stk_query_integer(&query);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK && query.rows == 0)
        status = stk_error_set(error, STIRKEEP_KEY_UNAVAILABLE,
                               key_id != NULL ? "%s: this key is not held under the name"
                                              : "%s: no key is held under this name any more",
                               text);
    if (status == STIRKEEP_OK)
        *ret_key = key;
    return status;
}

static enum stirkeep_status condemn(struct stk_catalog *catalog, const char *text,
                                    const struct stk_key_id *key_id, int64_t now,
                                    const struct stk_act *act, bool *ret_stopped,
                                    struct stk_error *error)
{
    struct stk_query query = {0};
    int64_t name = 0;
    int64_t key = 0;
    uint32_t active = 0;
    uint32_t staged = 0;
    enum stirkeep_status status = stk_name_find(catalog, text, &name, error);

    if (status == STIRKEEP_OK)
        status = check_free(catalog, text, name, key_id, error);
    if (status == STIRKEEP_OK)
        status = find_key(catalog, text, name, key_id, &key, error);
    if (status == STIRKEEP_OK)
        status =
            stk_generation_retire(catalog, name, key_id != NULL ? key : 0, &active, &staged, error);
    if (status != STIRKEEP_OK)
        return status;
    query = of_name_and_key(catalog, STK_SQL_INTENT_DESTROY_KEYS, name, key_id);
    stk_query_bind_integer(&query, now);
    status = stk_query_run(&query, error);
    if (status == STIRKEEP_OK && act != NULL)
        status = stk_act_insert(catalog, act, active > 0 ? active : staged, error);
    *ret_stopped = active > 0;
    return status;
}

enum stirkeep_status stk_catalog_condemn(struct stk_catalog *catalog, const char *name,
                                         const struct stk_key_id *key_id, int64_t now,
                                         const struct stk_act *act, bool *ret_stopped,
                                         struct stk_error *error)
{
    bool stopped = false;
    enum stirkeep_status status = stk_check_name(name, error);

    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    status = condemn(catalog, name, key_id, now, act, &stopped, error);
    status = stk_db_end(catalog, status, error);
    if (status == STIRKEEP_OK)
        *ret_stopped = stopped;
    return status;
}

/* The key of a DESTROY intent; UNKNOWN_NAME when the intent is gone. */
static enum stirkeep_status find_intent(struct stk_catalog *catalog, int64_t intent,
                                        struct stk_key_id *ret_key_id, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_INTENT_FIND);
    char kind[STK_NAME_MAX + 1] = "";
    struct stk_key_id key_id = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, intent);
    if (stk_query_step(&query)) {
        stk_query_text_into(&query, kind, STK_NAME_MAX);
        stk_query_key_id(&query, false, &key_id);
    }
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (query.rows == 0)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "no such intent is in the journal");
    if (strcmp(kind, "destroy") != 0)
        return stk_error_set(error, STIRKEEP_INTERNAL, "the journal's intent %lld destroys nothing",
                             (long long)intent);
    *ret_key_id = key_id;
    return STIRKEEP_OK;
}

static enum stirkeep_status destroy_key(struct stk_catalog *catalog,
                                        const struct stk_key_id *key_id, int64_t *ret_key,
                                        struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_KEY_DESTROY);

    stk_query_bind_bytes(&query, key_id->bytes, sizeof(key_id->bytes));
    while (stk_query_step(&query))
        *ret_key = stk_query_integer(&query);
    return stk_query_end(&query, error);
}

static enum stirkeep_status destroy_generations(struct stk_catalog *catalog, int64_t key,
                                                uint32_t *ret_newest, uint32_t *ret_count,
                                                struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_GENERATION_DESTROY);
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, key);
    while (stk_query_step(&query)) {
        uint32_t number = (uint32_t)stk_query_number(&query, 1, STK_GENERATIONS_MAX);
        *ret_newest = number > *ret_newest ? number : *ret_newest;
    }
    status = stk_query_end(&query, error);
    *ret_count = (uint32_t)query.rows;
    return status;
}

static enum stirkeep_status destroyed(struct stk_catalog *catalog, int64_t intent,
                                      const struct stk_act *act, uint32_t *ret_generations,
                                      struct stk_error *error)
{
    struct stk_query query = {0};
    struct stk_key_id key_id = {0};
    int64_t key = 0;
    uint32_t newest = 0;
    enum stirkeep_status status = find_intent(catalog, intent, &key_id, error);

    if (status == STIRKEEP_UNKNOWN_NAME)
        return STIRKEEP_OK;
    if (status == STIRKEEP_OK)
        status = destroy_key(catalog, &key_id, &key, error);
    if (status == STIRKEEP_OK)
        status = destroy_generations(catalog, key, &newest, ret_generations, error);
    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_INTENT_FORGET);
    stk_query_bind_integer(&query, intent);
    status = stk_query_run(&query, error);
    if (status == STIRKEEP_OK && act != NULL)
        status = stk_act_insert(catalog, act, newest, error);
    return status;
}

enum stirkeep_status stk_catalog_destroyed(struct stk_catalog *catalog, int64_t intent,
                                           const struct stk_act *act, uint32_t *ret_generations,
                                           struct stk_error *error)
{
    uint32_t generations = 0;
    enum stirkeep_status status = stk_db_begin(catalog, error);

    if (status != STIRKEEP_OK)
        return status;
    status = destroyed(catalog, intent, act, &generations, error);
    status = stk_db_end(catalog, status, error);
    if (status == STIRKEEP_OK)
        *ret_generations = generations;
    return status;
}
