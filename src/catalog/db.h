/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STK_CATALOG_DB_H
#define STK_CATALOG_DB_H

#include "catalog/catalog.h"
#include "catalog/sql.h"
#include <sqlite3.h>
#include <stdbool.h>

/* Inside the catalog only: its statements, transactions and failures. One thread. */

struct stk_catalog {
    sqlite3 *db;
    char *path;
    int lock;
    sqlite3_stmt *statements[STK_SQL_COUNT];
};

/* What SQLite said last, as STORAGE or NO_MEMORY. */
enum stirkeep_status stk_db_failed(struct stk_catalog *catalog, struct stk_error *error);

/* BEGIN IMMEDIATE. */
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

/* Insert an act inside a transaction; `generation` 0: the act's own. */
enum stirkeep_status stk_act_insert(struct stk_catalog *catalog, const struct stk_act *act,
                                    uint32_t generation, struct stk_error *error);

/* Inside a transaction: the row of a name (UNKNOWN_NAME), and with a new one made where there is
 * none (TOO_LARGE); the row of a key held under that name, made likewise (CONFLICT). */
enum stirkeep_status stk_name_find(struct stk_catalog *catalog, const char *name, int64_t *ret_id,
                                   struct stk_error *error);
enum stirkeep_status stk_name_hold(struct stk_catalog *catalog, const char *name, int64_t *ret_id,
                                   struct stk_error *error);
enum stirkeep_status stk_key_hold(struct stk_catalog *catalog, const struct stk_generation *about,
                                  int64_t name, int64_t *ret_key, struct stk_error *error);

/* Inside a transaction: the active generation of a name becomes a previous one; the row of the
 * generation that the name stands for. */
enum stirkeep_status stk_generation_demote(struct stk_catalog *catalog, int64_t name,
                                           struct stk_error *error);
enum stirkeep_status stk_name_set_current(struct stk_catalog *catalog, int64_t name, int64_t row,
                                          struct stk_error *error);

/* Bring a database to this version's schema: create it in an empty one. UNSUPPORTED, STORAGE. */
enum stirkeep_status stk_schema_prepare(struct stk_catalog *catalog, struct stk_error *error);

#endif
