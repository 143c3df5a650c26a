/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#define APPLICATION_ID 0x53544b43 /* "STKC": so that no other program's database is taken over */
#define SCHEMA_VERSION 3

/*
 * What stk_schema_migrate makes of an older version is the same. A destroyed key keeps its row, for
 * the record, and may come again. A name whose `current` is NULL has keys only, no generation.
 * There is room for missing keys (key.state) and the spool's journal (intent.state,
 * intent.generation) without a change of the schema.
 */
static const char schema[] =
    "CREATE TABLE name ("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),"
    " current INTEGER REFERENCES generation (id) DEFERRABLE INITIALLY DEFERRED"
    ") STRICT;"

    "CREATE TABLE key ("
    " id INTEGER PRIMARY KEY,"
    " key_id BLOB NOT NULL CHECK (length(key_id) = 32),"
    " name INTEGER NOT NULL REFERENCES name (id),"
    " origin TEXT NOT NULL CHECK (origin IN ('imported', 'sealed', 'generated')),"
    " state TEXT NOT NULL CHECK (state IN ('held', 'unavailable', 'destroyed')),"
    " attributes TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " created_by INTEGER NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX key_held ON key (key_id) WHERE state <> 'destroyed';"
    "CREATE INDEX key_name ON key (name);"

    "CREATE TABLE generation ("
    " id INTEGER PRIMARY KEY,"
    " name INTEGER NOT NULL REFERENCES name (id),"
    " number INTEGER NOT NULL CHECK (number > 0),"
    " key INTEGER NOT NULL REFERENCES key (id),"
    " state TEXT NOT NULL"
    "  CHECK (state IN ('staged', 'active', 'previous', 'retired', 'destroyed')),"
    " activate_at INTEGER,"
    " spc TEXT NOT NULL,"
    " subject TEXT NOT NULL,"
    " issuer TEXT NOT NULL,"
    " serial TEXT NOT NULL,"
    " fingerprint TEXT NOT NULL,"
    " x5u TEXT NOT NULL,"
    " not_before INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " created_by INTEGER NOT NULL,"
    " numbers TEXT NOT NULL DEFAULT '',"
    " UNIQUE (name, number)"
    ") STRICT;"
    "CREATE UNIQUE INDEX generation_active ON generation (name) WHERE state = 'active';"
    "CREATE INDEX generation_key ON generation (key);"
    "CREATE INDEX generation_due ON generation (activate_at) WHERE state = 'staged';"
    "CREATE INDEX generation_staged ON generation (name) WHERE state = 'staged';"
    "CREATE INDEX generation_expiry ON generation (not_after) WHERE state = 'active';"

    "CREATE TABLE chain ("
    " generation INTEGER NOT NULL REFERENCES generation (id),"
    " position INTEGER NOT NULL,"
    " der BLOB NOT NULL,"
    " PRIMARY KEY (generation, position)"
    ") STRICT;"

    /* AUTOINCREMENT: an id that was told to somebody never means another row. */
    "CREATE TABLE intent ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " name TEXT NOT NULL,"
    " key_id BLOB NOT NULL CHECK (length(key_id) = 32),"
    " source TEXT NOT NULL,"
    " state TEXT NOT NULL CHECK (state IN ('intent', 'imported', 'wiped')),"
    " generation INTEGER REFERENCES generation (id),"
    " started INTEGER NOT NULL,"
    " kind TEXT NOT NULL DEFAULT 'import' CHECK (kind IN ('import', 'generate', 'destroy')),"
    " ticket BLOB CHECK (length(ticket) = 32)"
    ") STRICT;"
    "CREATE UNIQUE INDEX intent_name ON intent (name)"
    " WHERE state = 'intent' AND kind <> 'destroy';"
    "CREATE INDEX intent_open ON intent (name) WHERE state = 'intent';"
    "CREATE UNIQUE INDEX intent_key ON intent (key_id) WHERE state = 'intent';"
    "CREATE INDEX intent_generation ON intent (generation);"

    "CREATE TABLE act ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " act TEXT NOT NULL,"
    " outcome TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " generation INTEGER NOT NULL,"
    " key_id BLOB CHECK (length(key_id) = 32),"
    " detail TEXT NOT NULL,"
    " uid INTEGER NOT NULL,"
    " gid INTEGER NOT NULL,"
    " pid INTEGER NOT NULL,"
    " request_id INTEGER NOT NULL"
    ") STRICT;"

    STK_SCHEMA_USAGE

    /* APPLICATION_ID in decimal, then SCHEMA_VERSION: pragmas take no expressions. */
    "PRAGMA application_id = 1398033219;"
    "PRAGMA user_version = 3;";

static enum stirkeep_status read_number(struct stk_catalog *catalog, const char *sql,
                                        int64_t *ret_number, struct stk_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum stirkeep_status status = STIRKEEP_OK;

    if (sqlite3_prepare_v2(catalog->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    else
        status = stk_db_failed(catalog, error);
    (void)sqlite3_finalize(statement);
    return status;
}

static enum stirkeep_status create(struct stk_catalog *catalog, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (sqlite3_exec(catalog->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return stk_db_failed(catalog, error);
    if (sqlite3_exec(catalog->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(catalog->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return STIRKEEP_OK;
    status = stk_db_failed(catalog, error);
    if (sqlite3_get_autocommit(catalog->db) == 0)
        (void)sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* WAL lasts in the file, but is asked for each time: it fails where it cannot be had. */
static enum stirkeep_status use_wal(struct stk_catalog *catalog, struct stk_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum stirkeep_status status = STIRKEEP_OK;
    const unsigned char *mode = NULL;

    if (sqlite3_prepare_v2(catalog->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL) !=
            SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        status = stk_db_failed(catalog, error);
    } else {
        mode = sqlite3_column_text(statement, 0);
        if (mode == NULL || sqlite3_stricmp((const char *)mode, "wal") != 0)
            status = stk_error_set(error, STIRKEEP_STORAGE,
                                   "catalog %s: this file system cannot hold a write-ahead log",
                                   catalog->path);
    }
    (void)sqlite3_finalize(statement);
    return status;
}

enum stirkeep_status stk_schema_prepare(struct stk_catalog *catalog, struct stk_error *error)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t objects = 0;
    enum stirkeep_status status =
        read_number(catalog, "PRAGMA application_id", &application, error);

    if (status == STIRKEEP_OK)
        status = read_number(catalog, "PRAGMA user_version", &version, error);
    if (status == STIRKEEP_OK)
        status = read_number(catalog, "SELECT count(*) FROM sqlite_schema", &objects, error);
    if (status != STIRKEEP_OK)
        return status;
    if (application == 0 && version == 0 && objects == 0) {
        status = use_wal(catalog, error);
        return status == STIRKEEP_OK ? create(catalog, error) : status;
    }
    if (application != APPLICATION_ID || version < 1)
        return stk_error_set(error, STIRKEEP_STORAGE,
                             "catalog %s: an SQLite database, but not a stirkeep catalog",
                             catalog->path);
    if (version > SCHEMA_VERSION)
        return stk_error_set(error, STIRKEEP_UNSUPPORTED,
                             "catalog %s: written by a newer stirkeep (schema version %lld, this "
                             "one knows %d): install that version again, or restore a backup",
                             catalog->path, (long long)version, SCHEMA_VERSION);
    status = use_wal(catalog, error);
    if (status == STIRKEEP_OK && version < SCHEMA_VERSION)
        status = stk_schema_migrate(catalog, (int)version, error);
    return status;
}
