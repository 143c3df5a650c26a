/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_WAIT_MS 500 /* for another's read lock: a backup with the sqlite3 command */

static enum stirkeep_status failed(const char *path, const char *reason, struct stk_error *error)
{
    return stk_error_set(error, STIRKEEP_STORAGE, "catalog %s: %s", path, reason);
}

/* A private regular file of that name, made when it is missing; the descriptor is the caller's. */
static enum stirkeep_status open_private(const char *path, int *ret_fd, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    struct stat about = {0};
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

    if (fd < 0)
        return failed(path, errno == ELOOP ? "is a symbolic link" : strerror(errno), error);
    if (fstat(fd, &about) != 0)
        status = failed(path, strerror(errno), error);
    else if (!S_ISREG(about.st_mode))
        status = failed(path, "not a regular file", error);
    else if ((about.st_mode & 07777) != 0600 && fchmod(fd, 0600) != 0)
        status = failed(path, strerror(errno), error);
    if (status != STIRKEEP_OK) {
        (void)close(fd);
        return status;
    }
    *ret_fd = fd;
    return STIRKEEP_OK;
}

static enum stirkeep_status take_lock(struct stk_catalog *catalog, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;
    char path[PATH_MAX] = "";
    int length = snprintf(path, sizeof(path), "%s.lock", catalog->path);

    if (length < 0 || (size_t)length >= sizeof(path))
        return failed(catalog->path, strerror(ENAMETOOLONG), error);
    status = open_private(path, &catalog->lock, error);
    if (status != STIRKEEP_OK)
        return status;
    while (flock(catalog->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK)
            return stk_error_set(error, STIRKEEP_BUSY,
                                 "catalog %s: in use by another process (%s is locked)",
                                 catalog->path, path);
        return failed(path, strerror(errno), error);
    }
    return STIRKEEP_OK;
}

/* SQLite would make the file with other rights; its -wal and -shm files follow those it finds. */
static enum stirkeep_status make_file(struct stk_catalog *catalog, struct stk_error *error)
{
    char directory[PATH_MAX] = "";
    int fd = -1;
    enum stirkeep_status status = open_private(catalog->path, &fd, error);

    if (status != STIRKEEP_OK)
        return status;
    /* Closed before SQLite opens it: closing any descriptor of a file drops its POSIX locks. */
    (void)close(fd);
    if (!stk_file_directory_of(catalog->path, directory, sizeof(directory)))
        return failed(catalog->path, strerror(ENAMETOOLONG), error);
    if (!stk_file_sync_directory(directory))
        return failed(directory, strerror(errno), error);
    return STIRKEEP_OK;
}

static enum stirkeep_status configure(struct stk_catalog *catalog, struct stk_error *error)
{
    static const struct {
        int limit;
        int value;
    } limits[] = {{SQLITE_LIMIT_LENGTH, 1024 * 1024}, {SQLITE_LIMIT_SQL_LENGTH, 16 * 1024},
                  {SQLITE_LIMIT_ATTACHED, 0},         {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
                  {SQLITE_LIMIT_WORKER_THREADS, 0},   {SQLITE_LIMIT_COMPOUND_SELECT, 2}};
    static const char pragmas[] = "PRAGMA synchronous = FULL;"
                                  "PRAGMA foreign_keys = ON;"
                                  "PRAGMA trusted_schema = OFF;"
                                  "PRAGMA cell_size_check = ON;"
                                  "PRAGMA temp_store = MEMORY;"
                                  "PRAGMA journal_size_limit = 4194304;" STK_SCHEMA_USAGE_WAITING;
    sqlite3 *db = catalog->db;

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        (void)sqlite3_limit(db, limits[i].limit, limits[i].value);
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, BUSY_WAIT_MS);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (sqlite3_exec(db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
        return stk_db_failed(catalog, error);
    return STIRKEEP_OK;
}

static enum stirkeep_status open_database(struct stk_catalog *catalog, struct stk_error *error)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    enum stirkeep_status status = STIRKEEP_OK;

    if (sqlite3_open_v2(catalog->path, &catalog->db, flags, NULL) != SQLITE_OK)
        return catalog->db != NULL ? stk_db_failed(catalog, error)
                                   : failed(catalog->path, "out of memory", error);
    status = configure(catalog, error);
    if (status == STIRKEEP_OK)
        status = stk_schema_prepare(catalog, error);
    for (int i = 0; status == STIRKEEP_OK && i < STK_SQL_COUNT; i++)
        if (sqlite3_prepare_v3(catalog->db, stk_sql_text((enum stk_sql)i), -1,
                               SQLITE_PREPARE_PERSISTENT, &catalog->statements[i],
                               NULL) != SQLITE_OK)
            status = stk_db_failed(catalog, error);
    return status;
}

enum stirkeep_status stk_catalog_open(const char *path, struct stk_catalog **ret_catalog,
                                      struct stk_error *error)
{
    struct stk_catalog *catalog = calloc(1, sizeof(*catalog));
    enum stirkeep_status status = STIRKEEP_NO_MEMORY;
    int length = 0;

    if (catalog == NULL)
        return stk_error_set(error, status, "catalog %s: out of memory", path);
    catalog->lock = -1;
    /* With a '/' in it SQLite takes it for a file's path whatever it begins with. */
    length = asprintf(&catalog->path, "%s%s", path[0] == '/' ? "" : "./", path);
    if (length < 0) {
        catalog->path = NULL;
        status = stk_error_set(error, status, "catalog %s: out of memory", path);
        goto out;
    }
    status = take_lock(catalog, error);
    if (status == STIRKEEP_OK)
        status = make_file(catalog, error);
    if (status == STIRKEEP_OK)
        status = open_database(catalog, error);
    if (status == STIRKEEP_OK) {
        *ret_catalog = catalog;
        catalog = NULL;
    }
out:
    stk_catalog_close(catalog);
    return status;
}

void stk_catalog_close(struct stk_catalog *catalog)
{
    if (catalog == NULL)
        return;
    for (int i = 0; i < STK_SQL_COUNT; i++)
        (void)sqlite3_finalize(catalog->statements[i]);
    (void)sqlite3_close(catalog->db);
    if (catalog->lock >= 0)
        (void)close(catalog->lock);
    free(catalog->path);
    free(catalog);
}
