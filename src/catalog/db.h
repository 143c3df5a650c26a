/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CATALOG_DB_H
#define STK_CATALOG_DB_H

#include "catalog/catalog.h"
#include "catalog/sql.h"
#include <sqlite3.h>
#include <stdbool.h>

/* Inside the catalog only: its statements, transactions and failures. One thread. */

/* What is said of a file that is no use any more. The token has all that signing needs. */
#define STK_DAMAGE_CURE                                                                            \
    "restore a backup, or move the file away with its -wal and -shm, start, and run "              \
    "stirkeep doctor --rebuild-catalog"

struct stk_catalog {
    sqlite3 *db;
    char *path;
    int lock;
    sqlite3_stmt *statements[STK_SQL_COUNT];
};

/* What SQLite said last, as STORAGE or NO_MEMORY. */
enum stirkeep_status stk_db_failed(struct stk_catalog *catalog, struct stk_error *error);

/* BEGIN IMMEDIATE; STORAGE when the file is not in its place: what is written there would be gone. */
enum stirkeep_status stk_db_begin(struct stk_catalog *catalog, struct stk_error *error);

/* End a transaction: commit when `status` is OK, else undo all of it and return `status`. When the
 * commit fails all is undone too, and its failure is returned. */
enum stirkeep_status stk_db_end(struct stk_catalog *catalog, enum stirkeep_status status,
                                struct stk_error *error);

/*
 * One use of a kept statement: bind its parameters from the first on, step through its rows, read
 * their columns from the first on, end it. Failures are kept until the end tells them, so that the
 * calls between need no checks; no row comes after a failure. Bound data must live until the end.
 */
struct stk_query {
    struct stk_catalog *catalog;
    sqlite3_stmt *statement;
    int result;  /* SQLite's; SQLITE_OK until something fails */
    int bound;   /* parameters bound so far */
    int column;  /* columns of this row read so far */
    bool bad;    /* a row holds what was never written: the file is damaged */
    bool full;   /* the arena has no room for a column */
    size_t rows; /* that came */
};

struct stk_query stk_query_new(struct stk_catalog *catalog, enum stk_sql sql);
void stk_query_bind_text(struct stk_query *query, const char *text);
void stk_query_bind_integer(struct stk_query *query, int64_t value);
void stk_query_bind_bytes(struct stk_query *query, const void *data, size_t length);
void stk_query_bind_null(struct stk_query *query);

/* A row? */
bool stk_query_step(struct stk_query *query);

int64_t stk_query_integer(struct stk_query *query);
/* An integer from 0 (or 1) to `max`; else the row is bad. */
int64_t stk_query_number(struct stk_query *query, int64_t min, int64_t max);
/* A text of at most `max` bytes without '\0' in it, in the arena. "" after a failure. */
const char *stk_query_text(struct stk_query *query, struct stk_arena *arena, size_t max);
/* The same into `ret_text` (`max` + 1 bytes). */
void stk_query_text_into(struct stk_query *query, char *ret_text, size_t max);
/* 1 to `max` bytes, in the arena. */
struct stk_bytes stk_query_bytes(struct stk_query *query, struct stk_arena *arena, size_t max);
/* 32 bytes; `null` allows none, which reads as zero. */
void stk_query_key_id(struct stk_query *query, bool null, struct stk_key_id *ret_key_id);

/* Release the statement. OK, or STORAGE, NO_MEMORY, TOO_LARGE (arena). */
enum stirkeep_status stk_query_end(struct stk_query *query, struct stk_error *error);

/* Run a statement that gives no rows, to its end. */
enum stirkeep_status stk_query_run(struct stk_query *query, struct stk_error *error);

/* Of the statement that ran last. */
int stk_db_changes(struct stk_catalog *catalog);

/* ---- checks before a transaction: INVALID naming the field */

enum stirkeep_status stk_check_text(const char *field, const char *text, size_t max,
                                    struct stk_error *error);
enum stirkeep_status stk_check_name(const char *text, struct stk_error *error);
enum stirkeep_status stk_generation_check(const struct stk_new_generation *generation,
                                          struct stk_error *error);

/* ---- parts of a transaction, inside one */

/* Record an act; `generation` 0: the act's own. */
enum stirkeep_status stk_act_insert(struct stk_catalog *catalog, const struct stk_act *act,
                                    uint32_t generation, struct stk_error *error);

/* The row of a name (UNKNOWN_NAME), and with a new one made where there is none (TOO_LARGE). */
enum stirkeep_status stk_name_find(struct stk_catalog *catalog, const char *name, int64_t *ret_id,
                                   struct stk_error *error);
