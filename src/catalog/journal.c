/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

/* Nobody else may be bringing the same name, or the same key. */
static enum stirkeep_status check_free(struct stk_catalog *catalog, const char *name,
                                       const struct stk_key_id *key_id, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_INTENT_OF_NAME);
    char other[STK_NAME_MAX + 1] = "";
    bool taken = false;
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_text(&query, name);
    taken = stk_query_step(&query);
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (taken)
        return stk_error_set(error, STIRKEEP_BUSY,
                             "%s: another import of this name is not finished yet; try again in a "
                             "moment",
                             name);
    query = stk_query_new(catalog, STK_SQL_INTENT_OF_KEY);
    stk_query_bind_bytes(&query, key_id->bytes, sizeof(key_id->bytes));
    taken = stk_query_step(&query);
    if (taken)
        stk_query_text_into(&query, other, STK_NAME_MAX);
    status = stk_query_end(&query, error);
    if (status == STIRKEEP_OK && taken)
        return stk_error_set(error, STIRKEEP_BUSY,
                             "%s: an import of the same key under the name %s is not finished yet",
                             name, other);
    return status;
}

static enum stirkeep_status check_room(struct stk_catalog *catalog, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_INTENT_COUNT);
    int64_t count = stk_query_step(&query) ? stk_query_integer(&query) : 0;
    enum stirkeep_status status = stk_query_end(&query, error);

    if (status == STIRKEEP_OK && count >= STK_INTENTS_MAX)
        return stk_error_set(error, STIRKEEP_OVERLOADED,
                             "%d imports wait for the token; no more before it answers",
                             STK_INTENTS_MAX);
    return status;
}

enum stirkeep_status stk_catalog_intend(struct stk_catalog *catalog, const char *name,
                                        const struct stk_key_id *key_id, const char *source,
                                        int64_t now, int64_t *ret_intent, struct stk_error *error)
{
    struct stk_query query = {0};
    int64_t intent = 0;
    enum stirkeep_status status = stk_check_name(name, error);

    if (status == STIRKEEP_OK)
        status = stk_check_text("source", source, STK_SOURCE_MAX - 1, error);
    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    status = check_free(catalog, name, key_id, error);
    if (status == STIRKEEP_OK)
        status = check_room(catalog, error);
    if (status == STIRKEEP_OK) {
        query = stk_query_new(catalog, STK_SQL_INTENT_INSERT);
        stk_query_bind_text(&query, name);
        stk_query_bind_bytes(&query, key_id->bytes, sizeof(key_id->bytes));
        stk_query_bind_text(&query, source);
        stk_query_bind_integer(&query, now);
        status = stk_query_run(&query, error);
        intent = sqlite3_last_insert_rowid(catalog->db);
    }
    status = stk_db_end(catalog, status, error);
    if (status == STIRKEEP_OK)
        *ret_intent = intent;
    return status;
}

enum stirkeep_status stk_catalog_forget(struct stk_catalog *catalog, int64_t intent,
                                        struct stk_error *error)
{
    struct stk_query query = {0};
    enum stirkeep_status status = stk_db_begin(catalog, error);

    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_INTENT_FORGET);
    stk_query_bind_integer(&query, intent);
    return stk_db_end(catalog, stk_query_run(&query, error), error);
}

enum stirkeep_status stk_catalog_open_intent(struct stk_catalog *catalog, int64_t after,
                                             struct stk_intent *ret_intent, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_INTENT_NEXT);
    struct stk_intent intent = {0};
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, after);
    if (stk_query_step(&query)) {
        intent.id = stk_query_integer(&query);
        stk_query_text_into(&query, intent.name.text, STK_NAME_MAX);
        stk_query_key_id(&query, false, &intent.key_id);
        stk_query_text_into(&query, intent.source, STK_SOURCE_MAX - 1);
    }
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (query.rows == 0)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "no import is open");
    *ret_intent = intent;
    return STIRKEEP_OK;
}
