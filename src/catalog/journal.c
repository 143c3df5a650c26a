/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *word;
    const char *of_name; /* what is under way, in the way of something under the same name */
    const char *of_key;  /* ... of something with the same key; a name follows */
} kinds[] = {
    [STK_INTENT_IMPORT] = {"import", "another import of this name",
                           "an import of the same key under the name"},
    [STK_INTENT_GENERATE] = {"generate", "the making of a key for this name",
                             "the making of the same key for the name"},
    [STK_INTENT_DESTROY] = {"destroy", "the destruction of a key of this name",
                            "the destruction of the same key under the name"},
};

static enum stk_intent_kind read_kind(struct stk_query *query)
{
    char word[STK_NAME_MAX + 1] = "";

    stk_query_text_into(query, word, STK_NAME_MAX);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].word, word) == 0)
            return (enum stk_intent_kind)i;
    query->bad = true;
    return STK_INTENT_IMPORT;
}

enum stirkeep_status stk_intent_in_the_way(struct stk_query *query, const char *name,
                                           struct stk_error *error)
{
    char other[STK_NAME_MAX + 1] = "";
    enum stk_intent_kind kind = STK_INTENT_IMPORT;
    enum stirkeep_status status = STIRKEEP_OK;

    if (stk_query_step(query)) {
        kind = read_kind(query);
        stk_query_text_into(query, other, STK_NAME_MAX);
    }
    status = stk_query_end(query, error);
    if (status != STIRKEEP_OK || query->rows == 0)
        return status;
    if (strcmp(other, name) == 0)
        return stk_error_set(error, STIRKEEP_BUSY,
                             "%s: %s is not finished yet; try again in a moment", name,
                             kinds[kind].of_name);
    return stk_error_set(error, STIRKEEP_BUSY, "%s: %s %s is not finished yet", name,
                         kinds[kind].of_key, other);
}

static enum stirkeep_status check_key_free(struct stk_catalog *catalog, const char *name,
                                           const struct stk_key_id *key_id, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_INTENT_OF_KEY);

    stk_query_bind_bytes(&query, key_id->bytes, sizeof(key_id->bytes));
    return stk_intent_in_the_way(&query, name, error);
}

/* Nobody else may be bringing the same name, or the same key. */
enum stirkeep_status stk_catalog_idle(struct stk_catalog *catalog, const char *name,
                                      const struct stk_key_id *key_id, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_INTENT_OF_NAME);
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_text(&query, name);
    stk_query_bind_null(&query);
    status = stk_intent_in_the_way(&query, name, error);
    return status == STIRKEEP_OK ? check_key_free(catalog, name, key_id, error) : status;
}

static enum stirkeep_status check_room(struct stk_catalog *catalog, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_INTENT_COUNT);
    int64_t count = stk_query_step(&query) ? stk_query_integer(&query) : 0;
    enum stirkeep_status status = stk_query_end(&query, error);

    if (status == STIRKEEP_OK && count >= STK_INTENTS_MAX)
        return stk_error_set(error, STIRKEEP_OVERLOADED,
                             "%d keys wait for the token; no more before it answers",
                             STK_INTENTS_MAX);
    return status;
}

enum stirkeep_status stk_catalog_intend(struct stk_catalog *catalog, enum stk_intent_kind kind,
                                        const char *name, const struct stk_key_id *key_id,
                                        const char *source, int64_t now, int64_t *ret_intent,
                                        struct stk_error *error)
{
    struct stk_query query = {0};
    int64_t intent = 0;
    enum stirkeep_status status = stk_check_name(name, error);

    assert(kind == STK_INTENT_IMPORT || kind == STK_INTENT_GENERATE);
    if (status == STIRKEEP_OK)
        status = stk_check_text("source", source, STK_SOURCE_MAX - 1, error);
    if (status == STIRKEEP_OK)
        status = stk_db_begin(catalog, error);
    if (status != STIRKEEP_OK)
        return status;
    status = stk_catalog_idle(catalog, name, key_id, error);
    if (status == STIRKEEP_OK)
        status = check_room(catalog, error);
    if (status == STIRKEEP_OK) {
        query = stk_query_new(catalog, STK_SQL_INTENT_INSERT);
        stk_query_bind_text(&query, kinds[kind].word);
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

static enum stirkeep_status set_key(struct stk_catalog *catalog, int64_t intent,
                                    const struct stk_key_id *key_id, struct stk_error *error)
{
    struct stk_query query = {0};
    enum stirkeep_status status = check_key_free(catalog, "the key that was made", key_id, error);

    if (status != STIRKEEP_OK)
        return status;
    query = stk_query_new(catalog, STK_SQL_INTENT_SET_KEY);
    stk_query_bind_bytes(&query, key_id->bytes, sizeof(key_id->bytes));
    stk_query_bind_integer(&query, intent);
    status = stk_query_run(&query, error);
    if (status == STIRKEEP_OK && stk_db_changes(catalog) != 1)
        status = stk_error_set(error, STIRKEEP_INTERNAL,
                               "the journal has no intent %lld that waits for its key",
                               (long long)intent);
    return status;
}

enum stirkeep_status stk_catalog_intent_key(struct stk_catalog *catalog, int64_t intent,
                                            const struct stk_key_id *key_id,
                                            struct stk_error *error)
{
    enum stirkeep_status status = stk_db_begin(catalog, error);

    if (status != STIRKEEP_OK)
        return status;
    return stk_db_end(catalog, set_key(catalog, intent, key_id, error), error);
}

enum stirkeep_status stk_intent_end(struct stk_catalog *catalog, int64_t intent,
                                    enum stk_intent_kind kind, const char *name,
                                    const struct stk_key_id *key_id, struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, STK_SQL_INTENT_END);
    enum stirkeep_status status = STIRKEEP_OK;

    stk_query_bind_integer(&query, intent);
    stk_query_bind_text(&query, kinds[kind].word);
    stk_query_bind_text(&query, name);
    stk_query_bind_bytes(&query, key_id->bytes, sizeof(key_id->bytes));
    status = stk_query_run(&query, error);
    if (status == STIRKEEP_OK && stk_db_changes(catalog) != 1)
        status = stk_error_set(error, STIRKEEP_INTERNAL,
                               "%s: what was done for it has no intent in the journal", name);
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
        intent.kind = read_kind(&query);
        stk_query_text_into(&query, intent.name.text, STK_NAME_MAX);
        stk_query_key_id(&query, false, &intent.key_id);
        stk_query_key_id(&query, true, &intent.ticket);
        stk_query_text_into(&query, intent.source, STK_SOURCE_MAX - 1);
    }
    status = stk_query_end(&query, error);
    if (status != STIRKEEP_OK)
        return status;
    if (query.rows == 0)
        return stk_error_set(error, STIRKEEP_UNKNOWN_NAME, "no intent is open");
    *ret_intent = intent;
    return STIRKEEP_OK;
}
