/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include "model/name.h"
#include <string.h>

enum stirkeep_status stk_db_failed(struct stk_catalog *catalog, struct stk_error *error)
{
    int code = sqlite3_errcode(catalog->db) & 0xff;
    int reason = sqlite3_system_errno(catalog->db);

    if (code == SQLITE_NOMEM)
        return stk_error_set(error, STIRKEEP_NO_MEMORY, "catalog %s: out of memory", catalog->path);
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return stk_error_set(error, STIRKEEP_STORAGE, "catalog %s: %s: " STK_DAMAGE_CURE,
                             catalog->path, sqlite3_errmsg(catalog->db));
    if ((code == SQLITE_IOERR || code == SQLITE_CANTOPEN) && reason != 0)
        return stk_error_set(error, STIRKEEP_STORAGE, "catalog %s: %s: %s", catalog->path,
                             sqlite3_errmsg(catalog->db), strerror(reason));
    return stk_error_set(error, STIRKEEP_STORAGE, "catalog %s: %s", catalog->path,
                         sqlite3_errmsg(catalog->db));
}

static enum stirkeep_status run(struct stk_catalog *catalog, enum stk_sql sql,
                                struct stk_error *error)
{
    struct stk_query query = stk_query_new(catalog, sql);

    return stk_query_run(&query, error);
}

enum stirkeep_status stk_catalog_in_place(struct stk_catalog *catalog, struct stk_error *error)
{
    int moved = 0;

    if (sqlite3_file_control(catalog->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
        moved == 0)
        return STIRKEEP_OK;
    return stk_error_set(
        error, STIRKEEP_STORAGE,
        "catalog %s: moved, removed, replaced or out of reach while it is in use, and "
        "not written any more: put it back, or restart with what is there now",
        catalog->path);
}

enum stirkeep_status stk_db_begin(struct stk_catalog *catalog, struct stk_error *error)
{
    enum stirkeep_status status = stk_catalog_in_place(catalog, error);

    return status == STIRKEEP_OK ? run(catalog, STK_SQL_BEGIN, error) : status;
}

enum stirkeep_status stk_db_end(struct stk_catalog *catalog, enum stirkeep_status status,
                                struct stk_error *error)
{
    if (status == STIRKEEP_OK)
        status = run(catalog, STK_SQL_COMMIT, error);
    /* Some failures end the transaction by themselves. */
    if (status != STIRKEEP_OK && sqlite3_get_autocommit(catalog->db) == 0)
        (void)run(catalog, STK_SQL_ROLLBACK, NULL);
    return status;
}

int stk_db_changes(struct stk_catalog *catalog)
{
    return sqlite3_changes(catalog->db);
}

enum stirkeep_status stk_check_text(const char *field, const char *text, size_t max,
                                    struct stk_error *error)
{
    if (text == NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: missing", field);
    if (strnlen(text, max + 1) > max)
        return stk_error_set(error, STIRKEEP_INVALID, "%s: longer than %zu bytes", field, max);
    return STIRKEEP_OK;
}

enum stirkeep_status stk_check_name(const char *text, struct stk_error *error)
{
    struct stk_name name = {0};

    if (text == NULL)
        return stk_error_set(error, STIRKEEP_INVALID, "certificate name: missing");
    return stk_name_parse(text, &name, error);
}