enum stirkeep_status stk_name_hold(struct stk_catalog *catalog, const char *name, int64_t *ret_id,
                                   struct stk_error *error);
/* The row of a key held under that name, made where there is none, with what `about` says of the
 * key and of who brought it. CONFLICT; BUSY when it is about to be destroyed. */
enum stirkeep_status stk_key_hold(struct stk_catalog *catalog, const struct stk_generation *about,
                                  int64_t name, int64_t *ret_key, struct stk_error *error);

/* The intent of that kind, name and key is gone; INTERNAL when there is none. */
enum stirkeep_status stk_intent_end(struct stk_catalog *catalog, int64_t intent,
                                    enum stk_intent_kind kind, const char *name,
                                    const struct stk_key_id *key_id, struct stk_error *error);
/* BUSY when `query` has a row: the kind and the name of an open intent that is in the way of
 * something under `name`. Ends the query. */
enum stirkeep_status stk_intent_in_the_way(struct stk_query *query, const char *name,
                                           struct stk_error *error);

/* The active generation of a name becomes a previous one. */
enum stirkeep_status stk_generation_demote(struct stk_catalog *catalog, int64_t name,
                                           struct stk_error *error);
/* A generation in that state is the active one of its name, and the active one before a previous
 * one; the act (or NULL) is recorded. BUSY when it is not in that state or its key is lost. */
enum stirkeep_status stk_generation_activate(struct stk_catalog *catalog, const char *name,
                                             uint32_t generation, const char *state,
                                             const struct stk_act *act, struct stk_error *error);
/* What is active or staged under a name with that key's row (0: any) is retired: the number of the
 * active one and of the newest staged one, 0 when there was none. */
enum stirkeep_status stk_generation_retire(struct stk_catalog *catalog, int64_t name, int64_t key,
                                           uint32_t *ret_active, uint32_t *ret_staged,
                                           struct stk_error *error);
/* A new generation in that state with its chain, numbered behind the others of its name; what else
 * its state asks for is the caller's. TOO_LARGE. */
enum stirkeep_status stk_generation_insert(struct stk_catalog *catalog,
                                           const struct stk_new_generation *generation,
                                           int64_t name, int64_t key, const char *state,
                                           uint32_t *ret_number, int64_t *ret_row,
                                           struct stk_error *error);
/* The row of the generation that a name stands for; the same where it stands for none yet. */
enum stirkeep_status stk_name_set_current(struct stk_catalog *catalog, int64_t name, int64_t row,
                                          struct stk_error *error);
enum stirkeep_status stk_name_set_first(struct stk_catalog *catalog, int64_t name, int64_t row,
                                        struct stk_error *error);

/* ---- reading */

/* The columns of CERTIFICATE in sql.c. */
struct stk_certificate stk_query_certificate(struct stk_query *query);

/* ---- schema */

/* Bring a database to this version's schema: create it in an empty one. UNSUPPORTED, STORAGE. */
enum stirkeep_status stk_schema_prepare(struct stk_catalog *catalog, struct stk_error *error);
/* From version 1 or 2 to 3, in one transaction: every row is kept. */
enum stirkeep_status stk_schema_migrate(struct stk_catalog *catalog, int version,
                                        struct stk_error *error);

/* What version 3 has more than version 2. The day comes first: it is what rows are looked for and
 * cleared away by. */
#define STK_SCHEMA_USAGE                                                                           \
    "CREATE TABLE usage ("                                                                         \
    " day INTEGER NOT NULL,"                                                                       \
    " kind TEXT NOT NULL CHECK (kind IN ('certificate', 'grant')),"                                \
    " name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),"                                   \
    " count INTEGER NOT NULL CHECK (count >= 0),"                                                  \
    " PRIMARY KEY (day, kind, name)"                                                               \
    ") STRICT, WITHOUT ROWID;"

/* What could not be stored in it yet, in this process's memory. */
#define STK_SCHEMA_USAGE_WAITING                                                                   \
    "CREATE TEMP TABLE usage_waiting ("                                                            \
    " day INTEGER NOT NULL,"                                                                       \
    " kind TEXT NOT NULL,"                                                                         \
    " name TEXT NOT NULL,"                                                                         \
    " count INTEGER NOT NULL,"                                                                     \
    " PRIMARY KEY (day, kind, name)"                                                               \
    ") STRICT, WITHOUT ROWID;"

#endif
