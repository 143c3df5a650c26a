/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include <assert.h>
#include <string.h>

struct stk_query stk_query_new(struct stk_catalog *catalog, enum stk_sql sql)
{
    return (struct stk_query){.catalog = catalog, .statement = catalog->statements[sql]};
}

static void keep(struct stk_query *query, int result)
{
    if (query->result == SQLITE_OK)
        query->result = result;
}

void stk_query_bind_text(struct stk_query *query, const char *text)
{
    keep(query, sqlite3_bind_text(query->statement, ++query->bound, text, -1, SQLITE_STATIC));
}

void stk_query_bind_integer(struct stk_query *query, int64_t value)
{
    keep(query, sqlite3_bind_int64(query->statement, ++query->bound, value));
}

void stk_query_bind_bytes(struct stk_query *query, const void *data, size_t length)
{
    keep(query, sqlite3_bind_blob64(query->statement, ++query->bound, data, length, SQLITE_STATIC));
}

void stk_query_bind_null(struct stk_query *query)
{
    keep(query, sqlite3_bind_null(query->statement, ++query->bound));
}

bool stk_query_step(struct stk_query *query)
{
    int result = SQLITE_OK;

    if (query->result != SQLITE_OK || query->bad || query->full)
        return false;
    result = sqlite3_step(query->statement);
    query->column = 0;
    if (result == SQLITE_ROW) {
        query->rows++;
        return true;
    }
    if (result != SQLITE_DONE)
        keep(query, result);
    return false;
}

int64_t stk_query_integer(struct stk_query *query)
{
    return sqlite3_column_int64(query->statement, query->column++);
}

int64_t stk_query_number(struct stk_query *query, int64_t min, int64_t max)
{
    int64_t value = stk_query_integer(query);

    if (value >= min && value <= max)
        return value;
    query->bad = true;
    return min;
}

/* The column's bytes, if they are a text as it was written; NULL otherwise. */
static const char *text_of(struct stk_query *query, size_t max, size_t *ret_length)
{
    const char *text = (const char *)sqlite3_column_text(query->statement, query->column);
    size_t length = (size_t)sqlite3_column_bytes(query->statement, query->column);

    query->column++;
    if (text != NULL && length <= max && strlen(text) == length) {
        *ret_length = length;
        return text;
    }
    query->bad = true;
    return NULL;
}

const char *stk_query_text(struct stk_query *query, struct stk_arena *arena, size_t max)
{
    size_t length = 0;
    const char *text = text_of(query, max, &length);
    const char *copy = NULL;

    if (text == NULL)
        return "";
    copy = stk_arena_copy(arena, text, length);
    if (copy != NULL)
        return copy;
    query->full = true;
    return "";
}

void stk_query_text_into(struct stk_query *query, char *ret_text, size_t max)
{
    size_t length = 0;
    const char *text = text_of(query, max, &length);

    if (text != NULL)
        memcpy(ret_text, text, length + 1);
    else
        ret_text[0] = '\0';
}

struct stk_bytes stk_query_bytes(struct stk_query *query, struct stk_arena *arena, size_t max)
{
    const void *data = sqlite3_column_blob(query->statement, query->column);
    size_t length = (size_t)sqlite3_column_bytes(query->statement, query->column);
    const char *copy = NULL;

    query->column++;
    if (data == NULL || length == 0 || length > max) {
        query->bad = true;
        return (struct stk_bytes){0};
    }
    copy = stk_arena_copy(arena, data, length);
    if (copy == NULL) {
        query->full = true;
        return (struct stk_bytes){0};
    }
    return (struct stk_bytes){.data = (const uint8_t *)copy, .length = length};
}

void stk_query_key_id(struct stk_query *query, bool null, struct stk_key_id *ret_key_id)
{
    const void *data = sqlite3_column_blob(query->statement, query->column);
    int length = sqlite3_column_bytes(query->statement, query->column);

    query->column++;
    *ret_key_id = (struct stk_key_id){0};
    if (data != NULL && length == STK_KEY_ID_LENGTH)
        memcpy(ret_key_id->bytes, data, STK_KEY_ID_LENGTH);
    else if (data != NULL || !null)
        query->bad = true;
}

enum stirkeep_status stk_query_end(struct stk_query *query, struct stk_error *error)
{
    enum stirkeep_status status = STIRKEEP_OK;

    if (query->result != SQLITE_OK)
        status = stk_db_failed(query->catalog, error);
    else if (query->bad)
        status = stk_error_set(error, STIRKEEP_STORAGE,
                               "catalog %s: a row holds what was never written: " STK_DAMAGE_CURE,
                               query->catalog->path);
    else if (query->full)
        status = stk_error_set(error, STIRKEEP_TOO_LARGE, "more than one answer can hold");
    (void)sqlite3_reset(query->statement);
    (void)sqlite3_clear_bindings(query->statement);
    return status;
}

enum stirkeep_status stk_query_run(struct stk_query *query, struct stk_error *error)
{
    bool row = stk_query_step(query);

    assert(!row);
    (void)row;
    return stk_query_end(query, error);
}
