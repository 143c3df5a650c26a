/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

/*
 * Version 1 to 2, as sqlite.org/lang_altertable.html says in section 7: a table whose CHECK changes
 * is copied to one of another name, which then takes its place. (Renaming the old one away would
 * turn the other tables' references to it.) Keys tell when they came: by their first generation.
 * `intent` only gets columns: copied, it would forget the ids that were used.
 */
static const char to_2[] =
    "CREATE TABLE new_key ("
    " id INTEGER PRIMARY KEY,"
    " key_id BLOB NOT NULL CHECK (length(key_id) = 32),"
    " name INTEGER NOT NULL REFERENCES name (id),"
    " origin TEXT NOT NULL CHECK (origin IN ('imported', 'sealed', 'generated')),"
    " state TEXT NOT NULL CHECK (state IN ('held', 'unavailable', 'destroyed')),"
    " attributes TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " created_by INTEGER NOT NULL"
    ") STRICT;"
    "INSERT INTO new_key (id, key_id, name, origin, state, attributes, created, created_by)"
    " SELECT id, key_id, name, origin, state, attributes,"
    " ifnull((SELECT created FROM generation WHERE key = key.id ORDER BY id LIMIT 1), 0),"
    " ifnull((SELECT created_by FROM generation WHERE key = key.id ORDER BY id LIMIT 1), 0)"
    " FROM key;"
    "DROP TABLE key;"
    "ALTER TABLE new_key RENAME TO key;"
    "CREATE UNIQUE INDEX key_held ON key (key_id) WHERE state <> 'destroyed';"
    "CREATE INDEX key_name ON key (name);"

    "ALTER TABLE generation ADD COLUMN numbers TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX generation_due ON generation (activate_at) WHERE state = 'staged';"
    "CREATE INDEX generation_staged ON generation (name) WHERE state = 'staged';"
    "CREATE INDEX generation_expiry ON generation (not_after) WHERE state = 'active';"

    "ALTER TABLE intent ADD COLUMN kind TEXT NOT NULL DEFAULT 'import'"
    " CHECK (kind IN ('import', 'generate', 'destroy'));"
    "ALTER TABLE intent ADD COLUMN ticket BLOB CHECK (length(ticket) = 32);"
    "DROP INDEX intent_name;"
    "CREATE UNIQUE INDEX intent_name ON intent (name)"
    " WHERE state = 'intent' AND kind <> 'destroy';"
    "CREATE INDEX intent_open ON intent (name) WHERE state = 'intent';"

    "PRAGMA user_version = 2;";

static const char to_3[] = STK_SCHEMA_USAGE "PRAGMA user_version = 3;";

static enum stirkeep_status execute(struct stk_catalog *catalog, const char *sql,
                                    struct stk_error *error)
{
    if (sqlite3_exec(catalog->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return stk_db_failed(catalog, error);
    return STIRKEEP_OK;
}

/* While keys were not looked after, no row has come to refer to what is not there. */
static enum stirkeep_status check_references(struct stk_catalog *catalog, struct stk_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum stirkeep_status status = STIRKEEP_OK;
    int result = sqlite3_prepare_v2(catalog->db, "PRAGMA foreign_key_check", -1, &statement, NULL);

    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        status = stk_error_set(error, STIRKEEP_STORAGE,
                               "catalog %s: a row of table %s refers to one that is not "
                               "there: " STK_DAMAGE_CURE,
                               catalog->path, (const char *)sqlite3_column_text(statement, 0));
    else if (result != SQLITE_DONE)
        status = stk_db_failed(catalog, error);
    (void)sqlite3_finalize(statement);
    return status;
}

enum stirkeep_status stk_schema_migrate(struct stk_catalog *catalog, int version,
                                        struct stk_error *error)
{
    /* Not inside the transaction: there the pragma does nothing. */
    enum stirkeep_status status = execute(catalog, "PRAGMA foreign_keys = OFF", error);

    if (status == STIRKEEP_OK)
        status = execute(catalog, "BEGIN IMMEDIATE", error);
    if (status != STIRKEEP_OK)
        return status;
    if (version < 2)
        status = execute(catalog, to_2, error);
    if (status == STIRKEEP_OK)
        status = execute(catalog, to_3, error);
    if (status == STIRKEEP_OK)
        status = check_references(catalog, error);
    if (status == STIRKEEP_OK)
        status = execute(catalog, "COMMIT", error);
    if (status == STIRKEEP_OK)
        return execute(catalog, "PRAGMA foreign_keys = ON", error);
    if (sqlite3_get_autocommit(catalog->db) == 0)
        (void)sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}
